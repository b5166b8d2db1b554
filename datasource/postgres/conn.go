package postgres

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lib/pq"

	"usher/catalog"
	"usher/datasource/pgwire"
	"usher/datasource/pool"
	"usher/pglink"
	"usher/value"
)

// connector makes an account's connections.
type connector struct {
	server  *pglink.Server
	config  pq.Config
	opts    Options
	alone   bool // there is no other server of the account's
	pooling pooling
	silence silence
}

func newConnector(spec catalog.PostgresSpec, opts Options) (*connector, error) {
	if err := check(spec); err != nil {
		return nil, err
	}
	account := pglink.Account{Host: spec.Host, Port: spec.Port, SSLMode: spec.SSLMode, RootCert: spec.RootCert}
	server, err := pglink.NewServer(account, opts.Control)
	if err != nil {
		return nil, err
	}
	// The bound of statements is set later: sent along, it would hide the one
	// that the database's owner has set.
	c := &connector{
		server: server, opts: opts, pooling: poolingFor(spec.Pooler, opts.Writes),
		config: account.Config("usher", spec.Database, spec.User, spec.Password),
	}
	if !c.pooling.pooled() {
		for _, s := range c.pooling.settings {
			switch s.Name {
			case "client_encoding", "DateStyle": // have fields of their own
			default:
				if s.Name == "search_path" && opts.Writes { // set later: sent along, it would hide the owner's
					continue
				}
				c.config.Runtime[s.Name] = s.Value
			}
		}
	}
	return c, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// startingUp is how soon a server that is starting up is asked again.
const startingUp = 50 * time.Millisecond

// maxHangUps is how often a server may end a connection before it is made: a
// crashed one that has not noticed yet takes connections and drops them.
const maxHangUps = 5

// Connect makes a connection for the pool. It waits for a server that is
// starting up, as it is for a moment after a crash.
func (c *connector) Connect(ctx context.Context) (pool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.ConnectTimeout)
	defer cancel()
	defer c.silence.ends(cancel)()
	for hangUps := 0; ; {
		made, err := c.connect(ctx)
		var refused *pq.Error
		switch {
		case err == nil:
			return made, nil
		case errors.As(err, &refused) && refused.Code == cannotConnectNow:
		case Lost(err) && hangUps < maxHangUps:
			hangUps++
		default:
			return nil, c.away(err)
		}
		select {
		case <-ctx.Done():
			return nil, c.away(err)
		case <-time.After(startingUp):
		}
	}
}

// away tells the pool that a server may be restarting. Of several, another one is asked.
func (c *connector) away(err error) error {
	if c.alone && (Lost(err) || errors.Is(err, syscall.ECONNREFUSED)) {
		return &pool.AwayError{Cause: err}
	}
	return err
}

// hungUp tells that the other end closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, net.ErrClosed) // by usher itself: the server is silent
}

func (c *connector) connect(ctx context.Context) (*conn, error) {
	l, err := c.server.Dial(ctx, c.server.Address(), c.opts.MaxBytes)
	if err != nil {
		return nil, err
	}
	stop := l.Watch(ctx, 0)
	made, err := c.login(ctx, l)
	if err == nil {
		err = c.arrive(ctx, made)
	}
	if stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return made, nil
}

// maxDriverAnswer is how much the server may say to a statement of the session
// itself, none of which has more than a row to say.
const maxDriverAnswer = 256 << 10

func (c *connector) login(ctx context.Context, l *pglink.Link) (*conn, error) {
	made, err := l.SignIn(ctx, c.config, maxDriverAnswer)
	if err != nil {
		return nil, refused(err)
	}
	return &conn{
		traces: c.opts.Traces, pq: made, link: l, wire: pgwire.New(l), statements: newStatements(maxStatements), setup: newSessionSetup(c.opts.Session),
		silence: &c.silence,
		pooling: c.pooling, place: place{user: c.config.User, database: c.config.Database},
	}, nil
}

// signedIn is what the driver still does for a connection.
type signedIn interface {
	driver.ExecerContext
	driver.Validator
}

// conn is a connection of the pool with its prepared statements.
type conn struct {
	pq         signedIn
	link       *pglink.Link
	wire       *pgwire.Wire
	statements *statements
	setup      sessionSetup
	pooling    pooling
	silence    *silence      // of the server
	place      place         // behind a pooler
	mode       planMode      // of the session
	limit      time.Duration // of each statement
	owners     time.Duration // what the database's owner bounds statements with; 0: nothing
	broken     bool          // in an unknown state, or with a statement still running
	why        error         // it is broken, if an error says so
	begins     []string      // how a transaction that writes begins; nil: it reads
	opening    []string      // statements that begin a transaction, to be sent with the first one in it
	path       string        // sets the path for what the database's owner has a statement do that writes; empty: there is none
	writing    bool          // the statement that is sent writes
	sealing    *sealing      // COMMIT goes along with the statement; nil: it does not
	traces     bool          // statements of a traced request say so
}

// beginTexts is how the next transaction begins.
func (c *conn) beginTexts() []string {
	if c.begins != nil {
		return c.begins
	}
	return []string{beginText}
}

// usable tells whether another session may have the connection.
func (c *conn) usable() bool { return !c.broken && !c.wire.Stray && c.pq.IsValid() }

// Alive implements pool.Conn.
func (c *conn) Alive() bool {
	c.broken = c.broken || !c.usable() || !c.link.Quiet()
	return !c.broken
}

// farewell is how long the end of a connection is waited for.
const farewell = time.Second

// Close implements pool.Conn. A server closes its end when the process that
// served it has gone, so that end is waited for.
func (c *conn) Close() error {
	if c.silence.is() { // nobody knows when its end goes
		return c.link.Close()
	}
	_ = c.link.SetDeadline(time.Now().Add(farewell))
	if c.usable() {
		_, _ = c.link.Write([]byte{'X', 0, 0, 0, 4})
	}
	return c.link.End()
}

// exec runs a statement of the session itself.
func (c *conn) exec(ctx context.Context, text string) error {
	stop := c.link.Watch(ctx, pglink.Grace)
	c.link.Allow()
	_, err := c.pq.ExecContext(ctx, text, nil)
	if stop() {
		c.broken = true
	}
	if err != nil {
		return c.failed(err)
	}
	return nil
}

// failed notes what an error means for the connection: it survives those that
// the server reports of a statement.
func (c *conn) failed(err error) error {
	if c.mode != asEver {
		c.mode = unknownMode // what was set is taken back with the transaction
	}
	var reported *pq.Error
	told := errors.As(err, &reported)
	if c.sealing != nil {
		c.sealing.refused = c.sealing.refused || told && !c.sealing.executed
	}
	if !told || c.wire.Ended || Lost(err) {
		c.broken, c.why = true, cmp.Or(c.why, err)
	}
	return err
}

// query sends a statement, to be prepared first if it is not yet, and reads up
// to its rows: one way there and back. Alone means that it is a transaction of
// its own.
func (c *conn) query(text string, args []string, alone bool, mode planMode) (*prepared, error) {
	p := c.statements.get(text)
	if p == nil {
		p = c.fresh(text)
	}
	return p, c.run(text, p, args, alone, mode)
}

// fresh is a statement that is not prepared yet.
func (c *conn) fresh(text string) *prepared {
	if !c.pooling.named() {
		return &prepared{}
	}
	return &prepared{Statement: pgwire.Statement{Name: c.pooling.statementName(text)}}
}

// run sends a statement and reads up to its rows.
func (c *conn) run(text string, p *prepared, args []string, alone bool, mode planMode) error {
	if err := pgwire.Bindable(args); err != nil {
		return err
	}
	if ofSavepoint(text) {
		mode = c.mode
	}
	preface, switched, opening := alone && c.pooling.pooled(), c.switches(mode), c.opening
	c.opening = nil
	for _, text := range opening {
		c.wire.Parse("", text)
		c.wire.Execute("", nil)
	}
	switch {
	case preface:
		c.preface(c.limit, mode)
	case switched:
		c.sendPlanMode(mode)
	}
	if !p.Parsed {
		c.makeRoom(p)
		c.wire.Parse(p.Name, text)
	}
	if !p.Described {
		c.wire.Describe(p.Name)
	}
	writes := c.writing && c.path != ""
	if writes {
		c.sendWriting(p, args)
	} else {
		c.wire.Execute(p.Name, args)
	}
	if c.sealing != nil {
		*c.sealing = sealing{}
		c.wire.Parse("", "COMMIT")
		c.wire.Execute("", nil)
	}
	c.wire.Sync()
	if err := c.wire.Send(); err != nil {
		return c.failed(err)
	}
	for range opening {
		if err := c.wire.Completed(nil); err != nil {
			return c.failed(err)
		}
	}
	if preface {
		if err := c.prefaced(); err != nil {
			return err
		}
	}
	if switched {
		if err := c.switched(mode); err != nil {
			return c.failed(err)
		}
	}
	var err error
	if writes {
		err = c.startedWriting(p)
	} else {
		err = c.wire.Started(&p.Statement)
	}
	if !p.kept && p.Parsed && p.Name != "" {
		c.keep(text, p)
	}
	if err != nil {
		return c.failed(err)
	}
	if strings.HasPrefix(text, "ROLLBACK TO ") {
		c.mode = unknownMode // what was set since is taken back
	}
	return nil
}

// ofSavepoint tells statements that have no plan: nothing is set for them, for a transaction
// that has failed takes no settings.
func ofSavepoint(text string) bool {
	return strings.HasPrefix(text, "SAVEPOINT ") || strings.HasPrefix(text, "ROLLBACK TO ") || strings.HasPrefix(text, "RELEASE ")
}

// makeRoom closes the statement unused for longest if there are too many. The
// answer comes with that of the next one.
func (c *conn) makeRoom(p *prepared) {
	if p.Name == "" {
		return
	}
	if oldest := c.statements.room(); oldest != nil {
		c.wire.Forget(oldest.Name)
	}
}

// keep remembers a statement that the server has prepared, also one whose first
// run has failed: it stays on the server.
func (c *conn) keep(text string, p *prepared) {
	if !p.Described {
		c.wire.Forget(p.Name)
		return
	}
	c.statements.add(text, p)
	p.kept = true
}

// forgetAll forgets all prepared statements; the server is told with the next message.
func (c *conn) forgetAll() {
	for p := c.statements.oldest(); p != nil; p = c.statements.oldest() {
		c.wire.Forget(p.Name)
	}
}

// row runs a statement, prepared anew, and returns its first row.
func (c *conn) row(ctx context.Context, text string, args []string) ([]value.Cell, error) {
	p := &prepared{}
	if err := c.run(text, p, args, false, asEver); err != nil {
		return nil, err
	}
	found := newRows(ctx, c, p.Types, func() bool { return false })
	var cells []value.Cell
	if found.Next() {
		for i := range p.Types {
			cell := found.Cell(i)
			cell.Text = bytes.Clone(cell.Text)
			cells = append(cells, cell)
		}
	}
	return cells, errors.Join(found.Err(), found.Close())
}

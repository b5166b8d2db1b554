package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/lib/pq"

	"usher/catalog"
	"usher/datasource/pool"
)

// connector makes an account's connections.
type connector struct {
	server *server
	config pq.Config
	opts   Options
}

func newConnector(spec catalog.PostgresSpec, opts Options) (*connector, error) {
	if err := check(spec); err != nil {
		return nil, err
	}
	server, err := newServer(spec, opts)
	if err != nil {
		return nil, err
	}
	// A config made by hand, not from a connection string: the driver fills in
	// nothing of its own.
	return &connector{server: server, opts: opts, config: pq.Config{
		Host: spec.Host, Port: uint16(spec.Port),
		Database: spec.Database, User: spec.User, Password: spec.Password,
		Passfile:           filepath.Join(os.DevNull, "none"), // cannot exist
		SSLMode:            pq.SSLModeDisable,                 // the link has TLS
		ApplicationName:    "usher",
		ClientEncoding:     "UTF8",
		Datestyle:          "ISO, MDY",
		MinProtocolVersion: pq.ProtocolVersion30,
		MaxProtocolVersion: pq.ProtocolVersion30,
		Runtime: map[string]string{
			"TimeZone":                      "UTC",
			"IntervalStyle":                 "postgres",
			"extra_float_digits":            "1",
			"search_path":                   "",
			"default_transaction_read_only": "on",
			"statement_timeout":             milliseconds(opts.Timeout + time.Second),
			"jit":                           "off",
		},
	}}, nil
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
	for hangUps := 0; ; {
		made, err := c.connect(ctx)
		var refused *pq.Error
		switch {
		case err == nil:
			return made, nil
		case errors.As(err, &refused) && refused.Code == "57P03":
		case Lost(err) && hangUps < maxHangUps:
			hangUps++
		default:
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(startingUp):
		}
	}
}

// hungUp tells that the other end closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn)
}

func (c *connector) connect(ctx context.Context) (*conn, error) {
	l, err := c.server.dial(ctx, c.server.address, c.opts.MaxBytes)
	if err != nil {
		return nil, err
	}
	stop := l.watch(ctx, 0)
	made, err := c.login(ctx, l)
	if stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.signedIn()
	return &conn{pq: made, link: l, wire: newWire(l), statements: newStatements(maxStatements), opening: newOpening(c.opts.Session)}, nil
}

func (c *connector) login(ctx context.Context, l *link) (pqConn, error) {
	pqConnector, err := pq.NewConnectorConfig(c.config)
	if err != nil {
		return nil, err
	}
	pqConnector.Dialer(&dialer{server: c.server, link: l})
	made, err := pqConnector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return made.(pqConn), c.identify(ctx, made.(driver.QueryerContext))
}

// identify compares where we are with what was meant. It also has the server
// look now and then, where it can (from version 14), whether anybody still waits
// for a statement: one that was sent while the server was frozen would run on.
func (c *connector) identify(ctx context.Context, made driver.QueryerContext) error {
	rows, err := made.QueryContext(ctx, "SELECT current_database()::text, current_user::text, EXISTS(SELECT FROM pg_namespace WHERE nspname = $1::text), "+
		"(SELECT set_config(name, '500', false) FROM pg_settings WHERE name = 'client_connection_check_interval')",
		[]driver.NamedValue{{Ordinal: 1, Value: c.opts.Schema}})
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	found := make([]driver.Value, 4)
	if err := rows.Next(found); err != nil {
		return err
	}
	if found[0] != c.config.Database || found[1] != c.config.User {
		return fmt.Errorf("connected to database %q as %q, not to %q as %q", found[0], found[1], c.config.Database, c.config.User)
	}
	if c.opts.Schema != "" && found[2] != true {
		return fmt.Errorf("the database %q has no schema %q", found[0], c.opts.Schema)
	}
	if err := rows.Next(found); !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the only row: %w", err)
	}
	return nil
}

// pqConn is what the driver's connections do here.
type pqConn interface {
	driver.Conn
	driver.ExecerContext
	driver.Validator
}

// conn is a connection of the pool with its prepared statements.
type conn struct {
	pq         pqConn
	link       *link
	wire       *wire
	statements *statements
	opening    opening
	broken     bool // in an unknown state, or with a statement still running
}

// usable tells whether another session may have the connection.
func (c *conn) usable() bool { return !c.broken && !c.wire.stray && c.pq.IsValid() }

// Alive implements pool.Conn.
func (c *conn) Alive() bool {
	c.broken = c.broken || !c.usable() || !c.link.quiet()
	return !c.broken
}

// Close implements pool.Conn. A server closes its end when the process that
// served it has gone, so that end is waited for.
func (c *conn) Close() error {
	_ = c.link.raw.SetDeadline(time.Now().Add(farewell))
	if c.usable() {
		_, _ = c.link.Write([]byte{'X', 0, 0, 0, 4})
	}
	return c.link.end()
}

// exec runs a statement of the session itself.
func (c *conn) exec(ctx context.Context, text string) error {
	stop := c.link.watch(ctx, grace)
	c.link.allow()
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
	var reported *pq.Error
	if !errors.As(err, &reported) || Lost(err) {
		c.broken = true
	}
	return err
}

// query sends a statement, to be prepared first if it is not yet, and reads up
// to its rows: one way there and back.
func (c *conn) query(text string, args []string) (*prepared, error) {
	p, known := c.statements.get(text), true
	if p == nil {
		known = false
		if oldest := c.statements.room(); oldest != nil {
			c.wire.forget(oldest)
		}
		c.wire.names++
		p = &prepared{name: "u" + strconv.FormatUint(c.wire.names, 36)}
		c.wire.parse(p.name, text)
	}
	if err := c.wire.execute(p.name, args); err != nil {
		c.wire.out = c.wire.out[:0]
		return nil, err
	}
	if err := c.wire.send(); err != nil {
		return nil, c.failed(err)
	}
	if err := c.wire.started(p); err != nil {
		return nil, c.failed(err)
	}
	if !known {
		c.statements.add(text, p)
	}
	return p, nil
}

package database

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"

	"usher/pglink"
)

// Postgres is the account of the store's database. Nothing is taken from
// the process's PG* environment or home folder.
type Postgres struct {
	Hosts    []Host // that hold the same data: one, or a primary and its standbys
	Database string
	User     string
	Password string
	SSLMode  string // disable, require, verify-ca or verify-full, the default
	RootCert string // PEM file; empty: the system's
	MaxConns int    // default 8

	// Timeout of every statement; a server that says nothing is given up a
	// second later. Default 3 s.
	Timeout time.Duration
}

// Host is a server.
type Host struct {
	Name string // or address
	Port int    // default 5432
}

// String hides the account: it holds a secret.
func (Postgres) String() string { return "(account)" }

// GoString hides the account.
func (Postgres) GoString() string { return "(account)" }

func (spec Postgres) check() error {
	if len(spec.Hosts) == 0 {
		return errors.New("no host is named")
	}
	for _, h := range spec.Hosts {
		switch {
		case h.Name == "" || strings.ContainsAny(h.Name, "/@, \x00"):
			return errors.New("a host must be the name or address of one server")
		case h.Port < 1 || h.Port > 65535:
			return fmt.Errorf("port %d does not exist", h.Port)
		}
	}
	switch {
	case spec.Database == "" || len(spec.Database) > 63, spec.User == "" || len(spec.User) > 63:
		return errors.New("database and user must have 1 to 63 bytes")
	case strings.Contains(spec.Database+spec.User+spec.Password, "\x00"):
		return errors.New("database, user and password must not hold a NUL")
	}
	return nil
}

// connector makes connections that give up on a silent server: the
// driver alone would wait for ever.
type connector struct {
	spec     Postgres
	password atomic.Pointer[string] // of connections that are made from now on
	servers  []*server
	cluster  *pglink.Cluster // of the servers; nil: there is one
	silence  silence
}

// server is one host and how it is signed in to.
type server struct {
	*pglink.Server
	config pq.Config
	asking sync.Mutex
	asked  *pglink.Conn // on which it is asked what it is; nil: there is none
}

func newConnector(spec Postgres, log *slog.Logger) (*connector, error) {
	spec.Hosts = slices.Clone(spec.Hosts)
	for i := range spec.Hosts {
		spec.Hosts[i].Port = cmp.Or(spec.Hosts[i].Port, 5432)
	}
	spec.SSLMode = cmp.Or(spec.SSLMode, "verify-full")
	spec.Timeout = cmp.Or(spec.Timeout, 3*time.Second)
	if err := spec.check(); err != nil {
		return nil, err
	}
	c := &connector{spec: spec, silence: silence{patience: spec.patience()}}
	c.password.Store(&spec.Password)
	for _, h := range spec.Hosts {
		account := pglink.Account{Host: h.Name, Port: h.Port, SSLMode: spec.SSLMode, RootCert: spec.RootCert, Patience: spec.patience()}
		made, err := pglink.NewServer(account, nil)
		if err != nil {
			return nil, err
		}
		config := account.Config("usher control", spec.Database, spec.User, spec.Password)
		config.Runtime["search_path"] = "pg_catalog"
		config.BinaryParameters = true // a statement with arguments is one round trip, not two
		c.servers = append(c.servers, &server{Server: made, config: config})
	}
	if len(c.servers) > 1 {
		c.cluster = pglink.NewCluster(pglink.ClusterOptions{Replicas: make([]bool, len(c.servers)), Changed: primaryChanged(log, spec.Hosts)}, c.status)
	}
	return c, nil
}

func primaryChanged(log *slog.Logger, hosts []Host) func(int, error) {
	return func(primary int, err error) {
		if err != nil {
			log.Warn("the control store has no primary", "error", Redacted(err))
			return
		}
		log.Info("the control store's primary was found", "host", net.JoinHostPort(hosts[primary].Name, strconv.Itoa(hosts[primary].Port)))
	}
}

// patience is how long the server may take: a second more than it has.
func (spec Postgres) patience() time.Duration { return spec.Timeout + time.Second }

// minConns is what migrating takes: one connection holds the lock.
const minConns = 2

func (c *connector) pool() *sql.DB {
	pool := sql.OpenDB(c)
	most := max(cmp.Or(c.spec.MaxConns, 8), minConns)
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return pq.Driver{} }

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, err := c.silence.admit(ctx) // who has waited for a connection while others found the silence out
	if err != nil {
		return nil, err
	}
	made, _, at, err := c.connect(ctx)
	c.silence.heard(ctx, err)
	if err != nil {
		return nil, err
	}
	return storeConn{pglink.SQLConn{Conn: made}, c, at}, nil
}

// storeConn is a connection to the server that was the primary when it was made.
// It is not used again when another is.
type storeConn struct {
	pglink.SQLConn
	of     *connector
	server int
}

// BeginTx implements driver.ConnBeginTx.
func (c storeConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	begun, err := c.SQLConn.BeginTx(ctx, opts)
	c.of.silence.heard(ctx, err)
	return begun, err
}

// ExecContext implements driver.ExecerContext.
func (c storeConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	result, err := c.SQLConn.ExecContext(ctx, text, args)
	c.of.silence.heard(ctx, err)
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c storeConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.SQLConn.QueryContext(ctx, text, args)
	c.of.silence.heard(ctx, err)
	return rows, err
}

// ResetSession implements driver.SessionResetter.
func (c storeConn) ResetSession(ctx context.Context) error {
	if cluster := c.of.cluster; cluster != nil && !cluster.Is(c.server) {
		return driver.ErrBadConn
	}
	return c.SQLConn.ResetSession(ctx)
}

// maxAnswer is how much the server may say to one statement.
const maxAnswer = 64 << 20

// connect connects to the primary. It also returns the link below the connection,
// and which server it is.
func (c *connector) connect(ctx context.Context) (*pglink.Conn, *pglink.Link, int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.spec.patience())
	defer cancel()
	for try := 1; ; try++ {
		at := 0
		if c.cluster != nil {
			var err error
			if at, err = c.cluster.Primary(ctx); err != nil {
				return nil, nil, 0, err
			}
		}
		made, l, standby, err := c.signIn(ctx, c.servers[at])
		if err == nil && standby {
			err = errors.Join(errStandby, l.Close())
		}
		if err == nil {
			return made, l, at, nil
		}
		if c.cluster == nil || try == len(c.servers) || ctx.Err() != nil {
			return nil, nil, 0, err
		}
		c.cluster.Suspect() // who is the primary has changed, or it is gone
	}
}

var errStandby = errors.New("the control store's server is a standby, to which nothing can be written")

// signIn connects to a server, and tells whether it is a standby.
func (c *connector) signIn(ctx context.Context, s *server) (*pglink.Conn, *pglink.Link, bool, error) {
	l, err := s.Dial(ctx, s.Address(), maxAnswer)
	if err != nil {
		return nil, nil, false, err
	}
	stop := l.Watch(ctx, 0)
	config, sent := s.marked()
	config.Password = *c.password.Load()
	made, err := l.SignIn(ctx, config, maxAnswer)
	standby := false
	if err == nil {
		standby, err = c.arrived(ctx, made, sent)
	}
	if stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, false, errors.Join(refused(err), l.Close())
	}
	return made, l, standby, nil
}

// status asks a server what it is, on a connection of its own.
func (c *connector) status(ctx context.Context, at int) (status pglink.Status, err error) {
	s := c.servers[at]
	s.asking.Lock()
	defer s.asking.Unlock()
	if s.asked == nil {
		if s.asked, _, _, err = c.signIn(ctx, s); err != nil {
			return status, err
		}
	}
	status, err = statusOf(ctx, pglink.SQLConn{Conn: s.asked})
	if err != nil {
		_ = s.asked.Close()
		s.asked = nil
	}
	return status, err
}

func statusOf(ctx context.Context, conn driver.QueryerContext) (status pglink.Status, err error) {
	rows, err := conn.QueryContext(ctx, pglink.StatusQuery, nil)
	if err != nil {
		return status, err
	}
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	cells := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(cells); err != nil {
		return status, err
	}
	texts := make([]string, len(cells))
	for i, cell := range cells {
		if cell != nil {
			texts[i] = fmt.Sprint(cell)
		}
	}
	return pglink.ReadStatus(texts)
}

// close ends the asking.
func (c *connector) close() {
	if c.cluster == nil {
		return
	}
	c.cluster.Close()
	for _, s := range c.servers {
		s.asking.Lock()
		if s.asked != nil {
			_ = s.asked.Close()
			s.asked = nil
		}
		s.asking.Unlock()
	}
}

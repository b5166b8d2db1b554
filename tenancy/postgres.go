package tenancy

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"usher/pglink"
)

// PostgresSpec is the account of the store's database. Nothing is taken from
// the process's PG* environment or home folder.
type PostgresSpec struct {
	Host     string // one name or address
	Port     int    // default 5432
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

// String hides the account: it holds a secret.
func (PostgresSpec) String() string { return "(account)" }

// GoString hides the account.
func (PostgresSpec) GoString() string { return "(account)" }

func (spec PostgresSpec) check() error {
	switch {
	case spec.Host == "" || strings.ContainsAny(spec.Host, "/@, \x00"):
		return errors.New("the host must be the name or address of one server")
	case spec.Port < 1 || spec.Port > 65535:
		return fmt.Errorf("port %d does not exist", spec.Port)
	case spec.Database == "" || len(spec.Database) > 63, spec.User == "" || len(spec.User) > 63:
		return errors.New("database and user must have 1 to 63 bytes")
	case strings.Contains(spec.Database+spec.User+spec.Password, "\x00"):
		return errors.New("database, user and password must not hold a NUL")
	}
	return nil
}

// postgresConnector makes connections that give up on a silent server: the
// driver alone would wait for ever.
type postgresConnector struct {
	spec   PostgresSpec
	config pq.Config
	server *pglink.Server
}

func newPostgresConnector(spec PostgresSpec) (*postgresConnector, error) {
	spec.Port = cmp.Or(spec.Port, 5432)
	spec.SSLMode = cmp.Or(spec.SSLMode, "verify-full")
	spec.Timeout = cmp.Or(spec.Timeout, 3*time.Second)
	if err := spec.check(); err != nil {
		return nil, err
	}
	account := pglink.Account{Host: spec.Host, Port: spec.Port, SSLMode: spec.SSLMode, RootCert: spec.RootCert, Patience: spec.patience()}
	server, err := pglink.NewServer(account, nil)
	if err != nil {
		return nil, err
	}
	config := account.Config("usher control", spec.Database, spec.User, spec.Password)
	config.Runtime["search_path"] = "pg_catalog"
	return &postgresConnector{spec: spec, server: server, config: config}, nil
}

// patience is how long the server may take: a second more than it has.
func (spec PostgresSpec) patience() time.Duration { return spec.Timeout + time.Second }

// minConns is what migrating takes: one connection holds the lock.
const minConns = 2

func (c *postgresConnector) pool() *sql.DB {
	pool := sql.OpenDB(c)
	most := max(cmp.Or(c.spec.MaxConns, 8), minConns)
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// Driver implements driver.Connector.
func (c *postgresConnector) Driver() driver.Driver { return pq.Driver{} }

// Connect implements driver.Connector.
func (c *postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	made, _, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	return pglink.SQLConn{Conn: made}, nil
}

// maxAnswer is how much the server may say to one statement.
const maxAnswer = 64 << 20

// connect also returns the link below the connection.
func (c *postgresConnector) connect(ctx context.Context) (*pglink.Conn, *pglink.Link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.spec.patience())
	defer cancel()
	l, err := c.server.Dial(ctx, c.server.Address(), maxAnswer)
	if err != nil {
		return nil, nil, err
	}
	stop := l.Watch(ctx, 0)
	config, sent := c.marked()
	made, err := l.SignIn(ctx, config, maxAnswer)
	if err == nil {
		err = c.arrived(ctx, made, sent)
	}
	if stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, errors.Join(refused(err), l.Close())
	}
	return made, l, nil
}

// Package postgres owns PostgreSQL sources: their connections, raw rows and
// introspection. A deadline holds in every case, also when the server is frozen
// and says nothing. A connection goes to the account that was named or nowhere:
// nothing comes from the process's PG* environment or home folder, there is one
// host and no socket file, and database and user are compared with what was
// meant before the first statement. Everything is read-only.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"usher/catalog"
	"usher/datasource/pool"
	"usher/datasource/sqlexec"
	"usher/fault"
)

// Options bound one account's connections. Zero values mean the defaults.
type Options struct {
	Timeout        time.Duration // of every statement, on the server too, one second later; default 30 s
	ConnectTimeout time.Duration // of one attempt to connect; default 3 s
	Pool           *pool.Pool    // what the connections are counted in; nil: one of its own
	MaxBytes       int64         // that the server may send for one statement; default 64 MiB

	// Control may refuse the address that is about to be dialed, as
	// net.Dialer.Control; nil refuses none.
	Control func(network, address string, c syscall.RawConn) error

	// Session is what every transaction starts with; empty: nothing.
	Session catalog.Session
	// Schema must be there; empty: none must.
	Schema string
}

// DB is one account's connections, made on demand.
type DB struct {
	account *pool.Account
	own     *pool.Pool // nil unless it is this account's alone
}

// Open prepares the connections; it makes none yet.
func Open(spec catalog.PostgresSpec, opts Options) (*DB, error) {
	opts.Timeout = cmp.Or(opts.Timeout, 30*time.Second)
	opts.ConnectTimeout = cmp.Or(opts.ConnectTimeout, 3*time.Second)
	opts.MaxBytes = cmp.Or(opts.MaxBytes, 64<<20)
	spec.Port = cmp.Or(spec.Port, 5432)
	spec.SSLMode = cmp.Or(spec.SSLMode, "verify-full")
	connector, err := newConnector(spec, opts)
	if err != nil {
		return nil, fault.New(fault.Internal, "the source's account cannot be used").Because(err)
	}
	maxConns := cmp.Or(spec.MaxConns, 8)
	db := &DB{}
	shared := opts.Pool
	if shared == nil {
		db.own = pool.New(pool.Limits{Conns: maxConns, PerHost: maxConns})
		shared = db.own
	}
	db.account = shared.Account(connector.server.Address(), maxConns, connector.Connect)
	return db, nil
}

// Stats tells of the connections at this moment.
func (db *DB) Stats() pool.Stats { return db.account.Stats() }

// Close closes the connections that are not in use; the others follow when
// their sessions end.
func (db *DB) Close() error {
	db.account.Close()
	if db.own != nil {
		db.own.Close()
	}
	return nil
}

// lostTries is how many connections a session may find dead at its start, as
// they are after the server has been restarted.
const lostTries = 4

// Session calls fn with a session that ends when fn returns. With snapshot all
// its statements see the same data; without, each is a transaction of its own.
// Errors that fn returns come back as they are, the session's own are
// *fault.Error. When the connection is lost before the first statement is
// answered, fn may be called again.
func (db *DB) Session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) error {
	for try := 1; ; try++ {
		lost, err := db.session(ctx, snapshot, fn)
		if !lost || try == lostTries {
			return err
		}
	}
}

func (db *DB) session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) (lost bool, err error) {
	taken, err := db.account.Take(ctx)
	if err != nil {
		return false, translate(ctx, err)
	}
	c, whole := taken.(*conn), false
	defer func() { db.account.Return(c, whole && c.usable()) }()
	defer func() {
		// Whoever reads rows takes them for those of the statement that was sent:
		// other columns, or numbers of parts that there are not, are a panic.
		if p := recover(); p != nil {
			lost, err = false, panicked(p)
		}
	}()
	lost, err = c.session(ctx, snapshot, fn)
	whole = true // fn did not panic
	return lost, err
}

// check refuses an account that is not one server and one whole name.
func check(spec catalog.PostgresSpec) error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	switch {
	case spec.Host == "":
		refuse("the host is missing")
	case strings.ContainsAny(spec.Host, "/@, \x00"):
		refuse("host %q is not the name or address of one server", spec.Host)
	}
	if spec.Port < 1 || spec.Port > 65535 {
		refuse("port %d does not exist", spec.Port)
	}
	for _, named := range []struct{ what, name string }{{"database", spec.Database}, {"user", spec.User}} {
		switch {
		case named.name == "":
			refuse("the %s is missing", named.what)
		case len(named.name) > catalog.MaxName:
			refuse("%s %q has more than %d bytes, of which PostgreSQL would ignore the rest", named.what, named.name, catalog.MaxName)
		case strings.Contains(named.name, "\x00"):
			refuse("%s %q holds a NUL", named.what, named.name)
		}
	}
	if strings.Contains(spec.Password, "\x00") {
		refuse("the password holds a NUL")
	}
	return errors.Join(problems...)
}

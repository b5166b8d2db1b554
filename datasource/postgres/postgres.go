// Package postgres owns PostgreSQL sources: their connections, raw rows and
// changes. A deadline holds in every case, also when the server is frozen
// and says nothing. A connection goes to the account that was named or nowhere:
// nothing comes from the process's PG* environment or home folder, there is one
// host and no socket file, and database and user are compared with what was
// meant before the first statement. A transaction is read-only, unless it says that it writes.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"usher/catalog"
	"usher/datasource/pool"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pglink"
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

	// HostsChanged is told when another host is the primary, or none; nil: nobody is.
	HostsChanged func(primary int, err error)

	// Writes makes connections that may write. Every transaction says whether it does.
	Writes bool

	// Traces has statements of a traced request say so.
	Traces bool

	// Session is what every transaction starts with; empty: nothing.
	Session catalog.Session
	// Schema must be there; empty: none must. It comes first in the path.
	Schema string
	// SearchPath are the schemas in which triggers and functions of the database's look names
	// up; nil: those that the database, or the account, has.
	SearchPath []string
}

// DB is one account's connections, made on demand.
type DB struct {
	made    made
	hosts   []*host
	cluster *pglink.Cluster // of the hosts; nil: there is one
	own     *pool.Pool      // nil unless it is this account's alone
	packets *packets        // nil: each statement goes alone
	seals   bool            // changes may go out with their COMMIT
}

// Open prepares the connections; it makes none yet.
func Open(spec catalog.PostgresSpec, opts Options) (*DB, error) {
	opts.Timeout = cmp.Or(opts.Timeout, 30*time.Second)
	opts.ConnectTimeout = cmp.Or(opts.ConnectTimeout, 3*time.Second)
	opts.MaxBytes = cmp.Or(opts.MaxBytes, 64<<20)
	spec.Port = cmp.Or(spec.Port, 5432)
	spec.SSLMode = cmp.Or(spec.SSLMode, "verify-full")
	servers, err := catalog.Servers(spec.Host, spec.Port)
	if err != nil {
		return nil, fault.New(fault.Internal, "the source's account cannot be used").Because(err)
	}
	db := &DB{made: madeOf(spec, opts), seals: opts.Writes && spec.Pooler == catalog.NoPooler && !spec.NoPipelining && opts.Session.Empty()}
	maxConns := cmp.Or(spec.MaxConns, 8)
	shared := opts.Pool
	if shared == nil {
		db.own = pool.New(pool.Limits{Conns: maxConns * len(servers), PerHost: maxConns})
		shared = db.own
	}
	for _, server := range servers {
		spec.Host, spec.Port = server.Host, server.Port
		connector, err := newConnector(spec, opts)
		if err != nil {
			return nil, fault.New(fault.Internal, "the source's account cannot be used").Because(err)
		}
		connector.alone = len(servers) == 1
		db.hosts = append(db.hosts, &host{account: shared.Account(connector.server.Address(), maxConns, connector.Connect), connector: connector})
	}
	if len(servers) == 1 && !spec.NoPipelining {
		db.packets = newPackets(db.hosts[0].account, shared.Most(maxConns), db.hosts[0].connector)
	}
	if len(servers) > 1 {
		db.cluster = newCluster(servers, spec.MaxLag, opts.HostsChanged, db)
	}
	return db, nil
}

func newCluster(servers []catalog.Server, maxLag time.Duration, changed func(primary int, err error), db *DB) *pglink.Cluster {
	opts := pglink.ClusterOptions{MaxLag: maxLag, Changed: changed}
	for _, s := range servers {
		opts.Replicas = append(opts.Replicas, s.Replica)
	}
	opts.Silent = func(server int, silent bool) { db.hosts[server].heard(silent) }
	opts.Busy = func() bool {
		return slices.ContainsFunc(db.hosts, func(h *host) bool { return h.connector.silence.busy() })
	}
	return pglink.NewCluster(opts, func(ctx context.Context, server int) (pglink.Status, error) { return db.hosts[server].status(ctx) })
}

// Stats tells of the connections at this moment.
func (db *DB) Stats() (all pool.Stats) {
	for _, h := range db.hosts {
		n := h.account.Stats()
		all.Open, all.Idle, all.Waiting = all.Open+n.Open, all.Idle+n.Idle, all.Waiting+n.Waiting
	}
	return all
}

// Reading is how many hosts are read from at the same time, at most.
func (db *DB) Reading() int {
	if db.cluster == nil {
		return 1
	}
	return max(1, db.cluster.Replicas())
}

// Hosts tells how many hosts there are of each state; nil where there is but one.
func (db *DB) Hosts() map[string]int {
	if db.cluster == nil {
		return nil
	}
	return db.cluster.Counts()
}

// Close closes the connections that are not in use; the others follow when
// their sessions end.
func (db *DB) Close() error {
	if db.cluster != nil {
		db.cluster.Close()
	}
	for _, h := range db.hosts {
		h.account.Close()
		h.probe.close()
	}
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
	var tried uint64 // hosts that are not there
	var gone error
	for try := 1; ; try++ {
		at, err := db.hostOf(ctx, tried)
		if err != nil {
			return cmp.Or(gone, failingOver(ctx, err))
		}
		h := db.hosts[at]
		taken, err := h.account.Take(ctx)
		if err != nil && db.cluster != nil && unreachable(ctx, err) {
			db.suspect(h)
			tried, gone = tried|1<<at, translate(ctx, err)
			continue
		}
		if err != nil {
			return translate(ctx, err)
		}
		if !db.begin(ctx, at) {
			h.account.Return(taken, true)
			return failingOver(ctx, errMoved)
		}
		lost, err := db.session(ctx, h, taken.(*conn), snapshot, fn)
		if lost && db.cluster != nil {
			db.suspect(h)
			if h.connector.silence.is() {
				tried, gone = tried|1<<at, err
			}
		}
		if !lost || try >= lostTries {
			return err
		}
	}
}

// suspect has the hosts asked anew before the next question is, unless that a host does
// not answer is known.
func (db *DB) suspect(h *host) {
	if !h.connector.silence.is() {
		db.cluster.Suspect()
	}
}

// session is one on a connection that ends if its host falls silent, where there is
// another host.
func (db *DB) session(ctx context.Context, h *host, c *conn, snapshot bool, fn func(sqlexec.Session) error) (lost bool, err error) {
	if db.cluster != nil {
		h.connector.silence.took(c)
		defer h.connector.silence.returns(c)
	}
	return h.session(ctx, c, snapshot, fn)
}

func (h *host) session(ctx context.Context, c *conn, snapshot bool, fn func(sqlexec.Session) error) (lost bool, err error) {
	whole := false
	defer func() { h.account.Return(c, whole && c.usable()) }()
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

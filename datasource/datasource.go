// Package datasource owns the way from a plan to rows: it dispatches a query
// to the one source that can answer it, or fetches the scoped minimum of each
// source and answers in the embedded engine. It accepts plans and nothing
// else, opens an account only when a plan needs it, and never hands one
// tenant's account to another. How rows are written in an account is package
// writing's; what is kept of them ends here.
package datasource

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"usher/admit"
	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/pool"
	"usher/datasource/upstream"
	"usher/held"
	"usher/plan"
	"usher/value"
)

// Source is one account of one source.
type Source interface {
	// Fetch streams the rows of a query that has one reference and no nested
	// levels. Each must not keep the rows after it returns.
	Fetch(ctx context.Context, q plan.Query, each func(value.Rows) error) error
	Close() error
}

// ErrNotPlanned is returned for a query that plan.Build did not make.
var ErrNotPlanned = errors.New("datasource: the query was not made by plan.Build")

// Options bound what all requests use together.
type Options struct {
	Accounts int            // open accounts of tenants' own at most; default 64
	Conns    pool.Limits    // connections to all databases together
	DuckDB   int64          // bytes that the embedded engine and all DuckDB sources may use together; default a quarter of the process's memory
	Engine   duckdb.Options // the embedded engine
	Sources  duckdb.Options // each DuckDB source
	Upstream upstream.Options
	Waiting  admit.Limits // those of one tenant who wait for one account
	Exports  int          // under way at a time; default 4
	Held     *held.Budget // what all requests together hold; nil: one of its own

	CacheBytes int              // of kept answers; default 64 MiB
	Clock      func() time.Time // default time.Now
	Log        *slog.Logger     // default slog.Default
	Traced     bool             // requests may be traced
}

// Sources answers plans of one catalog.
type Sources struct {
	accounts *accounts
	cache    *cache
	*lasting

	databaseWay, engineWay asker // of questions: see way.go
}

// lasting is what the sources of one catalog hand on to those of the next.
type lasting struct {
	opts    Options
	conns   *pool.Pool
	servers *openServers
	engine  *duckdb.Engine
	gate    *admit.Gate // of the engine
	turns   *admit.Turns
	exports *admit.Gate
	budget  *held.Budget
	metrics *metrics
	written lately // to any source

	mu    sync.Mutex
	alive []*Sources // that are not closed: of one catalog, or of two while one follows another
}

// New prepares the sources of a catalog; none is opened yet.
func New(cat *catalog.Catalog, opts Options) (*Sources, error) {
	opts.CacheBytes = cmp.Or(opts.CacheBytes, 64<<20)
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	opts.Sources.MaxConns, opts.Engine.MaxConns = cmp.Or(opts.Sources.MaxConns, 8), cmp.Or(opts.Engine.MaxConns, 8)
	if opts.Held == nil {
		opts.Held = held.New(0)
	}
	opts.shareMemory()
	opts.Accounts = cmp.Or(opts.Accounts, 64)
	opts.Conns.Idle = cmp.Or(opts.Conns.Idle, 5*time.Minute)
	l := &lasting{
		opts: opts, conns: pool.New(opts.Conns), servers: newOpenServers(), engine: duckdb.NewEngine(opts.Engine), budget: opts.Held, metrics: newMetrics(opts),
	}
	l.gate, l.exports = l.admits(opts.Engine.MaxConns), l.admits(cmp.Or(opts.Exports, 4))
	l.turns = admit.NewTurns(runtime.GOMAXPROCS(0)/2, engineBrief, opts.Waiting, &l.metrics.refused)
	return l.sources(cat), nil
}

// Next are the sources of another catalog. They have what connections, memory and turns
// there are in common with these, and keep no answers of theirs. Both are closed. Servers that are in both
// as they were keep their connections.
func (s *Sources) Next(cat *catalog.Catalog) *Sources {
	next := s.lasting.sources(cat)
	next.accounts.inherit(s.accounts)
	return next
}

func (l *lasting) sources(cat *catalog.Catalog) *Sources {
	for name, source := range cat.Sources {
		if source.Kind != catalog.API {
			l.metrics.of(name)
		} else if l.opts.Upstream.Metrics != nil {
			l.opts.Upstream.Metrics.Begin(name)
		}
	}
	s := &Sources{accounts: newAccounts(cat, l), cache: newCache(l.opts.CacheBytes, l.opts.Clock), lasting: l}
	s.databaseWay, s.engineWay = s.toDatabase(), s.toEngine()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alive = append(l.alive, s)
	return s
}

// all are the sources that are not closed. Rows change for all of them, whichever they were
// changed by: what was written by a request of the catalog before is read by those of the next.
func (l *lasting) all() []*Sources {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.alive)
}

// last takes sources out of those that are alive, and tells whether they were the last.
func (l *lasting) last(s *Sources) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alive = slices.DeleteFunc(l.alive, func(other *Sources) bool { return other == s })
	return len(l.alive) == 0
}

// admits is a gate that lets so many in at a time.
func (l *lasting) admits(slots int) *admit.Gate {
	return admit.New(slots, l.opts.Waiting, &l.metrics.refused)
}

// computes is a gate to what is done by the processors of this machine: one tenant does not
// have all of them while others ask.
func (l *lasting) computes(slots int) *admit.Gate {
	limits := l.opts.Waiting
	limits.Beside = min((slots+1)/2, max(runtime.GOMAXPROCS(0), 2))
	return admit.New(slots, limits, &l.metrics.refused)
}

// engineBrief is how long a tenant's turn at the engine's processors stays its own beside
// others while it waits for a source: about as long as it then computes.
const engineBrief = 5 * time.Millisecond

// engineMemory is what the embedded engine uses at most, unless told otherwise.
const engineMemory = 512 << 20

// shareMemory divides what DuckDB may use: the engine has its part, all sources
// share the rest.
func (o *Options) shareMemory() {
	all := cmp.Or(o.DuckDB, held.Memory()/4)
	o.Engine.MemoryLimit = cmp.Or(o.Engine.MemoryLimit, min(engineMemory, all/4))
	if o.Sources.Memory == nil {
		o.Sources.Memory = duckdb.NewMemory(max(all-o.Engine.MemoryLimit, all/2))
	}
}

// Close closes every account and, with the last of the sources that have it in
// common, the embedded engine.
func (s *Sources) Close() error {
	err := s.accounts.close()
	if !s.last(s) {
		return err
	}
	s.conns.Close()
	return errors.Join(err, s.engine.Close())
}

// Answer answers a query: from its source, when that is one database that can
// do it all, else in the embedded engine.
func (s *Sources) Answer(ctx context.Context, q plan.Query) (*value.Result, error) {
	question, err := s.Prepare(q)
	if err != nil {
		return nil, err
	}
	answered, err := question.Bind(q.Binding()).Answer(ctx)
	if err != nil {
		return nil, err
	}
	return answered.Results[0], nil
}

// Purge forgets kept answers that a change made old: of a dataset, and of all that are read from the
// same tables, or, with an empty name, of all; of a tenant or, with an empty id, of everybody.
// What is on its way was perhaps read before the change: nobody joins it any
// more, and it is not kept.
func (s *Sources) Purge(tenant, dataset string) {
	whose := func(r catalog.Reader) string {
		if r.Apart {
			return ""
		}
		return tenant
	}
	for _, r := range s.accounts.cat.Readers(dataset) { // before those that are under way are forgotten: who begins then knows
		s.written.note(whose(r), time.Now(), longest(s.accounts.cat))
	}
	for _, each := range s.all() {
		each.accounts.each(func(_ plan.Target, source Source) {
			if db, ok := source.(*database); ok {
				db.flights.forget()
			}
		})
		for _, r := range each.accounts.cat.Readers(dataset) {
			each.cache.purge(whose(r), r.Dataset)
		}
	}
	s.metrics.purges.Inc()
}

// Changed forgets what is kept of a dataset whose rows have changed in a
// source: answers, and the replies of an API that stand in for failures. An
// empty source and an empty dataset are any.
// Tenants are those whose rows have changed; nil means everybody's.
func (s *Sources) Changed(source, dataset string, tenants []string) {
	for _, each := range s.all() {
		each.accounts.each(func(t plan.Target, of Source) {
			if api, ok := of.(*upstream.Source); ok && (source == "" || t.Source == source) {
				api.Forget()
			}
		})
	}
	if tenants == nil {
		tenants = []string{""}
	}
	for _, tenant := range tenants {
		s.Purge(tenant, dataset)
	}
}

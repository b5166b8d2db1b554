// Package datasource owns the way from a plan to rows: it dispatches a query
// to the one source that can answer it, or fetches the scoped minimum of each
// source and answers in the embedded engine. It accepts plans and nothing
// else, opens an account only when a plan needs it, and never hands one
// tenant's account to another.
package datasource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"usher/catalog"
	"usher/datasource/admit"
	"usher/datasource/duckdb"
	"usher/datasource/pool"
	"usher/datasource/receipt"
	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/sqlgen"
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
	Held     *held.Budget // what all requests together hold; nil: one of its own

	CacheBytes int              // of kept answers; default 64 MiB
	Clock      func() time.Time // default time.Now
}

// Sources answers plans.
type Sources struct {
	accounts *accounts
	engine   *duckdb.Engine
	gate     *admit.Gate // of the engine
	budget   *held.Budget
	cache    *cache
	metrics  *metrics
}

// New prepares the sources of a catalog; none is opened yet.
func New(cat *catalog.Catalog, opts Options) (*Sources, error) {
	opts.CacheBytes = cmp.Or(opts.CacheBytes, 64<<20)
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	opts.Sources.MaxConns, opts.Engine.MaxConns = cmp.Or(opts.Sources.MaxConns, 8), cmp.Or(opts.Engine.MaxConns, 8)
	if opts.Held == nil {
		opts.Held = held.New(0)
	}
	opts.shareMemory()
	accounts := newAccounts(cat, opts)
	return &Sources{
		accounts: accounts,
		metrics:  accounts.counts,
		engine:   duckdb.NewEngine(opts.Engine),
		gate:     accounts.gate(opts.Engine.MaxConns),
		budget:   opts.Held,
		cache:    newCache(opts.CacheBytes, opts.Clock),
	}, nil
}

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

// Close closes every account and the embedded engine.
func (s *Sources) Close() error {
	return errors.Join(s.accounts.close(), s.engine.Close())
}

// Answer answers a query: from its source, when that is one database that can
// do it all, else in the embedded engine.
func (s *Sources) Answer(ctx context.Context, q plan.Query) (*value.Result, error) {
	question, err := s.Prepare(q)
	if err != nil {
		return nil, err
	}
	answered, err := question.Answer(ctx)
	if err != nil {
		return nil, err
	}
	return answered.Results[0], nil
}

// Purge forgets kept answers that a change made old: of a dataset or, with an
// empty name, of all; of a tenant or, with an empty id, of everybody.
// What is on its way was perhaps read before the change: nobody joins it any
// more, and it is not kept.
func (s *Sources) Purge(tenant, dataset string) {
	s.accounts.each(func(_ plan.Target, source Source) {
		if db, ok := source.(*sqlSource); ok {
			db.flights.forget()
		}
	})
	s.cache.purge(tenant, dataset)
	s.metrics.purges.Inc()
}

// Changed forgets what is kept of a dataset whose rows have changed in a
// source: answers, and the replies of an API that stand in for failures.
// Tenants are those whose rows have changed; nil means everybody's.
func (s *Sources) Changed(source, dataset string, tenants []string) {
	s.accounts.each(func(t plan.Target, of Source) {
		if api, ok := of.(*upstream.Source); ok && t.Source == source {
			api.Forget()
		}
	})
	if tenants == nil {
		tenants = []string{""}
	}
	for _, tenant := range tenants {
		s.Purge(tenant, dataset)
	}
}

// Answered is what a question was answered with. Results may be shared: they
// are not changed.
type Answered struct {
	Results []*value.Result // one for each query
	Age     time.Duration   // since the sources were asked
	MaxAge  time.Duration   // how old it may be; 0 when answers are not kept
	Held    int64           // bytes of the request's share, to be given back when the results are no longer needed
}

// Question is one query, or several that read the same rows, ready to be asked
// any number of times by those who may ask it once.
type Question struct {
	sources   *Sources
	query     plan.Query        // of a question that the embedded engine answers
	lookedUp  *lookedUp         // the same, when it may do without the engine
	target    plan.Target       // of one that a database answers
	statement *sqlexec.Prepared // the same
	reads     []plan.Ref        // what it reads of a tenant's own account
	maxAge    time.Duration     // how old its answers may be; 0: they are not kept
	tenant    string
	who       string // the tenant that asks; empty: a principal of all tenants
	datasets  []string
}

// Prepare makes a question of a query.
func (s *Sources) Prepare(q plan.Query) (*Question, error) {
	if !q.Valid() {
		return nil, ErrNotPlanned
	}
	target, ok := q.Single()
	if !ok {
		lookedUp, err := prepareLookups(q)
		return &Question{sources: s, query: q, lookedUp: lookedUp}, err
	}
	statement, err := sqlexec.Prepare(q, dialects[target.Kind])
	return &Question{
		sources: s, target: target, statement: statement, reads: reads(q.Root()),
		maxAge: q.MaxAge(), tenant: q.Owner(), who: q.Identity().Tenant(), datasets: datasetsOf(nil, q),
	}, err
}

// PrepareSharedScan makes one question of queries that read the same rows.
func (s *Sources) PrepareSharedScan(t plan.SharedScan) (*Question, error) {
	target, ok := t.Single()
	if !ok {
		return nil, ErrNotPlanned
	}
	statement, err := sqlexec.PrepareSharedScan(t, dialects[target.Kind])
	question := &Question{
		sources: s, target: target, statement: statement, reads: reads(t.Base()),
		maxAge: t.Query(0).MaxAge(), tenant: t.Query(0).Owner(), who: t.Query(0).Identity().Tenant(),
	}
	for i := range t.Len() {
		question.reads = append(question.reads, reads(t.Level(i))...)
		question.maxAge = min(question.maxAge, t.Query(i).MaxAge())
		question.datasets = datasetsOf(question.datasets, t.Query(i))
	}
	return question, err
}

// datasetsOf adds the datasets that a query reads.
func datasetsOf(names []string, q plan.Query) []string {
	for i := range q.Datasets() {
		names = append(names, q.Dataset(i))
	}
	return names
}

// dialects are the spellings of those kinds of sources that answer whole plans.
var dialects = map[catalog.SourceKind]sqlgen.Dialect{catalog.Postgres: sqlgen.Postgres, catalog.DuckDB: sqlgen.DuckDB}

// Size is about how many bytes the question takes in memory.
func (q *Question) Size() int {
	if q.statement == nil {
		return 0
	}
	return q.statement.Size()
}

// Answer asks the sources, unless an answer is kept that may still be given.
// The results belong to the share of the request that asks.
func (q *Question) Answer(ctx context.Context) (Answered, error) {
	if held.From(ctx) == nil { // no request: the bounds are those of one
		own, share := q.sources.budget.Begin(ctx)
		defer share.End()
		answered, err := q.Answer(own)
		answered.Held = 0
		return answered, err
	}
	if q.maxAge == 0 || q.statement == nil {
		results, err := q.ask(ctx)
		return Answered{Results: results, Held: sizeOf(results...)}, err
	}
	key := cacheKey{q.target, q.statement.Key()}
	if answered, ok := q.sources.cache.get(key, q.maxAge); ok {
		q.sources.metrics.hits.Inc()
		if notes := receipt.From(ctx); notes != nil {
			notes.Add(receipt.Step{Source: q.target.Source, SQL: q.statement.Text(), Rows: rowsOf(answered.Results...), Kept: true})
		}
		return answered, nil
	}
	q.sources.metrics.misses.Inc()
	purges, at := q.sources.cache.purges.Load(), q.sources.cache.now()
	results, err := q.ask(ctx)
	if err != nil {
		return Answered{}, err
	}
	q.sources.cache.put(key, &kept{results: results, at: at, tenant: q.tenant, datasets: q.datasets}, purges)
	return Answered{Results: results, MaxAge: q.maxAge, Held: sizeOf(results...)}, nil
}

func (q *Question) combined(ctx context.Context) (*value.Result, error) {
	if q.lookedUp != nil {
		result, err := q.sources.lookUp(ctx, q.lookedUp)
		if !errors.Is(err, errAmbiguous) {
			q.sources.metrics.lookedUp.Inc()
			return result, err
		}
	}
	q.sources.metrics.combined.Inc()
	return q.sources.combined(ctx, q.query)
}

func (q *Question) ask(ctx context.Context) ([]*value.Result, error) {
	if q.statement == nil {
		result, err := q.combined(ctx)
		return []*value.Result{result}, err
	}
	source, release, err := q.sources.accounts.get(ctx, q.target)
	if err != nil {
		return nil, err
	}
	defer release()
	db, ok := source.(*sqlSource)
	if !ok {
		return nil, fault.New(fault.Internal, "internal error").Because(fmt.Errorf("source %q answers no statements", q.target.Source))
	}
	return db.answer(ctx, q.target.Source, q.who, q.reads, q.statement)
}

// sqlSource is a database behind a session: PostgreSQL or DuckDB.
type sqlSource struct {
	db      sqlDB
	dialect sqlgen.Dialect
	timeout time.Duration
	shape   *shape // nil: the tables are the source's
	meter   *meter
	gate    *admit.Gate
	flights flights[sameQuestion, []*value.Result]
}

// sameQuestion is what is answered together: the same question of one tenant. What one
// tenant waits for, or is refused, is no other's.
type sameQuestion struct{ tenant, key string }

type sqlDB interface {
	Session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) error
	Close() error
}

// within is the time that a source has, from the moment that it is asked: for a
// connection, for the answer and for sending it.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// answer answers a statement of a tenant that reads so much of its own account.
func (s *sqlSource) answer(ctx context.Context, source, tenant string, reads []plan.Ref, prepared *sqlexec.Prepared) ([]*value.Result, error) {
	return checked(ctx, s.shape, reads, func() ([]*value.Result, error) { return s.run(ctx, source, tenant, prepared) })
}

// run answers a statement for a tenant: together with those who ask the same now,
// when it is the tenant's turn, once more where that helps.
func (s *sqlSource) run(ctx context.Context, source, tenant string, prepared *sqlexec.Prepared) ([]*value.Result, error) {
	began, mine := time.Now(), false
	results, err := s.flights.do(ctx, sameQuestion{tenant, prepared.Key()}, func(ctx context.Context) ([]*value.Result, error) {
		mine = true
		return admit.Do(ctx, s.gate, tenant, func() ([]*value.Result, error) {
			ctx, cancel := within(ctx, s.timeout)
			defer cancel()
			return onceMore(ctx, s.renew, func() ([]*value.Result, error) {
				return reconnected(ctx, func() ([]*value.Result, bool, error) {
					results, err := s.ask(ctx, prepared)
					return results, false, err
				})
			})
		})
	})
	if !mine {
		s.meter.coalesced.Inc()
		if err == nil { // whoever leaves first, the other holds them
			err = held.From(ctx).Take(sizeOf(results...))
		}
	}
	if notes := receipt.From(ctx); notes != nil {
		notes.Add(receipt.Step{Source: source, SQL: prepared.Text(), Rows: rowsOf(results...), Took: time.Since(began), Shared: !mine})
	}
	return results, err
}

// ask runs a statement in a session and counts it.
func (s *sqlSource) ask(ctx context.Context, prepared *sqlexec.Prepared) (results []*value.Result, err error) {
	began := time.Now()
	err = s.db.Session(ctx, false, func(session sqlexec.Session) (err error) {
		results, err = prepared.Run(ctx, session)
		return err
	})
	s.meter.ran(rowsOf(results...), began)
	return results, err
}

// renew opens a source anew that can break as a whole.
func (s *sqlSource) renew(ctx context.Context) error {
	if db, ok := s.db.(interface{ Renew(context.Context) error }); ok {
		return db.Renew(ctx)
	}
	return nil
}

// Fetch implements Source.
func (s *sqlSource) Fetch(ctx context.Context, q plan.Query, each func(value.Rows) error) error {
	_, err := checked(ctx, s.shape, reads(q.Root()), func() (struct{}, error) { return struct{}{}, s.fetch(ctx, q, each) })
	return err
}

func (s *sqlSource) fetch(ctx context.Context, q plan.Query, each func(value.Rows) error) error {
	began, read := time.Now(), tally{}
	_, err := admit.Do(ctx, s.gate, q.Identity().Tenant(), func() (struct{}, error) {
		ctx, cancel := within(ctx, s.timeout)
		defer cancel()
		return reconnected(ctx, func() (_ struct{}, given bool, err error) {
			began := time.Now()
			err = s.db.Session(ctx, false, func(session sqlexec.Session) error {
				return sqlexec.Fetch(ctx, session, s.dialect, q, func(rows value.Rows) error {
					given, read.Rows = true, rows
					return each(&read)
				})
			})
			s.meter.ran(read.n, began)
			return struct{}{}, given, err
		})
	})
	if notes := receipt.From(ctx); notes != nil {
		statement, _ := sqlgen.Render(q.Root(), s.dialect)
		ref := q.Root().Ref(0)
		notes.Add(receipt.Step{Source: ref.Target().Source, Dataset: ref.Dataset(), SQL: statement.Text, Rows: read.n, Took: time.Since(began)})
	}
	if errors.Is(err, duckdb.ErrBroken) { // the next fetch shall not find it broken; this one's rows are half taken
		return errors.Join(err, s.renew(ctx))
	}
	return err
}

// Close implements Source.
func (s *sqlSource) Close() error { return s.db.Close() }

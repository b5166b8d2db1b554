package datasource

import (
	"context"
	"time"

	"usher/catalog"
	"usher/datasource/drift"
	"usher/datasource/sqlexec"
	"usher/held"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Question is one query, or several that read the same rows, ready to be asked
// any number of times by those who may ask it once; Bind comes before.
type Question struct {
	sources *Sources
	way     asker
	tenant  string // that asks; empty: a principal of all tenants; when bound

	// Of one that a database answers.
	target    plan.Target
	prepared  *sqlexec.Prepared
	statement sqlexec.Statement // when bound
	reads     []plan.Ref        // of tenants' own tables
	maxAge    time.Duration     // how old its answers may be; 0: they are not kept
	owned     bool              // the rows it reads are its tenant's, not everybody's
	datasets  []string

	// Of one that is answered from rows of several sources.
	query   plan.Query
	binding plan.Binding // when bound
	lookups *lookups     // nil: the embedded engine has to do it

	// Of a fetch: a query of one reference, whose rows are not collected.
	stream *stream
}

// Answered is what a question was answered with. Results may be shared: they
// are not changed.
type Answered struct {
	Results []*value.Result // one for each query
	Age     time.Duration   // since the sources were asked
	MaxAge  time.Duration   // how old it may be; 0 when answers are not kept
	Held    int64           // bytes of the request's share, to be given back when the results are no longer needed

	joined bool         // an equal question under way brought it
	ride   sqlexec.Ride // in a packet with others; waiting for them is not the tenant's to pay
}

// answeredWith is the answer of results that were just read.
func answeredWith(results ...*value.Result) Answered {
	return Answered{Results: results, Held: sizeOf(results...)}
}

// Prepare makes a question of a query.
func (s *Sources) Prepare(q plan.Query) (*Question, error) {
	if !q.Valid() {
		return nil, ErrNotPlanned
	}
	target, ok := q.Single()
	if !ok {
		lookups, err := prepareLookups(q)
		return &Question{sources: s, way: s.engineWay, query: q, lookups: lookups}, err
	}
	statement, err := sqlexec.Prepare(q, dialects[target.Kind])
	return &Question{
		sources: s, way: s.databaseWay, target: target, prepared: statement, reads: drift.Reads(q.Root()),
		maxAge: q.MaxAge(), owned: q.Owned(), datasets: datasetsOf(nil, q),
	}, err
}

// PrepareSharedScan makes one question of queries that read the same rows.
func (s *Sources) PrepareSharedScan(t plan.SharedScan) (*Question, error) {
	target, ok := t.Single()
	if !ok {
		return nil, ErrNotPlanned
	}
	first := t.Query(0)
	statement, err := sqlexec.PrepareSharedScan(t, dialects[target.Kind])
	question := &Question{
		sources: s, way: s.databaseWay, target: target, prepared: statement, reads: drift.Reads(t.Base()),
		maxAge: first.MaxAge(), owned: first.Owned(),
	}
	for i := range t.Len() {
		question.reads = append(question.reads, drift.Reads(t.Level(i))...)
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
	switch {
	case q.prepared != nil:
		return q.prepared.Size()
	case q.lookups != nil:
		return q.lookups.size()
	}
	return 0
}

// Bind is the question as somebody asks it.
func (q *Question) Bind(to plan.Binding) *Question {
	bound := *q
	bound.tenant, bound.binding = to.Tenant(), to
	if q.prepared != nil {
		bound.statement = q.prepared.Bind(to.Texts())
	}
	return &bound
}

// Answer asks the sources, unless an answer is kept that may still be given.
// The results belong to the share of the request that asks.
func (q *Question) Answer(ctx context.Context) (Answered, error) {
	if held.From(ctx) != nil {
		return q.way.ask(ctx, q)
	}
	own, share := q.sources.budget.Begin(ctx) // no request: the bounds are those of one
	defer share.End()
	answered, err := q.way.ask(own, q)
	answered.Held = 0
	return answered, err
}

// owner is the tenant whose rows the question reads; empty: everybody's.
func (q *Question) owner() string {
	if !q.owned {
		return ""
	}
	return q.tenant
}

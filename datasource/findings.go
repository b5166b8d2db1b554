package datasource

import (
	"cmp"
	"context"
	"sync"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
)

// shape is what is known of tenants' own tables in an account: whether they
// are what the catalog promises. They are looked at when a schema of theirs is
// used for the first time, and again when a statement fails on them. A table
// that differs refuses those queries that read what differs of it, of this
// tenant alone.
type shape struct {
	cat     *catalog.Catalog
	target  plan.Target
	tables  introspector
	timeout time.Duration // of a look

	inspecting chan struct{} // holds the right to look
	findings   *findings
}

// findings are what was found, by schema.
type findings struct {
	mu    sync.Mutex
	known map[string]inspected

	writes *judgements
}

// introspector is a database that can say which tables it has.
type introspector interface {
	Introspect(ctx context.Context, schemas ...string) ([]catalog.Table, error)
}

// inspected is what was found in a schema; what does not differ is left out.
type inspected struct {
	drifts map[tableKey]catalog.Drift
	writes map[tableKey]catalog.Judgement // of those that are written in files
	at     time.Time
}

// tableKey tells the tables of datasets apart.
type tableKey struct {
	dataset string
	own     string // the key in Dataset.Own; empty: the one that the source binds
}

// recheckAfter is how soon tables that differ are looked at again: somebody may have
// mended them.
const recheckAfter = 5 * time.Second

// shapes remembers the shapes of accounts that have been closed.
type shapes struct {
	mu    sync.Mutex
	known map[plan.Target]*findings
}

// maxShapes bounds the accounts remembered. Whoever has more looks again.
const maxShapes = 10_000

// shapeOf is the shape of an account, nil for one that has the tables of its
// source and no others.
func (a *accounts) shapeOf(t plan.Target, db introspector, timeout time.Duration) *shape {
	cat := a.cat
	if !t.Account().Own && len(ownIn(cat, t)) == 0 {
		return nil
	}
	s := &shape{cat: cat, target: t, tables: db, timeout: timeout, inspecting: make(chan struct{}, 1), findings: newFindings()}
	if t.Kind == catalog.Postgres { // a file may be another when it is opened again
		s.findings = a.shapes.of(t)
	}
	return s
}

// ownTable is a dataset's table that is one tenant's own, or of those whose records name it.
type ownTable struct {
	dataset *catalog.Dataset
	own     *catalog.Own
}

// ownIn are the tables of tenants' own that are read by way of an account.
func ownIn(cat *catalog.Catalog, t plan.Target) []ownTable {
	var out []ownTable
	for _, d := range cat.Datasets {
		for _, own := range d.Own {
			if own.Source == t.Source && (t.Tenant == "" || own.Tenant == "" || t.Tenant == own.Tenant) {
				out = append(out, ownTable{d, own})
			}
		}
	}
	return out
}

func newFindings() *findings {
	return &findings{known: make(map[string]inspected), writes: &judgements{known: make(map[tablePlace]judged)}}
}

func (s *shapes) of(t plan.Target) *findings {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known[t]
	if known == nil {
		if s.known == nil || len(s.known) >= maxShapes {
			s.known = make(map[plan.Target]*findings)
		}
		known = newFindings()
		s.known[t] = known
	}
	return known
}

// schema is what is known of a schema, looked at if nothing is.
func (s *shape) schema(ctx context.Context, name string) (inspected, error) {
	if found, ok := s.recall(name); ok {
		return found, nil
	}
	select {
	case s.inspecting <- struct{}{}:
		defer func() { <-s.inspecting }()
	case <-ctx.Done():
		return inspected{}, fault.From(ctx.Err())
	}
	if found, ok := s.recall(name); ok { // somebody has looked meanwhile
		return found, nil
	}
	ctx, cancel := within(ctx, s.timeout)
	defer cancel()
	tables, err := s.tables.Introspect(ctx, cmp.Or(name, "main"))
	if err != nil {
		return inspected{}, err
	}
	found := inspected{drifts: make(map[tableKey]catalog.Drift), writes: make(map[tableKey]catalog.Judgement), at: time.Now()}
	note := func(d *catalog.Dataset, b *catalog.Binding, own string) {
		if s.target.Kind == catalog.DuckDB && d.WritableIn(b) {
			found.writes[tableKey{d.Name, own}] = d.Rejudge(b, tables)
		}
		if drift := d.Drift(b, tables); drift.Differs() {
			found.drifts[tableKey{d.Name, own}] = drift
		}
	}
	for _, d := range s.cat.Datasets {
		if b := d.Bindings[s.target.Source]; b != nil && (s.target.Account().Own || s.target.Kind == catalog.DuckDB) && s.schemaOf(b) == name {
			note(d, b, "")
		}
	}
	for _, t := range ownIn(s.cat, s.target) {
		if s.schemaOf(&t.own.Binding) == name {
			note(t.dataset, &t.own.Binding, t.own.Key())
		}
	}
	s.findings.put(name, found)
	return found, nil
}

// schemaOf is where a binding's table is in this account.
func (s *shape) schemaOf(b *catalog.Binding) string {
	return plan.SchemaOf(s.cat.Sources[s.target.Source], b, s.target)
}

func (s *shape) recall(name string) (inspected, bool) {
	s.findings.mu.Lock()
	defer s.findings.mu.Unlock()
	found, ok := s.findings.known[name]
	return found, ok && (len(found.drifts) == 0 || time.Since(found.at) < recheckAfter)
}

func (f *findings) put(name string, found inspected) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[name] = found
}

// forget makes the next query look again.
func (s *shape) forget() {
	s.findings.mu.Lock()
	defer s.findings.mu.Unlock()
	clear(s.findings.known)
}

package datasource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/fault"
	"usher/plan"
)

// checked asks, unless the tables that a question reads are known to differ. When
// it does not fit them, they are looked at again: they may have changed.
type checked struct {
	next
	shape *shape // nil: the tables are the source's
}

func (c *checked) ask(ctx context.Context, q *Question) (Answered, error) {
	if c.shape == nil {
		return c.next.ask(ctx, q)
	}
	if err := c.shape.check(ctx, q.reads); err != nil {
		return Answered{}, err
	}
	answered, err := c.next.ask(ctx, q)
	if errors.Is(err, postgres.ErrDrift) {
		c.shape.forget()
		err = cmp.Or(c.shape.check(ctx, q.reads), err)
	}
	return answered, err
}

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

	looking  chan struct{} // holds the right to look
	findings *findings
}

// findings are what was found, by schema.
type findings struct {
	mu    sync.Mutex
	known map[string]looked
}

// introspector is a database that can say which tables it has.
type introspector interface {
	Introspect(ctx context.Context, schema string) ([]catalog.Table, error)
}

// looked is what was found in a schema; what does not differ is left out.
type looked struct {
	drifts map[looks]catalog.Drift
	at     time.Time
}

// looks tells the tables of datasets apart.
type looks struct {
	dataset string
	own     string // the tenant whose own table it is; empty: the one that the source binds
}

// again is how soon tables that differ are looked at again: somebody may have
// mended them.
const again = 5 * time.Second

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
	if !t.Account().Own && len(ownIn(a.cat, t)) == 0 {
		return nil
	}
	s := &shape{cat: a.cat, target: t, tables: db, timeout: timeout, looking: make(chan struct{}, 1), findings: newFindings()}
	if t.Kind == catalog.Postgres { // a file may be another when it is opened again
		s.findings = a.shapes.of(t)
	}
	return s
}

// ownTable is a dataset's table that is one tenant's own.
type ownTable struct {
	dataset *catalog.Dataset
	own     *catalog.Own
}

// ownIn are the tables of tenants' own that are read by way of an account.
func ownIn(cat *catalog.Catalog, t plan.Target) []ownTable {
	var out []ownTable
	for _, d := range cat.Datasets {
		for _, own := range d.Own {
			if own.Source == t.Source && (t.Tenant == "" || t.Tenant == own.Tenant) {
				out = append(out, ownTable{d, own})
			}
		}
	}
	return out
}

func newFindings() *findings { return &findings{known: make(map[string]looked)} }

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

// reads are the references of a level and all below it that read a tenant's
// own tables.
func reads(l plan.Level) []plan.Ref {
	var out []plan.Ref
	for i := range l.Refs() {
		if r := l.Ref(i); r.Target().Account().Own || r.Own() != "" {
			out = append(out, r)
		}
	}
	for i := range l.Children() {
		out = append(out, reads(l.Child(i))...)
	}
	if total, ok := l.Total(); ok {
		out = append(out, reads(total)...)
	}
	return out
}

// check refuses what reads something that differs.
func (s *shape) check(ctx context.Context, refs []plan.Ref) error {
	for _, r := range refs {
		if err := s.ref(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *shape) ref(ctx context.Context, r plan.Ref) error {
	found, err := s.schema(ctx, r.Schema())
	if err != nil {
		return err
	}
	drift, ok := found.drifts[looks{r.Dataset(), r.Own()}]
	if !ok {
		return nil
	}
	refusal := fault.New(fault.Internal, "%s is not what the catalog says in this tenant's database", r.Dataset()).
		WithHint("whoever runs that database has to bring its tables up to date")
	if drift.Missing {
		return refusal.Because(fmt.Errorf("%s of %s: there is no table %s.%s", r.Dataset(), r.Target(), r.Schema(), r.Table()))
	}
	var causes []error
	for i := range r.Fields() {
		f := r.Field(i)
		how, differs := drift.Columns[f.Name]
		if !differs {
			continue
		}
		if f.Asked { // what the caller cannot see is for the log
			refusal.Message = fmt.Sprintf("%s.%s is not what the catalog says in this tenant's database: %s", r.Dataset(), f.Name, how)
		}
		causes = append(causes, fmt.Errorf("%s.%s of %s: %s", r.Dataset(), f.Name, r.Target(), how))
	}
	if causes == nil {
		return nil
	}
	return refusal.Because(errors.Join(causes...))
}

// schema is what is known of a schema, looked at if nothing is.
func (s *shape) schema(ctx context.Context, name string) (looked, error) {
	if found, ok := s.recall(name); ok {
		return found, nil
	}
	select {
	case s.looking <- struct{}{}:
		defer func() { <-s.looking }()
	case <-ctx.Done():
		return looked{}, fault.From(ctx.Err())
	}
	if found, ok := s.recall(name); ok { // somebody has looked meanwhile
		return found, nil
	}
	ctx, cancel := within(ctx, s.timeout)
	defer cancel()
	tables, err := s.tables.Introspect(ctx, cmp.Or(name, "main"))
	if err != nil {
		return looked{}, err
	}
	found := looked{drifts: make(map[looks]catalog.Drift), at: time.Now()}
	note := func(d *catalog.Dataset, b *catalog.Binding, own string) {
		if drift := d.Drift(b, tables); drift.Differs() {
			found.drifts[looks{d.Name, own}] = drift
		}
	}
	for _, d := range s.cat.Datasets {
		if b := d.Bindings[s.target.Source]; b != nil && s.target.Account().Own {
			note(d, b, "")
		}
	}
	for _, t := range ownIn(s.cat, s.target) {
		if plan.SchemaOf(s.cat.Sources[s.target.Source], &t.own.Binding, s.target) == name {
			note(t.dataset, &t.own.Binding, t.own.Tenant)
		}
	}
	s.findings.put(name, found)
	return found, nil
}

func (s *shape) recall(name string) (looked, bool) {
	s.findings.mu.Lock()
	defer s.findings.mu.Unlock()
	found, ok := s.findings.known[name]
	return found, ok && (len(found.drifts) == 0 || time.Since(found.at) < again)
}

func (f *findings) put(name string, found looked) {
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

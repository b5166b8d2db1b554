package writing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"usher/catalog"
	"usher/datasource/deadline"
	"usher/datasource/drift"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
)

// guard keeps the tables of an account from being written to when they are not what was judged:
// a migration may give them a key by which rows of tenants collide, or have the
// database take rows of others along. Each change tells what its tables are when it has been
// made, before it is committed; where that is not what is known, it is undone, and the
// tables are judged anew.
type guard struct {
	cat     *catalog.Catalog
	target  plan.Target
	tables  drift.Introspector
	timeout time.Duration // of a look
	looking chan struct{} // holds the right to look
	known   *Judgements
}

// Judgements are what was judged of tables of an account, by place. The zero value is ready.
type Judgements struct {
	mu    sync.Mutex
	known map[tablePlace]judged
}

// put holds the lock of its caller's.
func (k *Judgements) put(r plan.Ref, j judged) {
	if k.known == nil {
		k.known = make(map[tablePlace]judged)
	}
	k.known[placeOf(r)] = j
}

type tablePlace struct{ dataset, own, schema, table string }

type judged struct {
	catalog.Judgement
	at time.Time
}

func placeOf(r plan.Ref) tablePlace {
	return tablePlace{r.Dataset(), r.Own(), r.Schema(), r.Table()}
}

func (g *guard) binding(r plan.Ref) (*catalog.Dataset, *catalog.Binding) {
	return binding(g.cat, r)
}

// binding is what the catalog says of a table that is written.
func binding(cat *catalog.Catalog, r plan.Ref) (*catalog.Dataset, *catalog.Binding) {
	d := cat.Dataset(r.Dataset())
	if d == nil {
		return nil, nil
	}
	if r.Own() != "" {
		if own := d.Own[r.Own()]; own != nil {
			return d, &own.Binding
		}
		return d, nil
	}
	return d, d.Bindings[r.Target().Source]
}

// recall is what is known of a table: what was judged of it last, or what the catalog was made
// of, where it is the same.
func (g *guard) recall(r plan.Ref) (judged, bool) {
	g.known.mu.Lock()
	defer g.known.mu.Unlock()
	if j, ok := g.known.known[placeOf(r)]; ok {
		return j, true
	}
	_, b := g.binding(r)
	if b == nil || b.Target == nil || b.Target.Shape == 0 || g.target.Account().Own {
		return judged{}, false
	}
	j := judged{Judgement: catalog.Judgement{Found: true, Shape: b.Target.Shape, Parts: b.Target.Parts, Triggers: b.Target.Triggers, Single: b.Target.Single, Checks: b.Target.Checks}}
	g.known.put(r, j)
	return j, true
}

// Told implements sqlexec.Tables.
func (g *guard) Told(r plan.Ref) string {
	j, _ := g.recall(r)
	return sqlgen.PostgresShape(r.Schema(), r.Table(), j.Parts)
}

// Same implements sqlexec.Tables.
func (g *guard) Same(r plan.Ref, told int64) error {
	if j, ok := g.recall(r); !ok || j.Shape != told {
		return &alteredError{r}
	}
	return nil
}

// Settled implements sqlexec.Tables.
func (g *guard) Settled(r plan.Ref) error {
	j, ok := g.recall(r)
	if _, b := g.binding(r); !ok || j.Triggers || b == nil || b.Target == nil || b.Target.Unsure {
		return &alteredError{r}
	}
	return nil
}

// alteredError is that of a table that is not what was judged.
type alteredError struct{ table plan.Ref }

// Error implements error.
func (e *alteredError) Error() string {
	return fmt.Sprintf("the keys, triggers or rules of %s are not those that were judged", place(e.table))
}

func place(r plan.Ref) string { return catalog.TableKey(r.Schema(), r.Table()) }

// allows refuses to write to tables of which that is known, and judges those of which nothing is.
func (g *guard) allows(ctx context.Context, of []writtenTable) error {
	for _, w := range of {
		j, ok := g.recall(w.table)
		if ok && (len(j.Rows)+len(j.Deletes) == 0 || time.Since(j.at) < drift.LookAgain) {
			if err := g.refusal(w, j); err != nil {
				return err
			}
			continue
		}
		if err := g.judge(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// judge looks at a table as it is now. What it was when somebody asked for that is known to
// all who wait for it.
func (g *guard) judge(ctx context.Context, w writtenTable) error {
	asked := time.Now()
	select {
	case g.looking <- struct{}{}:
		defer func() { <-g.looking }()
	case <-ctx.Done():
		return fault.From(ctx.Err())
	}
	if j, ok := g.recall(w.table); ok && j.at.After(asked) {
		return g.refusal(w, j)
	}
	d, b := g.binding(w.table)
	if d == nil || b == nil || b.Target == nil {
		return fault.Broken("%s is written where no catalog says that it is", w.table.Dataset())
	}
	ctx, cancel := deadline.Within(ctx, g.timeout)
	defer cancel()
	at := time.Now()
	tables, err := g.tables.Introspect(ctx, w.table.Schema())
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(tables, func(t catalog.Table) bool { return t.Name == w.table.Table() }); i >= 0 && !d.WritableIn(b) {
		return fault.Broken("%s is written where it is not writable", w.table.Dataset())
	}
	j := judged{d.Rejudge(b, tables), at}
	if !j.Found {
		return fault.Differs().Because(fmt.Errorf("there is no table %s", place(w.table)))
	}
	g.known.mu.Lock()
	g.known.put(w.table, j)
	g.known.mu.Unlock()
	return g.refusal(w, j)
}

// refusal is what a judgement means to whoever writes. What is wrong is for the log.
func (g *guard) refusal(w writtenTable, j judged) error { return refusal(w, j.Judgement, g.target) }

func refusal(w writtenTable, j catalog.Judgement, in plan.Target) error {
	bad := j.Rows
	if w.deletes {
		bad = slices.Concat(bad, j.Deletes)
	}
	if len(bad) == 0 {
		return nil
	}
	return fault.New(fault.Unavailable, "the keys, triggers or rules of the table of %s have changed since usher read them, and rows of it are not written as they are now", w.table.Dataset()).
		WithHint("Tell an administrator, who can see with `usher check` what stands in the way. Rows are written again a few seconds after it is mended.").
		Because(fmt.Errorf("%s of %s: %s", place(w.table), in, strings.Join(bad, "; ")))
}

// look compares a table with what is known of it after something was refused, and judges it
// anew where it is another: what a key that nobody knew of refuses must not be told. It reports
// that the table was another, and may be written to.
func (g *guard) look(ctx context.Context, w writtenTable, asking sqlexec.Sessions) (altered bool, err error) {
	j, _ := g.recall(w.table)
	told := int64(0)
	err = asking.Session(postgres.Fresh(ctx), false, func(s sqlexec.Session) error {
		rows, err := s.Query(ctx, "SELECT "+sqlgen.PostgresShape(w.table.Schema(), w.table.Table(), j.Parts), nil)
		if err != nil {
			return err
		}
		if rows.Next() {
			told = rows.Cell(0).Int
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil || told == j.Shape {
		return false, err
	}
	return true, g.judge(ctx, w)
}

// writtenTable is a table that a change writes to.
type writtenTable struct {
	table   plan.Ref
	deletes bool
}

// writtenBy are the tables that changes write to, each once.
func writtenBy(changes ...plan.Change) []writtenTable {
	var out []writtenTable
	for _, c := range changes {
		of := []writtenTable{{c.Table(), !c.Kind().Inserts() && !c.Kind().Updates()}}
		for i := range c.Nested() {
			of = append(of, writtenBy(c.NestedAt(i))...)
		}
		for _, w := range of {
			i := slices.IndexFunc(out, func(o writtenTable) bool { return placeOf(o.table) == placeOf(w.table) })
			if i < 0 {
				out = append(out, w)
				continue
			}
			out[i].deletes = out[i].deletes || w.deletes
		}
	}
	return out
}

// keeps names the tables that nobody may alter while a snapshot lasts. Of views and tables of
// other servers nothing can be kept.
func (g *guard) keeps(of []writtenTable) []postgres.Name {
	var out []postgres.Name
	for _, w := range of {
		if _, b := g.binding(w.table); b != nil && b.Target != nil && !b.Target.Unsure {
			out = append(out, postgres.Name{Schema: w.table.Schema(), Table: w.table.Table()})
		}
	}
	slices.SortFunc(out, func(a, b postgres.Name) int {
		return cmp.Or(strings.Compare(a.Schema, b.Schema), strings.Compare(a.Table, b.Table))
	})
	return out
}

// checked are the columns that a condition of a table is about, or of a domain.
func (g *guard) checked(r plan.Ref, name string, domain bool) []string {
	j, _ := g.recall(r)
	var out []string
	for _, by := range j.Checks {
		if by.Name == name && (by.Domain != "") == domain {
			out = append(out, by.Columns...)
		}
	}
	if domain && len(out) > 1 { // one of them is not as it has to be, and not all together
		return nil
	}
	return out
}

// holds tells whether a table holds rows of one that is written: it is a part of it.
func (g *guard) holds(r plan.Ref, schema, table string) bool {
	_, b := g.binding(r)
	return b != nil && b.Target != nil && slices.Contains(b.Target.Members, catalog.TableKey(schema, table))
}

// tenantOf is the tenant's column of a table; empty: it has none.
func (g *guard) tenantOf(r plan.Ref) string {
	d, b := g.binding(r)
	if b == nil || d.Tenant == nil || b.Columns[d.Tenant.Name].Missing {
		return ""
	}
	return b.Columns[d.Tenant.Name].Name
}

// triggers tells whether the database runs triggers of its own on a table.
func (g *guard) triggers(r plan.Ref) bool {
	if j, ok := g.recall(r); ok && j.Triggers {
		return true
	}
	_, b := g.binding(r)
	return b == nil || b.Target == nil || b.Target.Triggers
}

// shows tells whether whoever writes is told what code of the database's own says.
func (g *guard) shows() bool {
	source := g.cat.Sources[g.target.Source]
	return source != nil && source.Postgres.ShowRaised
}

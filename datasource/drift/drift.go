// Package drift owns whether tables are what the catalog promises: those of accounts and of tenants that are
// their own, and what files hold, which may be other files at any time. What differs refuses whatever reads it
// of that table, and nothing else, until somebody has mended it. It looks at tables, and reads no row of them.
package drift

import (
	"cmp"
	"context"
	"sync"
	"time"

	"usher/catalog"
	"usher/datasource/deadline"
	"usher/fault"
	"usher/plan"
)

// Account is the account whose tables are looked at.
type Account struct {
	Catalog *catalog.Catalog
	Target  plan.Target
	Timeout time.Duration // of a look
	Clock   func() time.Time
}

// Introspector is a database that can say which tables it has.
type Introspector interface {
	Introspect(ctx context.Context, schemas ...string) ([]catalog.Table, error)
}

// Tables are what is known of tables in an account. They are looked at when a schema of
// theirs is used for the first time, and again when a statement fails on them.
type Tables struct {
	Account
	db       Introspector
	looking  chan struct{} // holds the right to look
	findings *Findings
}

// Findings are what was found in an account, by schema. The zero value is ready.
type Findings struct {
	mu    sync.Mutex
	known map[string]found
}

// found is what was found in a schema; what does not differ is left out.
type found struct {
	drifts map[tableKey]catalog.Drift
	writes map[tableKey]catalog.Judgement // of those that are written in files
	at     time.Time
}

// tableKey tells the tables of datasets apart.
type tableKey struct {
	dataset string
	own     string // the key in Dataset.Own; empty: the one that the source binds
}

// LookAgain is how soon tables that are not as they have to be are looked at again: somebody may have
// mended them.
const LookAgain = 5 * time.Second

// Of are the tables of an account, of which findings are known; nil for one that has the tables of its
// source and no others.
func Of(a Account, db Introspector, known *Findings) *Tables {
	if !a.own() {
		return nil
	}
	return tablesOf(a, db, known)
}

func tablesOf(a Account, db Introspector, known *Findings) *Tables {
	return &Tables{Account: a, db: db, looking: make(chan struct{}, 1), findings: known}
}

// own tells that tables of tenants' own are read by way of the account.
func (a Account) own() bool { return a.Target.Account().Own || len(a.ownTables()) > 0 }

// ownTable is a dataset's table that is one tenant's own, or of those whose records name it.
type ownTable struct {
	dataset *catalog.Dataset
	own     *catalog.Own
}

func (a Account) ownTables() []ownTable {
	var out []ownTable
	for _, d := range a.Catalog.Datasets {
		for _, own := range d.Own {
			if own.Source == a.Target.Source && (a.Target.Tenant == "" || own.Tenant == "" || a.Target.Tenant == own.Tenant) {
				out = append(out, ownTable{d, own})
			}
		}
	}
	return out
}

// schema is what is known of a schema, looked at if nothing is.
func (t *Tables) schema(ctx context.Context, name string) (found, error) {
	if known, ok := t.recall(name); ok {
		return known, nil
	}
	select {
	case t.looking <- struct{}{}:
		defer func() { <-t.looking }()
	case <-ctx.Done():
		return found{}, fault.From(ctx.Err())
	}
	if known, ok := t.recall(name); ok { // somebody has looked meanwhile
		return known, nil
	}
	ctx, cancel := deadline.Within(ctx, t.Timeout)
	defer cancel()
	tables, err := t.db.Introspect(ctx, cmp.Or(name, "main"))
	if err != nil {
		return found{}, err
	}
	now := found{drifts: make(map[tableKey]catalog.Drift), writes: make(map[tableKey]catalog.Judgement), at: t.Clock()}
	note := func(d *catalog.Dataset, b *catalog.Binding, own string) {
		if t.Target.Kind == catalog.DuckDB && d.WritableIn(b) {
			now.writes[tableKey{d.Name, own}] = d.Rejudge(b, tables)
		}
		if drift := d.Drift(b, tables); drift.Differs() {
			now.drifts[tableKey{d.Name, own}] = drift
		}
	}
	for _, d := range t.Catalog.Datasets {
		if b := d.Bindings[t.Target.Source]; b != nil && (t.Target.Account().Own || t.Target.Kind == catalog.DuckDB) && t.schemaOf(b) == name {
			note(d, b, "")
		}
	}
	for _, o := range t.ownTables() {
		if t.schemaOf(&o.own.Binding) == name {
			note(o.dataset, &o.own.Binding, o.own.Key())
		}
	}
	t.findings.put(name, now)
	return now, nil
}

// schemaOf is where a binding's table is in this account.
func (t *Tables) schemaOf(b *catalog.Binding) string {
	return plan.SchemaOf(t.Catalog.Sources[t.Target.Source], b, t.Target)
}

func (t *Tables) recall(name string) (found, bool) {
	t.findings.mu.Lock()
	defer t.findings.mu.Unlock()
	known, ok := t.findings.known[name]
	return known, ok && (len(known.drifts) == 0 || t.Clock().Sub(known.at) < LookAgain)
}

func (f *Findings) put(name string, now found) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		f.known = make(map[string]found)
	}
	f.known[name] = now
}

// Forget makes whoever asks next look again.
func (t *Tables) Forget() {
	t.findings.mu.Lock()
	defer t.findings.mu.Unlock()
	clear(t.findings.known)
}

// Judged is what was judged of a table in a file for being written; false: it is not written.
func (t *Tables) Judged(ctx context.Context, r plan.Ref) (catalog.Judgement, bool, error) {
	known, err := t.schema(ctx, r.Schema())
	if err != nil {
		return catalog.Judgement{}, false, err
	}
	j, ok := known.writes[tableKey{r.Dataset(), r.Own()}]
	return j, ok, nil
}

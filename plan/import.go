package plan

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// Import is an insert of rows that come one after the other and are never held whole. Only
// BuildImport makes one, of what a Change is made of: the same rights, stamps and checks.
// What is written to a column of a row is a Given, which it reads.
type Import struct{ body *imported }

type imported struct {
	*change
	key     []Field
	columns []Field
	texts   bool
	stamps  []stampedField
	leads   []Lead
	next    *Import // with what another role presets; nil: there is none
}

// MaxPortion bounds the rows of a Portion.
const MaxPortion = maxGiven

type stampedField struct {
	field Field
	value Given
}

// BuildImport makes the plan of an import: the only way to an Import. The error is a
// *fault.Error the caller may see. Of is the tenant that a principal of all tenants names, and nobody
// for all others.
func BuildImport(of Tenant, r query.Import, cat *catalog.Catalog, p principal.Principal, now time.Time) (Import, error) {
	return buildImport(of, r, cat, p, now, nil)
}

func buildImport(of Tenant, r query.Import, cat *catalog.Catalog, p principal.Principal, now time.Time, at []int) (Import, error) {
	cb, err := importing(of, r.Dataset, cat, p, now)
	if err != nil {
		return Import{}, err
	}
	cb.turns.at = at
	i := &imported{change: cb.c, texts: r.Texts}
	if err := cb.take(i, r.Columns); err != nil {
		return Import{}, err
	}
	if err := cb.reached(); err != nil {
		return Import{}, err
	}
	cb.c.strategy = cb.reachedBy()
	if at = cb.turns.following(); at != nil {
		if next, err := buildImport(of, r, cat, p, now, at); err == nil {
			i.next = &next
			cb.c.snapshot = cb.c.snapshot || next.Snapshot() // they share a transaction
		}
	}
	return Import{i}, nil
}

// MayImport refuses who may not import rows of a dataset, whatever they are.
func MayImport(of Tenant, dataset string, cat *catalog.Catalog, p principal.Principal, now time.Time) error {
	_, err := importing(of, dataset, cat, p, now)
	return err
}

// importing finds the table, or refuses. As with changes, what is done for a tenant that is named is done as
// that one's own, with the rights and the view of whoever names it.
func importing(of Tenant, dataset string, cat *catalog.Catalog, p principal.Principal, now time.Time) (*changeBuilder, error) {
	if p.Grant.SavedOnly || p.Grant.Dashboards != nil {
		return nil, fault.New(fault.Forbidden, "the token may run saved operations only, and an import is none")
	}
	view, err := cat.View(p)
	if err != nil {
		return nil, grantFault("%v", err)
	}
	named := of.ID != "" || of.Key != ""
	if named {
		if !p.AllTenants || of.ID == "" || of.Key == "" {
			return nil, fault.New(fault.Forbidden, "whose rows are written is not for you to name")
		}
		p.AllTenants, p.Tenant, p.TenantKey, p.Routing = false, of.ID, of.Key, of.Routing
	}
	b, err := newBuilder(cat, principal.Slotted{Principal: p}, now)
	if err != nil {
		return nil, err
	}
	if named {
		b.view, b.named = view, true
	}
	vis := b.view.Dataset(dataset)
	if vis == nil {
		if refusal := cat.Unreached.AwaitsDataset(dataset); refusal != nil { // as queries of it are refused
			return nil, refusal
		}
		return nil, fault.New(fault.NotFound, "there is no such dataset")
	}
	if p.AllTenants && !vis.Dataset.Common {
		return nil, fault.New(fault.Forbidden, "rows of %s are written as one tenant", dataset).WithHint("name the tenant whose rows they are: tenant=…")
	}
	if named && vis.Dataset.Common {
		return nil, fault.New(fault.BadUserInput, "rows of %s are no tenant's: they are common to all", dataset)
	}
	b.path = []string{dataset}
	cb := &changeBuilder{
		builder: b, vis: vis, turns: &turns{},
		c: &change{kind: query.Insert, key: dataset, dataset: dataset, identity: b.identity(), names: make(map[string]string)},
	}
	if err := cb.open(); err != nil {
		return nil, err
	}
	return cb, nil
}

// take plans rows of which these columns are given.
func (cb *changeBuilder) take(i *imported, names []string) error {
	p := cb.problems()
	for _, name := range names {
		col := cb.settable(name)
		switch {
		case col == nil:
			p.ok(name, fault.New(fault.BadUserInput, "%s of %s cannot be written", name, cb.vis.Dataset.Name))
		case slices.Contains(cb.asked, col):
			p.ok(name, fault.New(fault.BadUserInput, "%s is named twice", name))
		default:
			cb.asked = append(cb.asked, col)
			i.columns = append(i.columns, cb.stored(col))
		}
	}
	if len(names) == 0 {
		p.ok("", fault.New(fault.BadUserInput, "a row names a column at least"))
	}
	if err := p.err(); err != nil {
		return err
	}
	if err := cb.covered(func() []*catalog.Column { return cb.lackingIn([]row{{form: &form{columns: cb.asked}}}) }); err != nil {
		return err
	}
	stamps, same, err := cb.stamps()
	if err != nil {
		return err
	}
	for n, col := range stamps {
		i.stamps = append(i.stamps, stampedField{cb.stored(col), same[n]})
	}
	cb.wrote(cb.asked)
	cb.wrote(stamps)
	if err := cb.needed(cb.asked, stamps, oneAt(cb.vis.Dataset.Name)); err != nil {
		return err
	}
	for _, key := range cb.vis.Dataset.Key {
		i.key = append(i.key, cb.stored(key))
	}
	if err := cb.keysNamed(i); err != nil {
		return err
	}
	if err := cb.importLeading(i, stamps, same); err != nil {
		return err
	}
	return cb.checked()
}

// keysNamed refuses rows of an API without a key that a call has to name, or that no reply will say.
func (cb *changeBuilder) keysNamed(i *imported) error {
	if !cb.c.call.namesRow() {
		return nil
	}
	for _, key := range i.key {
		same := func(f Field) bool { return f.Name == key.Name }
		stamped := slices.ContainsFunc(i.stamps, func(s stampedField) bool { return same(s.field) })
		if key.Stored != "" && !stamped && !slices.ContainsFunc(i.columns, same) {
			return cb.noKey(key)
		}
	}
	return nil
}

// Lead is rows of another dataset that rows of an import lead to: they must be there, the
// tenant's own or common, and seen by the principal.
type Lead struct {
	reference Reference
	from      []leadFrom // by link
	refusal   error
}

// leadFrom is a column of the rows, or one value that all of them have.
type leadFrom struct {
	column int // -1: the value
	value  Given
}

// Level are the rows that may be led to, linked by the values.
func (l Lead) Level() Level { return l.reference.level }

// Locks tells that they are kept as they are until the import is done.
func (l Lead) Locks() bool { return l.reference.locks }

// Lock is what is locked in place of Level, where that joins other tables.
func (l Lead) Lock() (Level, bool) { return l.reference.Lock() }

// From is the column whose values are found by a link; false: Value is.
func (l Lead) From(link int) (column int, ok bool) {
	return l.from[link].column, l.from[link].column >= 0
}

// Value is the value that all rows have.
func (l Lead) Value(link int) Given { return l.from[link].value }

// Refusal is the error where a row is not there.
func (l Lead) Refusal() error { return l.refusal }

// importLeading makes the references of the rows. One that is known only when they are written is
// checked then.
func (cb *changeBuilder) importLeading(i *imported, stamps []*catalog.Column, same []Given) error {
	for _, rel := range cb.references() {
		on := cb.tenantPair(cb.vis.Dataset, rel.To, rel.On)
		lead, known := Lead{refusal: cb.notThere(rel)}, true
		for _, pair := range on {
			from := leadFrom{column: slices.Index(cb.asked, pair.From)}
			switch at := slices.Index(stamps, pair.From); {
			case pair.From.Type.List:
				known = false
			case from.column >= 0:
			case pair.From == cb.vis.Dataset.Tenant:
				from.value = Given{value: cb.stampOf()}
			case at >= 0 && !same[at].Null():
				from.value = same[at]
			default:
				known = false
			}
			lead.from = append(lead.from, from)
		}
		if !known {
			continue
		}
		if err := cb.lead(&lead.reference, rel, on); err != nil {
			return err
		}
		i.leads = append(i.leads, lead)
	}
	return nil
}

// Valid tells an Import that BuildImport made from the zero value.
func (i Import) Valid() bool { return i.body != nil }

// Next is the same import with what another of the roles presets; false: there is none.
func (i Import) Next() (Import, bool) {
	if i.body.next == nil {
		return Import{}, false
	}
	return *i.body.next, true
}

// Otherwise is Next after rows were undone with an error; false: it is not that a check did not hold.
func (i Import) Otherwise(err error) (Import, bool) {
	if !i.body.outside(err) {
		return Import{}, false
	}
	return i.Next()
}

// Dataset is the name of the dataset whose rows they are.
func (i Import) Dataset() string { return i.body.dataset }

// Key is what places of the rows are named below: the dataset.
func (i Import) Key() string { return i.body.dataset }

// Target is where the rows go.
func (i Import) Target() Target { return i.body.target }

// Strategy is the name of the strategy they are reached by.
func (i Import) Strategy() string { return i.body.strategy }

// Identity is who asks.
func (i Import) Identity() Identity { return i.body.identity }

// Owner is the tenant whose rows they are; empty for rows common to all.
func (i Import) Owner() string { return i.body.owner }

// Call is how each row is written, if it is an API's.
func (i Import) Call() Call { return i.body.call }

// Snapshot tells that what decides on the rows reads other tables than theirs.
func (i Import) Snapshot() bool { return i.body.snapshot }

// Table is where the rows go, under the scope they have to be in.
func (i Import) Table() Ref { return i.body.table }

// ColumnStored is the name by which the principal sees what the table calls so, or empty.
func (i Import) ColumnStored(name string) string { return i.body.names[name] }

// Keys is the number of columns that make the key.
func (i Import) Keys() int { return len(i.body.key) }

// KeyColumn is the n-th of them.
func (i Import) KeyColumn(n int) Field { return i.body.key[n] }

// Stamps is the number of columns that have one value in all rows: the tenant among them.
func (i Import) Stamps() int { return len(i.body.stamps) }

// Stamp is the n-th of them and its value.
func (i Import) Stamp(n int) (Field, Given) { return i.body.stamps[n].field, i.body.stamps[n].value }

// Columns is the number of columns that each row has a value for.
func (i Import) Columns() int { return len(i.body.columns) }

// Column is the n-th of them.
func (i Import) Column(n int) Field { return i.body.columns[n] }

// Leads is the number of references to rows that must be there.
func (i Import) Leads() int { return len(i.body.leads) }

// Lead is the n-th of them.
func (i Import) Lead(n int) Lead { return i.body.leads[n] }

// Checks is the number of ways in which what was written may be right: a row needs one.
func (i Import) Checks() int { return len(i.body.checks) }

// Check is the n-th of them.
func (i Import) Check(n int) Check { return i.body.checks[n] }

// Read reads what a row has for the n-th column. The error is a *fault.Error.
func (i Import) Read(n int, v query.Value) (Given, error) {
	col := i.body.columns[n]
	given, err := i.given(col, v)
	if err == nil && given.Null() && !given.list && !col.Null {
		err = errors.New("it is never null")
	}
	if err != nil {
		f := fault.New(fault.BadUserInput, "%s: %v", col.Name, err)
		f.At = i.body.dataset + "." + col.Name
		return Given{}, f
	}
	return given, nil
}

func (i Import) given(col Field, v query.Value) (Given, error) {
	t, kept := col.Type, value.Kept{Form: col.Form, Native: col.Native}
	text, isText := v.(query.Text)
	if !i.body.texts || !isText {
		return givenOf(t, kept, v)
	}
	if t.List {
		list, err := query.ReadNested([]byte(text), query.MaxRowDepth)
		if _, ok := list.(query.List); err != nil || !ok {
			return Given{}, fmt.Errorf("expected a list in JSON")
		}
		return givenOf(t, kept, list)
	}
	out, err := value.Parse(t, string(text))
	if err == nil {
		out, err = kept.Keeps(out)
	}
	if err != nil {
		return Given{}, err
	}
	return Given{value: out}, fits(t, out.Text())
}

// Portion is the insert of some of the rows, which are at these lines of the input, for a source that takes
// them as it takes those of mutations.
func (i Import) Portion(lines []int64, rows [][]Given) (Change, error) {
	if !i.Valid() || len(rows) == 0 || len(rows) > MaxPortion || len(lines) != len(rows) {
		return Change{}, fault.Broken("these rows make no portion of an import")
	}
	into := Insert{table: i.body.table, keys: i.body.key, stamps: len(i.body.stamps)}
	for _, stamp := range i.body.stamps {
		into.columns, into.values = append(into.columns, stamp.field), append(into.values, oneGiven(stamp.value))
	}
	for n, column := range i.body.columns {
		values := givensOf(column.Type, len(rows))
		for row := range rows {
			if len(rows[row]) != len(i.body.columns) {
				return Change{}, fault.Broken("a row of an import has other columns")
			}
			values.add(rows[row][n])
		}
		into.columns, into.values = append(into.columns, column), append(into.values, values)
	}
	c := *i.body.change
	c.given, c.places = len(rows), &inputRows{each: slices.Repeat([]string{c.key}, len(rows))}
	for n := range rows {
		into.rows = append(into.rows, n)
	}
	c.inserts, c.refs = []Insert{into}, nil
	for _, lead := range i.body.leads {
		if r := lead.of(lines, rows); len(r.rows) > 0 {
			c.refs = append(c.refs, r)
		}
	}
	return Change{body: &c}, nil
}

// of is the reference of some rows, each of which is refused with its line.
func (l Lead) of(lines []int64, rows [][]Given) Reference {
	r := l.reference
	r.values = make([][]value.Value, len(l.from))
	seen := make(map[string]bool)
	for n, row := range rows {
		tuple, key := make([]value.Value, 0, len(l.from)), ""
		for _, from := range l.from {
			given := from.value
			if from.column >= 0 {
				given = row[from.column]
			}
			if given.Null() {
				break
			}
			tuple = append(tuple, given.value)
			key += fmt.Sprintf("%d:%s", len(given.value.Text()), given.value.Text())
		}
		if len(tuple) < len(l.from) || seen[key] {
			continue
		}
		seen[key] = true
		for link, v := range tuple {
			r.values[link] = append(r.values[link], v)
		}
		r.rows = append(r.rows, n)
	}
	of := r.rows
	r.refuse = func(i int) error {
		f := *fault.From(l.refusal)
		f.Line = lines[of[i]]
		return &f
	}
	return r
}

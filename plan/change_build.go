package plan

import (
	"slices"
	"strings"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/slot"
	"usher/value"

	"usher/principal"
)

// maxGiven bounds the rows of one insert, MaxChanged those that one condition may
// change: their keys are held until the change is done.
const (
	maxGiven   = 10_000
	MaxChanged = 100_000
)

// BuildChange makes the plan of a change: the only way to a Change. Now is the
// instant of the operation. The error is a *fault.Error the caller may see.
func BuildChange(r query.Change, cat *catalog.Catalog, p principal.Principal, now time.Time) (Change, error) {
	return buildChange(r, cat, principal.Slotted{Principal: p}, changeOf{}, now, nil)
}

// changeOf says whose rows are changed, where it is not the principal's own that are.
type changeOf struct {
	view   *catalog.View // in which they are; nil: the principal's own
	closed []string      // keys of tenants of whom nothing is written
	tried  int           // how often it was planned before
	turns  []int         // of roles that preset something else in rows to insert, by insert; nil: the first one's
}

// buildChange makes the plan.
func buildChange(r query.Change, cat *catalog.Catalog, who principal.Slotted, of changeOf, now time.Time, later *slot.Term) (Change, error) {
	b, err := newBuilder(cat, who, now)
	if err != nil {
		return Change{}, err
	}
	b.later = later
	if of.view != nil {
		b.view, b.named = of.view, true
	}
	vis := b.view.Dataset(r.Dataset)
	if vis == nil {
		return Change{}, fault.New(fault.NotFound, "there is no dataset %q", r.Dataset)
	}
	b.path = []string{r.Field.Key}
	cb := &changeBuilder{
		builder: b, vis: vis, field: r.Field, args: arguments(r.Field.Args), closed: of.closed, turns: &turns{at: slices.Clone(of.turns)},
		c: &change{kind: r.Kind, key: r.Field.Key, dataset: r.Dataset, typ: vis.Dataset.Type + "Change", identity: b.identity(), names: make(map[string]string)},
	}
	if err := cb.build(); err != nil {
		return Change{}, err
	}
	if err := b.reached(); err != nil {
		return Change{}, err
	}
	cb.c.strategy = b.reachedBy()
	if of.turns, of.tried = cb.turns.following(), of.tried+1; of.turns != nil && of.tried < mostTurns {
		if err := cb.look(); err != nil { // another role's turn is planned with all there is
			return Change{}, err
		}
		cb.c.otherwise = func() (Change, error) { return buildChange(r, cat, who, of, now, later) }
	}
	return Change{body: cb.c}, nil
}

// changeBuilder makes one change.
type changeBuilder struct {
	*builder
	vis                *catalog.Visible
	field              query.Field
	args               arguments
	closed             []string // keys of tenants of whom nothing is written
	turns              *turns   // of roles that preset something else
	c                  *change
	table              *levelBuilder // of the one reference to the table
	granted            *catalog.Granted
	grants             []grant
	asked              []*catalog.Column  // to which the caller gives something
	written            []*catalog.Column  // to which something is written
	inside             *changeBuilder     // of the change that this one belongs to
	under              []*catalog.Dataset // whose rows are deleted with these
	placed             *nests             // that are inserted, where they are nested in others
	leading, following []*nests           // rows nested in these: those that they lead to, and those that lead to them
	restores           bool               // of rows that were deleted
	links              []catalog.Pair     // by which rows that are changed refer to the key of those they are deleted with
}

func (cb *changeBuilder) build() error {
	if err := cb.open(); err != nil {
		return err
	}
	var err error
	switch kind := cb.c.kind; {
	case kind.Inserts():
		err = cb.insert()
	case kind.Updates():
		err = cb.update()
	case kind == query.Delete, kind == query.DeleteByKey:
		err = cb.delete()
	default:
		err = fault.New(fault.Internal, "a change without a kind")
	}
	if err == nil {
		err = cb.callable()
	}
	if err != nil {
		return err
	}
	return cb.answer()
}

// open finds the table and refuses what may not be written at all.
func (cb *changeBuilder) open() error {
	d := cb.vis.Dataset
	if err := cb.allowed(); err != nil {
		return err
	}
	if len(d.Key) == 0 && d.Unsettled {
		return catalog.NotYet()
	}
	if len(d.Key) == 0 {
		return fault.New(fault.Forbidden, "%s has no key, and what cannot be named is not written", d.Name)
	}
	cb.table = cb.level()
	if _, err := cb.table.root(d); err != nil {
		if !cb.p.AllTenants || d.Common {
			return err
		}
		name, _ := cb.place(d)
		if source := cb.cat.Sources[name]; source != nil && source.Postgres.Session.NamesTenant() { // which says more
			return fault.From(err).WithHint("name the tenant whose rows they are: %s: …", TenantArgument)
		}
		return cb.nameIt()
	}
	ref := cb.table.l.refs[0]
	binding := cb.table.uses[0].binding
	if ref.target.Kind == catalog.API && d.WritableIn(binding) {
		if err := cb.calls(binding.Writes); err != nil {
			return err
		}
	} else if ref.target.Kind == catalog.API || !d.WritableIn(binding) {
		return fault.New(fault.NotImplemented, "%s cannot be written where this tenant's rows are", d.Name)
	}
	if err := cb.ofAll(); err != nil {
		return err
	}
	key := cb.keyColumns()
	for _, col := range key {
		cb.table.read(0, col)
		cb.c.keyNames = append(cb.c.keyNames, col.Name)
	}
	cb.c.table, cb.c.target, cb.c.keys = cb.table.l.refs[0], ref.target, len(key)
	cb.c.settled = settles(binding.Target)
	cb.c.single = cb.c.settled && binding.Target.Single
	if cb.c.owned = !d.Common; cb.c.owned && cb.who.Tenant == nil {
		cb.c.owner = cb.tenant()
	}
	for _, col := range cb.vis.Columns() {
		if stored := binding.Columns[col.Name]; !stored.Missing {
			cb.c.names[stored.Name] = col.Name
		}
	}
	return cb.table.failed
}

// settles tells that somebody has looked into a table and found nothing that would change a row
// after it was written.
func settles(t *catalog.Target) bool {
	return t != nil && !t.Triggers && !t.Unsure && len(t.Keys) > 0 && !slices.ContainsFunc(t.Keys, func(k *catalog.UniqueKey) bool { return k.Declared })
}

// stored is a column as the table has it.
func (cb *changeBuilder) stored(col *catalog.Column) Field {
	cb.unsettled = cb.unsettled || col.Unsettled
	stored := cb.table.uses[0].binding.Columns[col.Name]
	return Field{Name: col.Name, Stored: stored.Name, Type: col.Type, Native: stored.Native, Form: stored.Form, ByCode: stored.ByCode, Collate: stored.Collate, Null: col.Nullable && !stored.Filled}
}

// keyed is a level of the dataset's rows that are named by their keys. The role says what
// is asked of them beside the tenant, the dataset's filter and the token's.
func (cb *changeBuilder) keyed(role func(*levelBuilder, whereAt) (Expr, error)) (*levelBuilder, error) {
	lb := cb.level()
	if _, err := lb.root(cb.vis.Dataset); err != nil {
		return nil, err
	}
	if role != nil {
		lb.role = func(at whereAt) (Expr, error) { return role(lb, at) }
	}
	cb.link(lb)
	return lb, nil
}

// link ties a level to the keys of rows that were chosen or written.
func (cb *changeBuilder) link(lb *levelBuilder) {
	lb.l.limit = All
	for i, col := range cb.keyColumns() {
		lb.l.parent = append(lb.l.parent, Link{cell: i, typ: col.Type, own: lb.read(0, col)})
	}
}

// sealed is a level that is complete. What it reads beside the table makes a snapshot
// of the change; of a reference, which is locked or common, it does not.
func (cb *changeBuilder) sealed(lb *levelBuilder, snapshot bool) (Level, error) {
	l, err := lb.seal()
	if err == nil && snapshot && len(l.refs) > 1 {
		cb.c.snapshot = true
	}
	for _, r := range l.refs {
		if err == nil && r.target != cb.c.target && !cb.called() {
			return Level{}, cb.elsewhere(r)
		}
	}
	return l, err
}

// elsewhere is the error where a change reaches for rows of another source.
func (cb *changeBuilder) elsewhere(r Ref) error {
	name := cb.nameOf(cb.cat.Dataset(r.dataset))
	return fault.New(fault.NotImplemented, "%s and %s are in different sources, and one change is made in one", cb.vis.Dataset.Name, name).
		WithHint("ask for rows of %s in a query of their own", name)
}

// everyWritten is asked of rows that were written: no role's filter of reading.
func everyWritten(*levelBuilder, whereAt) (Expr, error) { return predicate(True), nil }

// holds are the conditions of a grant.
func holds(conditions []query.Value) func(*levelBuilder, whereAt) (Expr, error) {
	return func(lb *levelBuilder, at whereAt) (Expr, error) {
		parts := make([]Expr, 0, len(conditions))
		for _, condition := range conditions {
			e, err := lb.where(at, lb.uses[0].dataset, condition)
			if err != nil {
				return Expr{}, err
			}
			parts = append(parts, e)
		}
		return all(parts), nil
	}
}

// checked makes the checks of what is written: one for each grant.
func (cb *changeBuilder) checked() error {
	for _, g := range cb.grants {
		check, err := cb.check(holds(g.checks))
		if err != nil {
			return err
		}
		cb.c.checks = append(cb.c.checks, check)
	}
	if !cb.called() {
		return nil
	}
	lb, err := cb.keyed(nil)
	if err != nil {
		return err
	}
	lb.bare = true
	cb.c.is = cb.over(lb)
	cb.c.there, err = lb.seal()
	return err
}

func (cb *changeBuilder) check(role func(*levelBuilder, whereAt) (Expr, error)) (Check, error) {
	c := Check{outside: fault.New(fault.Forbidden, "what would be written to %s is not what you may write there", cb.vis.Dataset.Name)}
	lb, err := cb.keyed(role)
	if err != nil {
		return c, err
	}
	own := len(lb.l.refs)
	for _, rel := range cb.references() {
		if _, member := cb.leadsNowhere(rel); cb.view.Dataset(rel.To.Name) == nil {
			return c, cb.asSet(cb.unseen(member), member)
		}
		to, err := lb.join(0, rel, -1)
		if err != nil {
			return c, err
		}
		var there []Expr
		for _, pair := range rel.On {
			if pair.From != cb.vis.Dataset.Owner() { // which rows have that are a tenant's, and is not read where all are one's
				there = append(there, predicate(IsNull, lb.read(0, pair.From)))
			}
		}
		there = append(there, not(predicate(IsNull, lb.l.refs[to].on[0].To)))
		lb.cell(anyOf(there))
		c.refuse = append(c.refuse, cb.notThereAsSet(rel))
	}
	if c.level, err = lb.seal(); err != nil {
		return c, err
	}
	cb.c.snapshot = cb.c.snapshot || own > 1 || len(c.level.refs) > own+len(c.refuse) || cb.restores && len(c.refuse) > 0 // which nobody has locked
	for _, r := range c.level.refs {
		if r.target != cb.c.target && !cb.called() {
			return c, cb.elsewhere(r)
		}
	}
	return c, nil
}

// references are the relations that lead from rows by what is written to them.
func (cb *changeBuilder) references() []*catalog.Relation {
	d := cb.vis.Dataset
	var out []*catalog.Relation
	for _, rel := range d.Relations {
		if !rel.Many && cb.refers(rel) {
			out = append(out, rel)
		}
	}
	if d.Parent != nil && cb.refers(d.Parent) && !slices.Contains(out, d.Parent) {
		out = append(out, d.Parent)
	}
	if target := cb.table.uses[0].binding.Target; target != nil {
		for _, r := range target.References {
			if rel := r.Unnamed(); rel != nil && cb.leads(rel) {
				out = append(out, rel)
			}
		}
	}
	return out
}

// refers tells whether a to-one relation is a reference that is written.
func (cb *changeBuilder) refers(rel *catalog.Relation) bool {
	return cb.vis.Dataset.Refers(rel) && cb.leads(rel)
}

// leads tells whether where a relation leads is written. All within the source that are shown are of a row
// that is restored: what it leads to may have gone meanwhile, as it kept nothing from being deleted.
func (cb *changeBuilder) leads(rel *catalog.Relation) bool {
	d := cb.vis.Dataset
	restored := cb.restores
	if restored && !cb.called() {
		source, _ := cb.place(rel.To)
		restored = source == cb.c.target.Source && cb.view.Dataset(rel.To.Name) != nil
	}
	return slices.ContainsFunc(rel.On, func(p catalog.Pair) bool {
		return p.From != d.Owner() && (restored || slices.Contains(cb.written, p.From))
	})
}

// notThere is the error where a reference leads to no row: for one that is another's,
// for one that is missing, and for one that is not shown.
func (cb *changeBuilder) notThere(rel *catalog.Relation) error {
	f, _ := cb.leadsNowhere(rel)
	return f
}

// notThereAsSet is notThere, with its place where all rows are set to the same.
func (cb *changeBuilder) notThereAsSet(rel *catalog.Relation) error {
	return cb.asSet(cb.leadsNowhere(rel))
}

// asSet is an error of a member, with its place where all rows are set to the same.
func (cb *changeBuilder) asSet(f *fault.Error, member string) error {
	for _, set := range cb.c.update.sets {
		if set.place != "" && set.column.Name == member {
			f.At = cb.c.key + "." + set.place
		}
	}
	return f
}

// leadsNowhere is notThere, and the member of a row that it is about; empty: none that is seen.
func (cb *changeBuilder) leadsNowhere(rel *catalog.Relation) (f *fault.Error, member string) {
	names := make([]string, 0, len(rel.On))
	for _, pair := range rel.On {
		if pair.From != cb.vis.Dataset.Owner() && cb.vis.Column(pair.From.Name) != nil {
			names = append(names, pair.From.Name)
		}
	}
	if len(names) == 0 {
		return fault.New(fault.NotFound, "there is no such row of %s", cb.nameOf(rel.To)), ""
	}
	return fault.New(fault.NotFound, "%s leads to no row of %s", strings.Join(names, ", "), cb.nameOf(rel.To)), names[0]
}

// unseen is the error where a reference leads to a dataset of which the principal sees no rows. It names what the
// principal wrote.
func (cb *changeBuilder) unseen(member string) *fault.Error {
	if member == "" {
		return fault.New(fault.Forbidden, "this needs rows that no role of yours shows")
	}
	return fault.New(fault.Forbidden, "%s leads to rows that no role of yours shows", member).
		WithHint("leave %s out, or ask for a role that shows what it leads to", member)
}

// refusedAt is an error of a member of a row.
func refusedAt(f *fault.Error, place inputAt, member string) error {
	if member == "" {
		return f
	}
	at := *f
	at.At = place.member(member)
	return &at
}

// refer makes the references that are asked for before anything is written. The values are
// those of each row, of columns that are given to it.
func (cb *changeBuilder) refer(count int, places *inputRows, of func(row int, col *catalog.Column) (Given, bool)) error {
	for _, rel := range cb.references() {
		on := cb.tenantPair(cb.vis.Dataset, rel.To, rel.On)
		r := Reference{values: make([][]value.Value, len(on))}
		beside, err := cb.beside(rel, on, count, of)
		if err != nil {
			return err
		}
		seen := make(map[string]bool)
		for row := range count {
			tuple, key := make([]value.Value, 0, len(on)), []byte(nil)
			for _, pair := range on {
				given, ok := of(row, pair.From)
				if pair.From == cb.vis.Dataset.Tenant {
					given.value, ok = cb.stampOf(), true
				}
				if !ok || given.Null() || given.list || given.from != nil {
					break // what is not known yet is checked when it is written
				}
				tuple = append(tuple, given.value)
				key = given.value.AppendKey(key)
			}
			if len(tuple) < len(on) || seen[string(key)] {
				continue
			}
			seen[string(key)] = true
			if beside != nil && beside[besideKey(tuple)] {
				f := fault.New(fault.BadUserInput, "%s leads to a row of the same insert", cb.visiblePair(rel)).
					WithHint("insert that row by a field before this one")
				f.At = places.at(row).String()
				return f
			}
			for i, v := range tuple {
				r.values[i] = append(r.values[i], v)
			}
			r.rows = append(r.rows, row)
		}
		if len(r.rows) == 0 {
			continue
		}
		rows := r.rows
		refused, member := cb.leadsNowhere(rel)
		r.refuse = func(i int) error { return refusedAt(refused, places.at(rows[i]), member) }
		if cb.p.AllTenants && !cb.vis.Dataset.Common && !rel.To.Common { // which tenant's each row is, is not known yet
			return cb.nameIt()
		}
		if cb.view.Dataset(rel.To.Name) == nil {
			return refusedAt(cb.unseen(member), places.at(rows[0]), member)
		}
		if err := cb.lead(&r, rel, on); err != nil {
			return err
		}
		cb.c.refs = append(cb.c.refs, r)
	}
	return nil
}

// lead makes the levels of a reference.
func (cb *changeBuilder) lead(r *Reference, rel *catalog.Relation, on []catalog.Pair) error {
	linked := func() (*levelBuilder, error) {
		lb := cb.level()
		if _, err := lb.root(rel.To); err != nil {
			return nil, err
		}
		for i, pair := range on {
			lb.l.parent = append(lb.l.parent, Link{cell: i, typ: pair.From.Type, own: lb.read(0, pair.To)})
		}
		lb.l.limit = All
		return lb, nil
	}
	lb, err := linked()
	if err != nil {
		return err
	}
	if r.above, err = cb.upwards(lb); err != nil {
		return err
	}
	if r.level, err = cb.sealed(lb, false); err != nil {
		return err
	}
	r.locks = !rel.To.Common
	if joined := len(r.level.refs[0].policy) > 0; joined && r.locks {
		cb.c.snapshot = true
		only, err := linked()
		if err != nil {
			return err
		}
		r.lock = only.l
	}
	return nil
}

// stampOf is the tenant's key in the tenant column.
func (cb *changeBuilder) stampOf() value.Value {
	v, _ := cb.keyIn(cb.vis.Dataset.Tenant) // the table's own reference was refused otherwise
	return v
}

// answer plans what is answered of the rows.
func (cb *changeBuilder) answer() error {
	if cb.c.kind.One() {
		q, err := cb.rows(cb.field, query.ByKey)
		cb.c.answers = []Query{q}
		return err
	}
	p := cb.problems()
	for _, f := range cb.field.Fields {
		o := ChangeOutput{key: f.Key}
		switch f.Name {
		case "__typename":
			o.kind = ChangedTypename
		case "affected":
			o.kind = ChangedAffected
		case "rows":
			o.kind, o.answer = ChangedRows, len(cb.c.answers)
			p.ok("", cb.below(f.Key, func() error {
				q, err := cb.rows(f, query.Many)
				cb.c.answers = append(cb.c.answers, q)
				return err
			}))
		default:
			p.ok("", unknownField(cb.vis.Dataset.Type+"Change", f.Name))
		}
		cb.c.output = append(cb.c.output, o)
	}
	return p.err()
}

// rows is the query that reads rows of the change, by their keys.
func (cb *changeBuilder) rows(f query.Field, shape query.Shape) (Query, error) {
	lb, err := cb.start(cb.vis, nil)
	if err != nil {
		return Query{}, err
	}
	cb.link(lb)
	args, p := arguments(f.Args), cb.problems()
	if shape == query.Many {
		limit, ok, err := args.integer("limit")
		if p.ok("limit", err) && ok {
			lb.l.limit = limit
		}
		if orders, err := args.orders(); p.ok("orderBy", err) && len(orders) > 0 {
			p.ok("orderBy", lb.totalOrder(cb.vis, args))
		}
	}
	lb.l.output, err = lb.selectRows(cb.vis, 0, f.Fields)
	p.ok("", err)
	if err := p.err(); err != nil {
		return Query{}, err
	}
	root, err := cb.sealed(lb, false)
	if err != nil {
		return Query{}, err
	}
	q := Query{&body{root: root, shape: shape, strategy: cb.reachedBy(), identity: cb.c.identity, overrides: cb.overrides(), datasets: cb.datasets, own: cb.tenanted}}
	if target, single := q.Single(); (!single || target != cb.c.target) && !cb.called() {
		return Query{}, fault.New(fault.NotImplemented, "the answer of a change reads what is in its own source").
			WithHint("ask for what is elsewhere in a query of its own")
	}
	return q, nil
}

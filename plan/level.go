package plan

import (
	"math"
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/value"
)

// levelBuilder makes one level: its references, what they read and their
// scopes.
type levelBuilder struct {
	*builder
	l     Level
	uses  []*use // beside l.refs
	joins map[joinKey]int
	json  int // what the operators on JSON look for, see maxJSONParts
	cells places

	failed error // of a read that had to add references

	deleted bool // rows of the first reference that were deleted are asked for
	bare    bool // of a change: rows of the first reference are the tenant's, and nothing else is asked of them

	role func(at whereAt) (Expr, error) // of a change: what is asked of the first reference in place of the roles' filter
}

// use is what is known of a reference beyond what the plan keeps.
type use struct {
	dataset *catalog.Dataset
	visible *catalog.Visible // nil inside a policy, where every column may be read
	binding *catalog.Binding
	asked   []string // columns the request reads, in order of first use

	compared []string // columns that filters of the tenant's own roles compare
}

// stored is a column that the source has; no source has none.
func (u *use) stored() *catalog.Column {
	i := slices.IndexFunc(u.dataset.Columns, func(c *catalog.Column) bool { return !u.binding.Columns[c.Name].Missing })
	return u.dataset.Columns[i]
}

type joinKey struct {
	from     int
	relation string
	inside   int
}

func (b *builder) level() *levelBuilder {
	return &levelBuilder{builder: b, joins: make(map[joinKey]int), l: Level{where: predicate(True), having: predicate(True), guard: predicate(True)}}
}

// root adds the level's own dataset as the first reference.
func (lb *levelBuilder) root(d *catalog.Dataset) (int, error) {
	return lb.add(d, -1, -1, nil)
}

// maxRefs is how many references one statement may have, policies included.
const maxRefs = 64

// add appends a reference with its tenant predicate. Policies and filters
// follow in seal, when it is known which columns are used.
func (lb *levelBuilder) add(d *catalog.Dataset, from, inside int, on []catalog.Pair) (int, error) {
	target, binding, err := lb.target(d)
	if err != nil {
		return 0, err
	}
	reason, byColumn, err := lb.confine(d, target, binding)
	if err != nil {
		return 0, err
	}
	schema, err := lb.schemaOf(binding, target)
	if err != nil {
		return 0, err
	}
	lb.reads(d)
	i := len(lb.l.refs)
	if i >= maxRefs {
		return 0, fault.New(fault.TooComplex, "the question reaches for more than %d datasets at once", maxRefs).
			WithHint("ask in several fields")
	}
	u := &use{dataset: d, binding: binding}
	if inside < 0 {
		u.visible = lb.view.Dataset(d.Name)
	}
	lb.uses = append(lb.uses, u)
	lb.l.refs = append(lb.l.refs, Ref{
		dataset: d.Name, target: target, schema: schema, table: binding.Table, path: binding.Path, rows: binding.Rows,
		reason: reason, inside: inside, from: from, shown: lb.sees(d),
	})
	lb.l.refs[i].own = lb.ownKey(d, binding)
	if byColumn {
		key, err := lb.keyIn(d.Tenant)
		if err != nil {
			return 0, err
		}
		col := lb.read(i, d.Tenant)
		lb.l.refs[i].scope = []Expr{predicate(Eq, col, literal(key))}
		lb.l.refs[i].tenant = d.Tenant.Name
	}
	if reason == ByParent {
		if err := lb.parent(i); err != nil {
			return 0, err
		}
	}
	for _, pair := range lb.paired(from, d, on) {
		lb.l.refs[i].on = append(lb.l.refs[i].on, On{From: lb.read(from, pair.From), To: lb.read(i, pair.To)})
	}
	return i, nil
}

// paired are the equalities of a relation, as tenantPair has them.
func (lb *levelBuilder) paired(from int, to *catalog.Dataset, on []catalog.Pair) []catalog.Pair {
	if from < 0 {
		return on
	}
	return lb.tenantPair(lb.uses[from].dataset, to, on)
}

// tenantPair settles whether a relation pairs the tenants of both sides. A
// principal of all tenants has no tenant predicate on either side, so they are
// paired: keys need to be unique within a tenant only. A row and its parent are
// one tenant's by themselves. For all others both sides are one tenant's already,
// and a source may not have the columns at all.
func (b *builder) tenantPair(from, to *catalog.Dataset, on []catalog.Pair) []catalog.Pair {
	pair := catalog.Pair{From: from.Owner(), To: to.Owner()}
	if pair.From == nil || pair.To == nil || from.ParentBy(to, on) || to.Parent != nil && to.ParentBy(from, turned(on)) {
		return on
	}
	others := slices.DeleteFunc(slices.Clone(on), func(p catalog.Pair) bool { return p == pair })
	switch {
	case b.p.AllTenants:
		return append(others, pair)
	case len(others) == 0:
		return on
	}
	return others
}

// turned are the pairs as seen from the other side.
func turned(on []catalog.Pair) []catalog.Pair {
	out := make([]catalog.Pair, len(on))
	for i, p := range on {
		out[i] = catalog.Pair{From: p.To, To: p.From}
	}
	return out
}

// read makes a reference read a column, on usher's own account.
func (lb *levelBuilder) read(ref int, c *catalog.Column) Expr {
	if lb.uses[ref].dataset.Inherits(c) {
		return lb.readOwner(ref, c)
	}
	lb.unsettled = lb.unsettled || c.Unsettled
	r := &lb.l.refs[ref]
	if !slices.ContainsFunc(r.columns, func(f Field) bool { return f.Name == c.Name }) {
		stored := lb.uses[ref].binding.Columns[c.Name]
		r.columns = append(r.columns, Field{Name: c.Name, Stored: stored.Name, Type: c.Type, Native: stored.Native, Form: stored.Form, ByCode: stored.ByCode, Collate: stored.Collate, Indexed: stored.Indexed, Sorted: stored.Sorted, Null: c.Nullable && !stored.Filled, spread: stored.Spread})
	}
	return column(ref, c)
}

// ask makes a reference read a column because the caller asked for it.
func (lb *levelBuilder) ask(ref int, c *catalog.Column) Expr {
	u := lb.uses[ref]
	if !slices.Contains(u.asked, c.Name) {
		u.asked = append(u.asked, c.Name)
	}
	return lb.read(ref, c)
}

// join follows a to-one relation, once for each relation and reference.
func (lb *levelBuilder) join(from int, rel *catalog.Relation, inside int) (int, error) {
	key := joinKey{from, rel.Name, inside}
	if i, ok := lb.joins[key]; ok {
		return i, nil
	}
	i, err := lb.add(rel.To, from, inside, rel.On)
	if err != nil {
		return 0, err
	}
	lb.joins[key] = i
	if lb.l.refs[from].inside == inside { // a scope's own joins stand in the scope, wherever that is
		lb.l.refs[i].under = lb.l.refs[from].under
	}
	if inside >= 0 && lb.l.refs[i].under == 0 {
		lb.l.refs[inside].policy = append(lb.l.refs[inside].policy, i)
	}
	return i, nil
}

// seal completes the scopes of all references and returns the level.
func (lb *levelBuilder) seal() (Level, error) {
	for i := 0; i < len(lb.l.refs); i++ { // policies may append references; theirs carry the tenant predicate only
		if lb.l.refs[i].inside >= 0 {
			continue
		}
		if err := lb.policies(i); err != nil {
			return Level{}, err
		}
	}
	for i := range lb.l.refs { // rows can be counted without a column, but not moved
		if len(lb.l.refs[i].columns) == 0 {
			lb.read(i, lb.uses[i].stored())
		}
		for j := range lb.l.refs[i].columns {
			f := &lb.l.refs[i].columns[j]
			// A policy that cannot be held to refuses. An API without a tenant column sends
			// the rows of the tenant it is told: what stands there is known.
			told := lb.l.refs[i].target.Kind == catalog.API && lb.uses[i].dataset.Tenant != nil && f.Name == lb.uses[i].dataset.Tenant.Name
			if lb.uses[i].binding.Columns[f.Name].Missing && !told {
				return Level{}, fault.New(fault.Forbidden, "a filter of %s needs a column that is not where this tenant's rows are", lb.nameOf(lb.uses[i].dataset))
			}
			f.Asked = slices.Contains(lb.uses[i].asked, f.Name)
		}
	}
	lb.l.shifted()
	return lb.l, lb.failed
}

// policies adds the dataset's filter, the token's filters and the roles'
// filters to a reference's scope.
func (lb *levelBuilder) policies(i int) error {
	d := lb.uses[i].dataset
	if lb.uses[i].visible == nil {
		return fault.New(fault.Forbidden, "this needs rows that no role of yours shows")
	}
	if i == 0 && lb.bare {
		return nil
	}
	var scope []Expr
	at := whereAt{ref: i, inside: i, policy: true, variables: true}
	if filter := lb.filterOf(i); filter != nil {
		e, err := lb.where(at, d, filter)
		if err != nil {
			return err
		}
		scope = append(scope, e)
	}
	byRole, err := lb.byRole(i, at)
	if err != nil {
		return err
	}
	scope = append(scope, byRole)
	at.variables = false
	for _, f := range lb.p.Grant.Filters {
		if f.Dataset != d.Name {
			continue
		}
		if f.Having != nil && (!lb.l.grouped || i > 0) {
			return fault.New(fault.Forbidden, "the token shows %s in groups only", d.Name).
				WithHint("ask for %sAggregate; rows of %s are in no list, and nothing else is joined with, compared or grouped by them", d.Name, d.Name)
		}
		if f.Where != nil {
			e, err := lb.where(at, d, f.Where)
			if err != nil {
				return err
			}
			scope = append(scope, e)
		}
	}
	lb.l.refs[i].scope = append(lb.l.refs[i].scope, all(scope).conjuncts()...)
	return nil
}

// byRole is what roles ask of a reference's rows.
func (lb *levelBuilder) byRole(i int, at whereAt) (Expr, error) {
	if i == 0 && lb.role != nil {
		return lb.role(at)
	}
	return lb.roleFilter(i, at)
}

// roleFilter confines a reference to the rows of the principal's roles, and of
// them to those that its tenant's own roles leave. What the filters of own
// roles compare, the other roles must grant like what is asked for: rows tell
// of it.
func (lb *levelBuilder) roleFilter(i int, at whereAt) (Expr, error) {
	u := lb.uses[i]
	own, err := lb.rowsOf(i, u.visible.OwnRights(), at.compared(), u.asked)
	if err != nil {
		return Expr{}, err
	}
	byRole, err := lb.rowsOf(i, u.visible.Rights(), at, slices.Concat(u.asked, u.compared))
	if err != nil {
		return Expr{}, err
	}
	return all([]Expr{byRole, own}), nil
}

func withheldBy(r *catalog.Right) func(column string) bool {
	return func(column string) bool { return !r.Grants(column) }
}

// rowsOf is the disjunction of the filters of those rights that grant every one
// of the columns together.
func (lb *levelBuilder) rowsOf(i int, rights []*catalog.Right, at whereAt, columns []string) (Expr, error) {
	u := lb.uses[i]
	if len(rights) == 0 {
		return predicate(True), nil
	}
	var filters []Expr
	for _, right := range rights {
		if slices.ContainsFunc(columns, withheldBy(right)) {
			continue
		}
		if lb.l.grouped && !right.Aggregate {
			continue
		}
		e := lb.present(i, right)
		if right.Filter != nil {
			filter, err := lb.where(at, u.dataset, right.Filter)
			if err != nil {
				return Expr{}, err
			}
			e = all([]Expr{filter, e})
		} else if e.op == True {
			return e, nil
		}
		filters = append(filters, e)
	}
	switch {
	case len(filters) > 0:
		return anyOf(filters), nil
	case len(u.compared) > 0 && slices.ContainsFunc(rights, func(r *catalog.Right) bool { return !slices.ContainsFunc(u.asked, withheldBy(r)) }):
		return Expr{}, fault.New(fault.Forbidden, "a role of the tenant's own filters %s by what no other role of yours shows together with this", u.dataset.Name)
	case len(columns) == 0:
		return Expr{}, fault.New(fault.Forbidden, "no role of yours may aggregate %s", u.dataset.Name)
	}
	return Expr{}, lb.apart(u)
}

// apart refuses columns of which each is shown by some role, and no role has all.
// What a measure reads beside them is not named to who does not see it.
func (lb *levelBuilder) apart(u *use) error {
	doing := "shows"
	if lb.l.grouped {
		doing = "aggregates"
	}
	names := slices.DeleteFunc(slices.Clone(u.asked), func(name string) bool { return u.visible.Column(name) == nil })
	together := strings.Join(names, ", ")
	switch len(names) {
	case 0:
		together = "what this reads of it"
	case 1:
	default:
		together += " together"
	}
	return fault.New(fault.Forbidden, "no role of yours %s %s with %s", doing, u.dataset.Name, together).
		WithHint("ask for less of it at a time, or ask whoever grants the roles for one that shows all of it")
}

// cell makes the level return an expression and says at which index.
func (lb *levelBuilder) cell(e Expr) int { return lb.cells.add(&lb.l.columns, e) }

// link ties the level to its parent's rows by a relation. The parent's cells
// are named by their index.
func (lb *levelBuilder) link(rel []catalog.Pair, cells []int, own int) {
	for i, pair := range rel {
		lb.l.parent = append(lb.l.parent, Link{cell: cells[i], typ: pair.From.Type, own: lb.read(own, pair.To)})
	}
}

// throughRows adds the reference whose rows link parents to the level's own.
func (lb *levelBuilder) throughRows(in *nested) (int, error) {
	i, err := lb.add(in.through, -1, -1, nil)
	if err != nil {
		return 0, err
	}
	for _, pair := range in.toOn {
		lb.l.refs[i].on = append(lb.l.refs[i].on, On{From: lb.read(0, pair.To), To: lb.read(i, pair.From)})
	}
	lb.l.through = i
	return i, nil
}

// limits reads limit and offset against the dataset's.
func (lb *levelBuilder) limits(vis *catalog.Visible, args arguments) error {
	standard, most := vis.Limits()
	lb.l.limit, lb.l.cut = standard, true
	if lb.export {
		lb.l.limit, lb.l.cut, most = All, false, math.MaxInt
	}
	if n, ok, err := args.integer("limit"); err != nil {
		return err
	} else if ok {
		if n > most {
			return fault.New(fault.TooComplex, "limit %d is more than the %d rows allowed for %s", n, most, vis.Dataset.Name).
				WithHint("ask for fewer rows, or page with offset")
		}
		lb.l.limit, lb.l.cut = n, false
	}
	n, _, err := args.integer("offset")
	lb.l.offset = n
	return err
}

// typeOf is the type of a value for an error message.
func typeOf(t value.Type) string { return t.GraphQL() }

package plan

import (
	"slices"

	"usher/value"
)

// A database that is asked with arguments may plan for them, with every
// execution, or once for all. Planning a short list costs it as much as answering
// it, so a list says here whether one plan serves everybody: its rows come along
// an index, whoever asks and whatever is compared, or are found by a key. The first is
// so if it is the best way for a tenant of average size, for that is whom the one plan
// is made for. For a larger tenant it is better still, and a smaller one has no more
// rows to pass over than the average one.

// The bounds of Generic.
const (
	plenty    = 8    // times as many rows as are returned make an index the best way to them
	alike     = 4    // values of which none has more times the rows of the average are spread evenly
	fewTies   = 1000 // rows of one place in the order are sorted without notice
	fewLinked = 100  // likewise rows of one parent
	fewFound  = 10   // values that a planner takes a list for that it does not know
	oneBound  = 1. / 3
	twoBounds = 1. / 200 // what a planner takes for the part of rows between two bounds that it does not know
)

// Generic tells that a plan of the level's statement that is made for any values
// is as good as one that is made for the values at hand.
func (l Level) Generic() bool {
	if _, ok := l.Total(); ok || len(l.refs) == 0 || len(l.parent) > 0 || l.grouped || l.limit == All {
		return false
	}
	rows := float64(l.offset + l.limit)
	return (l.inOrder(rows) || l.byKey()) && l.followed(rows)
}

// inOrder tells whether so many rows come along an index that has a tenant's in their
// order.
func (l Level) inOrder(rows float64) bool {
	if len(l.order) == 0 {
		return false
	}
	at := l.order[0]
	first, known := l.field(at.expr)
	if !known || first.Null || first.spread == nil || !first.spread.Ordered || at.expr.typ.Scalar == value.Enum || at.expr.typ.Text() && !first.ByCode && !at.bySource {
		return false
	}
	for _, o := range l.order[1:] {
		if _, own := l.field(o.expr); !own {
			return false
		}
	}
	each, most, ok := l.refs[0].tenantRows()
	share, simple := l.share(at.expr.name)
	ties := most * first.spread.Each / first.spread.Rows
	alone := share == 1 && most <= alike*each // nothing but whose they are, which is alike for all
	return ok && simple && ties <= fewTies && (alone || each*share >= plenty*rows)
}

// byKey tells whether the rows are found by values of a column each of which few
// rows have, and fewer than a tenant: as by their ids. All else is looked at in what was found.
func (l Level) byKey() bool {
	found := false
	for _, e := range append(conjuncts(l.where), l.refs[0].scope...) {
		if !l.ownCondition(e) {
			return false
		}
		f, ok := l.compared(e)
		found = found || ok && (e.op == Eq || e.op == In || e.op == Among) && f.Indexed && f.spread != nil &&
			f.spread.Most <= fewLinked && l.refs[0].sought(fewFound*f.spread.Each)
	}
	return found
}

func conjuncts(e Expr) []Expr {
	if e.op == And {
		return slices.Clone(e.args)
	}
	return []Expr{e}
}

// ownCondition tells whether a condition compares columns of the level's own dataset, and nothing
// of others.
func (l Level) ownCondition(e Expr) bool {
	switch e.op { //nolint:exhaustive // all others will not do
	case True, Literal:
		return true
	case Column:
		_, ok := l.field(e)
		return ok
	case And, Or, Not, Eq, Neq, Lt, Lte, Gt, Gte, RowLt, RowGt, In, Among, IsNull:
		return !slices.ContainsFunc(e.args, func(a Expr) bool { return !l.ownCondition(a) })
	}
	return false
}

// compared is the column that is compared with literals.
func (l Level) compared(e Expr) (Field, bool) {
	if len(e.args) == 0 || len(e.args) == 2 && e.args[1].op != Literal {
		return Field{}, false
	}
	return l.field(e.args[0])
}

// field is a column of the level's own dataset, as it is stored.
func (l Level) field(e Expr) (Field, bool) {
	if e.op != Column || e.ref != 0 {
		return Field{}, false
	}
	return l.refs[0].plain(e.name)
}

// plain is a column that is found as it is stored.
func (r Ref) plain(name string) (Field, bool) {
	i := slices.IndexFunc(r.columns, func(f Field) bool { return f.Name == name && f.Of == 0 && f.Form.Indexed() })
	if i < 0 {
		return Field{}, false
	}
	return r.columns[i], true
}

// tenantRows is how many rows of a reference are a tenant's: on average, and of the
// one with the most. Of common data all are.
func (r Ref) tenantRows() (each, most float64, ok bool) {
	if r.own != "" || r.absent || r.shared || r.under > 0 || r.inside >= 0 || len(r.policy) > 0 {
		return 0, 0, false
	}
	switch r.reason {
	case ByTenantColumn:
		if f, ok := r.plain(r.tenant); ok && f.spread != nil {
			return f.spread.Each, f.spread.Most, true
		}
	case IsCommon:
		for _, f := range r.columns {
			if f.spread != nil {
				return f.spread.Rows, f.spread.Rows, true
			}
		}
	case ByParent, ByOwnSource, ByUpstream, IsAllTenants:
	}
	return 0, 0, false
}

// followed tells whether what is joined to the level's rows, so many of them, and
// nested in them is found by an index, and better so than by reading what a tenant
// has.
func (l Level) followed(rows float64) bool {
	for i, r := range l.refs[1:] {
		if owner, ok := l.owner(); ok && owner == i+1 {
			continue // nested has looked at it
		}
		found := slices.ContainsFunc(r.on, func(on On) bool {
			f, ok := r.plain(on.To.name)
			return ok && f.Indexed
		})
		if !found || len(r.on) != 1 || !r.sought(rows) {
			return false
		}
		for _, e := range r.scope {
			if !r.tenantPredicate(e) {
				return false
			}
		}
	}
	for _, c := range l.children {
		if !c.nested(rows) {
			return false
		}
	}
	return true
}

// sought tells whether so many looks into an index are better than reading what a
// tenant has.
func (r Ref) sought(times float64) bool {
	each, most, ok := r.tenantRows()
	return ok && (r.reason == IsCommon || most <= alike*each || each >= plenty*times)
}

// nested is Generic for the rows of so many parents.
func (l Level) nested(parents float64) bool {
	if l.grouped || len(l.parent) != 1 || l.through > 0 || l.limit == All {
		return false
	}
	link, ok := l.field(l.parent[0].own)
	_, simple := l.share("")
	if !ok || !simple || !link.Indexed || link.spread == nil || link.spread.Each > fewLinked {
		return false
	}
	rows := parents * max(1, link.spread.Each)
	if owner, through := l.owner(); through {
		return l.leadsBack(owner, link, rows) && l.followed(rows)
	}
	return l.refs[0].sought(parents) && l.followed(rows)
}

// owner is the reference that says whose the level's rows are, where one step away tells it.
func (l Level) owner() (int, bool) {
	own := l.refs[0]
	if own.reason != ByParent || own.own != "" || own.absent || own.shared || own.under > 0 || own.inside >= 0 || len(own.policy) > 0 {
		return 0, false
	}
	for i, r := range l.refs {
		if r.step && r.inside == 0 && r.reason == ByTenantColumn && slices.ContainsFunc(own.scope, func(e Expr) bool { return l.isStep(e) && e.ref == i }) {
			return i, true
		}
	}
	return 0, false
}

// leadsBack tells whether whose the rows of a level are is said by the very rows that it is nested in:
// by the column that links them to those, which are found by their key. So for each row that was found there is one more look into an
// index, whoever asks; and that is better than reading all that a tenant has of those, unless there are so few.
func (l Level) leadsBack(owner int, link Field, rows float64) bool {
	r := l.refs[owner]
	if link.spread.Most > fewLinked || len(r.on) != 1 || r.on[0].From.op != Column || r.on[0].From.ref != 0 || r.on[0].From.name != link.Name {
		return false
	}
	key, ok := r.plain(r.on[0].To.name)
	r.under, r.inside = 0, -1 // it is read as it would be by itself
	return ok && key.Indexed && key.spread != nil && key.spread.Most <= 1 && r.sought(rows)
}

// share is what part of a tenant's rows the level's conditions leave, as a planner
// believes it that does not know what is compared; or rather less. Not every
// condition will do: one on a column with an index (other than the one whose rows
// come in its order) may be the better way to the rows, depending on the value, as
// may one on a column whose values are spread unevenly.
func (l Level) share(along string) (float64, bool) {
	c := conditions{level: l, along: along}
	part := c.of(l.where)
	for _, e := range l.refs[0].scope {
		if !l.refs[0].tenantPredicate(e) && !l.isStep(e) { // of a step, see nested
			part *= c.of(e)
		}
	}
	return part, part > 0
}

func (r Ref) tenantPredicate(e Expr) bool {
	return r.reason == ByTenantColumn && e.op == Eq && e.args[0].op == Column && e.args[0].name == r.tenant && r.inside < 0
}

// conditions estimates what part of the rows conditions leave; 0 is a condition
// that will not do.
type conditions struct {
	level   Level
	along   string
	bounded []string // the columns with a bound
}

func (c *conditions) of(e Expr) float64 {
	switch e.op { //nolint:exhaustive // all others will not do
	case True:
		return 1
	case And:
		part := 1.
		for _, a := range e.args {
			part *= c.of(a)
		}
		return part
	case Or:
		if c.place(e) {
			return oneBound // what a planner takes it for; nearly all rows within the bound that stands beside it are there
		}
		part := 1.
		for _, a := range e.args {
			part = min(part, c.of(a))
		}
		return part
	case Lt, Lte, Gt, Gte:
		return c.bound(e)
	case RowLt, RowGt: // the place of a page, in the order
		if f, ok := c.level.field(e.args[0]); ok && f.Name == c.along {
			return c.bounds(f.Name)
		}
	case Eq, In, Among:
		if f, ok := c.level.compared(e); ok && f.spread != nil && f.spread.Most <= alike*f.spread.Each && !f.spread.InIndex {
			return f.spread.Each / f.spread.Rows
		}
	}
	return 0
}

// place tells the place of a page, written out: which rows of the order's first value, or beyond it.
func (c *conditions) place(e Expr) bool {
	for _, way := range e.args {
		f, ok := c.level.compared(conjuncts(way)[0])
		if !ok || f.Name != c.along || !c.level.ownCondition(way) {
			return false
		}
	}
	return slices.Contains(c.bounded, c.along)
}

func (c *conditions) bound(e Expr) float64 {
	f, ok := c.level.compared(e)
	if !ok || f.spread == nil || f.spread.InIndex && f.Name != c.along {
		return 0
	}
	return c.bounds(f.Name)
}

// bounds is what one more bound of a column leaves.
func (c *conditions) bounds(column string) float64 {
	if slices.Contains(c.bounded, column) {
		return twoBounds / oneBound
	}
	c.bounded = append(c.bounded, column)
	return oneBound
}

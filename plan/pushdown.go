package plan

import (
	"cmp"
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// Pushed is the part of a fetch that an API does itself. Everything is checked
// again on what arrives, so an API that does less is still answered rightly;
// only a limit cuts rows off, and therefore has conditions of its own.
type Pushed struct {
	Never      bool // no row satisfies the conditions: there is nothing to ask for
	Conditions []Condition
	OrderBy    string // the API's name of the column; empty: any order
	Descending bool
	Limit      int // 0: all rows
}

// Condition compares a column with a value, or with several of which one must
// be equal.
type Condition struct {
	Column   string // the API's name
	Operator string // eq, in, gt, gte, lt or lte
	Values   []value.Value
}

// maxPushed bounds the text of all pushed conditions, unless the source says
// how much it takes: they become a part of a URL, which many servers refuse
// beyond 8 KiB.
const maxPushed = 2000

// Pushdown splits off what an API can do itself of a query for rows of one
// reference. There is at most one condition for each parameter, since APIs
// differ in what they make of two. The limit is pushed when all conditions and
// the order are. Text is ordered by no API as it is here, so neither its order
// nor its comparisons other than equality are pushed, and of an order only
// one that has a single term.
func (q Query) Pushdown(can catalog.Pushdown) Pushed {
	l := q.body.root
	r := l.refs[0]
	var out Pushed
	whole, size, most := true, 0, cmp.Or(can.Bytes, maxPushed)
	for _, e := range slices.Concat(r.scope, l.where.conjuncts()) {
		for _, e := range e.conjuncts() {
			if e.never() {
				return Pushed{Never: true}
			}
			c, ok := r.condition(e, can)
			if ok && slices.ContainsFunc(out.Conditions, c.clashes) {
				ok = false
			}
			if ok {
				size += c.size()
				ok = size <= most
			}
			if !ok {
				whole = false
				continue
			}
			out.Conditions = append(out.Conditions, c)
		}
	}
	if !whole || l.limit == All || l.offset != 0 {
		return out
	}
	if len(l.order) > 0 {
		o := l.order[0]
		name, ok := r.parameter(o.expr)
		if len(l.order) > 1 || !ok || can.Order == "" || o.nullsFirst || !ordered(o.expr.typ) {
			return out
		}
		out.OrderBy, out.Descending = name, o.descending
	}
	out.Limit = l.limit
	return out
}

// never tells a condition that no row satisfies.
func (e Expr) never() bool {
	return e.op == False || e.op == In && !slices.ContainsFunc(e.lits, func(v value.Value) bool { return !v.Null() })
}

var operators = map[Op]string{Eq: "eq", In: "in", Gt: "gt", Gte: "gte", Lt: "lt", Lte: "lte"}

// condition is the plain comparison of a column with literals that e is, if it
// is one and the API can do it. One value to be equal to is both an eq and an
// in.
func (r Ref) condition(e Expr, can catalog.Pushdown) (Condition, bool) {
	operator, ok := operators[e.op]
	if !ok || len(e.args) == 0 {
		return Condition{}, false
	}
	name, ok := r.parameter(e.args[0])
	if !ok {
		return Condition{}, false
	}
	lits := e.lits
	if e.op != In {
		if len(e.args) != 2 || e.args[1].op != Literal {
			return Condition{}, false
		}
		lits = e.args[1].lits
	}
	c := Condition{Column: name, Operator: operator}
	for _, v := range lits {
		if !v.Null() { // equal to nothing
			c.Values = append(c.Values, v)
		}
	}
	if len(c.Values) == 0 || !c.equality() && !ordered(e.args[0].typ) || !equatable(e.args[0].typ) {
		return Condition{}, false
	}
	declared := can.Filters[e.args[0].name]
	if slices.Contains(declared, c.Operator) {
		return c, true
	}
	if c.equality() && len(c.Values) == 1 {
		c.Operator = "eq"
		if !slices.Contains(declared, c.Operator) {
			c.Operator = "in"
		}
		return c, slices.Contains(declared, c.Operator)
	}
	return Condition{}, false
}

// parameter is the API's name of a column, unless the name is a path into the
// row or the API does not have the column.
func (r Ref) parameter(e Expr) (string, bool) {
	if e.op != Column || e.ref != 0 {
		return "", false
	}
	for _, f := range r.columns {
		if f.Name == e.name {
			return f.Stored, f.Stored != "" && !strings.HasPrefix(f.Stored, "/")
		}
	}
	return "", false
}

func (c Condition) equality() bool { return c.Operator == "eq" || c.Operator == "in" }

// clashes tells whether both conditions would be the same parameter.
func (c Condition) clashes(o Condition) bool {
	return c.Column == o.Column && (c.Operator == o.Operator || c.equality() && o.equality())
}

func (c Condition) size() int {
	n := 0
	for _, v := range c.Values {
		n += len(c.Column) + len(v.Text()) + 2
	}
	return n
}

// ordered tells whether the type has one order everywhere.
func ordered(t value.Type) bool { return t.Numeric() || t.Temporal() }

// equatable tells whether the type has one notation everywhere.
func equatable(t value.Type) bool {
	return ordered(t) || t.Text() || !t.List && (t.Scalar == value.Boolean || t.Scalar == value.UUID || t.Scalar == value.Enum)
}

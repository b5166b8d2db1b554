package plan

import (
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/value"
)

// measure turns a named measure into an expression over the level's
// references.
func (g *groupBuilder) measure(m *catalog.Measure) (Expr, error) {
	e, err := g.measureExpr(m.Expr)
	e.typ = m.Type
	return e, err
}

var arithmetic = map[catalog.ExprOp]Op{
	catalog.ExprAdd: Add, catalog.ExprSub: Sub, catalog.ExprMul: Mul, catalog.ExprDiv: Div, catalog.ExprNeg: Neg,
}

func (g *groupBuilder) measureExpr(m *catalog.Expr) (Expr, error) {
	e := Expr{typ: m.Type}
	switch m.Op {
	case catalog.ExprColumn:
		return g.measureColumn(m)
	case catalog.ExprNumber:
		return literal(m.Number), nil
	case catalog.ExprCount:
		e.op = CountRows
	case catalog.ExprAgg:
		e.op, e.fn = Agg, m.Func
		if m.Func == catalog.Percentile {
			e.lits = []value.Value{m.Number}
		}
	case catalog.ExprAdd, catalog.ExprSub, catalog.ExprMul, catalog.ExprDiv, catalog.ExprNeg:
		e.op = arithmetic[m.Op]
	default:
		return Expr{}, fault.New(fault.Internal, "a measure holds an unknown operation")
	}
	for _, arg := range m.Args {
		a, err := g.measureExpr(arg)
		if err != nil {
			return Expr{}, err
		}
		e.args = append(e.args, a)
	}
	var counts []Expr // what rows have to satisfy
	if m.Op == catalog.ExprAgg && len(e.args) > 1 {
		if with := e.args[1]; !g.valued(with) {
			counts = append(counts, not(predicate(IsNull, with)))
		}
		e.args = e.args[:1]
	}
	if m.Filter != nil {
		// The answer tells of what the filter compares, so that these columns are asked for as those of the expression are.
		d, at := g.granted, whereAt{ref: 0, inside: -1, policy: true, variables: true}
		if d == nil {
			d, at.policy = g.vis.Dataset, false
		}
		f, err := g.where(at, d, m.Filter)
		if err != nil {
			return Expr{}, err
		}
		counts = append(counts, f)
	}
	if len(counts) > 0 {
		f := all(counts)
		e.filter = &f
	}
	return e, nil
}

// valued tells numbers that are never null.
func (g *groupBuilder) valued(e Expr) bool {
	switch e.op { //nolint:exhaustive // others may be null
	case Literal:
		return true
	case Add, Sub, Mul, Neg:
		return !slices.ContainsFunc(e.args, func(a Expr) bool { return !g.valued(a) })
	}
	return g.filled(e)
}

func (g *groupBuilder) measureColumn(m *catalog.Expr) (Expr, error) {
	if g.granted != nil && len(m.Path) == 0 {
		return g.read(0, g.granted.Column(m.Column)), nil
	}
	vis, ref := g.vis, 0
	for _, step := range m.Path {
		var rel *catalog.Relation
		to := vis
		if vis != nil {
			rel, to = g.view.Relation(vis, step)
		}
		switch {
		case rel == nil && g.granted != nil:
			return Expr{}, fault.New(fault.Forbidden, "a measure follows a relation that the token does not show")
		case rel == nil:
			return Expr{}, fault.New(fault.Internal, "a measure follows a relation that is not visible")
		}
		next, err := g.join(ref, rel, -1)
		if err != nil {
			return Expr{}, err
		}
		vis, ref = to, next
	}
	return g.takes(ref, vis.Dataset.Column(m.Column)), nil
}

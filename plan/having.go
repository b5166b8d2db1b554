package plan

import (
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// inexact tells a result that depends on the order in which an engine adds
// doubles; it is rounded before anyone sees or compares it.
func (e Expr) inexact() bool {
	if e.op == Agg && len(e.args) == 1 {
		switch e.fn { //nolint:exhaustive // the others pick a value and do not add
		case catalog.Sum, catalog.Avg:
			return e.args[0].typ.Scalar == value.Float
		case catalog.Stddev, catalog.Variance:
			return !e.args[0].typ.Squarable()
		}
	}
	return slices.ContainsFunc(e.args, Expr.inexact)
}

// compared is an aggregate as it is ordered by or compared: rounded when it is
// inexact.
func (g *groupBuilder) compared(e Expr) Expr {
	if e.inexact() {
		e = Expr{op: Rounded, typ: e.typ, args: []Expr{e}}
	}
	return g.aggregate(e)
}

// having resolves a condition on groups.
func (g *groupBuilder) having(v query.Value, depth int) (Expr, error) {
	o, ok := v.(query.Object)
	if !ok {
		return Expr{}, fault.New(fault.BadUserInput, "having must be an object")
	}
	if depth++; depth > maxDepth {
		return Expr{}, fault.New(fault.TooComplex, "having is nested more than %d levels deep", maxDepth)
	}
	var parts []Expr
	for _, m := range o {
		e, err := g.havingMember(m, depth)
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, e)
	}
	return all(parts), nil
}

func (g *groupBuilder) havingMember(m query.Member, depth int) (Expr, error) {
	switch m.Name {
	case "and", "or":
		return connective(m, func(item query.Value) (Expr, error) { return g.having(item, depth) })
	case "not":
		e, err := g.having(m.Value, depth)
		return not(e), err
	}
	at := whereAt{zone: g.zone, policy: g.granted != nil}
	if e, ok, err := g.scalar(m.Name); err != nil {
		return Expr{}, err
	} else if ok {
		return g.comparisons(at, m.Name, g.compared(e), m.Value)
	}
	col := g.column(m.Name)
	fns, isObject := m.Value.(query.Object)
	if col == nil || !isObject || len(fns) == 0 {
		return Expr{}, fault.New(fault.BadUserInput, "having cannot compare %q", m.Name)
	}
	var parts []Expr
	for _, fn := range fns {
		args, operand := splitArguments(fn.Value)
		e, err := g.function(fn.Name, col, args)
		if err != nil {
			return Expr{}, err
		}
		p, err := g.comparisons(at, m.Name+"."+fn.Name, g.compared(e), operand)
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, p)
	}
	return all(parts), nil
}

// scalar is the count or a measure, which need no function.
func (g *groupBuilder) scalar(name string) (Expr, bool, error) {
	if name == "count" {
		return Expr{op: CountRows, typ: bigInt}, true, nil
	}
	if m := g.measureNamed(name); m != nil {
		e, err := g.measure(m)
		return e, true, err
	}
	return Expr{}, false, nil
}

// granted reads the conditions that a token's filters have on groups of a
// dataset. Like those on rows they may compare what their holder is not shown.
func (lb *levelBuilder) granted(d *catalog.Dataset) *groupBuilder {
	return &groupBuilder{levelBuilder: lb, vis: lb.view.Dataset(d.Name), granted: d}
}

// guard adds what the token's filters say of groups. It holds for the groups
// before anything is made of them, and for what is returned.
func (g *groupBuilder) guard() error {
	d := g.vis.Dataset
	parts := []Expr{predicate(True)}
	for _, f := range g.p.Grant.Filters {
		if f.Dataset != d.Name || f.Having == nil {
			continue
		}
		policy := *g
		policy.granted, policy.zone = d, ""
		e, err := policy.having(f.Having, 0)
		if err != nil {
			return refused(filterFault(f, err))
		}
		g.aggs = policy.aggs
		parts = append(parts, e)
	}
	g.l.guard = all(parts)
	g.l.having = all([]Expr{g.l.guard, g.l.having})
	return nil
}

// column finds a column that may be compared.
func (g *groupBuilder) column(name string) *catalog.Column {
	if g.granted != nil {
		return g.columnAt(whereAt{policy: true}, g.granted, name)
	}
	return g.vis.Column(name)
}

// measureNamed finds a measure that may be compared.
func (g *groupBuilder) measureNamed(name string) *catalog.Measure {
	if g.granted == nil {
		return g.view.Measure(g.vis, name)
	}
	if m := g.granted.Measure(name); m != nil && g.only(m.Only) {
		return m
	}
	return nil
}

// takes makes the level read a column: because the caller asked for it, or for a
// token's filter.
func (g *groupBuilder) takes(ref int, col *catalog.Column) Expr {
	if g.granted != nil {
		return g.read(ref, col)
	}
	return g.ask(ref, col)
}

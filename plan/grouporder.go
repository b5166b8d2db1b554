package plan

import (
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/query"
)

// onlyBin is the key that bins a column, when there is just one.
func (g *groupBuilder) onlyBin(e Expr) int {
	found := -1
	for i, key := range g.l.keys {
		if key.op == Bin && key.args[0].same(e) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// order reads one item of an aggregate's orderBy.
func (g *groupBuilder) order(item query.Value) error {
	m, err := oneMember(item)
	if err != nil {
		return err
	}
	if m.Name == "key" {
		return g.orderKey(g.vis, 0, m.Value)
	}
	e, ok, err := g.scalar(m.Name)
	if err != nil {
		return err
	}
	dir := m.Value
	if !ok {
		col := g.vis.Column(m.Name)
		if col == nil {
			return fault.New(fault.BadUserInput, "groups cannot be ordered by %q", m.Name)
		}
		fn, err := oneMember(m.Value)
		if err != nil {
			return err
		}
		args, rest := splitArguments(fn.Value)
		dir = rest
		if o, isObject := rest.(query.Object); isObject {
			if dir, ok = o.Get("direction"); !ok {
				dir = query.Enum("ASC")
			}
		}
		if e, err = g.function(fn.Name, col, args); err != nil {
			return err
		}
	}
	term, err := direction(dir)
	if err != nil {
		return err
	}
	term.expr = g.compared(e)
	g.levelBuilder.order(term)
	return nil
}

// orderKey orders by a key that the groups are grouped by.
func (g *groupBuilder) orderKey(vis *catalog.Visible, ref int, v query.Value) error {
	m, err := oneMember(v)
	if err != nil {
		return err
	}
	if rel, to := g.view.Relation(vis, m.Name); rel != nil && !rel.Many {
		next, err := g.join(ref, rel, -1)
		if err != nil {
			return err
		}
		return g.orderKey(to, next, m.Value)
	}
	col := vis.Column(m.Name)
	if col == nil || !col.Type.Groupable() {
		return fault.New(fault.BadUserInput, "groups cannot be ordered by the key %q", m.Name)
	}
	e, dir := g.ask(ref, col), m.Value
	if o, ok := m.Value.(query.Object); ok {
		if dir, ok = o.Get("direction"); !ok {
			dir = query.Enum("ASC")
		}
		if by, ok := o.Get("by"); ok {
			unit, err := unitOf(by)
			if err != nil {
				return err
			}
			if e, err = g.bucket(e, unit); err != nil {
				return err
			}
		}
	}
	i := slices.IndexFunc(g.l.keys, e.same)
	if i < 0 {
		i = g.onlyBin(e)
	}
	if i < 0 {
		return fault.New(fault.BadUserInput, "the groups are not grouped by %q in that form", m.Name).
			WithHint("select it in key, with the same unit of time")
	}
	term, err := direction(dir)
	if err != nil {
		return err
	}
	term.expr, term.bySource = g.inner(i), col.Collation
	g.levelBuilder.order(term)
	return nil
}

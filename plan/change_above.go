package plan

import (
	"usher/catalog"
	"usher/fault"
)

// Above is rows that say whose other rows are: parents, of rows that have no tenant
// column. They stay as they are while those are changed, so that no row becomes
// another's meanwhile.
type Above struct {
	level Level
	first int
	cells int
}

func (a Above) in(texts []string) Above {
	a.level = a.level.in(texts)
	return a
}

// Level are the rows, of those that the cells of the rows below lead to.
func (a Above) Level() Level { return a.level }

// First is the first of those cells in the level below.
func (a Above) First() int { return a.first }

// Cells is how many there are.
func (a Above) Cells() int { return a.cells }

// Above is the number of steps from the rows that are changed to the tenant column.
func (c Change) Above() int { return len(c.body.above) }

// AboveAt is the i-th of them.
func (c Change) AboveAt(i int) Above { return c.body.above[i].in(c.texts()) }

// Above is the number of steps from the rows that are led to up to the tenant column.
func (r Reference) Above() int { return len(r.above) }

// AboveAt is the i-th of them.
func (r Reference) AboveAt(i int) Above { return r.above[i].in(r.texts) }

// upwards adds to a level, whose rows are found by their parents, the cells that lead to
// those, and makes the levels of the parents: of each step one. The level is not sealed yet.
func (cb *changeBuilder) upwards(lb *levelBuilder) ([]Above, error) {
	var out []Above
	for d := lb.uses[0].dataset; lb.l.refs[0].reason == ByParent; {
		rel := d.Parent
		up := Above{first: len(lb.l.columns), cells: len(rel.On)}
		above := cb.level()
		if _, err := above.root(rel.To); err != nil {
			return nil, err
		}
		above.l.limit = All
		for i, pair := range rel.On {
			lb.l.columns = append(lb.l.columns, lb.read(0, pair.From))
			above.l.parent = append(above.l.parent, Link{cell: i, typ: pair.From.Type, own: above.read(0, pair.To)})
		}
		if n := len(out); n > 0 {
			out[n-1].level = lb.l // with the cells
		}
		out = append(out, up)
		lb, d = above, rel.To
		if lb.l.refs[0].target != cb.c.target {
			return nil, fault.New(fault.NotImplemented, "whose rows of %s are is said in another source", cb.vis.Dataset.Name)
		}
		out[len(out)-1].level = lb.l
	}
	return out, nil
}

// ownedBy refuses a row that does not say which parent's it is: whether it collides with
// another's row must not be tried.
func (cb *changeBuilder) ownedBy(cells row, stamps []*catalog.Column, same []Given, place inputAt) error {
	if cb.table.l.refs[0].reason != ByParent {
		return nil
	}
	rel := cb.vis.Dataset.Parent
	for _, pair := range rel.On {
		given, ok := cells.at(pair.From)
		for i, col := range stamps {
			if col == pair.From {
				given, ok = same[i], true
			}
		}
		switch {
		case !ok && cb.required(pair.From): // refused already
		case !ok && cb.settable(pair.From.Name) == nil:
			return fault.New(fault.Forbidden, "rows of %s need what you may not write", cb.vis.Dataset.Name)
		case !ok:
			f := fault.New(fault.BadUserInput, "%s is missing", pair.From.Name)
			f.At = place.member(pair.From.Name)
			return f
		case given.Null():
			f, member := cb.leadsNowhere(rel)
			return refusedAt(f, place, member)
		}
	}
	return nil
}

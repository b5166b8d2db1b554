package answer

import (
	"usher/held"
	"usher/plan"
	"usher/value"
)

// TableCells lists the cells of a plan's rows in the order they were asked
// for, however deep in objects: the columns of a table.
func TableCells(q plan.Query) []plan.Output {
	leaves := leavesOf(q)
	out := make([]plan.Output, len(leaves))
	for i, l := range leaves {
		out[i] = l.Output
	}
	return out
}

// EncodeTable writes the answer of a plan without nested levels as a list of
// rows, each a list of its cells. Rows is the response key of that list in the
// object that w.Key names. What is written belongs to the share.
func EncodeTable(share *held.Share, q plan.Query, r *value.Result, w Writing, rows string) (Answer, error) {
	e := newEncoder(w)
	e.share = share
	e.path = append(e.path, step{name: rows}, step{})
	leaves := e.leavesOf(q)
	end := e.cut(q.Root(), 0, r.Rows.Len(), 1)
	e.out = append(e.out, '[')
	for i := range end {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.path[len(e.path)-1].index = i
		e.cells(leaves, r.Rows.Row(i))
	}
	e.out = append(e.out, ']')
	return e.answer()
}

// leaf is a cell, and the cells that are null where an object around it is.
type leaf struct {
	written
	within []int
}

func (e *encoder) leavesOf(q plan.Query) []leaf {
	leaves := leavesOf(q)
	for i := range leaves {
		l := &leaves[i]
		l.typ, l.style, l.at = l.Type(), e.styleOf(l.Output), l.Index()
	}
	return leaves
}

func leavesOf(q plan.Query) []leaf {
	var out []leaf
	var walk func(n int, field func(int) plan.Output, within []int)
	walk = func(n int, field func(int) plan.Output, within []int) {
		for i := range n {
			switch o := field(i); o.Kind() { //nolint:exhaustive // tables have cells, in objects or not
			case plan.OutCell:
				out = append(out, leaf{written{Output: o}, within})
			case plan.OutObject:
				around := within
				if o.Index() >= 0 {
					around = append(within[:len(within):len(within)], o.Index())
				}
				walk(o.Len(), o.Field, around)
			}
		}
	}
	root := q.Root()
	walk(root.Outputs(), root.Output, nil)
	return out
}

func (e *encoder) cells(leaves []leaf, row value.Row) {
	e.out = append(e.out, '[')
	for j := range leaves {
		l := &leaves[j]
		if j > 0 {
			e.out = append(e.out, ',')
		}
		if l.missing(row) {
			e.out = append(e.out, null...)
			continue
		}
		e.cell(&l.written, row.Cell(l.at), step{index: j})
	}
	e.out = append(e.out, ']')
}

func (l *leaf) missing(row value.Row) bool {
	for _, i := range l.within {
		if row.Null(i) {
			return true
		}
	}
	return false
}

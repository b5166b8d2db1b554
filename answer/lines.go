package answer

import (
	"usher/fault"
	"usher/plan"
	"usher/value"
)

// AppendLines appends the rows of a list or of groups, each an object on a line of
// its own. It tells how many values are null because JSON cannot hold what the
// source has, or because the source has none where the catalog promises one.
func (c *Encoder) AppendLines(out []byte, r *value.Result) (_ []byte, nulls int64, err error) {
	e := newEncoder(c.writing)
	e.out = out
	e.path = append(e.path, step{})
	for i := range r.Rows.Len() {
		before := len(e.out)
		e.path[len(e.path)-1].index = i
		if !e.object(c.root, r, i, 0, c.members.fields) {
			e.out = append(e.out[:before], null...)
		}
		e.out = append(e.out, '\n')
	}
	return e.out, e.nulls, e.failed
}

// Column is a cell of a plan's rows under the name that it has in a file: the keys
// that lead to it, with dots between.
type Column struct {
	Name string
	kind plan.OutputKind
	leaf leaf
	e    *encoder
}

// Columns are those of a plan's rows in the order they were asked for. A list in a
// row is refused: it is no column.
func Columns(q plan.Query, w Writing) ([]Column, error) {
	e := newEncoder(w)
	var out []Column
	var walk func(path string, n int, field func(int) plan.Output, within []int) error
	walk = func(path string, n int, field func(int) plan.Output, within []int) error {
		for i := range n {
			o := field(i)
			name := path + o.Key()
			switch o.Kind() { //nolint:exhaustive // the others are of connections, which are not exported
			case plan.OutCell, plan.OutTypename, plan.OutID:
				l := leaf{written{Output: o, typ: o.Type(), style: e.styleOf(o), at: o.Index()}, within}
				out = append(out, Column{Name: name, kind: o.Kind(), leaf: l, e: e})
			case plan.OutObject:
				around := within
				if o.Index() >= 0 {
					around = append(within[:len(within):len(within)], o.Index())
				}
				if err := walk(name+".", o.Len(), o.Field, around); err != nil {
					return err
				}
			default:
				return fault.New(fault.BadUserInput, "%s is a list, and a table has none in its rows", name).
					WithHint("Leave it out, export the dataset of the list itself, or ask for NDJSON, which has lists.")
			}
		}
		return nil
	}
	root := q.Root()
	if err := walk("", root.Outputs(), root.Output, nil); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fault.New(fault.BadUserInput, "a table needs a column")
	}
	return out, nil
}

// Type is that of the column's values; false: they are text that no type describes.
func (c *Column) Type() (value.Type, bool) { return c.leaf.typ, c.kind == plan.OutCell }

// Cell is the value of a row, null where the object around it is.
func (c *Column) Cell(row value.Row) value.Cell {
	if c.leaf.missing(row) {
		return value.Cell{}
	}
	return row.Cell(c.leaf.at)
}

// AppendText appends a row's value as text, the one of docs/types.md, lists as
// JSON. Null has none: ok is false. So it is for a value without a text, for
// which the error is a value.Unprintable.
func (c *Column) AppendText(out []byte, row value.Row) (_ []byte, ok bool, err error) {
	switch {
	case c.leaf.missing(row):
		return out, false, nil
	case c.kind == plan.OutTypename:
		return append(out, c.leaf.Text()...), true, nil
	case c.kind == plan.OutID:
		return append(out, c.e.idOf(c.leaf.Output, row, 0)...), true, nil
	}
	cell := row.Cell(c.leaf.at)
	if cell.Null() || c.leaf.typ.Scalar == value.JSON && !c.leaf.typ.List && value.JSONNull(cell) {
		return out, false, nil
	}
	before := len(out)
	if c.leaf.typ.List {
		out, err = value.AppendJSON(out, c.leaf.typ, cell, c.leaf.style)
	} else {
		out, err = value.AppendText(out, c.leaf.typ, cell, c.leaf.style)
	}
	if err != nil {
		return out[:before], false, err
	}
	return out, true, nil
}

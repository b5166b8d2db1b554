package answer

import (
	"strconv"

	"usher/plan"
	"usher/value"
)

// span is the rows of a page in the order they are written: a backward page
// comes from its source in reverse.
type span struct {
	rows     int
	backward bool
}

func (s span) row(i int) int {
	if s.backward {
		return s.rows - 1 - i
	}
	return i
}

// connection writes a page: its rows, what is around it, and the count. It is
// false as list is.
func (e *encoder) connection(c *Encoder, r *value.Result, page plan.Page) (whole bool) {
	l := c.root
	s := span{rows: min(r.Rows.Len(), page.Size()), backward: page.Backward()}
	more := r.Rows.Len() > page.Size()
	e.out = append(e.out, '{')
	for f := range l.Outputs() {
		if f > 0 {
			e.out = append(e.out, ',')
		}
		o := l.Output(f)
		e.key(o.Key())
		switch o.Kind() { //nolint:exhaustive // the plan of a connection has these only
		case plan.OutTypename:
			e.text(o.Text())
		case plan.OutNodes, plan.OutEdges:
			if !e.page(l, r, o.Key(), c.nodes[f], s) {
				return false
			}
		case plan.OutPageInfo:
			e.pageInfo(r, o, page, s, more)
		case plan.OutTotal:
			e.total(r.Total.Rows.Row(0).Cell(0).Int)
		}
	}
	e.out = append(e.out, '}')
	return true
}

func (e *encoder) key(name string) {
	e.out = append(e.out, '"')
	e.out = append(e.out, name...)
	e.out = append(e.out, '"', ':')
}

func (e *encoder) text(s string) { e.out = value.AppendQuoted(e.out, []byte(s)) }

// page writes the rows, as nodes or as edges. It is false as list is.
func (e *encoder) page(l plan.Level, r *value.Result, key string, fields []written, s span) (whole bool) {
	e.out = append(e.out, '[')
	e.path = append(e.path, step{name: key}, step{})
	whole = true
	for i := 0; i < s.rows && whole; i++ {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.path[len(e.path)-1].index = i
		whole = e.object(l, r, s.row(i), 0, fields) && e.next()
	}
	e.path = e.path[:len(e.path)-2]
	e.out = append(e.out, ']')
	return whole
}

func (e *encoder) pageInfo(r *value.Result, o plan.Output, page plan.Page, s span, more bool) {
	next, previous := more, page.After()
	if page.Backward() {
		next, previous = page.Before(), more
	}
	e.out = append(e.out, '{')
	for i := range o.Len() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		field := o.Field(i)
		e.key(field.Key())
		switch field.Text() {
		case "__typename":
			e.text("PageInfo")
		case "hasNextPage":
			e.out = strconv.AppendBool(e.out, next)
		case "hasPreviousPage":
			e.out = strconv.AppendBool(e.out, previous)
		case "startCursor", "endCursor":
			at := 0
			if field.Text() == "endCursor" {
				at = s.rows - 1
			}
			if s.rows == 0 {
				e.out = append(e.out, null...)
			} else {
				e.text(e.cursorOf(page, r.Rows.Row(s.row(at))))
			}
		}
	}
	e.out = append(e.out, '}')
}

// cursorOf seals the position of a row: the texts of its order terms.
func (e *encoder) cursorOf(page plan.Page, row value.Row) string {
	position := []byte{'['}
	for i := range page.Position() {
		if i > 0 {
			position = append(position, ',')
		}
		c := row.Cell(page.PositionCell(i))
		if c.Null() {
			position = append(position, null...)
		} else {
			position = value.AppendQuoted(position, []byte(value.WireText(c)))
		}
	}
	return e.cursor(append(position, ']'))
}

// idOf seals the identity of a row: its dataset and the texts of its cells.
func (e *encoder) idOf(o plan.Output, row value.Row, shift int) string {
	identity := value.AppendQuoted([]byte{'['}, []byte(o.Text()))
	for i := range o.Len() {
		identity = append(identity, ',')
		if c := row.Cell(shift + o.Field(i).Index()); c.Null() {
			identity = append(identity, null...)
		} else {
			identity = value.AppendQuoted(identity, []byte(value.WireText(c)))
		}
	}
	return e.id(append(identity, ']'))
}

// total writes a BigInt.
func (e *encoder) total(n int64) {
	if e.style.NumbersAsText {
		e.out = append(strconv.AppendInt(append(e.out, '"'), n, 10), '"')
		return
	}
	e.out = strconv.AppendInt(e.out, n, 10)
}

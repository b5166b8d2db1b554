package answer

import (
	"errors"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/value"
)

// maxErrors bounds the list of errors in one field's answer.
const maxErrors = 20

type encoder struct {
	out       []byte
	path      []step
	style     value.Style
	zones     map[string]*time.Location
	errors    gqlerror.List
	truncated []ast.Path
	failed    error
	cursor    func(position []byte) string
	id        func(identity []byte) string

	share  *held.Share
	before [][]byte // what was written before out, in pieces
	taken  int64    // of the share
	pinned int      // objects around that may still become null: they are in one piece
	nulls  int64    // cells that are null because of what they hold
	pooled bool
}

func newEncoder(w Writing) *encoder {
	return &encoder{path: []step{{name: w.Key}}, style: value.Style{NumbersAsText: w.NumbersAsText}, cursor: w.Cursor, id: w.ID}
}

func (e *encoder) answer() (Answer, error) {
	if e.failed == nil {
		e.failed = e.take()
	}
	return Answer{Errors: e.errors, Truncated: e.truncated, before: e.before, text: e.out, share: e.share, taken: e.taken, pooled: e.pooled}, e.failed
}

// take counts what is in out.
func (e *encoder) take() error {
	n := int64(len(e.out))
	if err := e.share.Take(n); err != nil {
		return err
	}
	e.taken += n
	return nil
}

// pieceSize is after how many bytes a piece of the answer ends. A slice that
// grew as large as the answer would hold all of it twice while it does.
const pieceSize = 256 << 10

// next begins another piece, if it is time. It is false when there is no memory
// for one.
func (e *encoder) next() bool {
	if len(e.out) < pieceSize || e.pinned > 0 || !e.pooled {
		return true
	}
	if e.failed = e.take(); e.failed != nil {
		return false
	}
	e.before = append(e.before, e.out)
	e.out = make([]byte, 0, pieceSize+pieceSize/8)
	return true
}

// step is one element of the path to what is being written.
type step struct {
	name  string
	index int
}

// list writes the rows from start to end; each row's first own cell is at
// shift. It is false when a value is missing that cannot be null, nor can what
// was written of the list: then whatever holds it and may be null has to be.
func (e *encoder) list(m *members, r *value.Result, start, end, shift int) (whole bool) {
	end = e.cut(m.level, start, end, 0)
	e.reserve(len(m.fields), end-start)
	e.out = append(e.out, '[')
	e.path = append(e.path, step{})
	whole = true
	for i := start; i < end && whole; i++ {
		if i > start {
			e.out = append(e.out, ',')
		}
		e.path[len(e.path)-1].index = i - start
		whole = e.object(m.level, r, i, shift, m.fields) && e.next()
	}
	e.path = e.path[:len(e.path)-1]
	e.out = append(e.out, ']')
	return whole
}

// reserve makes room for rows of so many fields before the first is written.
func (e *encoder) reserve(fields, rows int) {
	if len(e.out) > 0 || len(e.before) > 0 {
		return
	}
	e.out = buffer(64 + fields*rows*24)
}

// cut is where the default limit ends rows, if it does; the list that lacks
// rows is the one so many steps up the path.
func (e *encoder) cut(l plan.Level, start, end, up int) int {
	if !l.Cut() || end-start <= l.Limit() {
		return end
	}
	e.truncated = append(e.truncated, pathOf(e.path[:len(e.path)-up]))
	return start + l.Limit()
}

// object writes an object of row i. It is false as list is.
func (e *encoder) object(l plan.Level, r *value.Result, i, shift int, fields []written) (whole bool) {
	row := r.Rows.Row(i)
	e.out = append(e.out, '{')
	for f := range fields {
		m := &fields[f]
		e.out = append(e.out, m.prefix...)
		switch m.Kind() {
		case plan.OutNodes, plan.OutEdges, plan.OutPageInfo, plan.OutTotal: // of connections only
		case plan.OutCursor:
			page, _ := l.Page()
			e.text(e.cursorOf(page, row))
		case plan.OutID:
			e.text(e.idOf(m.Output, row, shift))
		case plan.OutTypename:
			e.out = value.AppendQuoted(e.out, []byte(m.Text()))
		case plan.OutCell:
			if !e.memberCell(m, row.Cell(shift+m.at)) {
				return false
			}
		case plan.OutObject:
			if m.at >= 0 && row.Null(shift+m.at) {
				e.out = append(e.out, null...)
				continue
			}
			before, truncated := len(e.out), len(e.truncated)
			e.path = append(e.path, step{name: m.Key()})
			e.pinned++
			whole := e.object(l, r, i, shift, m.fields)
			e.pinned--
			e.path = e.path[:len(e.path)-1]
			if !whole && m.at < 0 {
				return false
			}
			if !whole {
				e.out, e.truncated = append(e.out[:before], null...), e.truncated[:truncated]
			}
		case plan.OutList:
			child := r.Children[m.at]
			e.path = append(e.path, step{name: m.Key()})
			whole := e.list(m.list, child.Result, child.Start[i], child.Start[i+1], 1)
			e.path = e.path[:len(e.path)-1]
			if !whole {
				return false
			}
		}
	}
	e.out = append(e.out, '}')
	return true
}

// memberCell writes a cell, the commonest kinds without a detour. It is false
// when the cell is null and its type says that it never is.
func (e *encoder) memberCell(m *written, c value.Cell) (whole bool) {
	switch {
	case m.plain != c.Kind || c.Kind == value.KindNull:
		if m.Always() && (c.Kind == value.KindNull || m.typ.Scalar == value.JSON && value.JSONNull(c)) {
			e.missing(step{name: m.Key()})
			return false
		}
		return e.cell(m, c, step{name: m.Key()}) || !m.Always()
	case c.Kind == value.KindText:
		e.out = value.AppendQuoted(e.out, c.Text)
	case m.typ.Scalar == value.Int && !value.IsInt(c.Int):
		return e.cell(m, c, step{name: m.Key()}) || !m.Always()
	default:
		e.out = strconv.AppendInt(e.out, c.Int, 10)
	}
	return true
}

// missing notes that a source sent null where the catalog promises a value.
func (e *encoder) missing(at step) {
	e.nulls++
	if len(e.errors) < maxErrors {
		e.errors = append(e.errors, &gqlerror.Error{
			Err: fault.New(fault.Internal, "the source has no value here, and the catalog says that there always is one").
				WithHint("Tell whoever runs usher: the column's type must not end in !, or its source is wrong."),
			Path: pathOf(append(e.path, at)),
		})
	}
}

// cell writes a cell; at is its place in the row. It is false when it wrote null
// because of an error.
func (e *encoder) cell(m *written, c value.Cell, at step) bool {
	before := len(e.out)
	out, err := value.AppendJSON(e.out, m.typ, c, m.style)
	if err == nil {
		e.out = out
		return true
	}
	e.out = append(out[:before], null...)
	e.nulls++
	var why value.Unprintable
	switch {
	case !errors.As(err, &why):
		e.failed = Unwritable(err)
	case len(e.errors) < maxErrors:
		e.errors = append(e.errors, &gqlerror.Error{Err: fault.New(fault.NotImplemented, "%s", why).WithHint("%s", why.Hint()), Path: pathOf(append(e.path, at))})
	}
	return false
}

// Unwritable is the error of a cell that cannot be written, and not for what it holds.
func Unwritable(err error) error {
	if errors.Is(err, value.ErrDiffers) {
		return fault.Differs().Because(err)
	}
	return fault.Broken("%w", err)
}

// pathOf is the path of the response that steps lead along.
func pathOf(steps []step) ast.Path {
	path := make(ast.Path, len(steps))
	for i, s := range steps {
		if s.name != "" {
			path[i] = ast.PathName(s.name)
		} else {
			path[i] = ast.PathIndex(s.index)
		}
	}
	return path
}

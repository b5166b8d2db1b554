package graph

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/query"
	"usher/value"
)

// Writing says how an answer is written.
type Writing struct {
	Key           string                       // the root field's response key
	NumbersAsText bool                         // BigInt and Decimal as JSON strings
	Cursor        func(position []byte) string // seals a position in a connection
}

// Encoder writes the answers of one plan: rows straight into JSON, field by
// field as the plan's output names cells. What does not change from answer to
// answer is worked out once; it may be used by many at the same time.
type Encoder struct {
	shape   query.Shape
	root    plan.Level
	writing Writing
	members *members
	nodes   map[int][]written // of a connection's lists, by output
}

// NewEncoder makes the encoder of a plan.
func NewEncoder(q plan.Query, w Writing) *Encoder {
	c := &Encoder{shape: q.Shape(), root: q.Root(), writing: w}
	e := newEncoder(w)
	if _, ok := c.root.Page(); !ok {
		c.members = e.members(c.root)
		return c
	}
	c.nodes = make(map[int][]written)
	for i := range c.root.Outputs() {
		if o := c.root.Output(i); o.Kind() == plan.OutNodes || o.Kind() == plan.OutEdges {
			c.nodes[i] = e.compile(c.root, o.Len(), o.Field)
		}
	}
	return c
}

// Encode writes an answer. What is written belongs to the share.
func (c *Encoder) Encode(share *held.Share, r *value.Result) (Answer, error) {
	e := newEncoder(c.writing)
	e.share, e.pooled = share, true
	var whole bool
	if page, ok := c.root.Page(); ok {
		whole = e.connection(c, r, page)
	} else if c.shape == query.ByKey {
		if r.Rows.Len() == 0 {
			return Answer{JSON: null}, nil
		}
		whole = e.object(c.root, r, 0, 0, c.members.fields)
	} else {
		whole = e.list(c.members, r, 0, r.Rows.Len(), 0)
	}
	if !whole {
		e.before, e.out, e.truncated = nil, append(e.out[:0], null...), nil
	}
	return e.answer()
}

// Encode writes one answer of a plan.
func Encode(q plan.Query, r *value.Result, w Writing) (Answer, error) {
	a, err := NewEncoder(q, w).Encode(nil, r)
	if len(a.before) > 0 {
		a.JSON, a.before = bytes.Join(append(a.before, a.JSON), nil), nil
	}
	return a, err
}

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

	share  *held.Share
	before [][]byte // what was written before out, in pieces
	taken  int64    // of the share
	pinned int      // objects around that may still become null: they are in one piece
	pooled bool
}

func newEncoder(w Writing) *encoder {
	return &encoder{path: []step{{name: w.Key}}, style: value.Style{NumbersAsText: w.NumbersAsText}, cursor: w.Cursor}
}

func (e *encoder) answer() (Answer, error) {
	if e.failed == nil {
		e.failed = e.take()
	}
	return Answer{JSON: e.out, Errors: e.errors, Truncated: e.truncated, before: e.before, taken: e.taken, pooled: e.pooled}, e.failed
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
	if used, ok := outputs.Get().(*[]byte); ok {
		e.out = *used
		return
	}
	e.out = make([]byte, 0, min(64+fields*rows*24, maxOutput))
}

// outputs are the buffers of lists that have been copied into their responses:
// the next list is written where there is room already.
var outputs sync.Pool

// minOutput and maxOutput bound the buffers that are kept for the next list.
const (
	minOutput = 4 << 10
	maxOutput = 1 << 20
)

// recycle takes back the text of an answer that nobody reads any more.
func recycle(text []byte) {
	if c := cap(text); c >= minOutput && c <= maxOutput {
		empty := text[:0]
		outputs.Put(&empty)
	}
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

// written is one field of the answer's objects, ready to be written: what does
// not change from row to row is worked out once.
type written struct {
	plan.Output
	prefix []byte // the quoted key with its colon, after a comma where one belongs
	typ    value.Type
	style  value.Style
	at     int
	plain  value.Kind // of cells that are written without a further look
	fields []written
	list   *members // of an OutList
}

// members are the fields of a level's objects.
type members struct {
	level  plan.Level
	fields []written
}

func (e *encoder) members(l plan.Level) *members {
	return &members{level: l, fields: e.compile(l, l.Outputs(), l.Output)}
}

func (e *encoder) compile(l plan.Level, n int, field func(int) plan.Output) []written {
	out := make([]written, n)
	for i := range out {
		o := field(i)
		m := &out[i]
		*m = written{Output: o, typ: o.Type(), style: e.style, at: o.Index()}
		if i > 0 {
			m.prefix = append(m.prefix, ',')
		}
		m.prefix = append(append(append(m.prefix, '"'), o.Key()...), '"', ':')
		switch o.Kind() { //nolint:exhaustive // the others are as they are
		case plan.OutCell:
			m.style = e.styleOf(o)
			m.plain = e.plain(m.typ)
		case plan.OutObject:
			m.fields = e.compile(l, o.Len(), o.Field)
		case plan.OutList:
			m.list = e.members(l.Child(o.Index()))
		}
	}
	return out
}

// plain is the kind of cell that a type's values are written from as they are:
// text in quotes, whole numbers by their digits.
func (e *encoder) plain(t value.Type) value.Kind {
	switch {
	case t.List:
	case t.Scalar == value.Int, t.Scalar == value.BigInt && !e.style.NumbersAsText:
		return value.KindInt
	case t.Scalar == value.String, t.Scalar == value.ID, t.Scalar == value.Enum:
		return value.KindText
	}
	return value.KindNull
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
		if m.Always() && c.Kind == value.KindNull {
			e.missing(step{name: m.Key()})
			return false
		}
		return e.cell(m.Output, m.typ, m.style, c, step{name: m.Key()}) || !m.Always()
	case c.Kind == value.KindText:
		e.out = value.AppendQuoted(e.out, c.Text)
	default:
		e.out = strconv.AppendInt(e.out, c.Int, 10)
	}
	return true
}

// missing notes that a source sent null where the catalog promises a value.
func (e *encoder) missing(at step) {
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
func (e *encoder) cell(o plan.Output, typ value.Type, style value.Style, c value.Cell, at step) bool {
	before := len(e.out)
	out, err := value.AppendJSON(e.out, typ, c, style)
	if err == nil {
		e.out = out
		return true
	}
	e.out = append(out[:before], null...)
	tooLarge := errors.Is(err, value.ErrTooLarge) || o.Bounded() && c.Kind == value.KindFloat && math.IsInf(c.Float, 0)
	switch {
	case tooLarge:
		e.failed = fault.New(fault.TooComplex, "%s is beyond the 38 digits numbers are exact to", o.Key())
	case !errors.Is(err, value.ErrNotFinite):
		e.failed = fault.New(fault.Internal, "internal error").Because(err)
	case len(e.errors) < maxErrors:
		e.errors = append(e.errors, &gqlerror.Error{
			Err:  fault.New(fault.NotImplemented, "the value is not finite, which JSON cannot hold"),
			Path: pathOf(append(e.path, at)),
		})
	}
	return false
}

func (e *encoder) zone(name string) *time.Location {
	if zone, ok := e.zones[name]; ok {
		return zone
	}
	zone, err := time.LoadLocation(name) // package plan has loaded it before
	if err != nil {
		zone = time.UTC
	}
	if e.zones == nil {
		e.zones = make(map[string]*time.Location)
	}
	e.zones[name] = zone
	return zone
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

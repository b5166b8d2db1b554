package graph

import (
	"errors"
	"math"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
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

// Encode writes the answer of a plan: rows straight into JSON, field by field
// as the plan's output names cells.
func Encode(q plan.Query, r *value.Result, w Writing) (Answer, error) {
	e := newEncoder(w)
	root := q.Root()
	if page, ok := root.Page(); ok {
		e.connection(root, r, page)
	} else if q.Shape() == query.ByKey {
		if r.Rows.Len() == 0 {
			return Answer{JSON: null}, nil
		}
		e.object(root, r, 0, 0, root.Outputs(), root.Output)
	} else {
		e.list(root, r, 0, r.Rows.Len(), 0)
	}
	return e.answer()
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
}

func newEncoder(w Writing) *encoder {
	return &encoder{path: []step{{name: w.Key}}, style: value.Style{NumbersAsText: w.NumbersAsText}, cursor: w.Cursor}
}

func (e *encoder) answer() (Answer, error) {
	return Answer{JSON: e.out, Errors: e.errors, Truncated: e.truncated}, e.failed
}

// step is one element of the path to what is being written.
type step struct {
	name  string
	index int
}

// list writes the rows from start to end; each row's first own cell is at
// shift.
func (e *encoder) list(l plan.Level, r *value.Result, start, end, shift int) {
	end = e.cut(l, start, end, 0)
	e.out = append(e.out, '[')
	e.path = append(e.path, step{})
	for i := start; i < end; i++ {
		if i > start {
			e.out = append(e.out, ',')
		}
		e.path[len(e.path)-1].index = i - start
		e.object(l, r, i, shift, l.Outputs(), l.Output)
	}
	e.path = e.path[:len(e.path)-1]
	e.out = append(e.out, ']')
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

// object writes an object of row i.
func (e *encoder) object(l plan.Level, r *value.Result, i, shift, n int, field func(int) plan.Output) {
	row := r.Rows.Row(i)
	e.out = append(e.out, '{')
	for f := range n {
		if f > 0 {
			e.out = append(e.out, ',')
		}
		o := field(f)
		e.out = append(e.out, '"')
		e.out = append(e.out, o.Key()...)
		e.out = append(e.out, '"', ':')
		switch o.Kind() {
		case plan.OutNodes, plan.OutEdges, plan.OutPageInfo, plan.OutTotal: // of connections only
		case plan.OutCursor:
			page, _ := l.Page()
			e.text(e.cursorOf(page, row))
		case plan.OutTypename:
			e.out = value.AppendQuoted(e.out, []byte(o.Text()))
		case plan.OutCell:
			e.cell(o, row[shift+o.Index()], step{name: o.Key()})
		case plan.OutObject:
			if o.Index() >= 0 && row[shift+o.Index()].Null() {
				e.out = append(e.out, null...)
				continue
			}
			e.path = append(e.path, step{name: o.Key()})
			e.object(l, r, i, shift, o.Len(), o.Field)
			e.path = e.path[:len(e.path)-1]
		case plan.OutList:
			child := r.Children[o.Index()]
			e.path = append(e.path, step{name: o.Key()})
			e.list(l.Child(o.Index()), child.Result, child.Start[i], child.Start[i+1], 1)
			e.path = e.path[:len(e.path)-1]
		}
	}
	e.out = append(e.out, '}')
}

// cell writes a cell; at is its place in the row.
func (e *encoder) cell(o plan.Output, c value.Cell, at step) {
	style := e.style
	style.Rounded = o.Rounded()
	if o.Zone() != "" {
		style.Zone = e.zone(o.Zone())
	}
	before := len(e.out)
	out, err := value.AppendJSON(e.out, o.Type(), c, style)
	if err == nil {
		e.out = out
		return
	}
	e.out = append(out[:before], null...)
	tooLarge := errors.Is(err, value.ErrTooLarge) || o.Bounded() && c.Kind == value.KindFloat && math.IsInf(c.Float, 0)
	switch {
	case tooLarge:
		e.failed = fault.New(fault.LimitExceeded, "%s is beyond the 38 digits numbers are exact to", o.Key())
	case !errors.Is(err, value.ErrNotFinite):
		e.failed = fault.New(fault.Internal, "internal error").Because(err)
	case len(e.errors) < maxErrors:
		e.errors = append(e.errors, &gqlerror.Error{
			Err:  fault.New(fault.NotImplemented, "the value is not finite, which JSON cannot hold"),
			Path: pathOf(append(e.path, at)),
		})
	}
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

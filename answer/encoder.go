package answer

import (
	"time"

	"usher/held"
	"usher/plan"
	"usher/query"
	"usher/value"
)

// Writing says how an answer is written.
type Writing struct {
	Key           string // the root field's response key
	NumbersAsText bool   // BigInt and Decimal as JSON strings
	Seals
}

// Seals are for one answer.
type Seals struct {
	Cursor func(position []byte) string // seals a position in a connection
	ID     func(identity []byte) string // seals the identity of a row
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
func (c *Encoder) Encode(share *held.Share, r *value.Result, seals Seals) (Answer, error) {
	writing := c.writing
	writing.Seals = seals
	e := newEncoder(writing)
	e.share, e.pooled = share, true
	var whole bool
	if page, ok := c.root.Page(); ok {
		whole = e.connection(c, r, page)
	} else if c.shape == query.ByKey {
		if r.Rows.Len() == 0 {
			return Null(), nil
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

// Encode writes one answer of a plan that no request waits for.
func Encode(q plan.Query, r *value.Result, w Writing) (Answer, error) {
	return NewEncoder(q, w).Encode(nil, r, w.Seals)
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
	case t.Scalar == value.String, t.Scalar == value.ID:
		return value.KindText
	}
	return value.KindNull
}

// styleOf is how a cell is written.
func (e *encoder) styleOf(o plan.Output) value.Style {
	style := e.style
	style.Rounded = o.Rounded()
	if o.Zone() != "" {
		style.Zone = e.zone(o.Zone())
	}
	return style
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

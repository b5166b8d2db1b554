package decode

import (
	"errors"
	"strconv"

	"usher/jsonscan"
	"usher/plan"
	"usher/value"
)

// Decoder makes cells of rows: it knows where in a row each column is and how
// its type is written.
type Decoder struct {
	columns []column
	root    *node
	whose   *node // leads to the tenant column alone
	cells   []value.Cell
	told    []told
	never   []int  // cells that are never null
	text    []byte // what the cells of this row hold
	tenant  *tenant
}

// column is one cell to be read.
type column struct {
	name   string
	stored string
	typ    value.Type
	read   jsonscan.Reader
}

// node is a value in a row that is a column, or leads to some, or both.
type node struct {
	columns []int
	members map[string]*node
}

// WrongValue is the error of a value that is not of its column's type. The reason says
// what was expected and repeats nothing that was sent.
type WrongValue struct {
	Column string
	Reason error
}

var errNoObject = errors.New("a row is no object")

func (w *WrongValue) Error() string { return w.Column + ": " + w.Reason.Error() }
func (w *WrongValue) Unwrap() error { return w.Reason }

// NewDecoder makes a decoder of rows for a reference, asked for by somebody.
func NewDecoder(ref plan.Ref, id plan.Identity) (*Decoder, error) {
	d := &Decoder{root: &node{}, whose: &node{}, cells: make([]value.Cell, ref.Fields())}
	for i := range ref.Fields() {
		f := ref.Field(i)
		d.columns = append(d.columns, column{name: f.Name, stored: f.Stored, typ: f.Type, read: jsonscan.ReaderOf(f.Type)})
		if !f.Null {
			d.never = append(d.never, i)
		}
		if f.Name == ref.TenantColumn() {
			d.tenant = &tenant{cell: i, typ: f.Type, key: id.Key(), refuse: ref.ScopeKind() == plan.ByUpstream}
		}
		if f.Stored == "" {
			key, err := keyCell(ref, f.Type, id)
			if err != nil {
				return nil, err
			}
			d.told = append(d.told, told{i, key})
			continue
		}
		way := []string{f.Stored}
		if f.Stored[0] == '/' {
			var err error
			if way, err = ParsePointer(f.Stored); err != nil {
				return nil, err
			}
		}
		d.root.lead(way, i)
		if f.Name == ref.TenantColumn() {
			d.whose.lead(way, i)
		}
	}
	if ref.TenantColumn() != "" && d.tenant == nil {
		return nil, errors.New("upstream: the tenant column is none of the columns")
	}
	return d, nil
}

// Cell is a cell of the row that was read.
func (d *Decoder) Cell(i int) value.Cell { return d.cells[i] }

// lead makes the node lead to a column.
func (n *node) lead(way []string, column int) {
	for _, step := range way {
		n = n.member(step)
	}
	n.columns = append(n.columns, column)
}

func (n *node) member(name string) *node {
	if n.members == nil {
		n.members = make(map[string]*node)
	}
	if n.members[name] == nil {
		n.members[name] = &node{}
	}
	return n.members[name]
}

// row reads a row into the cells and tells whether it is one to keep.
func (d *Decoder) row(s *jsonscan.Scanner) (bool, error) {
	d.begin()
	if err := s.Expect('{', errNoObject); err != nil {
		return false, err
	}
	if err := d.fields(s); err != nil {
		return false, err
	}
	return d.keeps()
}

// begin empties the cells for a row, but for what the API was told.
func (d *Decoder) begin() {
	clear(d.cells)
	d.text = d.text[:0]
	for _, t := range d.told {
		d.cells[t.cell] = t.value
	}
}

// keeps tells whether the row in the cells is one to keep, and refuses one that
// lacks what it must have.
func (d *Decoder) keeps() (bool, error) {
	mine, err := d.belongs()
	if mine {
		err = d.whole()
	}
	return mine && err == nil, err
}

// whole refuses a row that lacks a value, or has null, where the catalog
// promises that there is one.
func (d *Decoder) whole() error {
	for _, i := range d.never {
		if d.cells[i].Null() {
			return &WrongValue{d.columns[i].name, errors.New("it is null or missing, and this column is never null")}
		}
	}
	return nil
}

// fields reads the row. A value of the wrong type in a row of another tenant is
// none of the caller's business: the row is left out as any other of theirs.
func (d *Decoder) fields(s *jsonscan.Scanner) error {
	if d.tenant == nil || d.tenant.refuse {
		return d.inside(s, d.root)
	}
	s.Mark()
	err := d.inside(s, d.root)
	if wrong := (*WrongValue)(nil); errors.As(err, &wrong) {
		s.Rewind()
		row, torn := s.Raw()
		if torn != nil || !d.foreign(row) {
			return err
		}
		return nil
	}
	s.Unmark()
	return err
}

// inside reads an object or array that leads to columns.
func (d *Decoder) inside(s *jsonscan.Scanner, n *node) error {
	c, err := s.Peek()
	if err != nil {
		return err
	}
	array := c == '['
	err = s.Into()
	for i := 0; err == nil; i++ {
		var child *node
		var key []byte
		var ok bool
		if array {
			ok, err = s.Item(i == 0, ']')
			child = n.members[strconv.Itoa(i)]
		} else {
			key, ok, err = s.Member(i == 0)
			child = n.members[string(key)]
		}
		if !ok {
			return err
		}
		if child == nil {
			err = s.Skip()
		} else {
			err = d.value(s, child)
		}
	}
	return err
}

// value reads a value that is a column or leads to some.
func (d *Decoder) value(s *jsonscan.Scanner, n *node) error {
	switch {
	case len(n.members) == 0 && len(n.columns) == 1:
		return d.cell(s, n.columns[0])
	case len(n.columns) == 0:
		return d.way(s, n)
	}
	raw, err := s.Raw()
	if err != nil {
		return err
	}
	for _, i := range n.columns {
		if err := d.cell(jsonscan.Over(raw), i); err != nil {
			return err
		}
	}
	if len(n.members) == 0 {
		return nil
	}
	return d.way(jsonscan.Over(raw), n)
}

// way reads a value that leads to columns. They are null when it leads
// nowhere.
func (d *Decoder) way(s *jsonscan.Scanner, n *node) error {
	c, err := s.Peek()
	if err != nil {
		return err
	}
	if c == '{' || c == '[' {
		return d.inside(s, n)
	}
	return s.Skip()
}

func (d *Decoder) cell(s *jsonscan.Scanner, i int) error {
	c := &d.columns[i]
	if isNull, err := s.Null(); isNull || err != nil {
		return err
	}
	if !d.cells[i].Null() {
		return &WrongValue{c.name, errors.New("it is there twice")}
	}
	var err error
	d.cells[i], d.text, err = c.read(s, c.typ, d.text)
	if err == nil {
		return nil
	}
	if kind := (jsonscan.Mismatch{}); errors.As(err, &kind) {
		return &WrongValue{c.name, kind.Reason}
	}
	return err
}

package upstream

import (
	"errors"
	"strconv"

	"usher/fault"
	"usher/plan"
	"usher/value"
)

// decoder makes cells of rows: it knows where in a row each column is and how
// its type is written.
type decoder struct {
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
	read   reader
}

// node is a value in a row that is a column, or leads to some, or both.
type node struct {
	columns []int
	members map[string]*node
}

// told is the tenant column of an API that keeps tenants apart and returns no
// such column: what it was told.
type told struct {
	cell  int
	value value.Cell
}

// tenant is the column that says whose a row is.
type tenant struct {
	cell   int
	typ    value.Type
	key    string
	refuse bool // a row of another tenant fails the request; else it is left out
}

// wrongValue is a value that is not of its column's type. The reason says
// what was expected and repeats nothing that was sent.
type wrongValue struct {
	column string
	reason error
}

func (w *wrongValue) Error() string { return w.column + ": " + w.reason.Error() }
func (w *wrongValue) Unwrap() error { return w.reason }

func newDecoder(ref plan.Ref, id plan.Identity) (*decoder, error) {
	d := &decoder{root: &node{}, whose: &node{}, cells: make([]value.Cell, ref.Fields())}
	for i := range ref.Fields() {
		f := ref.Field(i)
		d.columns = append(d.columns, column{name: f.Name, stored: f.Stored, typ: f.Type, read: readerOf(f.Type)})
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
			if way, err = parsePointer(f.Stored); err != nil {
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

// keyCell is the tenant's key as a cell of the tenant column. No other column
// may be absent from an API.
func keyCell(ref plan.Ref, t value.Type, id plan.Identity) (value.Cell, error) {
	if ref.ScopeKind() != plan.ByUpstream {
		return value.Cell{}, errors.New("upstream: a column that the API does not have is none that it was told")
	}
	key := []byte(id.Key())
	if !t.Numeric() {
		key = value.AppendQuoted(nil, key)
	}
	s := over(key)
	c, _, err := readerOf(t)(s, t, nil)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return value.Cell{}, fault.New(fault.Forbidden, "the tenant's key is no value of its tenant columns").Because(err)
	}
	return c, nil
}

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
func (d *decoder) row(s *scanner) (bool, error) {
	d.begin()
	if c, err := s.peek(); err != nil || c != '{' {
		return false, firstOf(err, errors.New("a row is no object"))
	}
	if err := d.fields(s); err != nil {
		return false, err
	}
	return d.keeps()
}

// begin empties the cells for a row, but for what the API was told.
func (d *decoder) begin() {
	clear(d.cells)
	d.text = d.text[:0]
	for _, t := range d.told {
		d.cells[t.cell] = t.value
	}
}

// keeps tells whether the row in the cells is one to keep, and refuses one that
// lacks what it must have.
func (d *decoder) keeps() (bool, error) {
	mine, err := d.belongs()
	if mine {
		err = d.whole()
	}
	return mine && err == nil, err
}

// belongs tells whether the row in the cells is the tenant's.
func (d *decoder) belongs() (bool, error) {
	if d.tenant == nil || d.tenant.owns(d.cells[d.tenant.cell]) {
		return true, nil
	}
	if d.tenant.refuse {
		return false, ErrForeignRow
	}
	return false, nil
}

// whole refuses a row that lacks a value, or has null, where the catalog
// promises that there is one.
func (d *decoder) whole() error {
	for _, i := range d.never {
		if d.cells[i].Null() {
			return &wrongValue{d.columns[i].name, errors.New("it is null or missing, and this column is never null")}
		}
	}
	return nil
}

// fields reads the row. A value of the wrong type in a row of another tenant is
// none of the caller's business: the row is left out as any other of theirs.
func (d *decoder) fields(s *scanner) error {
	if d.tenant == nil || d.tenant.refuse {
		return d.inside(s, d.root)
	}
	s.keep = s.pos
	deep := s.deep
	err := d.inside(s, d.root)
	if wrong := (*wrongValue)(nil); errors.As(err, &wrong) {
		s.pos, s.deep, s.keep = s.keep, deep, -1
		row, torn := s.raw()
		if torn != nil || !d.foreign(row) {
			return err
		}
		return nil
	}
	s.keep = -1
	return err
}

// foreign tells whether the tenant column of a row can be read and is another
// tenant's. The cells then hold nothing else.
func (d *decoder) foreign(row []byte) bool {
	clear(d.cells)
	d.text = d.text[:0]
	return d.inside(over(row), d.whose) == nil && !d.tenant.owns(d.cells[d.tenant.cell])
}

// owns tells whether a row with this cell is the tenant's. Keys are canonical;
// of all wire forms only a decimal's may be another text for the same value.
func (t *tenant) owns(c value.Cell) bool {
	if c.Kind != value.KindText {
		return !c.Null() && value.WireText(c) == t.key
	}
	if t.typ.Scalar == value.Decimal {
		v, err := value.Parse(t.typ, string(c.Text))
		return err == nil && v.Text() == t.key
	}
	return string(c.Text) == t.key
}

// inside reads an object or array that leads to columns.
func (d *decoder) inside(s *scanner, n *node) error {
	array := s.buf[s.pos] == '['
	err := s.into()
	for i := 0; err == nil; i++ {
		var child *node
		var key []byte
		var ok bool
		if array {
			ok, err = s.item(i == 0, ']')
			child = n.members[strconv.Itoa(i)]
		} else {
			key, ok, err = s.member(i == 0)
			child = n.members[string(key)]
		}
		if !ok {
			return err
		}
		if child == nil {
			err = s.skip()
		} else {
			err = d.value(s, child)
		}
	}
	return err
}

// value reads a value that is a column or leads to some.
func (d *decoder) value(s *scanner, n *node) error {
	switch {
	case len(n.members) == 0 && len(n.columns) == 1:
		return d.cell(s, n.columns[0])
	case len(n.columns) == 0:
		return d.way(s, n)
	}
	raw, err := s.raw()
	if err != nil {
		return err
	}
	for _, i := range n.columns {
		if err := d.cell(over(raw), i); err != nil {
			return err
		}
	}
	if len(n.members) == 0 {
		return nil
	}
	return d.way(over(raw), n)
}

// way reads a value that leads to columns. They are null when it leads
// nowhere.
func (d *decoder) way(s *scanner, n *node) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == '{' || c == '[' {
		return d.inside(s, n)
	}
	return s.skip()
}

// over scans text that is all there.
func over(text []byte) *scanner { return &scanner{buf: text, keep: -1} }

func (d *decoder) cell(s *scanner, i int) error {
	c := &d.columns[i]
	if isNull, err := s.null(); isNull || err != nil {
		return err
	}
	if !d.cells[i].Null() {
		return &wrongValue{c.name, errors.New("it is there twice")}
	}
	var err error
	d.cells[i], d.text, err = c.read(s, c.typ, d.text)
	if err == nil {
		return nil
	}
	if kind := (mismatch{}); errors.As(err, &kind) {
		return &wrongValue{c.name, kind.reason}
	}
	return err
}

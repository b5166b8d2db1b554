package upstream

import (
	"bytes"
	"errors"
	"fmt"
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
	cells   []value.Cell
	told    []told
	text    []byte // what the cells of this row hold
	tenant  *tenant
}

// column is one cell to be read.
type column struct {
	name string
	typ  value.Type
	read reader
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
	d := &decoder{root: &node{}, cells: make([]value.Cell, ref.Fields())}
	for i := range ref.Fields() {
		f := ref.Field(i)
		d.columns = append(d.columns, column{name: f.Name, typ: f.Type, read: readerOf(f.Type)})
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
		at := d.root
		for _, step := range way {
			at = at.member(step)
		}
		at.columns = append(at.columns, i)
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
	clear(d.cells)
	d.text = d.text[:0]
	for _, t := range d.told {
		d.cells[t.cell] = t.value
	}
	if c, err := s.peek(); err != nil || c != '{' {
		return false, firstOf(err, errors.New("a row is no object"))
	}
	if err := d.inside(s, d.root); err != nil {
		return false, err
	}
	if d.tenant == nil || d.tenant.owns(d.cells[d.tenant.cell]) {
		return true, nil
	}
	if d.tenant.refuse {
		return false, ErrForeignRow
	}
	return false, nil
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
	if kind := (mismatch{}); errors.As(err, &kind) {
		return &wrongValue{c.name, kind.reason}
	}
	return err
}

// mismatch is the error of a reader about a value of the wrong type; all other
// errors are about the reply as a whole.
type mismatch struct{ reason error }

func (m mismatch) Error() string { return m.reason.Error() }

// reader reads one value, not null, of a type into a cell. Text is appended to
// text, which is returned.
type reader func(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error)

func readerOf(t value.Type) reader {
	if t.List {
		return readList
	}
	switch t.Scalar {
	case value.Int, value.BigInt:
		return readInteger
	case value.Float:
		return readFloat
	case value.Decimal:
		return readDecimal
	case value.Boolean:
		return readBoolean
	case value.String:
		return readString
	case value.ID:
		return readID
	case value.Enum:
		return readEnum
	case value.JSON:
		return readJSON
	case value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.Interval, value.UUID, value.Bytes:
	}
	return readParsed
}

func wrong(t value.Type, form string) error {
	return mismatch{fmt.Errorf("expected %s: %s", t.Elem().GraphQL(), form)}
}

func keep(text, piece []byte) (value.Cell, []byte) {
	start := len(text)
	text = append(text, piece...)
	return value.Cell{Kind: value.KindText, Text: text[start:len(text):len(text)]}, text
}

// token reads a string, or else a number if numbers may be.
func token(s *scanner, t value.Type, strings, numbers bool, form string) (tok []byte, err error) {
	c, err := s.peek()
	switch {
	case err != nil:
		return nil, err
	case c == '"' && strings:
		return s.text()
	case numbers && (c == '-' || c >= '0' && c <= '9'):
		return s.number()
	}
	return nil, wrong(t, form)
}

func readInteger(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	form, bits := "a whole number of 64 bits", 64
	if t.Scalar == value.Int {
		form, bits = "a whole number of 32 bits", 32
	}
	tok, err := token(s, t, t.Scalar == value.BigInt, true, form)
	if err != nil {
		return value.Cell{}, text, err
	}
	n, err := strconv.ParseInt(string(tok), 10, bits)
	if err != nil || tok[0] == '+' {
		return value.Cell{}, text, wrong(t, form)
	}
	return value.Cell{Kind: value.KindInt, Int: n}, text, nil
}

func readFloat(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := token(s, t, false, true, "a finite number")
	if err != nil {
		return value.Cell{}, text, err
	}
	f, err := strconv.ParseFloat(string(tok), 64)
	if err != nil {
		return value.Cell{}, text, wrong(t, "a finite number")
	}
	if f == 0 {
		f = 0 // -0 is 0
	}
	return value.Cell{Kind: value.KindFloat, Float: f}, text, nil
}

// readDecimal keeps the digits. Those that do not fit the declared precision
// and scale are refused: the embedded engine would round them.
func readDecimal(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := token(s, t, true, true, "a number, or one as a string")
	if err != nil {
		return value.Cell{}, text, err
	}
	if !isNumber(tok) {
		return value.Cell{}, text, wrong(t, "a number, or one as a string")
	}
	if bytes.ContainsAny(tok, "eE") || len(tok) > value.MaxDigits {
		v, err := value.Parse(t, string(tok))
		if err != nil {
			return value.Cell{}, text, mismatch{err}
		}
		tok = []byte(v.Text())
	}
	whole, fraction, _ := bytes.Cut(bytes.TrimPrefix(tok, []byte("-")), []byte("."))
	if t.Scale >= 0 {
		if len(bytes.TrimRight(fraction, "0")) > t.Scale {
			return value.Cell{}, text, wrong(t, fmt.Sprintf("at most %d digits after the point", t.Scale))
		}
		if t.Precision > 0 && len(bytes.TrimLeft(whole, "0")) > t.Precision-t.Scale {
			return value.Cell{}, text, wrong(t, fmt.Sprintf("at most %d digits before the point", t.Precision-t.Scale))
		}
	}
	cell, text := keep(text, tok)
	return cell, text, nil
}

func readBoolean(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	c, err := s.peek()
	switch {
	case err != nil:
		return value.Cell{}, text, err
	case c == 't':
		return value.Cell{Kind: value.KindBool, Bool: true}, text, s.word("true")
	case c == 'f':
		return value.Cell{Kind: value.KindBool}, text, s.word("false")
	}
	return value.Cell{}, text, wrong(t, "true or false")
}

func readString(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	return readText(s, t, text, false, "a string without NUL")
}

func readID(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	return readText(s, t, text, true, "a string without NUL, or a whole number")
}

func readText(s *scanner, t value.Type, text []byte, numbers bool, form string) (value.Cell, []byte, error) {
	quoted := s.buf[s.pos] == '"' // cell has looked at this byte
	tok, err := token(s, t, true, numbers, form)
	if err != nil {
		return value.Cell{}, text, err
	}
	if quoted && bytes.IndexByte(tok, 0) >= 0 || !quoted && bytes.ContainsAny(tok, ".eE") {
		return value.Cell{}, text, wrong(t, form)
	}
	cell, text := keep(text, tok)
	return cell, text, nil
}

func readEnum(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := token(s, t, true, false, "one of its labels")
	if err != nil {
		return value.Cell{}, text, err
	}
	for _, label := range t.Labels {
		if string(tok) == label {
			cell, text := keep(text, tok)
			return cell, text, nil
		}
	}
	return value.Cell{}, text, wrong(t, "one of its labels")
}

func readJSON(s *scanner, _ value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := s.raw()
	cell, text := keep(text, tok)
	return cell, text, err
}

// readParsed reads types that are strings with a form.
func readParsed(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	tok, err := token(s, t, true, false, "a string")
	if err != nil {
		return value.Cell{}, text, err
	}
	if t.Scalar == value.Timestamp || t.Scalar == value.LocalTimestamp {
		if out, ok := appendPlain(text, tok, t.Scalar); ok {
			return value.Cell{Kind: value.KindText, Text: out[len(text):len(out):len(out)]}, out, nil
		}
	}
	v, err := value.Parse(t.Elem(), string(tok))
	if err != nil {
		return value.Cell{}, text, mismatch{err}
	}
	cell, text := keep(text, []byte(v.Text()))
	return cell, text, nil
}

// readList reads an array of a scalar into the wire form of lists.
func readList(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
	elem := t.Elem()
	read := readerOf(elem)
	c, err := s.peek()
	if err != nil || c != '[' {
		return value.Cell{}, text, firstOf(err, wrong(t, "in an array"))
	}
	var scratch []byte
	list := []byte{'['}
	err = s.into()
	for first := true; err == nil; first = false {
		var ok, null bool
		if ok, err = s.item(first, ']'); !ok || err != nil {
			break
		}
		if !first {
			list = append(list, ',')
		}
		if null, err = s.null(); null || err != nil {
			list = append(list, "null"...)
			continue
		}
		var cell value.Cell
		cell, scratch, err = read(s, elem, scratch[:0])
		list = value.AppendQuoted(list, []byte(value.WireText(cell)))
	}
	if err != nil {
		return value.Cell{}, text, err
	}
	cell, text := keep(text, append(list, ']'))
	return cell, text, nil
}

package decode

import (
	"errors"

	"usher/fault"
	"usher/jsonscan"
	"usher/plan"
	"usher/value"
)

// ErrForeignRow is the error of a row of another tenant in the reply of an API
// that keeps tenants apart.
var ErrForeignRow = errors.New("the upstream sent a row of another tenant")

// tenant is the column that says whose a row is.
type tenant struct {
	cell   int
	typ    value.Type
	key    string
	refuse bool // a row of another tenant fails the request; else it is left out
}

// told is the tenant column of an API that keeps tenants apart and returns no
// such column: what it was told.
type told struct {
	cell  int
	value value.Cell
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
	s := jsonscan.Over(key)
	c, _, err := jsonscan.ReaderOf(t)(s, t, nil)
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return value.Cell{}, fault.New(fault.Forbidden, "the tenant's key is no value of its tenant columns").Because(err)
	}
	return c, nil
}

// belongs tells whether the row in the cells is the tenant's.
func (d *Decoder) belongs() (bool, error) {
	if d.tenant == nil || d.tenant.owns(d.cells[d.tenant.cell]) {
		return true, nil
	}
	if d.tenant.refuse {
		return false, ErrForeignRow
	}
	return false, nil
}

// foreign tells whether the tenant column of a row can be read and is another
// tenant's. The cells then hold nothing else.
func (d *Decoder) foreign(row []byte) bool {
	clear(d.cells)
	d.text = d.text[:0]
	return d.inside(jsonscan.Over(row), d.whose) == nil && !d.tenant.owns(d.cells[d.tenant.cell])
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

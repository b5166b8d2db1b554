package decode

import (
	"errors"
	"fmt"
	"io"

	"usher/jsonscan"
	"usher/plan"
	"usher/value"
)

// arrays reads an array of arrays, each a row, as plugins answer. It is a page,
// the only one of its answer.
type arrays struct {
	scan    jsonscan.Scanner
	begun   bool
	at      [][]int // by position in a row: the cells that are read there
	decoder *Decoder
}

var (
	errNoArray = errors.New("the reply is no array of rows")
	errNoRow   = errors.New("a row is no array")
)

// wrongWidth is the fault of a row that is not as wide as what was asked for.
func wrongWidth(want int) error {
	return &WrongValue{"the row", fmt.Errorf("it does not have the %d columns that were asked for", want)}
}

// NewArrays is a page whose rows have as many columns as there are lists of
// the reference's fields that each is read into, with values as read says.
func NewArrays(ref plan.Ref, d *Decoder, at [][]int, read func(value.Type) jsonscan.Reader) Page {
	for i := range ref.Fields() {
		d.columns[i].read = read(ref.Field(i).Type)
	}
	return &arrays{at: at, decoder: d}
}

// Open implements Page.
func (r *arrays) Open(from io.Reader) error {
	r.scan.Reset(from)
	r.begun = false
	if err := r.scan.Expect('[', errNoArray); err != nil {
		return err
	}
	return r.scan.Into()
}

// Row implements Page.
func (r *arrays) Row() (bool, error) {
	more, err := r.scan.Item(!r.begun, ']')
	r.begun = true
	if err != nil {
		return false, err
	}
	if !more {
		return false, r.scan.End()
	}
	return true, nil
}

// Last implements Page.
func (r *arrays) Last() Cursor { return Cursor{} }

// Read implements Page. As everywhere, a wrong value in a row of another
// tenant that is to be left out anyway is none of the caller's business.
func (r *arrays) Read() (bool, error) {
	s, d := &r.scan, r.decoder
	if err := s.Expect('[', errNoRow); err != nil {
		return false, err
	}
	d.begin()
	if d.tenant == nil || d.tenant.refuse {
		if err := r.cells(s, nil); err != nil {
			return false, err
		}
		return d.keeps()
	}
	s.Mark()
	err := r.cells(s, nil)
	if wrong := (*WrongValue)(nil); errors.As(err, &wrong) {
		s.Rewind()
		row, torn := s.Raw()
		if torn != nil || !r.foreign(row) {
			return false, err
		}
		return false, nil
	}
	s.Unmark()
	if err != nil {
		return false, err
	}
	return d.keeps()
}

// foreign tells whether the tenant column of a row can be read and is another
// tenant's.
func (r *arrays) foreign(row []byte) bool {
	d := r.decoder
	d.begin()
	return r.cells(jsonscan.Over(row), &d.tenant.cell) == nil && !d.tenant.owns(d.cells[d.tenant.cell])
}

// cells reads a row's cells, or one of them alone, and counts all.
func (r *arrays) cells(s *jsonscan.Scanner, alone *int) error {
	if err := s.Into(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		ok, err := s.Item(i == 0, ']')
		if err != nil {
			return err
		}
		if !ok {
			if i != len(r.at) {
				return wrongWidth(len(r.at))
			}
			return nil
		}
		if i == len(r.at) {
			return wrongWidth(len(r.at))
		}
		if err := r.cell(s, r.at[i], alone); err != nil {
			return err
		}
	}
}

// cell reads one position of a row into the cells it is for.
func (r *arrays) cell(s *jsonscan.Scanner, cells []int, alone *int) error {
	if len(cells) == 1 && (alone == nil || cells[0] == *alone) {
		return r.decoder.cell(s, cells[0])
	}
	raw, err := s.Raw()
	if err != nil {
		return err
	}
	for _, i := range cells {
		if alone != nil && i != *alone {
			continue
		}
		if err := r.decoder.cell(jsonscan.Over(raw), i); err != nil {
			return err
		}
	}
	return nil
}

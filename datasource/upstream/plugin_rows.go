package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"usher/plan"
	"usher/value"
)

// pluginReply reads what a plugin answers: an array of arrays, each a row. It is
// a page, the only one of its answer.
type pluginReply struct {
	scan    scanner
	begun   bool
	at      [][]int // by position in a row: the cells that are read there
	decoder *decoder
}

// wrongWidth is the fault of a row that is not as wide as what was asked for.
func wrongWidth(want int) error {
	return &wrongValue{"the row", fmt.Errorf("it does not have the %d columns that were asked for", want)}
}

// newPluginReply expects rows of these columns.
func newPluginReply(ref plan.Ref, d *decoder, columns []string) *pluginReply {
	r := &pluginReply{at: make([][]int, len(columns)), decoder: d}
	for i := range ref.Fields() {
		f := ref.Field(i)
		d.columns[i].read = pluginReader(f.Type)
		for at, id := range columns {
			if id == f.Stored {
				r.at[at] = append(r.at[at], i)
			}
		}
	}
	return r
}

// open implements page.
func (r *pluginReply) open(from io.Reader) error {
	r.scan.reset(from)
	r.begun = false
	if c, err := r.scan.peek(); err != nil || c != '[' {
		return firstOf(err, errors.New("the reply is no array of rows"))
	}
	return r.scan.into()
}

// row implements page.
func (r *pluginReply) row() (bool, error) {
	more, err := r.scan.item(!r.begun, ']')
	r.begun = true
	if err != nil {
		return false, err
	}
	if !more {
		return false, r.scan.end()
	}
	return true, nil
}

// last implements page.
func (r *pluginReply) last() cursor { return cursor{} }

// read implements page. As everywhere, a wrong value in a row of another
// tenant that is to be left out anyway is none of the caller's business.
func (r *pluginReply) read() (bool, error) {
	s, d := &r.scan, r.decoder
	if c, err := s.peek(); err != nil || c != '[' {
		return false, firstOf(err, errors.New("a row is no array"))
	}
	d.begin()
	if d.tenant == nil || d.tenant.refuse {
		if err := r.cells(s, nil); err != nil {
			return false, err
		}
		return d.keeps()
	}
	s.keep = s.pos
	deep := s.deep
	err := r.cells(s, nil)
	if wrong := (*wrongValue)(nil); errors.As(err, &wrong) {
		s.pos, s.deep, s.keep = s.keep, deep, -1
		row, torn := s.raw()
		if torn != nil || !r.foreign(row) {
			return false, err
		}
		return false, nil
	}
	s.keep = -1
	if err != nil {
		return false, err
	}
	return d.keeps()
}

// foreign tells whether the tenant column of a row can be read and is another
// tenant's.
func (r *pluginReply) foreign(row []byte) bool {
	d := r.decoder
	d.begin()
	return r.cells(over(row), &d.tenant.cell) == nil && !d.tenant.owns(d.cells[d.tenant.cell])
}

// cells reads a row's cells, or one of them alone, and counts all.
func (r *pluginReply) cells(s *scanner, alone *int) error {
	if err := s.into(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		ok, err := s.item(i == 0, ']')
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
func (r *pluginReply) cell(s *scanner, cells []int, alone *int) error {
	if len(cells) == 1 && (alone == nil || cells[0] == *alone) {
		return r.decoder.cell(s, cells[0])
	}
	raw, err := s.raw()
	if err != nil {
		return err
	}
	for _, i := range cells {
		if alone != nil && i != *alone {
			continue
		}
		if err := r.decoder.cell(over(raw), i); err != nil {
			return err
		}
	}
	return nil
}

// pluginReader reads a value as plugins write it. The protocol has one kind of
// time, ISO 8601 in UTC; dates are midnights of it, and local timestamps wear
// its Z.
func pluginReader(t value.Type) reader {
	if t.List || t.Scalar != value.Date && t.Scalar != value.LocalTimestamp {
		return readerOf(t)
	}
	return func(s *scanner, t value.Type, text []byte) (value.Cell, []byte, error) {
		tok, err := token(s, t, true, false, "a time in ISO 8601")
		if err != nil {
			return value.Cell{}, text, err
		}
		plain := bytes.TrimSuffix(tok, []byte("Z"))
		if t.Scalar == value.Date {
			day, clock, timed := bytes.Cut(plain, []byte("T"))
			if timed && len(bytes.Trim(clock, "0:.")) > 0 {
				return value.Cell{}, text, wrong(t, "a date, or midnight of one in UTC")
			}
			plain = day
		}
		read := readerOf(t)
		return read(over(value.AppendQuoted(nil, plain)), t, text)
	}
}

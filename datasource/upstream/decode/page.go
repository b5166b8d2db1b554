// Package decode owns what of an API's reply is a row: where the rows stand in
// each format, where in a row each column is, and whose row it is. It refuses values
// that are not of their column's type, nulls where there are none, and rows of
// another tenant from an API that keeps tenants apart. It asks for nothing: which
// page is next, and what becomes of a failure, is upstream's.
package decode

import (
	"cmp"
	"io"

	"usher/catalog"
	"usher/jsonscan"
	"usher/plan"
)

// Page reads one reply, row by row, in one of the formats.
type Page interface {
	Open(from io.Reader) error    // begins a reply
	Row() (more bool, err error)  // steps to the next row; without one, checks that the reply is whole
	Read() (kept bool, err error) // reads that row into the decoder's cells; one of another tenant is not kept
	Last() Cursor                 // what the reply says of the next page, once it was read
}

// Cursor is what a page says of where the next one begins; a zero text is the
// end.
type Cursor struct {
	Text   string
	Number bool // it was written as a number
}

// MaxCursor bounds a cursor: it becomes a part of a URL.
const MaxCursor = 4 << 10

// New is the page of a source's format, of rows for a reference.
func New(ref plan.Ref, spec catalog.APISpec, d *Decoder) (Page, error) {
	switch spec.Format {
	case catalog.NDJSON:
		return &lines{decoder: d}, nil
	case catalog.CSVs:
		return &table{decoder: d, spec: spec.CSV}, nil
	case catalog.JSON:
	}
	return newDocument(cmp.Or(ref.RowsPointer(), spec.Rows), spec.Pages, d)
}

// lines is a reply of JSON objects, one on each line.
type lines struct {
	decoder *Decoder
	scan    jsonscan.Scanner
	begun   bool
}

func (l *lines) Open(from io.Reader) error {
	l.scan.Reset(from)
	l.begun = false
	return nil
}

func (l *lines) Row() (bool, error) {
	broke, err := l.scan.LineBreak()
	switch {
	case err == nil && l.begun && !broke:
		return false, jsonscan.ErrText
	case jsonscan.IsEnd(err):
		return false, nil
	}
	l.begun = true
	return err == nil, err
}

func (l *lines) Read() (bool, error) { return l.decoder.row(&l.scan) }

func (l *lines) Last() Cursor { return Cursor{} }

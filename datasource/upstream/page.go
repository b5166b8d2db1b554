package upstream

import (
	"cmp"
	"io"

	"usher/catalog"
	"usher/plan"
)

// page reads one reply, row by row, in one of the formats.
type page interface {
	open(from io.Reader) error    // begins a reply
	row() (more bool, err error)  // steps to the next row; without one, checks that the reply is whole
	read() (kept bool, err error) // reads that row into the decoder's cells; one of another tenant is not kept
	last() cursor                 // what the reply says of the next page, once it was read
}

func newPage(ref plan.Ref, spec catalog.APISpec, d *decoder) (page, error) {
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
	decoder *decoder
	scan    scanner
	begun   bool
}

func (l *lines) open(from io.Reader) error {
	l.scan.reset(from)
	l.begun = false
	return nil
}

func (l *lines) row() (bool, error) {
	broke, err := l.scan.lineBreak()
	switch {
	case err == nil && l.begun && !broke:
		return false, errText
	case isEnd(err):
		return false, nil
	}
	l.begun = true
	return err == nil, err
}

func (l *lines) read() (bool, error) { return l.decoder.row(&l.scan) }

func (l *lines) last() cursor { return cursor{} }

package decode

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"usher/catalog"
	"usher/jsonscan"
	"usher/value"
)

// table is a reply in CSV (RFC 4180) whose first line names the columns.
type table struct {
	decoder *Decoder
	spec    catalog.CSV
	csv     *csv.Reader
	line    *lineCap
	at      []int // by column of the decoder: the field of a record, or -1
	record  []string
	scratch []byte
}

var errCSV = errors.New("the reply is not CSV")

// open reads the first line.
func (t *table) Open(from io.Reader) error {
	t.line = &lineCap{from: from}
	text := bufio.NewReaderSize(t.line, 32<<10)
	if mark, err := text.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = text.Discard(3)
	}
	t.csv = csv.NewReader(text)
	t.csv.Comma, t.csv.ReuseRecord = t.spec.Delimiter, true
	names, err := t.next()
	if err == io.EOF { //nolint:errorlint // csv returns it itself
		err = fmt.Errorf("%w: it has no first line with the names of the columns", errCSV)
	}
	if err != nil {
		return err
	}
	index := make(map[string]int, len(names))
	for i, name := range names {
		if _, twice := index[name]; twice {
			return fmt.Errorf("%w: two columns have one name", errCSV)
		}
		index[name] = i
	}
	t.at = t.at[:0]
	for _, c := range t.decoder.columns {
		i, there := index[c.stored]
		if !there && c.stored != "" {
			return &WrongValue{c.name, errors.New("the CSV has no such column")}
		}
		if !there {
			i = -1
		}
		t.at = append(t.at, i)
	}
	return nil
}

// next reads a record.
func (t *table) next() ([]string, error) {
	t.line.read = 0
	record, err := t.csv.Read()
	if wrong := (*csv.ParseError)(nil); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%w: %w", errCSV, wrong.Err)
	}
	return record, err
}

func (t *table) Row() (bool, error) {
	record, err := t.next()
	if err == io.EOF { //nolint:errorlint // csv returns it itself
		return false, nil
	}
	t.record = record
	return err == nil, err
}

// read looks at the tenant first: what another tenant's row holds is none of
// the caller's business, not even that it is wrong.
func (t *table) Read() (bool, error) {
	d := t.decoder
	d.begin()
	whose := -1
	if d.tenant != nil {
		whose = d.tenant.cell
		if t.at[whose] >= 0 {
			if err := t.cell(whose); err != nil {
				return false, err
			}
		}
		if kept, err := d.belongs(); !kept || err != nil {
			return kept, err
		}
	}
	for i := range d.columns {
		if i == whose || t.at[i] < 0 {
			continue
		}
		if err := t.cell(i); err != nil {
			return false, err
		}
	}
	err := d.whole()
	return err == nil, err
}

// cell reads the field of a column, as if JSON held it: numbers, booleans,
// lists and JSON as they stand, all else as text.
func (t *table) cell(i int) (err error) {
	d, c := t.decoder, &t.decoder.columns[i]
	field := t.record[t.at[i]]
	switch {
	case field == t.spec.Null:
		return nil
	case !utf8.ValidString(field):
		return jsonscan.ErrUTF8
	}
	bare := c.typ.List || c.typ.Numeric() || c.typ.Scalar == value.Boolean || c.typ.Scalar == value.JSON
	t.scratch = t.scratch[:0]
	if bare {
		t.scratch = append(t.scratch, field...)
	} else {
		t.scratch = value.AppendQuoted(t.scratch, []byte(field))
	}
	s := jsonscan.Over(t.scratch)
	if _, err = s.Peek(); err == nil {
		d.cells[i], d.text, err = c.read(s, c.typ, d.text)
	}
	if err == nil {
		err = s.End()
	}
	if kind := (jsonscan.Mismatch{}); errors.As(err, &kind) {
		return &WrongValue{c.name, kind.Reason}
	}
	if errors.Is(err, jsonscan.ErrText) {
		return &WrongValue{c.name, fmt.Errorf("expected %s", c.typ.GraphQL())}
	}
	return err
}

func (t *table) Last() Cursor { return Cursor{} }

// lineCap bounds a line: a quote that is never closed makes one of all that
// follows.
type lineCap struct {
	from io.Reader
	read int
}

func (l *lineCap) Read(p []byte) (int, error) {
	if l.read > jsonscan.MaxToken {
		return 0, fmt.Errorf("the reply holds a line of more than %d bytes", jsonscan.MaxToken)
	}
	n, err := l.from.Read(p)
	l.read += n
	return n, err
}

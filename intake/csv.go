package intake

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"usher/fault"
	"usher/query"
)

// table is CSV as RFC 4180 has it. A cell with nothing in it is null; the empty text
// is quoted.
type table struct {
	*lines
	columns []string
	names   int64 // the line of the columns
	record  []byte
	cells   []query.Value
}

func openTable(l *lines) (Rows, error) {
	t := &table{lines: l}
	line, err := t.read()
	if errors.Is(err, io.EOF) {
		return nil, fault.New(fault.BadUserInput, "the file is empty: its first line names the columns")
	}
	if err == nil {
		err = t.split(line)
	}
	if err != nil {
		return nil, err
	}
	for _, cell := range t.cells {
		name, _ := cell.(query.Text)
		t.columns = append(t.columns, string(name))
	}
	t.names = line
	return t, named(line, t.columns)
}

// Columns implements Rows.
func (t *table) Columns() ([]string, int64) { return t.columns, t.names }

// Next implements Rows.
func (t *table) Next() (int64, []query.Value, error) {
	for {
		line, err := t.read()
		if err != nil {
			return line, nil, err
		}
		if len(t.record) == 0 && len(t.columns) > 1 {
			continue // a line with nothing in it is no row of several cells
		}
		if err := t.split(line); err != nil {
			return line, nil, err
		}
		if len(t.cells) != len(t.columns) {
			return line, nil, bad(line, fault.New(fault.BadUserInput, "the row has %d cells, and the first line names %d columns", len(t.cells), len(t.columns)))
		}
		return line, t.cells, nil
	}
}

// read reads a record, which has more lines where one ends within quotes.
func (t *table) read() (line int64, err error) {
	text, err := t.next()
	line = t.last
	if err != nil {
		return line, err
	}
	t.record = append(t.record[:0], text...)
	for quotes := bytes.Count(text, []byte{'"'}); quotes%2 == 1; quotes += bytes.Count(text, []byte{'"'}) {
		text, err = t.next()
		if errors.Is(err, io.EOF) {
			return line, bad(line, fault.New(fault.BadUserInput, "a quote is not closed; one within a cell is written twice, and the cell is quoted"))
		}
		if err != nil {
			return line, err
		}
		if t.record = append(t.record, text...); len(t.record) > maxRow {
			return line, bad(line, fault.New(fault.TooComplex, "the row is longer than %d bytes", maxRow))
		}
	}
	t.record = cut(t.record)
	return line, nil
}

// split takes the record's cells apart. They share one string.
func (t *table) split(line int64) error {
	t.cells = t.cells[:0]
	for rest := string(t.record); ; {
		cell, after, more := "", "", false
		switch {
		case strings.HasPrefix(rest, `"`):
			end := closing(rest)
			cell, after = strings.ReplaceAll(rest[1:end], `""`, `"`), rest[end+1:]
			if more = strings.HasPrefix(after, ","); more {
				after = after[1:]
			} else if after != "" {
				return bad(line, fault.New(fault.BadUserInput, "there is text behind a quote; a quote within a cell is written twice"))
			}
			t.cells = append(t.cells, query.Text(cell))
		default:
			cell, after, more = strings.Cut(rest, ",")
			if strings.IndexByte(cell, '"') >= 0 {
				return bad(line, fault.New(fault.BadUserInput, "there is a quote within a cell that is not quoted"))
			}
			if cell == "" {
				t.cells = append(t.cells, query.Null{})
			} else {
				t.cells = append(t.cells, query.Text(cell))
			}
		}
		if !more {
			return nil
		}
		if len(t.cells) > maxColumns {
			return bad(line, fault.New(fault.TooComplex, "there are more than %d cells", maxColumns))
		}
		rest = after
	}
}

// closing is where the quote closes that a text begins with. The quotes of a record are
// even in number, so there is one, unless it is written twice.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			i++
			continue
		}
		return i
	}
	return len(text) - 1
}

// Package intake reads files of rows as they come: CSV and NDJSON. It holds one row at a
// time, names the line that it cannot read, and refuses what could be meant in two ways: names
// that occur twice, rows of other columns than the first, text between quotes and commas.
// What values mean is for whoever knows the columns.
package intake

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"usher/fault"
	"usher/query"
)

// The formats.
const (
	CSV    = "csv"
	NDJSON = "ndjson"
)

// Rows is a file that is read.
type Rows interface {
	// Columns are the names of the values of each row, and the number of the line that
	// says so; 0: its reader did.
	Columns() (names []string, line int64)
	// Next returns a row and the number of its first line, or io.EOF. The row is valid
	// until the next one.
	Next() (line int64, row []query.Value, err error)
}

const (
	maxRow     = 4 << 20
	maxColumns = 2000
	maxName    = 256
	readAhead  = 64 << 10
)

// Open begins to read a file. NDJSON has the members of its first line in each, or those of
// columns, where one that is missing is null.
func Open(format string, from io.Reader, columns []string) (Rows, error) {
	l := &lines{in: bufio.NewReaderSize(from, readAhead)}
	if start, err := l.in.Peek(3); err == nil && bytes.Equal(start, []byte("\xef\xbb\xbf")) { // spreadsheets begin with it
		_, _ = l.in.Discard(3)
	}
	if format == NDJSON {
		return openObjects(l, columns)
	}
	if len(columns) > 0 {
		return nil, fault.New(fault.BadUserInput, "the columns of CSV are named by its first line")
	}
	return openTable(l)
}

// lines are those of the input. A line is valid until the next one.
type lines struct {
	in   *bufio.Reader
	last int64 // the number of the last one
	long []byte
}

// next returns a line with its end, or io.EOF.
func (l *lines) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = append(l.long[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(l.long) > maxRow {
				l.last++
				return nil, l.tooLong()
			}
			line, err = l.in.ReadSlice('\n')
			l.long = append(l.long, line...)
		}
		line = l.long
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil
	}
	if err == nil {
		l.last++
	}
	return line, err
}

func (l *lines) tooLong() error {
	return bad(l.last, fault.New(fault.TooComplex, "the row is longer than %d bytes", maxRow))
}

// cut is a line without its end.
func cut(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// bad is an error of a line.
func bad(line int64, f *fault.Error) error {
	f.Line = line
	return f
}

// named refuses columns that are too many, or called what nothing is.
func named(line int64, columns []string) error {
	if len(columns) > maxColumns {
		return bad(line, fault.New(fault.TooComplex, "there are %d columns; at most %d are read", len(columns), maxColumns))
	}
	for i, name := range columns {
		if name == "" || len(name) > maxName {
			return bad(line, fault.New(fault.BadUserInput, "the name of column %d is empty or too long", i+1))
		}
	}
	return nil
}

package intake

import (
	"bytes"
	"errors"
	"io"

	"usher/fault"
	"usher/query"
)

// objects is a file of one JSON object on a line.
type objects struct {
	*lines
	columns []string
	names   int64 // the line of the columns; 0: no line has named them
	sparse  bool  // a column that a line does not have is null
	row     []query.Value
	first   query.Object // that has named the columns
}

func openObjects(l *lines, columns []string) (Rows, error) {
	o := &objects{lines: l, columns: columns, sparse: len(columns) > 0}
	if !o.sparse {
		line, err := o.line()
		if err == nil {
			o.first, err = o.object(line)
		}
		if errors.Is(err, io.EOF) {
			return nil, fault.New(fault.BadUserInput, "the file is empty: its first line names the columns")
		} else if err != nil {
			return nil, err
		}
		for _, m := range o.first {
			o.columns = append(o.columns, m.Name)
		}
		o.names = o.last
	}
	o.row = make([]query.Value, len(o.columns))
	return o, named(o.names, o.columns)
}

// Columns implements Rows.
func (o *objects) Columns() ([]string, int64) { return o.columns, o.names }

// Next implements Rows.
func (o *objects) Next() (int64, []query.Value, error) {
	object := o.first
	clear(o.row)
	if o.first = nil; object == nil {
		line, err := o.line()
		if err != nil {
			return o.last, nil, err
		}
		if o.read(line) {
			return o.last, o.row, o.whole()
		}
		clear(o.row)
		if object, err = o.object(line); err != nil {
			return o.last, nil, err
		}
	}
	for i, m := range object {
		at := i
		if at >= len(o.columns) || o.columns[at] != m.Name {
			if at = o.index(m.Name); at < 0 {
				return o.last, nil, bad(o.last, fault.New(fault.BadUserInput, "%s is not among the columns of the import", clipped(m.Name)).
					WithHint("Each line has the members of the first one; or name all there may be in the parameter columns."))
			}
		}
		o.row[at] = m.Value
	}
	return o.last, o.row, o.whole()
}

// whole makes null of what is missing, where that may be.
func (o *objects) whole() error {
	for i, v := range o.row {
		switch {
		case v != nil:
		case o.sparse:
			o.row[i] = query.Null{}
		default:
			return bad(o.last, fault.New(fault.BadUserInput, "%s is missing, which the first line has", o.columns[i]).
				WithHint("Write null, or name all there may be in the parameter columns: what a line does not have is null then."))
		}
	}
	return nil
}

func (o *objects) index(name string) int {
	for i, column := range o.columns {
		if column == name {
			return i
		}
	}
	return -1
}

// line reads the next line that has anything in it.
func (o *objects) line() ([]byte, error) {
	for {
		line, err := o.next()
		if err != nil {
			return nil, err
		}
		if len(line) > maxRow {
			return nil, o.tooLong()
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

// object reads any JSON.
func (o *objects) object(line []byte) (query.Object, error) {
	v, err := query.ReadNested(line, query.MaxRowDepth)
	var twice query.RepeatedName
	if errors.As(err, &twice) {
		return nil, bad(o.last, fault.New(fault.BadUserInput, "%s is there twice", clipped(twice.Name)))
	}
	object, ok := v.(query.Object)
	if err != nil || !ok {
		return nil, bad(o.last, fault.New(fault.BadUserInput, "the line is no JSON object"))
	}
	return object, nil
}

// clipped is a name that may be of any length.
func clipped(name string) string {
	if len(name) > maxName {
		return "a name"
	}
	return name
}

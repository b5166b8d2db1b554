package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"usher/fault"
	"usher/value"
)

// rows reads a result, which the engine holds complete. Texts are copied into
// one buffer that each row uses again.
type rows struct {
	source driver.Rows
	values []driver.Value
	cells  []value.Cell
	text   []byte
	err    error
	closed bool
}

func newRows(source driver.Rows) (*rows, error) {
	names := source.Columns()
	types := source.(driver.RowsColumnTypeDatabaseTypeName)
	for i := range names {
		switch t := types.ColumnTypeDatabaseTypeName(i); t {
		case "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "DOUBLE", "VARCHAR", "SQLNULL", "NULL":
		default:
			return nil, fault.New(fault.Internal, "a statement selects the type %s, which has no cell", t)
		}
	}
	return &rows{source: source, values: make([]driver.Value, len(names)), cells: make([]value.Cell, len(names))}, nil
}

// Next implements value.Rows.
func (r *rows) Next() bool {
	if r.closed || r.err != nil {
		return false
	}
	if err := r.source.Next(r.values); err != nil {
		if !errors.Is(err, io.EOF) {
			r.err = translate(context.Background(), err)
		}
		_ = r.Close()
		return false
	}
	r.text = r.text[:0]
	for i, v := range r.values {
		r.cells[i] = r.cell(v)
	}
	return true
}

func (r *rows) cell(v driver.Value) value.Cell {
	switch v := v.(type) {
	case nil:
		return value.Cell{}
	case bool:
		return value.Cell{Kind: value.KindBool, Bool: v}
	case int64:
		return integer(v)
	case int32:
		return integer(int64(v))
	case int16:
		return integer(int64(v))
	case int8:
		return integer(int64(v))
	case uint32:
		return integer(int64(v))
	case uint16:
		return integer(int64(v))
	case uint8:
		return integer(int64(v))
	case float64:
		return value.Cell{Kind: value.KindFloat, Float: v}
	case string:
		start := len(r.text)
		r.text = append(r.text, v...)
		return value.Cell{Kind: value.KindText, Text: r.text[start:len(r.text):len(r.text)]}
	default: // newRows let no such type pass
		r.err = fault.New(fault.Internal, "the driver returned a %T, which has no cell", v)
		return value.Cell{}
	}
}

func integer(n int64) value.Cell { return value.Cell{Kind: value.KindInt, Int: n} }

// Cell implements value.Rows.
func (r *rows) Cell(i int) value.Cell { return r.cells[i] }

// Err implements value.Rows.
func (r *rows) Err() error { return r.err }

// Close implements value.Rows.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	return r.source.Close()
}

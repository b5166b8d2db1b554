package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"time"

	"usher/fault"
	"usher/value"
)

// rows reads a result as it comes. Texts are copied into one buffer that each
// row uses again.
type rows struct {
	ctx    context.Context
	conn   *conn
	source driver.Rows
	stop   func() bool // watching ctx
	values []driver.Value
	cells  []value.Cell
	text   []byte
	err    error
	closed bool
}

func newRows(ctx context.Context, c *conn, source driver.Rows, stop func() bool) *rows {
	width := len(source.Columns())
	return &rows{
		ctx: ctx, conn: c, source: source, stop: stop,
		values: make([]driver.Value, width), cells: make([]value.Cell, width),
	}
}

// check refuses types that have no cell.
func (r *rows) check() error {
	types := r.source.(driver.RowsColumnTypeDatabaseTypeName)
	for i := range r.cells {
		switch name := types.ColumnTypeDatabaseTypeName(i); name {
		case "BOOL", "INT2", "INT4", "INT8", "FLOAT8", "TEXT", "VARCHAR", "NUMERIC":
		default:
			return fault.New(fault.Internal, "a statement selects the type %q, which has no cell", name)
		}
	}
	return nil
}

// Next implements value.Rows.
func (r *rows) Next() bool {
	if r.closed || r.err != nil {
		return false
	}
	if err := r.source.Next(r.values); err != nil {
		if !errors.Is(err, io.EOF) {
			r.err = translate(r.ctx, r.conn.failed(err))
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
		return value.Cell{Kind: value.KindInt, Int: v}
	case float64:
		return value.Cell{Kind: value.KindFloat, Float: v}
	case string:
		start := len(r.text)
		r.text = append(r.text, v...)
		return value.Cell{Kind: value.KindText, Text: r.text[start:len(r.text):len(r.text)]}
	case []byte: // numeric, in the driver's buffer until the next row
		return value.Cell{Kind: value.KindText, Text: v}
	default: // newRows let no such type pass
		r.err = fault.New(fault.Internal, "the driver returned a %T, which has no cell", v)
		return value.Cell{}
	}
}

// Cell implements value.Rows.
func (r *rows) Cell(i int) value.Cell { return r.cells[i] }

// Err implements value.Rows.
func (r *rows) Err() error { return r.err }

// unread is how many rows Close reads that nobody wanted; for more the
// connection is dropped.
const unread = 1000

// Close implements value.Rows.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	r.finish()
	if r.conn.broken {
		_ = r.conn.link.raw.SetDeadline(time.Now())
	}
	if err := r.source.Close(); err != nil {
		r.conn.broken = true
	}
	if r.stop() {
		r.conn.broken = true
	}
	return nil
}

// finish reads the rest, if it is not much.
func (r *rows) finish() {
	for range unread {
		if r.conn.broken || r.ctx.Err() != nil {
			return
		}
		if err := r.source.Next(r.values); err != nil {
			if !errors.Is(err, io.EOF) {
				_ = r.conn.failed(err)
			}
			return
		}
	}
	r.conn.broken = true
}

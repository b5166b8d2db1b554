package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"usher/fault"
	"usher/value"
)

// rows reads a result as it comes. Texts stay in the connection's reader until
// the next row is read.
type rows struct {
	ctx    context.Context
	conn   *conn
	types  []uint32
	stop   func() bool // watching ctx
	cells  []value.Cell
	count  int // that were read
	err    error
	ended  bool // the server is ready for the next statement
	closed bool

	portion bool         // of a cursor: they may end before the result does
	end     func() error // reads what comes behind them; nil: that the server is ready
}

// The types of columns that have a cell.
const (
	oidBool    = 16
	oidInt8    = 20
	oidInt2    = 21
	oidInt4    = 23
	oidText    = 25
	oidFloat8  = 701
	oidVarchar = 1043
	oidNumeric = 1700

	oidDate        = 1082
	oidTime        = 1083
	oidTimestamp   = 1114
	oidTimestampTZ = 1184
	oidTimeTZ      = 1266
	oidUUID        = 2950
)

func newRows(ctx context.Context, c *conn, types []uint32, stop func() bool) *rows {
	return &rows{ctx: ctx, conn: c, types: types, stop: stop, cells: make([]value.Cell, len(types))}
}

// check refuses types that have no cell.
func (r *rows) check() error {
	for _, id := range r.types {
		switch id {
		case oidBool, oidInt2, oidInt4, oidInt8, oidFloat8, oidText, oidVarchar, oidNumeric,
			oidDate, oidTime, oidTimestamp, oidTimestampTZ, oidTimeTZ, oidUUID:
		default:
			return fault.New(fault.Internal, "a statement selects the type %d, which has no cell", id)
		}
	}
	return nil
}

// Next implements value.Rows.
func (r *rows) Next() bool {
	if r.closed || r.err != nil {
		return false
	}
	more, err := r.read()
	if err == nil && more {
		return true
	}
	if err != nil {
		r.err = translate(r.ctx, err)
	}
	_ = r.Close()
	return false
}

// read reads one row, or the end.
func (r *rows) read() (more bool, err error) {
	typ, body, err := r.conn.wire.Message()
	if err != nil {
		return false, r.conn.failed(err)
	}
	if typ == 's' && r.portion { // suspended: the cursor goes on from here
		typ = 'C'
	}
	switch typ {
	case 'D':
		if err := r.row(body); err != nil {
			return false, r.conn.failed(err)
		}
		r.count++
		return true, nil
	case 'C', 'I': // complete, or nothing to do
		if r.end != nil {
			err = r.end()
		} else {
			err = r.conn.wire.Over()
		}
	case 'E':
		err = r.conn.wire.Failed(body)
	default:
		err = fmt.Errorf("%w: a message %q among the rows", errProtocol, typ)
	}
	r.ended = true
	if err != nil {
		return false, r.conn.failed(err)
	}
	return false, nil
}

func (r *rows) row(body []byte) error {
	if len(body) < 2 || int(binary.BigEndian.Uint16(body)) != len(r.types) {
		return errProtocol
	}
	body = body[2:]
	for i, id := range r.types {
		if len(body) < 4 {
			return errProtocol
		}
		size := int32(binary.BigEndian.Uint32(body))
		body = body[4:]
		if size == -1 {
			r.cells[i] = value.Cell{}
			continue
		}
		if size < 0 || int(size) > len(body) {
			return errProtocol
		}
		cell, err := cellOf(id, body[:size:size])
		if err != nil {
			return err
		}
		r.cells[i], body = cell, body[size:]
	}
	return nil
}

func cellOf(id uint32, text []byte) (value.Cell, error) {
	switch id {
	case oidBool:
		return value.Cell{Kind: value.KindBool, Bool: len(text) == 1 && text[0] == 't'}, nil
	case oidInt2, oidInt4, oidInt8:
		n, ok := wholeNumber(text)
		if !ok {
			return value.Cell{}, errProtocol
		}
		return value.Cell{Kind: value.KindInt, Int: n}, nil
	case oidFloat8:
		f, err := strconv.ParseFloat(string(text), 64)
		return value.Cell{Kind: value.KindFloat, Float: f}, err
	}
	return value.Cell{Kind: value.KindText, Text: text}, nil
}

// wholeNumber reads the digits of a 64-bit number, mostly without a string.
func wholeNumber(text []byte) (int64, bool) {
	if len(text) == 0 || len(text) > 18 { // which may not fit
		n, err := strconv.ParseInt(string(text), 10, 64)
		return n, err == nil
	}
	digits, negative := text, text[0] == '-'
	if negative {
		digits = text[1:]
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, len(digits) > 0
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
		_ = r.conn.link.SetDeadline(time.Now())
	}
	if r.stop() {
		r.conn.broken = true
	}
	r.conn.wire.Rest()
	return nil
}

// finish reads the rest, if it is not much.
func (r *rows) finish() {
	for range unread {
		if r.ended || r.conn.broken || r.ctx.Err() != nil {
			break
		}
		if _, err := r.read(); err != nil {
			break // failed has noted what it means
		}
	}
	r.conn.broken = r.conn.broken || !r.ended
}

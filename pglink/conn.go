package pglink

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/lib/pq"
)

// driverConn is what the driver's connections do here.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.SessionResetter
	driver.Validator
}

// Conn is the driver's connection behind the guard. A panic of the driver is an
// error here. After any error that is not the server's word on a statement the
// connection is broken: nobody knows what will be read next.
type Conn struct {
	driver driverConn
	guard  *guard
	broken bool
}

// recovered makes an error of a panic.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the driver panicked: %s", Said(fmt.Sprint(p)))
	}
}

// settle notes what an error means for the connection.
func (c *Conn) settle(err *error) {
	var reported *pq.Error
	if *err != nil && !errors.As(*err, &reported) && !errors.Is(*err, io.EOF) {
		c.broken = true
	}
}

// ExecContext implements driver.ExecerContext.
func (c *Conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (_ driver.Result, err error) {
	if c.broken {
		return nil, driver.ErrBadConn
	}
	defer c.settle(&err)
	defer recovered(&err)
	return c.driver.ExecContext(ctx, text, args)
}

// QueryContext implements driver.QueryerContext.
func (c *Conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (_ driver.Rows, err error) {
	if c.broken {
		return nil, driver.ErrBadConn
	}
	defer c.settle(&err)
	defer recovered(&err)
	found, err := c.driver.QueryContext(ctx, text, args)
	if err != nil {
		return nil, err
	}
	return &driverRows{conn: c, rows: found}, nil
}

// IsValid implements driver.Validator.
func (c *Conn) IsValid() bool { return !c.broken && c.driver.IsValid() && c.guard.idle() }

// Close ends the connection.
func (c *Conn) Close() (err error) {
	defer recovered(&err)
	return c.driver.Close()
}

// driverRows are the rows of one statement; of a second there is nothing to be
// seen.
type driverRows struct {
	conn *Conn
	rows driver.Rows
	done func() // once, when nothing more is read
}

// Columns implements driver.Rows.
func (r *driverRows) Columns() []string { return r.rows.Columns() }

// Next implements driver.Rows.
func (r *driverRows) Next(into []driver.Value) (err error) {
	if r.conn.broken {
		return driver.ErrBadConn
	}
	defer r.conn.settle(&err)
	defer recovered(&err)
	return r.rows.Next(into)
}

// Close implements driver.Rows.
func (r *driverRows) Close() (err error) {
	if r.done != nil {
		defer r.done()
		r.done = nil
	}
	defer r.conn.settle(&err)
	defer recovered(&err)
	return r.rows.Close()
}

package pglink

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/lib/pq"
)

// SQLConn is a connection for database/sql. Each call ends with its context,
// whatever the server does. Statements are run at once: none is kept.
type SQLConn struct{ *Conn }

var errBegin = errors.New("a transaction needs a context, and a statement is run at once")

// watched ends the call with ctx. A connection whose context has ended is
// broken: its deadline is set.
func (c SQLConn) watched(ctx context.Context) (done func()) {
	stop := c.guard.Watch(ctx, Grace)
	return func() {
		if stop() {
			c.broken = true
		}
	}
}

// ExecContext implements driver.ExecerContext.
func (c SQLConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	defer c.watched(ctx)()
	return c.Conn.ExecContext(ctx, text, args)
}

// QueryContext implements driver.QueryerContext.
func (c SQLConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	done := c.watched(ctx)
	found, err := c.Conn.QueryContext(ctx, text, args)
	if err != nil {
		done()
		return nil, err
	}
	found.(*driverRows).done = done
	return found, nil
}

// BeginTx implements driver.ConnBeginTx.
func (c SQLConn) BeginTx(ctx context.Context, opts driver.TxOptions) (_ driver.Tx, err error) {
	if c.broken {
		return nil, driver.ErrBadConn
	}
	defer c.watched(ctx)()
	defer c.settle(&err)
	defer recovered(&err)
	begun, err := c.driver.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return driverTx{c.Conn, begun}, nil
}

// Begin is never called: database/sql prefers BeginTx.
func (SQLConn) Begin() (driver.Tx, error) { return nil, errBegin }

// Prepare is never called: statements are run at once.
func (SQLConn) Prepare(string) (driver.Stmt, error) { return nil, errBegin }

// CheckNamedValue implements driver.NamedValueChecker.
func (c SQLConn) CheckNamedValue(v *driver.NamedValue) error { return c.driver.CheckNamedValue(v) }

// ResetSession implements driver.SessionResetter.
func (c SQLConn) ResetSession(ctx context.Context) error {
	if c.broken {
		return driver.ErrBadConn
	}
	return c.driver.ResetSession(ctx)
}

// driverTx is the driver's transaction.
type driverTx struct {
	conn *Conn
	tx   driver.Tx
}

// Commit implements driver.Tx.
func (t driverTx) Commit() error { return t.end(t.tx.Commit) }

// Rollback implements driver.Tx.
func (t driverTx) Rollback() error { return t.end(t.tx.Rollback) }

func (t driverTx) end(how func() error) (err error) {
	if t.conn.broken {
		return driver.ErrBadConn
	}
	defer t.conn.settle(&err)
	defer recovered(&err)
	return how()
}

// OnNotification has told called for each notification that is read.
func (c *Conn) OnNotification(told func()) {
	pq.SetNotificationHandler(c.driver, func(*pq.Notification) { told() })
}

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"usher/fault"
)

// conn is a pool's connection that is one caller's until release.
type conn struct {
	of     *instance
	pooled *sql.Conn
	engine *duckdb.Conn
	late   <-chan outcome // of a call that was not waited for
	since  time.Time      // when somebody asked for it: whoever has used the instance since then has had memory of it
	once   bool           // never another caller's: what it holds must end with it
	turn   chan struct{}  // of writing, which it has until it is given back; nil: it only reads
}

type outcome struct {
	rows driver.Rows
	err  error
}

func acquire(ctx context.Context, of *instance) (_ *conn, err error) {
	began := time.Now()
	pool, err := of.use(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			of.done()
		}
	}()
	pooled, err := pool.Conn(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fault.From(ctx.Err()) // all are in use
		}
		return nil, fault.New(fault.Unavailable, "the source does not answer").Because(err)
	}
	c := &conn{of: of, pooled: pooled, since: began}
	// database/sql does nothing with the connection while pooled is open.
	err = pooled.Raw(func(engine any) error {
		c.engine = engine.(*duckdb.Conn)
		return nil
	})
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the source does not answer").Because(err)
	}
	return c, nil
}

// query runs a statement. It returns when ctx ends: the engine then stops the
// statement at once, but the driver comes back up to half a second later.
func (c *conn) query(ctx context.Context, text string, args ...string) (driver.Rows, error) {
	if c.late != nil {
		return nil, fault.New(fault.Timeout, "the request has ended")
	}
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	done := make(chan outcome, 1)
	go func() {
		rows, err := c.engine.QueryContext(ctx, text, named)
		done <- outcome{rows, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, c.failure(ctx, o.err)
		}
		return o.rows, nil
	case <-ctx.Done():
		c.late = done
		return nil, fault.From(ctx.Err())
	}
}

// failure is translate of an error of its statements. What has no memory beside other questions may have enough later.
func (c *conn) failure(ctx context.Context, err error) error {
	failed := translate(ctx, err)
	if engine := (*duckdb.Error)(nil); errors.As(err, &engine) && engine.Type == duckdb.ErrorTypeOutOfMemory && c.of.memory.shared(c.of, c.since) {
		busy := fault.New(fault.Unavailable, "the question needs more memory than other questions leave it").WithHint("Ask again, or for fewer rows or fewer groups.").Because(redacted(err))
		busy.RetryAfter = time.Second
		return busy
	}
	return failed
}

// exec runs a statement that returns nothing of interest.
func (c *conn) exec(ctx context.Context, text string) error {
	rows, err := c.query(ctx, text)
	if err != nil {
		return err
	}
	return rows.Close()
}

// release gives the connection back, after rolling back if it has a
// transaction; when a call was not waited for, as soon as that has ended.
func (c *conn) release(transaction bool) {
	if c.late == nil {
		c.giveBack(transaction)
		return
	}
	go func() {
		if o := <-c.late; o.err == nil {
			_ = o.rows.Close()
		}
		c.giveBack(transaction)
	}()
}

// rollbackTimeout bounds the end of a transaction of which nothing is written.
const rollbackTimeout = time.Second

func (c *conn) rollback() error {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
	defer cancel()
	_, err := c.engine.ExecContext(ctx, "ROLLBACK", nil)
	return err
}

func (c *conn) giveBack(transaction bool) {
	if transaction && c.rollback() != nil {
		c.once = true // a connection in an unknown state is not used again
	}
	if c.turn != nil {
		defer func() { <-c.turn }()
	}
	if c.once {
		// A pool without idle connections still hands one to a caller who waits.
		_ = c.pooled.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = c.pooled.Close()
	c.of.done()
}

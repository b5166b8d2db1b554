package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/lib/pq"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pglink"
	"usher/value"
)

// session is a conn in the hands of one caller.
type session struct {
	conn     *conn
	snapshot bool
	asked    bool // there was a first statement
	lost     bool // with the first statement
	rows     *rows
}

// session reports as lost that the connection ended before it answered.
func (c *conn) session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) (lost bool, err error) {
	snapshot = snapshot || c.opening.text != "" // what it opens with lasts as long as a transaction
	s := &session{conn: c, snapshot: snapshot}
	if snapshot {
		if err := s.begin(ctx); err != nil {
			err = translate(ctx, err)
			return c.lost(err), err
		}
	}
	err = fn(s)
	s.closeRows()
	switch {
	case c.broken:
		return s.lost && err != nil, err
	case ctx.Err() != nil:
		c.broken = true // the deadline of its link may be set already
	case snapshot:
		// A failed transaction is rolled back by this too. There is nothing
		// to lose: if it fails, the connection is dropped.
		if err := c.exec(ctx, "COMMIT"); err != nil {
			c.broken = true
		}
	}
	return false, err
}

// lost tells whether a session's error is that the server is no longer there.
func (c *conn) lost(err error) bool {
	return c.broken && fault.From(err).Code == fault.Unavailable
}

// begin takes the snapshot at the first statement. The server gives up a
// second after the request has.
func (s *session) begin(ctx context.Context) error {
	text := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	if deadline, ok := ctx.Deadline(); ok {
		text += "; SET LOCAL statement_timeout = " + milliseconds(max(0, time.Until(deadline))+time.Second)
	}
	if err := s.conn.exec(ctx, text); err != nil {
		return err
	}
	return s.conn.open(ctx)
}

// Query implements sqlexec.Session.
func (s *session) Query(ctx context.Context, text string, args []string) (value.Rows, error) {
	s.closeRows()
	if err := ctx.Err(); err != nil {
		return nil, fault.From(err)
	}
	if s.conn.broken {
		return nil, fault.New(fault.Unavailable, "the connection to the source is lost")
	}
	first := !s.asked
	s.asked = true
	found, err := s.query(ctx, text, args)
	if stale(err) {
		found, err = s.again(ctx, text, args, first, err)
	}
	if err != nil {
		err = translate(ctx, err)
		s.lost = first && s.conn.lost(err)
		return nil, err
	}
	s.rows = found
	return found, nil
}

func (s *session) query(ctx context.Context, text string, args []string) (*rows, error) {
	stop := s.conn.link.Watch(ctx, pglink.Grace)
	s.conn.link.Allow()
	statement, err := s.conn.query(text, args)
	if err != nil {
		if stop() {
			s.conn.broken = true
		}
		return nil, err
	}
	found := newRows(ctx, s.conn, statement.types, stop)
	if err := found.check(); err != nil {
		_ = found.Close()
		return nil, err
	}
	return found, nil
}

// stale tells whether a prepared statement no longer fits its table, or is
// gone: it has to be prepared again.
func stale(err error) bool {
	var reported *pq.Error
	if !errors.As(err, &reported) {
		return false
	}
	return reported.Code == "26000" ||
		reported.Code == "0A000" && reported.Message == "cached plan must not change result type"
}

// again prepares a stale statement anew and runs it, once. In a snapshot that
// other statements have seen it cannot: the failure has ended the transaction.
func (s *session) again(ctx context.Context, text string, args []string, first bool, cause error) (*rows, error) {
	old := s.conn.statements.remove(text)
	if s.snapshot && !first {
		return nil, fault.New(fault.Unavailable, "the source's table has just changed").Because(cause)
	}
	if s.snapshot {
		if err := s.conn.exec(ctx, "ROLLBACK"); err != nil {
			return nil, err
		}
		if err := s.begin(ctx); err != nil {
			return nil, err
		}
	}
	if old != nil {
		s.conn.wire.forget(old)
	}
	return s.query(ctx, text, args)
}

func (s *session) closeRows() {
	if s.rows != nil {
		_ = s.rows.Close()
	}
}

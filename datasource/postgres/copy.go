package postgres

import (
	"cmp"
	"context"
	"time"

	"usher/fault"
	"usher/pglink"
)

// Copy implements sqlexec.Loads: one COPY takes one portion of rows, so that a sender who
// takes hours is no statement to the server's time limit.
func (s *session) Copy(ctx context.Context, text string, rows []byte) error {
	_, err := s.copy(ctx, text, rows, false)
	return err
}

// CopyWriting implements sqlexec.Loads.
func (s *session) CopyWriting(ctx context.Context, text string, rows []byte) (int64, error) {
	return s.copy(ctx, text, rows, true)
}

func (s *session) copy(ctx context.Context, text string, rows []byte, writing bool) (int64, error) {
	s.closeRows()
	if err := ctx.Err(); err != nil {
		return 0, fault.From(err)
	}
	c := s.conn
	if c.broken {
		return 0, fault.New(fault.Unavailable, "the connection to the source is lost").Because(causeOf(cmp.Or(c.why, errLost)))
	}
	if err := s.begun(ctx); err != nil {
		return 0, err
	}
	stop := c.link.Watch(ctx, pglink.Grace)
	c.link.Allow()
	n, err := c.copyRows(text, rows, writing && c.path != "")
	if stop() {
		c.broken = true
	}
	if err != nil {
		return 0, translate(ctx, c.failed(err))
	}
	return n, nil
}

// begun sees to it that the transaction has begun, which it does with a statement.
func (s *session) begun(ctx context.Context) error {
	if s.conn.opening == nil {
		return nil
	}
	found, err := s.ask(ctx, "SELECT", nil, &prepared{}, asEver)
	if err != nil {
		return err
	}
	return found.Close()
}

// copyRows takes rows. What the owner's code finds by names it finds by the path, if that is set.
func (c *conn) copyRows(text string, rows []byte, path bool) (int64, error) {
	var reset func()
	if path {
		c.wire.parse("", c.path)
		c.wire.execute("", nil)
		reset = func() {
			c.wire.parse("", c.pooling.resetPath())
			c.wire.execute("", nil)
		}
	}
	c.wire.parse("", text)
	c.wire.execute("", nil)
	c.wire.flush()
	if err := c.wire.send(); err != nil {
		return 0, err
	}
	if err := c.wire.accepts(); err != nil {
		return 0, err
	}
	if err := c.wire.rows(rows, reset); err != nil {
		return 0, err
	}
	n, err := c.wire.copied()
	if err == nil && path {
		err = c.wire.completed(nil)
	}
	if err != nil {
		return 0, err
	}
	return n, c.wire.ready()
}

// patience bounds the statements that follow in the transaction, as narrowly as the owner of
// the database has.
const patience = `SELECT set_config('statement_timeout', (CASE WHEN reset_val::int8 BETWEEN 1 AND $1::int8 THEN reset_val::int8 ELSE $1::int8 END)::text, true)
FROM pg_catalog.pg_settings WHERE name = 'statement_timeout'`

// Patient implements sqlexec.Loads.
func (s *session) Patient(ctx context.Context, limit time.Duration) error {
	found, err := s.ask(ctx, patience, []string{milliseconds(max(limit, time.Millisecond))}, &prepared{}, asEver)
	if err != nil {
		return err
	}
	for found.Next() {
	}
	return found.Err()
}

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
	s.closeRows()
	if err := ctx.Err(); err != nil {
		return fault.From(err)
	}
	c := s.conn
	if c.broken {
		return fault.New(fault.Unavailable, "the connection to the source is lost").Because(causeOf(cmp.Or(c.why, errLost)))
	}
	if err := s.begun(ctx); err != nil {
		return err
	}
	stop := c.link.Watch(ctx, pglink.Grace)
	c.link.Allow()
	err := c.copyRows(text, rows)
	if stop() {
		c.broken = true
	}
	if err != nil {
		return translate(ctx, c.failed(err))
	}
	return nil
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

func (c *conn) copyRows(text string, rows []byte) error {
	c.wire.Parse("", text)
	c.wire.Execute("", nil)
	c.wire.Flush()
	if err := c.wire.Send(); err != nil {
		return err
	}
	if err := c.wire.Accepts(); err != nil {
		return err
	}
	if err := c.wire.CopyRows(rows); err != nil {
		return err
	}
	if err := c.wire.Completed(nil); err != nil {
		return err
	}
	return c.wire.Ready()
}

// Patient implements sqlexec.Loads. The owner of the database may have bounded statements more narrowly. It is
// set along with the first statement, where nothing has begun.
func (s *session) Patient(ctx context.Context, limit time.Duration) error {
	c := s.conn
	if limit = max(limit, time.Millisecond); c.owners > 0 {
		limit = min(limit, c.owners)
	}
	text := "SET LOCAL statement_timeout = " + milliseconds(limit)
	if c.opening != nil {
		c.opening = append(c.opening, text)
		return nil
	}
	if err := c.exec(ctx, text); err != nil {
		return translate(ctx, err)
	}
	return nil
}

package postgres

import (
	"cmp"
	"context"
	"errors"

	"usher/datasource/pgwire"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pglink"
	"usher/value"
)

// portal is the name of the one that an export reads from.
const portal = "usher_export"

// cursor is a statement bound to a portal, which lasts as long as the session's
// transaction. The server makes rows as they are asked for, and each portion is a
// statement to its time limit: a reader who takes hours is none of the server's
// business.
type cursor struct {
	session   *session
	text      string
	args      []string
	statement prepared // without a name: planned for these arguments
	open      bool
}

var errNoSnapshot = errors.New("postgres: a cursor needs a session of one snapshot")

// Cursor implements sqlexec.Cursors.
func (s *session) Cursor(ctx context.Context, text string, args []string) (sqlexec.Cursor, error) {
	if !s.snapshot {
		return nil, fault.Broken("%w", errNoSnapshot)
	}
	if err := pgwire.Bindable(args); err != nil {
		return nil, fault.Broken("%w", err)
	}
	return &cursor{session: s, text: s.conn.told(ctx, text), args: args}, nil
}

// Next implements sqlexec.Cursor.
func (c *cursor) Next(ctx context.Context, count int) (value.Rows, error) {
	s := c.session
	s.closeRows()
	if err := ctx.Err(); err != nil {
		return nil, fault.From(err)
	}
	if s.conn.broken {
		return nil, fault.New(fault.Unavailable, "the connection to the source is lost").Because(causeOf(cmp.Or(s.conn.why, errLost)))
	}
	first := !s.asked
	s.asked = true
	found, err := c.fetch(ctx, count)
	if err != nil {
		err = translate(ctx, err)
		s.lost = first && s.conn.lost(err)
		return nil, err
	}
	s.rows = found
	return found, nil
}

func (c *cursor) fetch(ctx context.Context, count int) (*rows, error) {
	conn := c.session.conn
	stop := conn.link.Watch(ctx, pglink.Grace)
	conn.link.Allow()
	if !c.open {
		conn.wire.Parse("", c.text)
		conn.wire.Describe("")
		conn.wire.Bind(portal, "", c.args)
		c.open = true
	}
	conn.wire.Run(portal, count)
	conn.wire.Sync()
	err := conn.wire.Send()
	if err == nil {
		err = conn.wire.Started(&c.statement.Statement)
	}
	if err != nil {
		if stop() {
			conn.broken = true
		}
		return nil, conn.failed(err)
	}
	found := newRows(ctx, conn, c.statement.Types, stop)
	found.portion = true
	if err := found.check(); err != nil {
		_ = found.Close()
		return nil, err
	}
	return found, nil
}

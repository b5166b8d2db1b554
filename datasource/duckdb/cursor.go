package duckdb

import (
	"context"
	"strconv"

	"usher/datasource/sqlexec"
	"usher/value"
)

// exported is the table that holds an export's rows. The driver returns results
// complete, in memory that nothing bounds; what a table holds counts in the
// instance's memory, and goes to its temporary directory where there is one.
const exported = `temp.main."usher export"`

// cursor is a place in that table. There is no transaction around its making: in one, its
// rows would have no numbers yet.
type cursor struct {
	session *session
	at      int
}

// Cursor implements sqlexec.Cursors.
func (s *session) Cursor(ctx context.Context, text string, args []string) (sqlexec.Cursor, error) {
	s.conn.once = true // the table ends with its connection
	if s.reads {
		if err := s.conn.exec(ctx, "COMMIT"); err != nil {
			return nil, err
		}
	}
	made, err := s.Query(ctx, "CREATE TEMP TABLE "+exported+" AS "+text, args)
	if err == nil {
		err = made.Close()
	}
	if err == nil && s.reads { // what is nested in its rows is read as it was then, or just after
		err = s.conn.exec(ctx, beginReading)
	}
	return &cursor{session: s}, err
}

// Next implements sqlexec.Cursor.
func (c *cursor) Next(ctx context.Context, rows int) (value.Rows, error) {
	from, to := strconv.Itoa(c.at), strconv.Itoa(c.at+rows)
	c.at += rows
	return c.session.Query(ctx, "SELECT * FROM "+exported+" WHERE rowid >= "+from+" AND rowid < "+to+" ORDER BY rowid", nil)
}

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

// cursor is a place in that table. There is no transaction around it: in one, its
// rows would have no numbers yet.
type cursor struct {
	session *session
	at      int
}

// Cursor implements sqlexec.Cursors.
func (s *session) Cursor(ctx context.Context, text string, args []string) (sqlexec.Cursor, error) {
	s.conn.once = true // the table ends with its connection
	made, err := s.Query(ctx, "CREATE TEMP TABLE "+exported+" AS "+text, args)
	if err != nil {
		return nil, err
	}
	return &cursor{session: s}, made.Close()
}

// Next implements sqlexec.Cursor.
func (c *cursor) Next(ctx context.Context, rows int) (value.Rows, error) {
	from, to := strconv.Itoa(c.at), strconv.Itoa(c.at+rows)
	c.at += rows
	return c.session.Query(ctx, "SELECT * FROM "+exported+" WHERE rowid >= "+from+" AND rowid < "+to+" ORDER BY rowid", nil)
}

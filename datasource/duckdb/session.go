package duckdb

import (
	"context"

	"usher/datasource/sqlexec"
	"usher/value"
)

// Session calls fn with a session that ends when fn returns. With snapshot all
// its statements see the same data. Errors that fn returns come back as they
// are, the session's own are *fault.Error.
func (db *DB) Session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) error {
	c, err := acquire(ctx, db.instance)
	if err != nil {
		return err
	}
	transaction := false
	defer func() { c.release(transaction) }()
	if snapshot {
		transaction = true
		if err := c.exec(ctx, "BEGIN TRANSACTION READ ONLY"); err != nil {
			return err
		}
	}
	s := &session{conn: c}
	defer s.closeRows()
	return fn(s)
}

type session struct {
	conn *conn
	rows *rows // of the statement before
}

// Query implements sqlexec.Session.
func (s *session) Query(ctx context.Context, text string, args []string) (value.Rows, error) {
	s.closeRows()
	source, err := s.conn.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	rows, err := newRows(source)
	if err != nil {
		_ = source.Close()
		return nil, err
	}
	s.rows = rows
	return rows, nil
}

func (s *session) closeRows() {
	if s.rows != nil {
		_ = s.rows.Close()
	}
}

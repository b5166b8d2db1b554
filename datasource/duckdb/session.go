package duckdb

import (
	"context"

	"usher/datasource/sqlexec"
	"usher/value"
)

// Session calls fn with a session that ends when fn returns. With snapshot all
// its statements see the same data, and so they do where the file is written meanwhile:
// there a transaction is also what keeps the session from writing. Errors that fn returns come back as they
// are, the session's own are *fault.Error.
func (db *DB) Session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) error {
	c, err := acquire(ctx, db.instance)
	if err != nil {
		return err
	}
	transaction := false
	defer func() { c.release(transaction) }()
	if snapshot || db.turn != nil {
		transaction = true
		if err := c.exec(ctx, beginReading); err != nil {
			return err
		}
	}
	s := &session{conn: c, reads: db.turn != nil}
	defer s.closeRows()
	return fn(s)
}

const beginReading = "BEGIN TRANSACTION READ ONLY"

type session struct {
	conn   *conn
	rows   *rows // of the statement before
	reads  bool  // its transaction keeps it from writing, and is begun anew where one ends
	failed error // of the first statement that did
}

// Query implements sqlexec.Session.
func (s *session) Query(ctx context.Context, text string, args []string) (value.Rows, error) {
	s.closeRows()
	source, err := s.conn.query(ctx, text, args...)
	if err != nil {
		if s.failed == nil {
			s.failed = err
		}
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

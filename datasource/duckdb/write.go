package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"usher/datasource/sqlexec"
	"usher/diskroom"
	"usher/fault"
)

// errReads is the cause of an error of a source that was not opened for writing.
var errReads = errors.New("the file is open for reading only")

// Write calls fn with a session in one transaction that may write, and commits it if
// nothing in it has failed. A file has one writer at a time: who comes later waits for its
// turn as long as ctx lasts.
func (db *DB) Write(ctx context.Context, fn func(sqlexec.Session) error) error {
	if db.turn == nil {
		return fault.New(fault.Unavailable, "the source cannot be written").Because(errReads)
	}
	select {
	case db.turn <- struct{}{}:
	case <-ctx.Done():
		return fault.From(ctx.Err())
	}
	c, err := acquire(ctx, db.instance)
	if err != nil {
		<-db.turn
		return err
	}
	c.turn = db.turn // which ends when the transaction does, also one that nobody waits for
	transaction := true
	defer func() { c.release(transaction) }()
	if err := diskroom.For(db.path); err != nil {
		transaction = false
		return unwritten(err)
	}
	if err := c.exec(ctx, "BEGIN TRANSACTION"); err != nil {
		return err
	}
	s := &session{conn: c}
	err = fn(s)
	s.closeRows()
	switch {
	case err == nil && s.failed != nil: // COMMIT would end the transaction without a word of that
		err = s.failed
	case err == nil && ctx.Err() != nil:
		err = fault.From(ctx.Err())
	case err == nil: // others write to the disk, too
		if full := diskroom.For(db.path); full != nil {
			err = unwritten(full)
		}
	}
	if err == nil || c.late != nil {
		if err == nil {
			transaction = false
			err = c.commit()
		}
		return err
	}
	transaction = false
	c.once = c.rollback() != nil // a connection in an unknown state is not used again
	var v *Violation
	if errors.As(err, &v) {
		v.Columns = c.collided(ctx, v)
	}
	return err
}

// commit is not given up on: it takes no longer than the disk does, and then it is
// known what has become of it.
func (c *conn) commit() error {
	_, err := c.engine.ExecContext(context.Background(), "COMMIT", nil)
	if err == nil {
		return nil
	}
	c.once = true
	failed := translate(context.Background(), err)
	var engine *duckdb.Error
	if errors.As(err, &engine) && (engine.Type == duckdb.ErrorTypeFatal || engine.Type == duckdb.ErrorTypeInternal || engine.Type == duckdb.ErrorTypeIO) {
		f := fault.New(fault.Unavailable, "the source failed while it committed: nobody knows whether the change was made").
			WithHint("look whether it was before you make it again").Because(failed)
		f.Unknown = true
		return f
	}
	return failed
}

// Write is as a DB's; what fn gets is a session of the version of the file that is there now.
func (s *Source) Write(ctx context.Context, fn func(sqlexec.Session) error) error {
	for try := 1; ; try++ {
		v, err := s.version()
		if err != nil {
			return err
		}
		err = v.db.Write(ctx, func(session sqlexec.Session) error { return fn(versioned{session, v}) })
		if try == replacedTries || !errors.Is(err, errReplaced) && !errors.Is(err, errRetired) { // before anything was asked
			return err
		}
	}
}

// Violation is what the engine says of rows that it does not write. Its words hold
// values; what is kept of them is shown to nobody.
type Violation struct {
	Code    string   // the SQLSTATE that says the same
	Refers  bool     // of a foreign key: it is the row itself that leads to none
	Columns []string // of the table that was written, as it calls them; nil: they are not known

	key   string
	cause error
}

// Error implements error.
func (v *Violation) Error() string {
	if v.Code == notNull {
		return fmt.Sprintf("as SQLSTATE %s, column %q: %v", v.Code, v.Columns, v.cause)
	}
	return fmt.Sprintf("as SQLSTATE %s: %v", v.Code, v.cause)
}

// Unwrap returns the cause.
func (v *Violation) Unwrap() error { return v.cause }

// Codes of violations that are told apart.
const (
	duplicate  = "23505"
	notNull    = "23502"
	foreignKey = "23503"
	checked    = "23514"
	beyond     = "22003"
	unfit      = "22000"
	collision  = "40001"
)

// violationOf reads what the engine says of rows and of transactions that collided; nil: it
// is something else.
func violationOf(err error) *Violation {
	var engine *duckdb.Error
	if !errors.As(err, &engine) {
		return nil
	}
	text := engine.Msg
	v := &Violation{cause: redacted(err)}
	switch engine.Type { //nolint:exhaustive // the others are about no rows
	case duckdb.ErrorTypeConstraint:
		switch {
		case strings.Contains(text, "Duplicate key \""):
			v.Code = duplicate
			_, rest, _ := strings.Cut(text, "Duplicate key \"")
			v.key = rest[:max(strings.LastIndexByte(rest, '"'), 0)]
		case strings.Contains(text, "duplicate key"): // of another row of the transaction: the engine says what it holds, and not of which columns
			v.Code = duplicate
		case strings.Contains(text, "NOT NULL constraint failed: "):
			v.Code = notNull
			_, column, _ := strings.Cut(text, "NOT NULL constraint failed: ")
			column, _, _ = strings.Cut(column, "\n")
			v.Columns = []string{column[strings.LastIndexByte(column, '.')+1:]}
		case strings.Contains(text, "foreign key"):
			v.Code, v.Refers = foreignKey, strings.Contains(text, "does not exist in the referenced table")
		default:
			v.Code = checked
		}
	case duckdb.ErrorTypeConversion:
		v.Code = unfit
		if strings.Contains(text, "out of range") || strings.Contains(text, " to DECIMAL(") {
			v.Code = beyond
		}
	case duckdb.ErrorTypeOutOfRange:
		v.Code = beyond
	case duckdb.ErrorTypeInvalidInput:
		v.Code = unfit
	case duckdb.ErrorTypeTransaction:
		if diskroom.Unwritten(text) != nil || !strings.Contains(text, "onflict") && !strings.Contains(text, "Failed to commit") {
			return nil //nolint:nilerr // what the system refuses is no violation
		}
		v.Code = collision
	default:
		return nil
	}
	return v
}

// collided finds the columns in which rows are the same. The engine says "a: 1, b: 2",
// in which values may look like names: that is one of the file's keys, or it is not known which.
func (c *conn) collided(ctx context.Context, v *Violation) []string {
	if v.Code != duplicate {
		return v.Columns
	}
	rows, err := c.query(ctx, `
		SELECT DISTINCT to_json(columns)::VARCHAR FROM (
			SELECT constraint_column_names AS columns FROM duckdb_constraints()
			WHERE database_name = current_database() AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')
			UNION ALL
			SELECT list_transform(CAST(expressions AS VARCHAR[]), lambda e: trim(e, '"')) FROM duckdb_indexes()
			WHERE database_name = current_database() AND is_unique)`)
	if err != nil {
		return nil
	}
	defer func() { _ = rows.Close() }()
	var found []string
	cells := make([]driver.Value, 1)
	for {
		if err := rows.Next(cells); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			return nil
		}
		var columns names
		if columns.Scan(cells[0]) != nil || !says(v.key, columns) {
			continue
		}
		if found != nil {
			return nil
		}
		found = columns
	}
}

// says tells whether a text may be of the values of columns.
func says(text string, columns []string) bool {
	for i, column := range columns {
		before, after, ok := strings.Cut(", "+text, ", "+column+": ")
		if !ok || i == 0 && before != "" {
			return false
		}
		text = after
	}
	return len(columns) > 0
}

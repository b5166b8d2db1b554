package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/sqlgen"
	"usher/value"
)

// Engine answers what a source cannot: rows are loaded into a scratch and
// asked there. One Engine serves all requests, so its bounds are theirs
// together. It starts with the first question: many gateways never have one.
type Engine struct {
	opts Options

	mu      sync.Mutex
	running *instance // an in-memory one that reaches no file; nil before the first question
	closed  bool
}

// NewEngine makes an engine that starts when it is needed.
func NewEngine(opts Options) *Engine { return &Engine{opts: opts} }

// Close stops the engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.running == nil {
		return nil
	}
	return e.running.close()
}

// Renew starts the engine anew if it is broken.
func (e *Engine) Renew(ctx context.Context) error {
	running, err := e.started()
	if err != nil {
		return err
	}
	return running.renew(ctx)
}

func (e *Engine) started() (*instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, fault.New(fault.Unavailable, "the gateway is shutting down")
	}
	if e.running == nil {
		e.running = newInstance(e.opts.memory(), func(limit int64) (*sql.DB, error) {
			pool, err := start(e.opts, limit, nil, nil)
			if refused := new(fault.Error); errors.As(err, &refused) {
				return nil, err
			} else if err != nil {
				return nil, fault.New(fault.Internal, "the embedded engine did not start").Because(err)
			}
			return pool, nil
		})
	}
	return e.running, nil
}

// Scratch is one request's own temporary tables. Nobody else sees them, and
// Close removes them. It serves one goroutine at a time.
type Scratch struct {
	conn *conn
}

// Scratch makes an empty scratch; the caller closes it.
func (e *Engine) Scratch(ctx context.Context) (*Scratch, error) {
	running, err := e.started()
	if err != nil {
		return nil, err
	}
	c, err := acquire(ctx, running)
	if err != nil {
		return nil, err
	}
	c.once = true // temporary tables end with their connection
	return &Scratch{conn: c}, nil
}

// Close removes the tables.
func (s *Scratch) Close() { s.conn.release(false) }

// Session is DB.Session over the scratch's tables; nobody changes them
// meanwhile, so every session is a snapshot.
func (s *Scratch) Session(_ context.Context, _ bool, fn func(sqlexec.Session) error) error {
	session := &session{conn: s.conn}
	defer session.closeRows()
	return fn(session)
}

// ScratchColumn is a column of a scratch table.
type ScratchColumn struct {
	Name string
	Type value.Type
}

// Caps bound what is loaded into one table; none of them may be left out.
type Caps struct {
	MaxRows  int
	MaxBytes int64
}

// Load makes a table of rows, whose cells have the wire form, and reports how
// many they were. There is at least one column. Columns have the native types
// of their scalars; a decimal without declared scale gets the largest scale
// among its values. Load does not close rows.
func (s *Scratch) Load(ctx context.Context, table string, columns []ScratchColumn, rows value.Rows, caps Caps) (int, error) {
	staging := table + " as it came"
	declared := make([]string, len(columns))
	for i, column := range columns {
		declared[i] = sqlgen.Identifier(column.Name) + " " + staged(column.Type)
	}
	if err := s.conn.exec(ctx, "CREATE TEMP TABLE "+sqlgen.Identifier(staging)+" ("+strings.Join(declared, ", ")+")"); err != nil {
		return 0, err
	}
	n, err := s.append(ctx, staging, columns, rows, caps)
	if err != nil {
		return 0, err
	}
	selected := make([]string, len(columns))
	for i, column := range columns {
		t, err := s.scaled(ctx, staging, column)
		if err != nil {
			return 0, err
		}
		native, err := nativeOf(t)
		if err != nil {
			return 0, fault.New(fault.Internal, "a value's type cannot be loaded").Because(err)
		}
		name := sqlgen.Identifier(column.Name)
		selected[i] = fromWire(name, t, native) + " AS " + name
	}
	if err := s.conn.exec(ctx, "CREATE TEMP TABLE "+sqlgen.Identifier(table)+" AS SELECT "+strings.Join(selected, ", ")+" FROM "+sqlgen.Identifier(staging)); err != nil {
		return 0, err
	}
	return n, s.conn.exec(ctx, "DROP TABLE "+sqlgen.Identifier(staging))
}

// Drop removes a table that Load has made.
func (s *Scratch) Drop(ctx context.Context, table string) error {
	return s.conn.exec(ctx, "DROP TABLE "+sqlgen.Identifier(table))
}

// checkEvery is after how many rows append looks whether the request has ended.
const checkEvery = 1024

func (s *Scratch) append(ctx context.Context, table string, columns []ScratchColumn, rows value.Rows, caps Caps) (n int, err error) {
	appender, err := duckdb.NewAppender(s.conn.engine, "temp", "main", table)
	if err != nil {
		return 0, s.conn.failure(ctx, err)
	}
	defer func() {
		if closing := appender.Close(); err == nil && closing != nil {
			err = s.conn.failure(ctx, closing)
		}
	}()
	var size int64
	var text []byte
	row := make([]driver.Value, len(columns))
	for ; rows.Next(); n++ {
		if n == caps.MaxRows {
			return n, fault.New(fault.TooComplex, "the question needs more than %d rows of one dataset", caps.MaxRows).
				WithHint("Narrow it with a filter.")
		}
		for i := range columns {
			cell := rows.Cell(i)
			if row[i], err = fromCell(cell, staged(columns[i].Type)); err != nil {
				return n, err
			}
			size += int64(8 + len(cell.Text))
			if columns[i].Type.Scalar != value.Enum {
				continue
			}
			if text, err = value.AppendJSON(text[:0], columns[i].Type, cell, value.Style{}); errors.Is(err, value.ErrLabel) {
				return n, fault.New(fault.NotImplemented, "%s", value.ErrLabel).WithHint("%s", value.ErrLabel.Hint()).Because(err)
			}
			err = nil
		}
		if size > caps.MaxBytes {
			return n, fault.New(fault.TooComplex, "the question needs more than %d bytes of one dataset", caps.MaxBytes).
				WithHint("Narrow it with a filter, or ask for fewer fields.")
		}
		if err := appender.AppendRow(row...); err != nil {
			return n, s.conn.failure(ctx, err)
		}
		if n%checkEvery == 0 && ctx.Err() != nil {
			return n, fault.From(ctx.Err())
		}
	}
	return n, rows.Err()
}

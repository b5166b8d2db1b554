package database

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"usher/diskroom"
	"usher/fault"
)

// Tx is a transaction of the one call whose context it has. It is ended by Commit or
// Rollback; the second end does nothing.
type Tx struct {
	db    *DB
	ctx   context.Context
	tx    *sqlx.Tx
	turns chan struct{} // the writers' turn that it has; nil: none
}

// Begin begins a transaction that writes. In a file one at a time does.
func (d *DB) Begin(ctx context.Context) (*Tx, error) {
	if d.writer != nil {
		select {
		case d.writer <- struct{}{}:
		case <-ctx.Done():
			return nil, fault.From(ctx.Err())
		}
	}
	err := d.room()
	var t *Tx
	if err == nil {
		t, err = d.begin(ctx, nil)
	}
	if err != nil {
		if d.writer != nil {
			<-d.writer
		}
		return nil, err
	}
	t.turns = d.writer
	return t, nil
}

// Snapshot begins a transaction that only reads, all as it is at its first statement.
func (d *DB) Snapshot(ctx context.Context) (*Tx, error) {
	if d.dsn == nil {
		return d.begin(ctx, nil) // DuckDB's transactions are so anyway
	}
	return d.begin(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}

func (d *DB) begin(ctx context.Context, opts *sql.TxOptions) (*Tx, error) {
	ctx, err := d.admit(ctx)
	if err != nil {
		return nil, Translate(ctx, err)
	}
	raw, err := d.pool.BeginTxx(ctx, opts)
	if err != nil {
		return nil, Translate(ctx, err)
	}
	return &Tx{db: d, ctx: ctx, tx: raw}, nil
}

// Commit keeps what was written.
func (t *Tx) Commit() error {
	defer t.end()
	if t.turns != nil { // others write to the disk, too
		if err := t.db.room(); err != nil {
			_ = t.tx.Rollback()
			return err
		}
	}
	return t.tx.Commit()
}

// room refuses what is to be written to a file on a full disk.
func (d *DB) room() error {
	if d.dsn != nil {
		return nil
	}
	if err := diskroom.For(d.path); err != nil {
		return unwritten(err)
	}
	return nil
}

// Rollback gives up what was written, unless it was committed.
func (t *Tx) Rollback() {
	_ = t.tx.Rollback()
	t.end()
}

func (t *Tx) end() {
	if t.turns != nil {
		<-t.turns
		t.turns = nil
	}
}

// Exec runs a statement and returns how many rows it has changed.
func (t *Tx) Exec(text string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(t.ctx, t.db.sql(text), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Get reads one row into a struct or a value.
func (t *Tx) Get(into any, text string, args ...any) error {
	return t.tx.GetContext(t.ctx, into, t.db.sql(text), args...)
}

// List reads all rows into a slice.
func (t *Tx) List(into any, text string, args ...any) error {
	return t.tx.SelectContext(t.ctx, into, t.db.sql(text), args...)
}

// Announce tells those who listen, at other gateways too, once this is committed.
func (t *Tx) Announce() error {
	if t.db.dsn == nil {
		return nil
	}
	_, err := t.Exec("SELECT pg_notify($1, '')", t.db.channel())
	return err
}

// Lock waits until nobody else has what is named, to the end of their transaction. In a
// file only one writes anyway.
func (t *Tx) Lock(name ...string) error { return t.lock("pg_advisory_xact_lock", name) }

// Share is Lock for those who may have it at the same time, beside nobody who locks it.
func (t *Tx) Share(name ...string) error { return t.lock("pg_advisory_xact_lock_shared", name) }

func (t *Tx) lock(function string, name []string) error {
	if t.db.dsn == nil {
		return nil
	}
	_, err := t.Exec("SELECT "+function+"(hashtextextended($1, 0))", strings.Join(slices.Insert(name, 1, t.db.schema), " "))
	return err
}

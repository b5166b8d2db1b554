package tenancy

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"usher/fault"
)

// tx is a transaction that changes the store.
type tx struct {
	store      *Store
	ctx        context.Context // of the one call it belongs to
	tx         *sqlx.Tx
	now        time.Time
	generation int64      // raised by this transaction; 0: not yet
	entries    []auditRow // of the audit log: written last, so that whoever has a chain waits for nothing
}

// write runs fn in a transaction. When it has raised the generation, this
// process knows of the change before write returns.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	if s.writer != nil {
		select {
		case s.writer <- struct{}{}:
			defer func() { <-s.writer }()
		case <-ctx.Done():
			return fault.From(ctx.Err())
		}
	}
	raw, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return translate(ctx, err)
	}
	t := &tx{store: s, ctx: ctx, tx: raw, now: s.now()}
	if err := fn(t); err != nil {
		_ = raw.Rollback()
		return translate(ctx, err)
	}
	if err := t.commit(); err != nil {
		return translate(ctx, err)
	}
	if t.generation == 0 {
		return nil
	}
	// The change is made; whether it can be read at once does not alter that.
	if err := s.catchUp(ctx); err != nil {
		s.opts.Log.WarnContext(ctx, "the control store was changed but cannot be read", "error", err)
	}
	return nil
}

// commit ends the transaction, with its entries of the audit log.
func (t *tx) commit() error {
	if len(t.entries) == 0 {
		return t.tx.Commit()
	}
	c, err := t.store.chains.take(t.ctx)
	if err != nil {
		_ = t.tx.Rollback()
		return err
	}
	next, err := t.chain(c.Place)
	if err != nil {
		_ = t.tx.Rollback()
		t.store.chains.put(c)
		return err
	}
	err = t.tx.Commit()
	if err != nil {
		next = t.store.chains.another() // nobody knows whether the chain has gone on
	}
	c.Place = next
	t.store.chains.put(c)
	return err
}

// exec runs a statement and returns how many rows it has changed.
func (t *tx) exec(text string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(t.ctx, t.store.sql(text), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// get reads one row into a struct or a value.
func (t *tx) get(into any, text string, args ...any) error {
	return t.tx.GetContext(t.ctx, into, t.store.sql(text), args...)
}

// list reads all rows into a slice.
func (t *tx) list(into any, text string, args ...any) error {
	return t.tx.SelectContext(t.ctx, into, t.store.sql(text), args...)
}

// nextGeneration raises the generation, once in a transaction. The row stays
// locked until the end, so generations become visible in their order.
func (t *tx) nextGeneration() (int64, error) {
	if t.generation != 0 {
		return t.generation, nil
	}
	if err := t.get(&t.generation, "UPDATE store.generation SET n = n + 1 WHERE id = 1 RETURNING n"); err != nil {
		return 0, err
	}
	if t.store.dsn != nil {
		if _, err := t.exec("SELECT pg_notify($1, '')", t.store.channel()); err != nil {
			return 0, err
		}
	}
	return t.generation, nil
}

// issuing and revoking keep what is made with a token apart from its end: who
// makes sees that it has ended, or who ends it sees what was made. Many may
// make tokens at the same time. On DuckDB only one writes anyway.
func (t *tx) issuing() error {
	return t.lock("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))")
}

func (t *tx) revoking() error { return t.lock("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))") }

func (t *tx) lock(statement string) error {
	if t.store.dsn == nil {
		return nil
	}
	_, err := t.exec(statement, "usher tokens "+t.store.schema)
	return err
}

// invalidateRights says that users or roles have changed: tokens that are
// remembered are read again.
func (t *tx) invalidateRights() error {
	if _, err := t.nextGeneration(); err != nil {
		return err
	}
	_, err := t.exec("UPDATE store.generation SET people = people + 1 WHERE id = 1")
	return err
}

// get and list outside of a transaction.
func (s *Store) get(ctx context.Context, into any, text string, args ...any) error {
	return s.db.GetContext(ctx, into, s.sql(text), args...)
}

func (s *Store) list(ctx context.Context, into any, text string, args ...any) error {
	return s.db.SelectContext(ctx, into, s.sql(text), args...)
}

package tenancy

import (
	"context"
	"crypto/rand"
	"time"

	"usher/fault"
	"usher/tenancy/database"
)

// tx is a transaction that changes the store.
type tx struct {
	*database.Tx
	store      *Store
	ctx        context.Context // of the one call it belongs to
	now        time.Time
	generation int64      // raised by this transaction; 0: not yet
	entries    []auditRow // of the audit log: written last, so that whoever has a chain waits for nothing
}

// write runs fn in a transaction. When it has raised the generation, this
// process knows of the change before write returns.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	generation, err := s.writeOnce(ctx, fn)
	if err != nil {
		err = database.Translate(ctx, err)
		if f := fault.From(err); f.Code == fault.Unavailable {
			s.upkeep.why.Store(f)
		}
		return err
	}
	s.upkeep.why.Store(nil)
	if generation == 0 {
		return nil
	}
	// The change is made; whether it can be read at once does not alter that.
	if err := s.catchUp(ctx); err != nil {
		s.opts.Log.WarnContext(ctx, "the control store was changed but cannot be read", "error", err)
	}
	return nil
}

func (s *Store) writeOnce(ctx context.Context, fn func(*tx) error) (generation int64, err error) {
	begun, err := s.db.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer begun.Rollback()
	t := &tx{Tx: begun, store: s, ctx: ctx, now: s.now()}
	if err := fn(t); err != nil {
		return 0, err
	}
	return t.generation, t.commit()
}

// commit ends the transaction, with its entries of the audit log.
func (t *tx) commit() error {
	if len(t.entries) == 0 {
		return t.Commit()
	}
	c, err := t.store.chains.take(t.ctx)
	if err != nil {
		return err
	}
	next, err := t.chain(c.Place)
	if err != nil {
		t.Rollback() // before another has the chain
		t.store.chains.put(c)
		return err
	}
	err = t.Commit()
	if err != nil {
		next = t.store.chains.another() // nobody knows whether the chain has gone on
	}
	c.Place = next
	t.store.chains.put(c)
	return err
}

// markSize is of how many characters of base32 a generation's mark is.
const markSize = 8

// nextGeneration raises the generation, once in a transaction. The row stays
// locked until the end, so generations become visible in their order.
func (t *tx) nextGeneration() (int64, error) {
	if t.generation != 0 {
		return t.generation, nil
	}
	const next = "UPDATE store.generation SET n = n + 1, trail = left(CAST(n + 1 AS text) || ':' || $1 || ' ' || trail, 1000) WHERE id = 1 RETURNING n"
	if err := t.Get(&t.generation, next, rand.Text()[:markSize]); err != nil {
		return 0, err
	}
	if t.generation <= t.store.reached.Load() { // before others go on from where it is
		return 0, readAnew(t.store.opts.Poll)
	}
	return t.generation, t.Announce()
}

// issuing and revoking keep what is made with a token apart from its end: who
// makes sees that it has ended, or who ends it sees what was made. Many may
// make tokens at the same time.
func (t *tx) issuing() error { return t.Share("usher tokens") }

func (t *tx) revoking() error { return t.Lock("usher tokens") }

// invalidateRights says that users or roles have changed: tokens that are
// remembered are read again.
func (t *tx) invalidateRights() error {
	if _, err := t.nextGeneration(); err != nil {
		return err
	}
	_, err := t.Exec("UPDATE store.generation SET people = people + 1 WHERE id = 1")
	return err
}

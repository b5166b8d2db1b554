package duckdb

import (
	"container/list"
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// ErrBroken is the cause of an error after which the engine answers nothing
// more: it gives up a whole instance when it finds itself in a wrong state.
// Renew starts another.
var ErrBroken = errors.New("the engine has given up")

// instance is a running engine that can be replaced by a new one. What it may
// use is counted in a Memory.
type instance struct {
	open   func(limit int64) (*sql.DB, error)
	memory *Memory
	turn   chan struct{} // of who may open it
	alone  bool          // what it opens is for it alone: one ends before another begins
	ended  func()        // lets go what open has opened beside the pool, when nobody uses it; may be nil

	renewing sync.Mutex

	// The rest belongs to memory's lock.
	pool    *sql.DB // nil: it is not open now
	limit   int64
	users   int
	several time.Time // when it had more than one user last
	at      *list.Element
	closed  bool
	yields  bool // somebody waits for what it has opened: it closes when nobody uses it, and may be opened again
	retired bool // its files were replaced: it ends with its users
}

func newInstance(m *Memory, open func(limit int64) (*sql.DB, error)) *instance {
	return &instance{open: open, memory: m, turn: make(chan struct{}, 1)}
}

// use returns its pool; the caller calls done when it no longer uses it.
func (i *instance) use(ctx context.Context) (*sql.DB, error) { return i.memory.use(ctx, i) }

// current is the pool, while it is used.
func (i *instance) current() *sql.DB {
	i.memory.mu.Lock()
	defer i.memory.mu.Unlock()
	return i.pool
}

func (i *instance) done() { i.memory.done(i) }

// renew replaces a pool that does not answer; one that does stays. What still
// runs on the old one ends with it.
func (i *instance) renew(ctx context.Context) error {
	i.renewing.Lock()
	defer i.renewing.Unlock()
	old, err := i.use(ctx)
	if err != nil {
		return err
	}
	defer i.done()
	if old.PingContext(ctx) == nil && answers(ctx, old) {
		return nil
	}
	if i.alone {
		_ = old.Close()
	}
	pool, err := i.open(i.limit)
	if err != nil {
		if i.alone {
			i.memory.yield(i) // and is opened anew by who comes next
		}
		return err
	}
	i.memory.mu.Lock()
	defer i.memory.mu.Unlock()
	if i.closed {
		return pool.Close()
	}
	i.pool = pool
	go func() { _ = old.Close() }() // waits for what still runs
	return nil
}

func answers(ctx context.Context, pool *sql.DB) bool {
	var one int
	return pool.QueryRowContext(ctx, "SELECT 1").Scan(&one) == nil
}

// errRetired is the cause of an error of an instance that takes no users any more.
var errRetired = errors.New("the files were replaced")

func (i *instance) retire() { i.memory.retire(i) }

func (i *instance) close() error { return i.memory.end(i) }

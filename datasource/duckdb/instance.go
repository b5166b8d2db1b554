package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// ErrBroken is the cause of an error after which the engine answers nothing
// more: it gives up a whole instance when it finds itself in a wrong state.
// Renew starts another.
var ErrBroken = errors.New("the engine has given up")

// instance is a running engine that can be replaced by a new one.
type instance struct {
	open func() (*sql.DB, error)

	mu     sync.Mutex
	pool   *sql.DB
	closed bool
}

func newInstance(open func() (*sql.DB, error)) (*instance, error) {
	pool, err := open()
	if err != nil {
		return nil, err
	}
	return &instance{open: open, pool: pool}, nil
}

func (i *instance) current() *sql.DB {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.pool
}

// renew replaces an instance that does not answer; one that does stays. What
// still runs on the old one ends with it.
func (i *instance) renew(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed || i.pool.PingContext(ctx) == nil && answers(ctx, i.pool) {
		return nil
	}
	pool, err := i.open()
	if err != nil {
		return err
	}
	old := i.pool
	i.pool = pool
	go func() { _ = old.Close() }() // waits for what still runs
	return nil
}

func answers(ctx context.Context, pool *sql.DB) bool {
	var one int
	return pool.QueryRowContext(ctx, "SELECT 1").Scan(&one) == nil
}

func (i *instance) close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	return i.pool.Close()
}

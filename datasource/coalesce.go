package datasource

import (
	"context"
	"sync"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/held"
)

// coalesced answers equal questions of one tenant that are asked at the same time
// together. Fetches are not: their rows are not collected.
type coalesced struct {
	next
	group *group[sameQuestion, Answered]
	meter *meter
}

// sameQuestion is what is answered together: the same question of one tenant. What one
// tenant waits for, or is refused, is no other's.
type sameQuestion struct {
	tenant string
	key    sqlexec.Key
}

func (c *coalesced) ask(ctx context.Context, q *Question) (Answered, error) {
	if q.stream != nil {
		return c.next.ask(ctx, q)
	}
	answered, joined, err := c.group.do(ctx, sameQuestion{q.tenant, q.statement.Key()}, func(ctx context.Context) (Answered, error) {
		return c.next.ask(ctx, q)
	})
	if joined {
		answered.joined = true
		c.meter.coalesced.Inc()
		if err == nil { // whoever leaves first, the other holds them
			err = held.From(ctx).Take(answered.Held)
		}
	}
	return answered, err
}

// group is a singleflight: those who ask the same at the same time share one
// execution. The zero value is ready. Results are shared, so nobody changes them.
// It is not x/sync's, which hands the cancellation of one to all.
type group[K comparable, T any] struct {
	mu  sync.Mutex
	now map[K]*call[T]
}

// call is one execution; result and err are set before done is closed.
type call[T any] struct {
	done   chan struct{} // made by the first who joins; belongs to the group's lock
	result T
	err    error
}

// do joins the execution that is under way for the key, or runs one. It runs on the caller's own context and goroutine. When that caller leaves, the
// others do not get its cancellation: one of them runs the question again.
func (g *group[K, T]) do(ctx context.Context, key K, run func(context.Context) (T, error)) (_ T, joined bool, _ error) {
	for {
		shared, done := g.enter(key)
		if done == nil {
			result, err := g.run(ctx, key, shared, run)
			return result, false, err
		}
		select {
		case <-done:
		case <-ctx.Done():
			var none T
			return none, true, fault.From(ctx.Err())
		}
		if shared.err != errAbandoned { //nolint:errorlint // the sentinel itself, set below
			return shared.result, true, shared.err
		}
	}
}

// errAbandoned marks an execution whose caller left before it was done.
var errAbandoned = fault.New(fault.Timeout, "the request was canceled")

// enter returns what is under way, and what is closed when it is done; nil: it is
// the caller's to run.
func (g *group[K, T]) enter(key K) (_ *call[T], done <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if shared := g.now[key]; shared != nil {
		if shared.done == nil {
			shared.done = make(chan struct{})
		}
		return shared, shared.done
	}
	if g.now == nil {
		g.now = make(map[K]*call[T])
	}
	shared := &call[T]{}
	g.now[key] = shared
	return shared, nil
}

// forget lets nobody join what is under way.
func (g *group[K, T]) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = nil
}

// run runs the question. Whatever happens to the caller, those who wait go on.
func (g *group[K, T]) run(ctx context.Context, key K, shared *call[T], run func(context.Context) (T, error)) (_ T, err error) {
	shared.err = errAbandoned // stays, if run panics
	defer func() {
		g.mu.Lock()
		if g.now[key] == shared {
			delete(g.now, key)
		}
		joined := shared.done
		g.mu.Unlock()
		if joined != nil {
			close(joined)
		}
	}()
	result, err := run(ctx)
	if err == nil || ctx.Err() == nil {
		shared.result, shared.err = result, err
	}
	return result, err
}

package datasource

import (
	"context"
	"errors"
	"sync"

	"usher/fault"
)

// flights lets equal questions to one account that are asked at the same time
// share one execution. The zero value is ready. Results are shared, so nobody
// changes them.
type flights[T any] struct {
	mu  sync.Mutex
	now map[string]*flight[T]
}

// flight is one execution; result and err are set before done is closed.
type flight[T any] struct {
	done   chan struct{}
	result T
	err    error
}

// do answers with the execution that is under way for the key, or runs one. It
// runs on the caller's own context and goroutine. When that caller leaves, the
// others do not get its cancellation: one of them runs the question again.
func (f *flights[T]) do(ctx context.Context, key string, run func(context.Context) (T, error)) (T, error) {
	for {
		shared, mine := f.enter(key)
		if mine {
			return f.fly(ctx, key, shared, run)
		}
		select {
		case <-shared.done:
		case <-ctx.Done():
			var none T
			return none, fault.From(ctx.Err())
		}
		if shared.err != errAbandoned { //nolint:errorlint // the sentinel itself, set below
			return shared.result, shared.err
		}
	}
}

// errAbandoned marks an execution whose caller left before it was done.
var errAbandoned = fault.New(fault.Timeout, "the request was canceled")

func (f *flights[T]) enter(key string) (_ *flight[T], mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if shared := f.now[key]; shared != nil {
		return shared, false
	}
	if f.now == nil {
		f.now = make(map[string]*flight[T])
	}
	shared := &flight[T]{done: make(chan struct{})}
	f.now[key] = shared
	return shared, true
}

// forget lets nobody join what is under way.
func (f *flights[T]) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = nil
}

// fly runs the question. Whatever happens to the caller, those who wait go on.
func (f *flights[T]) fly(ctx context.Context, key string, shared *flight[T], run func(context.Context) (T, error)) (_ T, err error) {
	shared.err = errAbandoned // stays, if run panics
	defer func() {
		f.mu.Lock()
		if f.now[key] == shared {
			delete(f.now, key)
		}
		f.mu.Unlock()
		close(shared.done)
	}()
	result, err := run(ctx)
	if err == nil || ctx.Err() == nil || errors.Is(context.Cause(ctx), errSlow) { // whoever asks next would wait as long
		shared.result, shared.err = result, err
	}
	return result, err
}

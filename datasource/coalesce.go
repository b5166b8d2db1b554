package datasource

import (
	"context"
	"sync"

	"usher/fault"
	"usher/value"
)

// flights lets equal questions to one account that are asked at the same time
// share one execution. The zero value is ready. Results are shared, so nobody
// changes them.
type flights struct {
	mu  sync.Mutex
	now map[string]*flight
}

// flight is one execution; result and err are set before done is closed.
type flight struct {
	done   chan struct{}
	result *value.Result
	err    error
}

// do answers with the execution that is under way for the key, or runs one. It
// runs on the caller's own context and goroutine. When that caller leaves, the
// others do not get its cancellation: one of them runs the question again.
func (f *flights) do(ctx context.Context, key string, run func(context.Context) (*value.Result, error)) (*value.Result, error) {
	for {
		shared, mine := f.enter(key)
		if mine {
			return f.fly(ctx, key, shared, run)
		}
		select {
		case <-shared.done:
		case <-ctx.Done():
			return nil, fault.From(ctx.Err())
		}
		if shared.err != errAbandoned { //nolint:errorlint // the sentinel itself, set below
			return shared.result, shared.err
		}
	}
}

// errAbandoned marks an execution whose caller left before it was done.
var errAbandoned = fault.New(fault.Timeout, "the request was canceled")

func (f *flights) enter(key string) (_ *flight, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if shared := f.now[key]; shared != nil {
		return shared, false
	}
	if f.now == nil {
		f.now = make(map[string]*flight)
	}
	shared := &flight{done: make(chan struct{})}
	f.now[key] = shared
	return shared, true
}

// fly runs the question. Whatever happens to the caller, those who wait go on.
func (f *flights) fly(ctx context.Context, key string, shared *flight, run func(context.Context) (*value.Result, error)) (_ *value.Result, err error) {
	shared.err = errAbandoned // stays, if run panics
	defer func() {
		f.mu.Lock()
		delete(f.now, key)
		f.mu.Unlock()
		close(shared.done)
	}()
	result, err := run(ctx)
	if err == nil || ctx.Err() == nil {
		shared.result, shared.err = result, err
	}
	return result, err
}

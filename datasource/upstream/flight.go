package upstream

import (
	"context"
	"errors"
	"sync"
	"time"
)

// flights lets equal calls that are made at the same time share one. A shared
// call is nobody's own: it has its first caller's deadline and ends when the
// last who waits for it leaves. The zero value is ready.
type flights struct {
	mu  sync.Mutex
	now map[string]*flight
}

// flight is one call under way. Its fields belong to flights.mu, but for reply
// and err once done is closed.
type flight struct {
	done    chan struct{}
	cancel  context.CancelCauseFunc // with why it is not waited for: a deadline, or callers that left
	waiting int
	over    bool // done is closed
	taken   bool // a reply that only one can read has its reader
	reply   reply
	err     error
}

// do makes a call, or waits for the equal one that is under way; shared tells
// which. A reply too long to be held is read by one of those who wait, and the
// others call on their own.
func (f *flights) do(ctx context.Context, key string, run func(context.Context) (reply, error)) (_ reply, shared bool, _ error) {
	for {
		flight, joined := f.enter(ctx, key, run)
		select {
		case <-flight.done:
		case <-ctx.Done():
			f.leave(key, flight, ctx.Err())
			return reply{}, joined, ctx.Err()
		}
		if joined && errors.Is(flight.err, context.DeadlineExceeded) && ctx.Err() == nil {
			f.leave(key, flight, nil) // the first caller's deadline is not this one's
			continue
		}
		r, ok := f.take(flight)
		f.leave(key, flight, nil)
		if !ok {
			r, err := run(ctx)
			return r, false, err
		}
		if r.rest != nil { // from here on the call is this caller's own
			stop := context.AfterFunc(ctx, func() { flight.cancel(nil) })
			r = r.onClose(func() { stop() })
		}
		return r, joined, flight.err
	}
}

func (f *flights) enter(ctx context.Context, key string, run func(context.Context) (reply, error)) (_ *flight, joined bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if under := f.now[key]; under != nil {
		under.waiting++
		return under, true
	}
	if f.now == nil {
		f.now = make(map[string]*flight)
	}
	own, cancel := withDeadlineOf(ctx)
	under := &flight{done: make(chan struct{}), cancel: cancel, waiting: 1}
	f.now[key] = under
	go f.fly(own, key, under, run)
	return under, false
}

// withDeadlineOf is a context that ends by its own cancel and at ctx's
// deadline, not when ctx is canceled.
func withDeadlineOf(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	at, ok := ctx.Deadline()
	if !ok {
		return own, cancel
	}
	own, stop := context.WithDeadline(own, at)
	return own, func(cause error) {
		cancel(cause)
		stop()
	}
}

func (f *flights) fly(ctx context.Context, key string, under *flight, run func(context.Context) (reply, error)) {
	under.err = errors.New("the call did not end") // stays, if run panics
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.forget(key, under)
		under.over = true
		close(under.done)
		f.drop(under)
	}()
	under.reply, under.err = run(ctx)
}

// take hands out the reply; false when only one can read it and somebody does.
func (f *flights) take(under *flight) (reply, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := under.reply
	if r.rest == nil {
		return r, true
	}
	if under.taken {
		return reply{}, false
	}
	under.taken = true
	return r.onClose(func() { under.cancel(nil) }), true
}

// leave counts one who no longer waits, because of cause.
func (f *flights) leave(key string, under *flight, cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	under.waiting--
	if under.waiting == 0 && !under.over {
		f.forget(key, under)
		under.cancel(cause)
	}
	f.drop(under)
}

// drop ends what a call that is over has left when nobody waits for it.
func (f *flights) drop(under *flight) {
	if under.waiting > 0 || !under.over || under.taken {
		return
	}
	under.reply.close()
	under.cancel(nil)
}

func (f *flights) forget(key string, under *flight) {
	if f.now[key] == under {
		delete(f.now, key)
	}
}

// close lets nobody join the calls under way.
func (f *flights) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = nil
}

// pause waits, unless the context ends before that; then it returns at once.
func pause(ctx context.Context, d time.Duration) bool {
	if at, ok := ctx.Deadline(); ok && time.Until(at) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

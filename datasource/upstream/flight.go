package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"usher/admit"
)

// singleFlight lets equal calls that are made at the same time share one. A
// shared call is nobody's own: it has its first caller's deadline and ends when
// the last who waits for it leaves. Until it has its slot it waits in its
// tenant's line, and only callers of that tenant join it: nobody waits in another
// tenant's line. The zero value is ready.
type singleFlight struct {
	mu  sync.Mutex
	now map[string]*flight
}

// flight is one call under way. Its fields belong to singleFlight.mu, but for reply
// and err once done is closed.
type flight struct {
	tenant  string      // in whose line it waits
	begun   atomic.Bool // it has, or had, its slot
	done    chan struct{}
	cancel  context.CancelCauseFunc // with why it is not waited for: a deadline, or callers that left
	waiting int
	over    bool // done is closed
	taken   bool // a reply that only one can read has its reader
	reply   reply
	err     error
}

// begin notes that the call has its slot. One that nobody can join is nil.
func (f *flight) begin() {
	if f != nil {
		f.begun.Store(true)
	}
}

// run makes the call of a flight; of none, if nobody can join it.
type run = func(context.Context, *flight) (reply, error)

// do makes a call, or waits for the equal one that is under way; shared tells
// which. A reply too long to be held is read by one of those who wait, and the
// others call on their own.
func (f *singleFlight) do(ctx context.Context, tenant, key string, run run) (_ reply, shared bool, _ error) {
	for {
		flight, joined := f.enter(ctx, tenant, key, run)
		turn := admit.Away(ctx)
		select {
		case <-flight.done:
			turn.Back()
		case <-ctx.Done():
			turn.Back()
			err := ctx.Err()
			f.leave(key, flight, err)
			if !flight.begun.Load() {
				err = fmt.Errorf("%w: %w", errInLine, err)
			}
			return reply{}, joined, err
		}
		if joined && errors.Is(flight.err, context.DeadlineExceeded) && ctx.Err() == nil {
			f.leave(key, flight, nil) // the first caller's deadline is not this one's
			continue
		}
		r, ok := f.take(flight)
		f.leave(key, flight, nil)
		if !ok {
			r, err := run(ctx, nil)
			return r, false, err
		}
		if r.rest != nil { // from here on the call is this caller's own
			stop := context.AfterFunc(ctx, func() { flight.cancel(nil) })
			r = r.onClose(func() { stop() })
		}
		return r, joined, flight.err
	}
}

func (f *singleFlight) enter(ctx context.Context, tenant, key string, run run) (_ *flight, joined bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if under := f.now[key]; under != nil && (under.tenant == tenant || under.begun.Load()) {
		under.waiting++
		return under, true
	}
	if f.now == nil {
		f.now = make(map[string]*flight)
	}
	own, cancel := withDeadlineOf(ctx)
	under := &flight{tenant: tenant, done: make(chan struct{}), cancel: cancel, waiting: 1}
	f.now[key] = under
	go f.lead(own, key, under, run)
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
		if errors.Is(cause, context.DeadlineExceeded) && !time.Now().Before(at) {
			return // so it ends by itself, and knows why
		}
		cancel(cause)
		stop()
	}
}

// lead makes the call, for all who have joined when it is over.
func (f *singleFlight) lead(ctx context.Context, key string, under *flight, run run) {
	under.err = errors.New("the call did not end") // stays, if run panics
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.forget(key, under)
		under.over = true
		close(under.done)
		f.drop(under)
	}()
	under.reply, under.err = run(ctx, under)
}

// take hands out the reply; false when only one can read it and somebody does.
func (f *singleFlight) take(under *flight) (reply, bool) {
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
func (f *singleFlight) leave(key string, under *flight, cause error) {
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
func (f *singleFlight) drop(under *flight) {
	if under.waiting > 0 || !under.over || under.taken {
		return
	}
	under.reply.close()
	under.cancel(nil)
}

func (f *singleFlight) forget(key string, under *flight) {
	if f.now[key] == under {
		delete(f.now, key)
	}
}

// close lets nobody join the calls under way.
func (f *singleFlight) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = nil
}

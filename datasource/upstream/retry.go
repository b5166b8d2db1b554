package upstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	backoff   = 50 * time.Millisecond
	maxBudget = 10 // retries that can be saved up
	perRetry  = 5  // requests earn one
)

// attempts makes a call, and once more if it failed for a reason that may be
// gone by then. Retries are rationed, so that an API in trouble does not get
// more of it.
func (a *account) attempts(ctx context.Context, tenant string, f *flight, c call) (reply, error) {
	a.budget.earn()
	r, err := a.attempt(ctx, tenant, f, c)
	wait, again := retryable(ctx, err)
	if !again || !a.budget.spend() {
		return r, err
	}
	if !pause(ctx, wait) {
		a.budget.refund()
		return r, err
	}
	perhaps := c.writes && c.sent.Load() && !saidNo(err)
	second, failed := a.attempt(ctx, tenant, f, c)
	if notAdmitted(failed) { // the API has not been asked: what it did before stands
		a.budget.refund()
		return r, err
	}
	a.meter.retries.Inc()
	if perhaps && saidNo(failed) { // which says nothing of the first
		return r, err
	}
	return second, failed
}

// saidNo tells that the API has said no.
func saidNo(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.refuses()
}

// retryable tells whether a failure may be gone after a while.
func retryable(ctx context.Context, err error) (wait time.Duration, again bool) {
	if err == nil || ctx.Err() != nil || errors.Is(err, errPaused) || notAdmitted(err) {
		return 0, false
	}
	wait = backoff + rand.N(2*backoff) //nolint:gosec // spreads load, keeps no secret
	var content contentError
	var status *statusError
	switch {
	case errors.As(err, &content):
		return 0, false
	case errors.As(err, &status):
		return max(wait, status.after), status.busy()
	}
	return wait, true // the connection
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

// budget rations retries to a fifth of the requests, and one.
type budget struct {
	mu    sync.Mutex
	saved int // in requests
}

func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saved = min(b.saved+1, maxBudget*perRetry)
}

func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.saved < perRetry {
		return false
	}
	b.saved -= perRetry
	return true
}

func (b *budget) refund() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saved += perRetry
}

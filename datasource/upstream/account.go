package upstream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"usher/datasource/admit"
	"usher/fault"
)

const (
	breakAfter = 5               // failures one after another open the breaker
	pauseFor   = 3 * time.Second // then the API is left alone for this long, and asked once
	backoff    = 50 * time.Millisecond
	maxBudget  = 10 // retries that can be saved up
	perRetry   = 5  // requests earn one

	longestFair = time.Second
)

// fairTime is how long an API must have been given before a call that its
// caller's deadline cut counts as one that it did not answer: half of the
// source's timeout, a second at most. A caller who comes with less says nothing
// about the API.
func fairTime(timeout time.Duration) time.Duration { return min(timeout/2, longestFair) }

// account is one place where an API is: a source and a base URL. Each has its
// own bulkhead and its own memory of failures, so that one that is dead takes
// nothing from the others.
type account struct {
	client  *http.Client
	fair    time.Duration // see fairTime
	gate    *admit.Gate   // the bulkhead: tenants take turns
	breaker *gobreaker.TwoStepCircuitBreaker[reply]
	budget  budget
	flights flights
	kept    *kept
	meter   *meter
}

func newAccount(client *http.Client, gate *admit.Gate, fair time.Duration, kept *kept, m *meter) *account {
	a := &account{client: client, gate: gate, fair: fair, budget: budget{saved: perRetry}, kept: kept, meter: m}
	a.breaker = gobreaker.NewTwoStepCircuitBreaker[reply](gobreaker.Settings{
		Timeout:       pauseFor,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakAfter },
		OnStateChange: func(_ string, from, to gobreaker.State) { m.state(from, to) },
	})
	return a
}

// retire ends what others count of the account, which is forgotten.
func (a *account) retire() {
	if a.breaker.State() != gobreaker.StateClosed {
		a.meter.paused.Dec()
	}
}

// do makes a tenant's call. One that is idempotent is shared with equal ones,
// repeated once when that may help, and answered by an older reply if the
// source allows that and nothing else is left.
func (a *account) do(ctx context.Context, tenant string, c call) (reply, error) {
	a.meter.requests.Inc()
	if !c.idempotent {
		return a.attempt(ctx, tenant, nil, c)
	}
	key := c.key()
	r, shared, err := a.flights.do(ctx, tenant, key, func(ctx context.Context, f *flight) (reply, error) {
		seen := a.kept.seen()
		r, err := a.attempts(ctx, tenant, f, c)
		if err == nil {
			a.kept.keep(key, r, seen)
		}
		return r, err
	})
	if shared {
		a.meter.coalesced.Inc()
	}
	if err != nil && excuses(ctx, err) {
		if old, ok := a.kept.find(key); ok {
			a.meter.stale.Inc()
			return old, nil
		}
	}
	return r, err
}

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
	second, failed := a.attempt(ctx, tenant, f, c)
	if notAdmitted(failed) { // the API has not been asked: what it did before stands
		a.budget.refund()
		return r, err
	}
	a.meter.retries.Inc()
	return second, failed
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

// errPaused is the answer of an account whose API failed again and again.
var errPaused = errors.New("the API failed several times in a row and is left alone for a while")

// errInLine is the answer of an account to a call whose time was over before it
// was its tenant's turn.
var errInLine = errors.New("too many calls are under way")

// notAdmitted tells the failures of calls that were not made, because it was
// not their tenant's turn. They say nothing about the API.
func notAdmitted(err error) bool {
	refused := (*fault.Error)(nil)
	return errors.Is(err, errInLine) || errors.As(err, &refused)
}

// attempt makes a call once, when it is its tenant's turn. Its slot is free again
// when its reply was read. What waits for one holds nothing else: no permit of
// the breaker, no connection, no other slot.
func (a *account) attempt(ctx context.Context, tenant string, f *flight, c call) (reply, error) {
	if a.breaker.State() == gobreaker.StateOpen {
		a.meter.failed(errPaused)
		return reply{}, errPaused
	}
	slot, err := a.gate.Enter(ctx, tenant)
	switch {
	case err != nil && ctx.Err() != nil:
		return reply{}, fmt.Errorf("%w: %w", errInLine, ctx.Err())
	case err != nil:
		return reply{}, err
	}
	f.begin()
	r, err := a.admitted(ctx, c)
	if err != nil || r.rest == nil {
		slot.Leave()
		return r, err
	}
	return r.onClose(sync.OnceFunc(slot.Leave)), nil
}

// admitted makes a call that has its place.
func (a *account) admitted(ctx context.Context, c call) (reply, error) {
	report, err := a.breaker.Allow()
	if err != nil {
		a.meter.failed(errPaused)
		return reply{}, errPaused
	}
	end, began := a.meter.begin(), time.Now()
	r, err := send(ctx, a.client, c)
	end()
	if err != nil {
		a.meter.failed(err)
	}
	switch {
	case alive(err):
		report(true)
	case ctx.Err() == nil || overdue(ctx) && time.Since(began) >= a.fair:
		report(false)
	case a.breaker.State() == gobreaker.StateHalfOpen:
		report(false) // who asked has gone before the API could show that it is back
	}
	return r, err
}

// overdue tells whether a deadline ended the context, not somebody who left.
func overdue(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

// alive tells whether a call's outcome shows that the API is there. What it
// makes of one question, even a 500, says nothing about others.
func alive(err error) bool {
	var status *statusError
	var content contentError
	switch {
	case errors.As(err, &status):
		return !status.busy() || status.code == http.StatusTooManyRequests
	case errors.As(err, &content):
		return true
	}
	return err == nil
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

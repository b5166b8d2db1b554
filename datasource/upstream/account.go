package upstream

import (
	"context"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"

	"usher/admit"
)

// account is one place where an API is: a source and a base URL. Each has its
// own bulkhead and its own memory of failures, so that one that is dead takes
// nothing from the others.
type account struct {
	client  *http.Client
	fair    time.Duration // see fairTime
	gate    *admit.Gate   // the bulkhead: tenants take turns
	breaker *gobreaker.TwoStepCircuitBreaker[reply]
	budget  budget
	flights singleFlight
	kept    *kept
	meter   *meter
	spent   func(tenant string, took time.Duration)
}

func newAccount(client *http.Client, gate *admit.Gate, fair time.Duration, kept *kept, m *meter, spent func(string, time.Duration)) *account {
	return &account{client: client, gate: gate, fair: fair, breaker: newBreaker(m), budget: budget{saved: perRetry}, kept: kept, meter: m, spent: spent}
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
	if c.repeatable {
		return a.attempts(ctx, tenant, nil, c)
	}
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

package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"usher/fault"
	"usher/quota"
)

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
	began := time.Now()
	r, err := a.admitted(ctx, c)
	a.took(ctx, tenant, time.Since(began))
	if err != nil || r.rest == nil {
		slot.Leave()
		return r, err
	}
	return r.onClose(sync.OnceFunc(slot.Leave)), nil
}

// took counts how long the API was at work: of calls that are shared for who made them.
// It ends with the part of a reply that is held, for who reads the rest takes their time.
func (a *account) took(ctx context.Context, tenant string, took time.Duration) {
	quota.From(ctx).Spend(took, 0, 0)
	a.spent(tenant, took)
}

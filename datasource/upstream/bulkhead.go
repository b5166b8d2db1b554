package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sony/gobreaker/v2"

	"usher/fault"
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
	r, err := a.admitted(ctx, c)
	if err != nil || r.rest == nil {
		slot.Leave()
		return r, err
	}
	return r.onClose(sync.OnceFunc(slot.Leave)), nil
}

package datasource

import (
	"context"

	"usher/admit"
)

// admitted asks when it is the tenant's turn.
type admitted struct {
	next
	gate  *admit.Gate
	short *admit.Gate // for statements that share connections, of which more are at work; nil: there are none
}

func (a *admitted) ask(ctx context.Context, q *Question) (Answered, error) {
	gate := a.gate
	if a.short != nil && q.stream == nil && q.statement.Short() {
		gate = a.short
	}
	slot, err := gate.Enter(ctx, q.tenant)
	if err != nil {
		return Answered{}, err
	}
	defer slot.Leave()
	return a.next.ask(ctx, q)
}

package datasource

import (
	"context"

	"usher/datasource/admit"
)

// admitted asks when it is the tenant's turn.
type admitted struct {
	next
	gate *admit.Gate
}

func (a *admitted) ask(ctx context.Context, q *Question) (Answered, error) {
	slot, err := a.gate.Enter(ctx, q.tenant)
	if err != nil {
		return Answered{}, err
	}
	defer slot.Leave()
	return a.next.ask(ctx, q)
}

package resolvers

import (
	"context"
	"math"
	"time"

	"usher/fault"
	"usher/graph"
	"usher/principal"
)

// What is 0 within, nobody says: who names a limit means one.

func weightOf(weight *int) (int, error) {
	if weight != nil && *weight < 1 {
		return 0, fault.New(fault.BadUserInput, "a weight is from 1 to %d", principal.MostWeight).WithHint("Leave it out, if it shall be as the configuration says; to keep a tenant out, suspend it.")
	}
	return given(weight), nil
}

func limitsOf(in *graph.MinuteLimitsInput) (principal.Budget, error) {
	if in == nil {
		return principal.Budget{}, nil
	}
	for _, n := range []*int64{in.Requests, in.DatabaseMilliseconds, in.Rows, in.Bytes} {
		if n != nil && *n < 1 {
			return principal.Budget{}, fault.New(fault.BadUserInput, "a limit is at least 1").WithHint("Leave it out, if nothing shall be said of it.")
		}
	}
	milliseconds := min(given(in.DatabaseMilliseconds), math.MaxInt64/int64(time.Millisecond)) // what is too much is refused as such
	return principal.Budget{Requests: given(in.Requests), DatabaseTime: time.Duration(milliseconds) * time.Millisecond, Rows: given(in.Rows), Bytes: given(in.Bytes)}, nil
}

func describeLimits(b principal.Budget) *graph.MinuteLimits {
	said := func(n int64) *int64 {
		if n == 0 {
			return nil
		}
		return &n
	}
	return &graph.MinuteLimits{Requests: said(b.Requests), DatabaseMilliseconds: said(b.DatabaseTime.Milliseconds()), Rows: said(b.Rows), Bytes: said(b.Bytes)}
}

// usualShare is what the configuration says of a tenant that a record says nothing of.
func usualShare(ctx context.Context, tenant string) (*graph.TenantShare, error) {
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	share := cat.Share(tenant, principal.Share{})
	return &graph.TenantShare{Weight: share.Weight, Limits: describeLimits(share.Limits)}, nil
}

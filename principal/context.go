package principal

import (
	"context"

	"usher/fault"
)

type key struct{}

// With returns a context that carries the principal.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, key{}, p)
}

// From returns the context's principal. A context without one, or with one
// that has neither a tenant nor the right to all, is an error.
func From(ctx context.Context) (Principal, error) {
	p, ok := ctx.Value(key{}).(Principal)
	if !ok || (p.Tenant == "") != p.AllTenants {
		return Principal{}, fault.New(fault.Unauthenticated, "no valid token was shown")
	}
	return p, nil
}

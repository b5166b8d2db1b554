package principal

import (
	"context"

	"usher/fault"
)

type (
	key       struct{}
	anonymous struct{}
)

// With returns a context that carries the principal.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, key{}, p)
}

// WithAnonymous returns a context of somebody who has shown no token. From
// refuses it like any other without a principal.
func WithAnonymous(ctx context.Context) context.Context {
	return context.WithValue(ctx, anonymous{}, true)
}

// IsAnonymous tells whether a context is that of somebody who has shown no
// token, and not of a principal.
func IsAnonymous(ctx context.Context) bool {
	_, known := ctx.Value(key{}).(Principal)
	return !known && ctx.Value(anonymous{}) != nil
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

// Package client carries the address a request comes from in a context, so
// that who counts failures of a login need not know HTTP. It refuses nothing:
// without an address there is none to count by.
package client

import (
	"context"
	"net"
)

type key struct{}

// With returns a context that carries the address of a connection's other
// end, as net/http writes it: with a port, which is left out.
func With(ctx context.Context, remote string) context.Context {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	return context.WithValue(ctx, key{}, remote)
}

// From returns the context's address; empty: it has none.
func From(ctx context.Context) string {
	address, _ := ctx.Value(key{}).(string)
	return address
}

// Package client says which address a request comes from and carries it in a
// context, so that who counts failures of a login need not know HTTP. A header
// that names an address counts only from a proxy that is trusted: it refuses to
// believe anybody else. Without an address there is none to count by.
package client

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/realclientip/realclientip-go"
)

// Proxies are whose X-Forwarded-For is believed. The zero value is nobody's.
type Proxies struct {
	trusted   []netip.Prefix
	forwarded realclientip.Strategy
}

// Trust makes proxies of networks, which must be valid.
func Trust(networks []netip.Prefix) (Proxies, error) {
	if len(networks) == 0 {
		return Proxies{}, nil
	}
	var texts []string
	for _, n := range networks {
		texts = append(texts, n.String())
	}
	ranges, err := realclientip.AddressesAndRangesToIPNets(texts...)
	if err != nil {
		return Proxies{}, err
	}
	forwarded, err := realclientip.NewRightmostTrustedRangeStrategy("X-Forwarded-For", ranges)
	return Proxies{trusted: networks, forwarded: forwarded}, err
}

// address is where a request comes from: the connection's other end or, when
// that is a trusted proxy, the last address in front of all trusted ones. A
// proxy that forwards nothing of the kind is the client itself.
func (p Proxies) address(remote string, header http.Header) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	if !p.trusts(remote) {
		return remote
	}
	if found := p.forwarded.ClientIP(header, remote); found != "" {
		return found
	}
	return remote
}

func (p Proxies) trusts(remote string) bool {
	ip, err := netip.ParseAddr(remote)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	for _, n := range p.trusted {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

type key struct{}

// origin is a request's way here. Its address is looked for when somebody asks.
type origin struct {
	proxies Proxies
	remote  string
	header  http.Header
}

// With returns a context that carries where a request comes from.
func With(ctx context.Context, r *http.Request, p Proxies) context.Context {
	return context.WithValue(ctx, key{}, &origin{p, r.RemoteAddr, r.Header})
}

// From returns the context's address, without a port; empty: it has none.
func From(ctx context.Context) string {
	o, ok := ctx.Value(key{}).(*origin)
	if !ok {
		return ""
	}
	return o.proxies.address(o.remote, o.header)
}

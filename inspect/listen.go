package inspect

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"usher/config"
)

// elsewhere are notes of addresses to listen at that this machine does not have: it may be another one that serves. Of
// names, and of ports, nothing is said: they mean something else wherever they are asked.
func elsewhere(ctx context.Context, s config.Server) (notes []string) {
	for _, at := range []struct{ key, address string }{{"listen", s.Listen}, {"admin_listen", s.AdminListen}} {
		host, _, _ := net.SplitHostPort(at.address) // what is no address was refused, or is to be nowhere
		if ip, err := netip.ParseAddr(host); err != nil || ip.IsUnspecified() {
			continue
		}
		if err := listens(ctx, host); err != nil {
			notes = append(notes, fmt.Sprintf("server.%s: this machine does not listen at %s, so `usher serve` would end here%s%v", at.key, host, Cause, err))
		}
	}
	return notes
}

// listens tries an address at whatever port is free.
func listens(ctx context.Context, host string) error {
	tried, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	return tried.Close()
}

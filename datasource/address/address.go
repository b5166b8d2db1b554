// Package address owns which network addresses may be dialed on somebody
// else's word: those of the public Internet. It judges addresses, never names,
// at the moment one is dialed, so that no spelling of a host and no second
// answer of a name server gets around it.
package address

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// closed lists what is not the public Internet beyond what netip knows itself:
// special-purpose blocks of the IANA registries, and two cloud providers'
// metadata services that have ordinary addresses.
var closed = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // shared by carriers; holds a metadata service
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("192.0.0.0/24"), // holds a metadata service
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), // Teredo and other tunnels that embed IPv4
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4 embeds IPv4
	netip.MustParsePrefix("3fff::/20"),
}

var (
	unicast6 = netip.MustParsePrefix("2000::/3")     // all of IPv6 that is routed publicly
	nat64    = netip.MustParsePrefix("64:ff9b::/96") // ends in the IPv4 address that is meant
)

// Public tells whether an address belongs to the public Internet.
func Public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !unicast6.Contains(a) {
		return false
	}
	for _, p := range closed {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// ErrClosed is the error of a dial to an address that is not public.
var ErrClosed = errors.New("the address is refused")

// PublicOnly is a net.Dialer's Control. It sees the address that is about to
// be dialed and refuses every one that is not public.
func PublicOnly(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s %s is no address of the Internet", ErrClosed, network, address)
	}
	if !Public(to.Addr()) {
		return fmt.Errorf("%w: %s is not a public address; a source that may dial it says allow_private: true", ErrClosed, to.Addr())
	}
	return nil
}

package address

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"8.8.8.8":                  true,
		"1.1.1.1":                  true,
		"100.63.255.255":           true,
		"100.128.0.0":              true,
		"172.15.255.255":           true,
		"172.32.0.0":               true,
		"198.17.255.255":           true,
		"223.255.255.255":          true,
		"2606:4700:4700::1111":     true,
		"2a00:1450:4001::1":        true,
		"::ffff:8.8.8.8":           true,
		"64:ff9b::808:808":         true,
		"0.0.0.0":                  false,
		"0.1.2.3":                  false,
		"10.0.0.1":                 false,
		"100.64.0.1":               false,
		"100.100.100.200":          false,
		"127.0.0.1":                false,
		"127.255.255.254":          false,
		"168.63.129.16":            false,
		"169.254.0.1":              false,
		"169.254.169.254":          false,
		"172.16.0.1":               false,
		"172.31.255.255":           false,
		"192.0.0.192":              false,
		"192.0.2.1":                false,
		"192.88.99.1":              false,
		"192.168.0.1":              false,
		"198.18.0.1":               false,
		"198.51.100.1":             false,
		"203.0.113.1":              false,
		"224.0.0.1":                false,
		"239.255.255.255":          false,
		"240.0.0.1":                false,
		"255.255.255.255":          false,
		"::":                       false,
		"::1":                      false,
		"::127.0.0.1":              false,
		"::ffff:127.0.0.1":         false,
		"::ffff:10.0.0.1":          false,
		"::ffff:169.254.169.254":   false,
		"::ffff:0:127.0.0.1":       false,
		"64:ff9b::7f00:1":          false,
		"64:ff9b::a9fe:a9fe":       false,
		"64:ff9b::a00:1":           false,
		"64:ff9b:1::808:808":       false,
		"100::1":                   false,
		"2001::1":                  false,
		"2001:db8::1":              false,
		"2002:7f00:1::1":           false,
		"2002:a9fe:a9fe::1":        false,
		"3fff::1":                  false,
		"5f00::1":                  false,
		"fc00::1":                  false,
		"fd00:ec2::254":            false,
		"fe80::1":                  false,
		"fe80::1%eth0":             false,
		"2606:4700:4700::1%eth0":   false,
		"fec0::1":                  false,
		"ff02::1":                  false,
		"0:0:0:0:0:ffff:7f00:0001": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %t, want %t", text, got, want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// No spelling of a host leads to a server on loopback.
func TestSpellings(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	dialer := net.Dialer{Timeout: 2 * time.Second}
	reachable, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	_ = reachable.Close()
	dialer.Control = PublicOnly
	for _, host := range []string{
		"127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
		"localhost", "LOCALHOST", "localhost.", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:0:0:1", "64:ff9b::7f00:1", "fe80::1%lo", "",
	} {
		conn, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = conn.Close()
			t.Errorf("%q was dialed", host)
		}
	}
}

func TestPublicOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		network, address string
		ok               bool
	}{
		{"tcp4", "8.8.8.8:443", true},
		{"tcp6", "[2606:4700:4700::1111]:443", true},
		{"tcp4", "127.0.0.1:443", false},
		{"udp4", "8.8.8.8:443", false},
		{"unix", "/var/run/docker.sock", false},
		{"tcp4", "localhost:443", false},
	} {
		if err := PublicOnly(c.network, c.address, nil); (err == nil) != c.ok {
			t.Errorf("%s %s: %v", c.network, c.address, err)
		}
	}
}

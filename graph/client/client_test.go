package client_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"usher/graph/client"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	if got := client.From(t.Context()); got != "" {
		t.Errorf("from nowhere: %q", got)
	}
	for _, line := range []struct {
		remote    string
		forwarded []string
		want      string // behind trusted proxies; without, it is always the remote one
	}{
		{"192.0.2.7:4711", nil, "192.0.2.7"},
		{"[2001:db8::7]:4711", nil, "2001:db8::7"},
		{"pipe", nil, "pipe"},
		// A stranger's header is not believed.
		{"192.0.2.7:4711", []string{"198.51.100.1"}, "192.0.2.7"},
		{"pipe", []string{"198.51.100.1"}, "pipe"},
		// A proxy's is, from the right, and no further than the first stranger.
		{"10.0.0.1:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"10.9.9.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"[2001:db8:a::1]:80", []string{"2001:db8:b::1"}, "2001:db8:b::1"},
		{"[::ffff:10.0.0.1]:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[2001:db8:a::1%eth0]:80", []string{"198.51.100.1"}, "198.51.100.1"},
		// With a port, mapped, in a zone.
		{"10.0.0.1:80", []string{"198.51.100.1:1234"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"[2001:db8:b::1]:1234"}, "2001:db8:b::1"},
		{"10.0.0.1:80", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"::ffff:10.0.0.5, 10.0.0.2"}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"fe80::1%eth0"}, "fe80::1%eth0"},
		// What cannot be read, or names proxies only, is the proxy's own.
		{"10.0.0.1:80", nil, "10.0.0.1"},
		{"10.0.0.1:80", []string{""}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1, 300.1.1.1"}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1,"}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"0.0.0.0"}, "10.0.0.1"},
	} {
		proxies, err := client.Trust([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:a::/48")})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", nil)
		r.RemoteAddr = line.remote
		for _, f := range line.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		r.Header.Set("X-Real-IP", "203.0.113.200")
		if got := client.From(client.With(t.Context(), r, proxies)); got != line.want {
			t.Errorf("%s forwards %q: %q, want %q", line.remote, line.forwarded, got, line.want)
		}
		direct := *r
		direct.Header = http.Header{}
		want := client.From(client.With(t.Context(), &direct, client.Proxies{}))
		if got := client.From(client.With(t.Context(), r, client.Proxies{})); got != want {
			t.Errorf("%s forwards %q to a gateway that trusts nobody: %q, want %q", line.remote, line.forwarded, got, want)
		}
	}
}

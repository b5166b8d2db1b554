package client_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"usher/graph/client"
)

func TestPrefix(t *testing.T) {
	t.Parallel()
	proxies, err := client.Trust([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []struct {
		remote string
		header []string
		want   string
	}{
		{"10.0.0.1:80", nil, ""},
		{"10.0.0.1:80", []string{"/usher"}, "/usher"},
		{"10.0.0.1:80", []string{"/usher/"}, "/usher"},
		{"10.0.0.1:80", []string{"/a/b-c_d.e~f"}, "/a/b-c_d.e~f"},
		{"10.0.0.1:80", []string{"/outer, /inner/"}, "/outer/inner"},
		{"10.0.0.1:80", []string{"/outer", "/inner"}, "/outer/inner"},
		{"10.0.0.1:80", []string{"/"}, ""},
		{"10.0.0.1:80", []string{""}, ""},
		// Nobody else's word counts.
		{"192.0.2.7:80", []string{"/usher"}, ""},
		{"pipe", []string{"/usher"}, ""},
		// What is no path, or leads elsewhere.
		{"10.0.0.1:80", []string{"usher"}, ""},
		{"10.0.0.1:80", []string{"//evil.example"}, ""},
		{"10.0.0.1:80", []string{"/usher//evil.example"}, ""},
		{"10.0.0.1:80", []string{"/..", "/usher"}, ""},
		{"10.0.0.1:80", []string{"/a/./b"}, ""},
		{"10.0.0.1:80", []string{"https://evil.example"}, ""},
		{"10.0.0.1:80", []string{`/\evil.example`}, ""},
		{"10.0.0.1:80", []string{"/a b"}, ""},
		{"10.0.0.1:80", []string{"/a%2fb"}, ""},
		{"10.0.0.1:80", []string{"/a?b"}, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = line.remote
		if line.header != nil {
			r.Header["X-Forwarded-Prefix"] = line.header
		}
		if got := proxies.Prefix(r); got != line.want {
			t.Errorf("from %s with %q: %q, want %q", line.remote, line.header, got, line.want)
		}
		if got := (client.Proxies{}).Prefix(r); got != "" {
			t.Errorf("without proxies, %q: %q", line.header, got)
		}
	}
}

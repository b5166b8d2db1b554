package gateway

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"usher/graph/client"
)

// What is asked, what is seen of it inside, and where the root leads to.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	proxies, err := client.Trust([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []struct{ configured, forwarded, path, inside, location string }{
		{"", "", "/", "/", "console"},
		{"", "", "/graphql", "/graphql", ""},
		{"", "", "/usher/graphql", "/usher/graphql", ""},
		{"", "/usher", "/", "/", "/usher/console"},
		{"", "/usher", "/graphql", "/graphql", ""},
		{"", "/usher", "/usher/graphql", "/graphql", ""},
		{"", "/usher", "/usher", "/", "/usher/console"},
		{"", "/usher", "/usher/", "/", "/usher/console"},
		{"", "/usher", "/ushers/graphql", "/ushers/graphql", ""},
		{"", "//evil.example", "/", "/", "console"},
		{"/usher", "", "/", "/", "console"},
		{"/usher", "", "/usher", "/", "/usher/console"},
		{"/usher", "", "/usher/graphql", "/graphql", ""},
		{"/usher", "", "/graphql", "/graphql", ""},
		{"/usher", "", "/usher/usher/graphql", "/usher/graphql", ""},
		{"/usher", "/outer", "/usher/graphql", "/graphql", ""},
		{"/usher", "/outer", "/outer/graphql", "/graphql", ""},
		{"/usher", "", "/usher//evil.example", "//evil.example", ""},
	} {
		var inside string
		h := prefixed(line.configured, proxies, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if inside = r.URL.Path; inside == "/" {
				leads("", "console").ServeHTTP(w, r)
			}
		}))
		r := httptest.NewRequest(http.MethodGet, "http://usher.example"+line.path, nil)
		r.RemoteAddr = "192.0.2.1:1234"
		r.Header.Set("X-Forwarded-Prefix", line.forwarded)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if inside != line.inside || w.Header().Get("Location") != line.location || r.URL.Path != line.path {
			t.Errorf("%+v: %q inside, to %q", line, inside, w.Header().Get("Location"))
		}
	}
}

package gateway

import (
	"context"
	"net/http"
	"strings"

	"usher/graph/client"
)

// prefixed has next answer below a path as well: the one of the configuration,
// and the one that a trusted proxy names, whether the proxy has taken it away or
// not. Next sees paths without it.
func prefixed(configured string, proxies client.Proxies, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		public := proxies.Prefix(r)
		for _, prefix := range []string{public, configured} {
			if rest, below := strings.CutPrefix(r.URL.Path, prefix); prefix != "" && below && (rest == "" || rest[0] == '/') {
				public = prefix
				r = withPath(r, "/"+strings.TrimPrefix(rest, "/"))
				break
			}
		}
		if public != "" {
			r = r.WithContext(context.WithValue(r.Context(), publicKey{}, public))
		}
		next.ServeHTTP(w, r)
	})
}

// withPath is a request for another path.
func withPath(r *http.Request, path string) *http.Request {
	c, u := *r, *r.URL
	u.Path, u.RawPath = path, ""
	c.URL = &u
	return &c
}

type publicKey struct{}

// leads sends to a page. Without knowing below which path browsers see the root,
// it can only say where that is from here: back steps behind the page.
func leads(back, page string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := back + page
		if public, known := r.Context().Value(publicKey{}).(string); known {
			to = public + "/" + page
		}
		w.Header().Set("Location", to)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusFound)
	})
}

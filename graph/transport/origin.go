package transport

import (
	"net/http"
	"slices"
)

// crossOrigin lets pages of the allowed origins read the answers of next, and
// answers OPTIONS itself: browsers ask that without a token. No answer allows
// credentials, since tokens travel in a header that pages set themselves.
func crossOrigin(allowed []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Vary", "Authorization, Accept")
		if len(allowed) > 0 {
			header.Add("Vary", "Origin")
		}
		origin := r.Header.Get("Origin")
		granted := origin != "" && (slices.Contains(allowed, origin) || slices.Contains(allowed, "*"))
		if granted {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
		}
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Allow", allowedMethods)
		if granted && r.Header.Get("Access-Control-Request-Method") != "" {
			header.Set("Access-Control-Allow-Methods", "GET, POST")
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id")
			header.Set("Access-Control-Max-Age", "7200")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

package transport

import (
	"net/http"
	"slices"
)

// varies are the headers of a request that its answer depends on.
var varies = []string{"Authorization, Accept, Accept-Encoding"}

// requestHeaders are those that pages of other origins may send besides the ones
// that browsers let through: what GraphQL clients identify themselves and their
// operations with, and what traces are carried in. Only the first four mean
// something to usher.
const requestHeaders = "Authorization, Content-Type, X-Request-Id, " +
	"Idempotency-Key, Apollo-Require-Preflight, X-Apollo-Operation-Name, X-Apollo-Operation-Id, X-Apollo-Operation-Type, " +
	"Apollographql-Client-Name, Apollographql-Client-Version, GraphQL-Require-Preflight, " +
	"Traceparent, Tracestate, Baggage, Sentry-Trace"

// responseHeaders are those that such pages may read.
const responseHeaders = "X-Request-Id, Retry-After, WWW-Authenticate"

// crossOrigin lets pages of the allowed origins read the answers of next, and
// answers OPTIONS itself: browsers ask that without a token. No answer allows
// credentials, since tokens travel in a header that pages set themselves.
func crossOrigin(allowed []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["Vary"] = varies
		if len(allowed) > 0 {
			header.Add("Vary", "Origin")
		}
		origin := r.Header.Get("Origin")
		granted := origin != "" && (slices.Contains(allowed, origin) || slices.Contains(allowed, "*"))
		if granted {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", responseHeaders)
		}
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Allow", allowedMethods)
		if granted && r.Header.Get("Access-Control-Request-Method") != "" {
			header.Set("Access-Control-Allow-Methods", "GET, POST")
			header.Set("Access-Control-Allow-Headers", requestHeaders)
			header.Set("Access-Control-Max-Age", "7200")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

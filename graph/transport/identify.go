package transport

import (
	"net/http"

	"usher/graph/requestid"
)

// Identify gives every request an id: the caller's X-Request-Id if it is well
// formed, else a new one. It stands in the context and in the response header.
// A request that has an id already keeps it.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestid.From(r.Context())
		if id == "" {
			id = r.Header.Get(requestid.Header)
			if !requestid.Accepts(id) {
				id = requestid.Make()
			}
			r = r.WithContext(requestid.With(r.Context(), id))
		}
		w.Header()[requestid.Header] = []string{id}
		next.ServeHTTP(w, r)
	})
}

package console

import "net/http"

const embedEntry = "embed.js"

// Embed serves embed.js, the dashboards and charts for pages of others, and below
// /embed/ the parts of it that are loaded when they are needed. It holds no secret
// and answers everybody: what a page may ask afterwards is said by its token and by
// the origins that are allowed.
func Embed() http.Handler {
	mux := http.NewServeMux()
	for name, a := range assets("dist/embed") {
		a.immutable = name != embedEntry // the others have their hash in their names
		mux.Handle("GET /"+name, a)
	}
	mux.Handle("GET /embed/licenses.txt", single("dist/licenses.txt", "text/plain; charset=utf-8"))
	return foreign(mux)
}

// foreign sets the headers of what pages of other origins may load.
func foreign(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

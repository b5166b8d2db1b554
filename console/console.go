// Package console owns the pages that people open in a browser, and the files
// that pages of others embed. They are built from web/ into dist/ and embedded;
// they load nothing from elsewhere and ask only the server they came from. The
// package refuses to know a secret: a page gets its token from the person in
// front of it, or in a demo from what the demo publishes.
package console

import (
	"bytes"
	"net/http"
	"strings"
)

//go:generate npm --prefix web ci --no-audit --no-fund
//go:generate npm --prefix web run check
//go:generate npm --prefix web run build

// Options say what the pages offer.
type Options struct {
	// Demo returns the sample tokens and queries as JSON:
	//	{"tokens":  [{"name", "tenant", "strategy", "token"}, …],
	//	 "queries": [{"name", "query"}, …], "people": [{"name", "tenant", "username", "password", "does"}, …]}
	// It is called for each request. Nil means that this is no demo, and
	// nothing is offered ({}): whoever reaches the server could read the tokens.
	Demo func() []byte
	// FrameAncestors are the origins whose pages may show the console in a frame.
	FrameAncestors []string
}

// Handler serves the console at /console and below: one page, whatever the
// path, and its parts.
func Handler(options Options) http.Handler {
	mux := http.NewServeMux()
	for name, a := range assets("dist/console") {
		if name != "index.html" {
			mux.Handle("GET /console/"+name, a)
			mux.Handle("GET /console/console/"+name, a) // see stands
		}
	}
	mux.Handle("GET /console/assets/", http.NotFoundHandler())
	mux.Handle("GET /console/console/assets/", http.NotFoundHandler())
	mux.Handle("GET /console/licenses.txt", single("dist/licenses.txt", "text/plain; charset=utf-8"))
	page := pages()
	mux.Handle("GET /console", page)
	mux.Handle("GET /console/", page)
	samples := options.Demo
	if samples == nil {
		samples = func() []byte { return []byte("{}") }
	}
	mux.HandleFunc("GET /console/demo.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(samples())
	})
	return guarded(policy(options.FrameAncestors), len(options.FrameAncestors) > 0, mux)
}

// pages serves the one page, which is told how far above it /console is. So it
// works below any path that a proxy publishes it at, and nobody need name it.
func pages() http.Handler {
	const placeholder = `<base href="./">`
	text, err := dist.ReadFile("dist/console/index.html")
	if err != nil || !bytes.Contains(text, []byte(placeholder)) {
		panic("console: dist has no page: run go generate ./console")
	}
	bases := make(map[string]*asset)
	for depth := range maxDepth {
		base := stands(depth)
		page := bytes.Replace(text, []byte(placeholder), []byte(`<base href="`+base+`">`), 1)
		bases[base] = newAsset(func() []byte { return page }, "text/html; charset=utf-8", false)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		depth := strings.Count(r.URL.EscapedPath(), "/") - 1 // as the browser counts it: what is escaped is no step
		if depth >= maxDepth {
			http.NotFound(w, r)
			return
		}
		if r.URL.Path == "/console/" {
			depth = 0
		}
		bases[stands(depth)].ServeHTTP(w, r)
	})
}

// maxDepth is more than any page of the console has.
const maxDepth = 8

// stands is where /console/ is, for a page with so many slashes after /console. A
// proxy may add a slash behind /console alone; then the page cannot know whether
// its browser sees it, so it is told the same in both cases, and its parts are
// served one step deeper as well.
func stands(depth int) string {
	switch depth {
	case 0:
		return "console/"
	case 1:
		return "./"
	default:
		return strings.Repeat("../", depth-1)
	}
}

// policy lets a page run its own script only, and ask its own server only. The
// hash is of the one style that react-aria puts into the page.
func policy(ancestors []string) string {
	frames := "'none'"
	if len(ancestors) > 0 {
		frames = strings.Join(ancestors, " ")
	}
	return "default-src 'none'; script-src 'self'; " +
		"style-src 'self' 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='; " +
		"font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors " + frames
}

// guarded sets the headers that confine a page, errors included.
func guarded(policy string, framed bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		if !framed {
			header.Set("X-Frame-Options", "DENY")
		}
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

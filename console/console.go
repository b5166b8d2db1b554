// Package console owns the pages that people open in a browser: the playground,
// a GraphiQL that knows about tokens and keeps all digits of numbers. The pages
// are built from web/ into dist/ and embedded; they load nothing from elsewhere
// and ask only the server they came from. The package refuses to know a secret:
// a page gets its token from the person in front of it, or in a demo from what
// the demo publishes.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"

	"github.com/klauspost/compress/gzhttp"
)

//go:generate npm --prefix web ci --no-audit --no-fund
//go:generate npm --prefix web run build

//go:embed dist
var dist embed.FS

// contentSecurityPolicy lets a page run its own script only, and ask its own
// server only. The hash is of the one style that GraphiQL's dialogs and menus
// put into the page while they are open, to keep it from scrolling.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; " +
	"style-src 'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Options say what the pages offer.
type Options struct {
	// Demo returns the sample tokens and queries as JSON:
	//	{"tokens":  [{"name", "tenant", "strategy", "token"}, …],
	//	 "queries": [{"name", "query"}, …]}
	// It is called for each request. Nil means that this is no demo, and
	// nothing is offered: whoever reaches the server could read the tokens.
	Demo func() []byte
}

// Handler serves the playground at /playground and what it needs below that. The
// page names everything from where it stands itself, so that it works below any
// path. A proxy may add a slash behind it, and then it stands one step deeper.
func Handler(options Options) http.Handler {
	mux := http.NewServeMux()
	page := file("playground.html", "text/html; charset=utf-8")
	mux.Handle("GET /playground", page)
	mux.Handle("GET /playground/{$}", page)
	script, style := file("playground.js", "text/javascript; charset=utf-8"), file("playground.css", "text/css; charset=utf-8")
	for _, folder := range []string{"/playground", "/playground/playground"} {
		mux.Handle("GET "+folder+"/playground.js", script)
		mux.Handle("GET "+folder+"/playground.css", style)
	}
	mux.Handle("GET /playground/licenses.txt", file("licenses.txt", "text/plain; charset=utf-8"))
	if options.Demo != nil {
		mux.HandleFunc("GET /playground/tokens.json", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(options.Demo())
		})
	}
	return guarded(gzhttp.GzipHandler(mux))
}

// guarded sets the headers that confine a page, errors included.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("X-Frame-Options", "DENY")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// file serves an embedded file. Browsers keep it but ask each time whether it is
// still the same, so a new version of the server is seen at once. The tag is a weak
// one: it is of the file, compressed or not.
func file(name, contentType string) http.Handler {
	content, err := dist.ReadFile(path.Join("dist", name))
	if err != nil {
		panic("console: " + err.Error() + ": run go generate ./console")
	}
	sum := sha256.Sum256(content)
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-cache")
		header.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		header.Set("Content-Type", contentType)
		_, _ = w.Write(content)
	})
}

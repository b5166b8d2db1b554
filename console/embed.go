package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

const (
	embedRoot  = "dist/embed"
	embedEntry = "embed.js"
)

// Embed serves embed.js, the dashboards and charts for pages of others, and below
// /embed/ the parts of it that are loaded when they are needed. It holds no secret
// and answers everybody: what a page may ask afterwards is said by its token and by
// the origins that are allowed.
func Embed() http.Handler {
	mux := http.NewServeMux()
	parts, err := fs.Sub(dist, embedRoot)
	if err != nil {
		panic("console: " + err.Error())
	}
	err = fs.WalkDir(parts, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(parts, name)
		if err != nil {
			return err
		}
		mux.Handle("GET /"+name, newScript(content, name != embedEntry))
		return nil
	})
	if err != nil {
		panic("console: " + err.Error() + ": run go generate ./console")
	}
	mux.Handle("GET /embed/licenses.txt", foreign(file("licenses.txt", "text/plain; charset=utf-8")))
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

// newScript serves a script, compressed once, when somebody first wants that.
func newScript(content []byte, hashed bool) http.HandlerFunc {
	sum := sha256.Sum256(content)
	tag := `W/"` + hex.EncodeToString(sum[:16]) + `"`
	lasting := "no-cache"
	if hashed { // its name changes with it
		lasting = "public, max-age=31536000, immutable"
	}
	compressed := sync.OnceValue(func() []byte { return gzipped(content) })
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", lasting)
		header.Set("ETag", tag)
		header.Set("Vary", "Accept-Encoding")
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		header.Set("Content-Type", "text/javascript; charset=utf-8")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			_, _ = w.Write(content)
			return
		}
		header.Set("Content-Encoding", "gzip")
		_, _ = w.Write(compressed())
	}
}

func gzipped(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic("console: " + err.Error()) // the level is one of the library's
	}
	_, _ = w.Write(content) // into memory
	_ = w.Close()
	return out.Bytes()
}

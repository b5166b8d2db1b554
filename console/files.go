package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

//go:embed dist
var dist embed.FS

// asset is a built file, and what it is when compressed, which is found out
// when the first browser wants it. Until then it is in the program alone: what is read of
// that is a copy, and many gateways never show a page.
type asset struct {
	read        func() []byte
	gzipped     func() []byte
	contentType string
	tag         string
	immutable   bool
	packed      bool // it is compressed already
}

// newAsset is a file of the content that read gives. Immutable is what has its hash in its name.
func newAsset(read func() []byte, contentType string, immutable bool) *asset {
	sum := sha256.Sum256(read())
	return &asset{
		read: read, contentType: contentType, immutable: immutable,
		tag: `W/"` + hex.EncodeToString(sum[:16]) + `"`, // of the file, compressed or not
		gzipped: sync.OnceValue(func() []byte {
			var out bytes.Buffer
			w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
			if err != nil {
				panic("console: " + err.Error()) // the level is a constant
			}
			_, _ = w.Write(read())
			_ = w.Close()
			return out.Bytes()
		}),
	}
}

// assets are the files below a folder, by their paths in it.
func assets(folder string) map[string]*asset {
	found := make(map[string]*asset)
	err := fs.WalkDir(dist, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		short := strings.TrimPrefix(name, folder+"/")
		found[short] = newAsset(built(name), contentType(name), strings.HasPrefix(short, "assets/"))
		found[short].packed = slices.Contains([]string{".woff2", ".tgz"}, path.Ext(name))
		return nil
	})
	if err != nil {
		panic("console: " + err.Error() + ": run go generate ./console")
	}
	return found
}

// built reads a built file.
func built(name string) func() []byte {
	return func() []byte {
		content, err := dist.ReadFile(name)
		if err != nil {
			panic("console: " + err.Error() + ": run go generate ./console")
		}
		return content
	}
}

// single is one file.
func single(name, contentType string) *asset {
	return newAsset(built(name), contentType, false)
}

// contentType says what a built file is, whatever the machine's tables say.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".tgz":
		return "application/gzip"
	case ".svg":
		return "image/svg+xml"
	default:
		return mime.TypeByExtension(path.Ext(name))
	}
}

// ServeHTTP sends the file. What has its hash in its name is kept for good; the
// rest is kept and asked for each time, so a new version of the server is seen at
// once.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("ETag", a.tag)
	header.Set("Vary", "Accept-Encoding")
	header.Set("Cache-Control", "no-cache")
	if a.immutable {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), a.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", a.contentType)
	content := a.read
	if !a.packed && takesGzip(r.Header["Accept-Encoding"]) {
		content = a.gzipped
		header.Set("Content-Encoding", "gzip")
	}
	text := content()
	header.Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text)
}

// takesGzip tells whether the Accept-Encoding headers allow gzip.
func takesGzip(accept []string) bool {
	takes := false
	for element := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, parameter, _ := strings.Cut(element, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "*" {
			continue
		}
		_, weight, weighted := strings.Cut(parameter, "=")
		quality, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		takes = !weighted || err == nil && quality > 0
		if name == "gzip" {
			return takes
		}
	}
	return takes
}

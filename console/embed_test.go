package console_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"usher/console"
)

// What a page loads before its first chart, and with all of them, in bytes.
const (
	beforeCharts = 12 << 10
	withAll      = 250_000
)

func scripts(t *testing.T) []string {
	t.Helper()
	chunks, err := filepath.Glob("dist/embed/embed/*.js")
	if err != nil || len(chunks) == 0 {
		t.Fatalf("no chunks: %v", err)
	}
	paths := []string{"/embed.js"}
	for _, chunk := range chunks {
		paths = append(paths, "/embed/"+path.Base(chunk))
	}
	return paths
}

func asked(h http.Handler, path, encoding, tag string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	r.Header.Set("If-None-Match", tag)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEmbedIsForPagesOfOthers(t *testing.T) {
	t.Parallel()
	h := console.Embed()
	for _, path := range scripts(t) {
		response := asked(h, path, "br", "")
		lasting := "public, max-age=31536000, immutable"
		if path == "/embed.js" {
			lasting = "no-cache"
		}
		for name, want := range map[string]string{
			"Content-Type":                 "text/javascript; charset=utf-8",
			"Access-Control-Allow-Origin":  "*",
			"Cross-Origin-Resource-Policy": "cross-origin",
			"X-Content-Type-Options":       "nosniff",
			"Cache-Control":                lasting,
			"Vary":                         "Accept-Encoding",
			"Content-Encoding":             "",
		} {
			if got := response.Header().Get(name); response.Code != http.StatusOK || got != want {
				t.Errorf("%s: %d, %s is %q, not %q", path, response.Code, name, got, want)
			}
		}
		if again := asked(h, path, "gzip", response.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s is sent again: %d", path, again.Code)
		}
		if hashed := regexp.MustCompile(`-[A-Z0-9]{8}\.js$`).MatchString(path); hashed == (path == "/embed.js") {
			t.Errorf("%s: only names with a hash are kept for good", path)
		}
	}
	if licenses := asked(h, "/embed/licenses.txt", "", ""); licenses.Code != http.StatusOK || !strings.Contains(licenses.Body.String(), "echarts") {
		t.Errorf("the licenses of what is inside: %d", licenses.Code)
	}
	for _, path := range []string{"/embed", "/embed/", "/embed/none.js", "/embed/../source.sha256", "/source.sha256"} {
		if response := asked(h, path, "", ""); response.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

func TestEmbedStaysSmall(t *testing.T) {
	t.Parallel()
	h := console.Embed()
	sizes := make(map[string]int)
	all := 0
	for _, path := range scripts(t) {
		sizes[path] = asked(h, path, "gzip", "").Body.Len()
		all += sizes[path]
	}
	// What is imported as text, with what that imports, is there before anything runs.
	first, needed := 0, []string{"/embed.js"}
	for i := 0; i < len(needed); i++ {
		file := needed[i]
		text, err := os.ReadFile("dist/embed" + file) //nolint:gosec // what was built
		if err != nil {
			t.Fatal(err)
		}
		first += sizes[file]
		for _, imported := range regexp.MustCompile(`(?:from|import)"([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
			if file := path.Join(path.Dir(file), imported[1]); !slices.Contains(needed, file) {
				if sizes[file] == 0 {
					t.Errorf("%s is not served", file)
				}
				needed = append(needed, file)
			}
		}
	}
	t.Logf("%d bytes before the first chart, %d with all", first, all)
	if first > beforeCharts || all > withAll {
		t.Errorf("%d bytes before the first chart, %d with all: more than %d and %d", first, all, beforeCharts, withAll)
	}
}

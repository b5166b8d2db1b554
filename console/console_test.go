package console_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"usher/console"
	"usher/test/noderun"
)

const demo = `{
  "tokens": [
    {"name": "alice", "tenant": "acme", "strategy": "shared", "token": "token-of-alice"},
    {"name": "bob", "tenant": "bolt", "strategy": "database", "token": "token-of-bob"}
  ],
  "queries": [
    {"name": "Revenue by region", "query": "query Revenue {\n  revenue\n}\n"},
    {"name": "Echo", "query": "query Echo($exact: Decimal) {\n  echo(value: $exact)\n}\n"}
  ]
}`

// server serves the console and answers its queries with a canned schema and
// numbers that a browser would round.
type server struct {
	mu     sync.Mutex
	bodies []string // of the queries that are no introspection
	tokens []string
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/graphql-response+json")
	if r.Header.Get("Authorization") == "Bearer ended" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors":[{"message":"no valid token was shown: it has ended"}]}`)
		return
	}
	if strings.Contains(string(body), "__schema") {
		http.ServeFile(w, r, filepath.Join("testdata", "introspection.json"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, string(body))
	s.tokens = append(s.tokens, r.Header.Get("Authorization"))
	_, _ = io.WriteString(w, `{"data":{"revenue":9007199254740993,"average":12.50,"zero":-0.0,"count":42}}`)
}

func start(t *testing.T, options console.Options) (*server, string) {
	t.Helper()
	s := &server{}
	mux := http.NewServeMux()
	pages := console.Handler(options)
	mux.Handle("/playground", pages)
	mux.Handle("/playground/", pages)
	mux.HandleFunc("POST /graphql", s.answer)
	listening := httptest.NewServer(mux)
	t.Cleanup(listening.Close)
	return s, listening.URL
}

func demoOptions() console.Options {
	return console.Options{Demo: func() []byte { return []byte(demo) }}
}

func TestPlaygroundInABrowser(t *testing.T) {
	t.Parallel()
	s, url := start(t, demoOptions())
	noderun.Run(t, "playground.mjs", url+"/playground",
		"--token", "bob", "--sample", "Echo", "--variables", `{"exact": 12345678901234567890.10}`,
		"--expect", `"revenue": 9007199254740993,`, "--expect", `"average": 12.50,`,
		"--expect", `"zero": -0.0,`, "--expect", `"count": 42`,
		"--screenshot", filepath.Join(t.ArtifactDir(), "playground.png"))

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bodies) != 1 || s.tokens[0] != "Bearer token-of-bob" {
		t.Fatalf("queries %q with %q", s.bodies, s.tokens)
	}
	if !strings.Contains(s.bodies[0], `"variables":{"exact":12345678901234567890.10}`) {
		t.Errorf("the variable lost digits: %s", s.bodies[0])
	}
	var sent struct{ Query, OperationName string }
	if err := json.Unmarshal([]byte(s.bodies[0]), &sent); err != nil || sent.OperationName != "Echo" {
		t.Errorf("sent %+v, %v", sent, err)
	}
}

func TestPlaygroundWithoutDemo(t *testing.T) {
	t.Parallel()
	s, url := start(t, console.Options{})
	noderun.Run(t, "playground.mjs", url+"/playground", "--dark", "--paste", " pasted-token ",
		"--query", "{ revenue }", "--expect", "9007199254740993",
		"--screenshot", filepath.Join(t.ArtifactDir(), "playground-dark.png"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.tokens, []string{"Bearer pasted-token"}) {
		t.Errorf("the page sent %q", s.tokens)
	}
}

// Wherever a proxy publishes the page, with the slash that some add or without.
func TestPlaygroundBelowAPath(t *testing.T) {
	t.Parallel()
	for published, add := range map[string]string{"/data/usher/playground": "", "/usher/playground": "/"} {
		t.Run(published, func(t *testing.T) {
			t.Parallel()
			s, url := start(t, demoOptions())
			prefix := strings.TrimSuffix(strings.TrimSuffix(published, "/"), "/playground")
			target, err := neturl.Parse(url)
			if err != nil {
				t.Fatal(err)
			}
			forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				if r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, prefix); r.Out.URL.Path == "/playground" {
					r.Out.URL.Path += add
				}
			}}
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, prefix) {
					http.Error(w, "another application's", http.StatusTeapot)
					return
				}
				forward.ServeHTTP(w, r)
			}))
			defer proxy.Close()
			noderun.Run(t, "playground.mjs", proxy.URL+published, "--sample", "Revenue", "--expect", "9007199254740993")
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.tokens) != 1 || s.tokens[0] != "Bearer token-of-alice" {
				t.Errorf("asked with %q", s.tokens)
			}
		})
	}
}

// Whoever comes to a plain server is told what to do, and so is who has a token
// that does not do.
func TestAdvice(t *testing.T) {
	t.Parallel()
	_, url := start(t, console.Options{})
	noderun.Run(t, "playground.mjs", url+"/playground", "--query", "{ revenue }", "--expect", "revenue", "--advice", "usher token create",
		"--screenshot", filepath.Join(t.ArtifactDir(), "playground-plain.png"))
	noderun.Run(t, "playground.mjs", url+"/playground", "--paste", "ended", "--query", "{ revenue }", "--expect", "errors",
		"--advice", "no valid token was shown: it has ended. Paste another one",
		"--screenshot", filepath.Join(t.ArtifactDir(), "playground-refused.png"))
}

func TestPages(t *testing.T) {
	t.Parallel()
	pages := console.Handler(demoOptions())
	for path, contentType := range map[string]string{
		"/playground":                "text/html; charset=utf-8",
		"/playground/playground.js":  "text/javascript; charset=utf-8",
		"/playground/playground.css": "text/css; charset=utf-8",
		"/playground/licenses.txt":   "text/plain; charset=utf-8",
		"/playground/":               "text/html; charset=utf-8",
		// From there the page names its parts one step deeper.
		"/playground/playground/playground.js":  "text/javascript; charset=utf-8",
		"/playground/playground/playground.css": "text/css; charset=utf-8",
		"/playground/tokens.json":               "application/json; charset=utf-8",
	} {
		response := get(pages, path, "")
		if response.Code != 200 || response.Header().Get("Content-Type") != contentType || response.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, response.Code, response.Header().Get("Content-Type"))
		}
		checkConfined(t, path, response)
		if path == "/playground" && regexp.MustCompile(`(src|href)="/`).MatchString(response.Body.String()) {
			t.Errorf("the page names something from the root: %s", response.Body)
		}
		if tag := response.Header().Get("ETag"); tag != "" {
			if again := get(pages, path, tag); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
				t.Errorf("%s is sent again: %d", path, again.Code)
			}
		}
	}
	if got := get(pages, "/playground/tokens.json", "").Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("the tokens may be cached: %q", got)
	}
	missing := get(pages, "/playground/source.sha256", "")
	if missing.Code != 404 {
		t.Errorf("what is no page is served: %d", missing.Code)
	}
	checkConfined(t, "a missing page", missing)
}

func TestPagesAreCompressed(t *testing.T) {
	t.Parallel()
	pages := console.Handler(console.Options{})
	plain := get(pages, "/playground/playground.js", "")
	r := httptest.NewRequest(http.MethodGet, "/playground/playground.js", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Vary") != "Accept-Encoding" || w.Body.Len() > plain.Body.Len()/2 {
		t.Errorf("%d bytes of %d, %v", w.Body.Len(), plain.Body.Len(), w.Header())
	}
	checkConfined(t, "compressed", w)
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	again := httptest.NewRecorder()
	pages.ServeHTTP(again, r)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("it is sent again: %d", again.Code)
	}
}

func TestNoTokensOutsideADemo(t *testing.T) {
	t.Parallel()
	if response := get(console.Handler(console.Options{}), "/playground/tokens.json", ""); response.Code != 404 {
		t.Errorf("status %d, want 404", response.Code)
	}
}

// The built pages belong to the sources: see README.md when this fails.
func TestBuiltFromTheseSources(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("web/src/*")
	if err != nil {
		t.Fatal(err)
	}
	paths := append([]string{"web/build.mjs", "web/package-lock.json", "web/package.json"}, sources...)
	slices.Sort(paths)
	hash := sha256.New()
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(hash, "%s\n%d\n%s", strings.TrimPrefix(filepath.ToSlash(path), "web/"), len(content), content)
	}
	built, err := os.ReadFile("dist/source.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != strings.TrimSpace(string(built)) {
		t.Error("dist was built from other sources than those in web: run go generate ./console")
	}
}

func get(h http.Handler, path, tag string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("If-None-Match", tag)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func checkConfined(t *testing.T, what string, response *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; ",
		"X-Frame-Options":         "DENY",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
	} {
		if got := response.Header().Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
}

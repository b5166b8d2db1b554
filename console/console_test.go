package console_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
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
    {"name": "alice (shared)", "tenant": "acme", "strategy": "shared", "token": "token-of-alice"},
    {"name": "bob (database)", "tenant": "bolt", "strategy": "database", "token": "token-of-bob"}
  ],
  "queries": [
    {"name": "Revenue by region", "query": "query Revenue {\n  revenue\n}\n"},
    {"name": "Echo", "query": "query Echo($exact: Decimal) {\n  echo(value: $exact)\n}\n"}
  ]
}`

// viewer is who every token is; the server has no control store.
const viewer = `{"data":{"viewer":{"subject":"<img src=x onerror=alert(1)>","tenant":"acme","allTenants":false,"roles":[],"tokenKind":"JWT",` +
	`"scopes":["READ_DATA"],"acting":null,"strategy":null,"expiresAt":null,"timezone":"UTC"},"AdminQuery":null,"AdminMutation":null,"Mutation":null}}`

// server serves the console and answers its queries with a canned schema and
// numbers that a browser would round.
type server struct {
	mu     sync.Mutex
	bodies []string // of the queries that people wrote
	tokens []string
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/graphql-response+json")
	if token := r.Header.Get("Authorization"); token == "" || token == "Bearer ended" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors":[{"message":"no valid token was shown: it has ended","extensions":{"code":"UNAUTHENTICATED"}}]}`)
		return
	}
	switch {
	case strings.Contains(string(body), "__schema"):
		http.ServeFile(w, r, filepath.Join("testdata", "introspection.json"))
		return
	case strings.Contains(string(body), "viewer {"):
		_, _ = io.WriteString(w, viewer)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, string(body))
	s.tokens = append(s.tokens, r.Header.Get("Authorization"))
	_, _ = io.WriteString(w, `{"data":{"revenue":9007199254740993,"average":12.50,"zero":-0.0,"count":42,"text":"a \"{\" : [b","none":{},"empty":[]}}`)
}

func start(t *testing.T, options console.Options) (*server, string) {
	t.Helper()
	s := &server{}
	mux := http.NewServeMux()
	pages := console.Handler(options)
	mux.Handle("/console", pages)
	mux.Handle("/console/", pages)
	mux.HandleFunc("POST /graphql", s.answer)
	mux.HandleFunc("GET /dashboards", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"only":false,"dashboards":[]}`)
	})
	listening := httptest.NewServer(mux)
	t.Cleanup(listening.Close)
	return s, listening.URL
}

func demoOptions() console.Options {
	return console.Options{Demo: func() []byte { return []byte(demo) }}
}

// Answers and variables keep all digits, and what is sent is what was written.
func TestQueryInABrowser(t *testing.T) {
	t.Parallel()
	s, url := start(t, demoOptions())
	noderun.Run(t, "query.mjs", url+"/console/query",
		"--token", "bob", "--sample", "Echo", "--variables", `{"exact": 12345678901234567890.10}`,
		"--expect", `"revenue": 9007199254740993,`, "--expect", `"average": 12.50,`,
		"--expect", `"zero": -0.0,`, "--expect", `"count": 42`, "--expect", `"text": "a \"{\" : [b",`, "--expect", `"none": {},`,
		"--screenshot", filepath.Join(t.ArtifactDir(), "query.png"))

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bodies) != 1 || s.tokens[0] != "Bearer token-of-bob" {
		t.Fatalf("queries %q with %q", s.bodies, s.tokens)
	}
	if !strings.Contains(s.bodies[0], `"variables":{"exact": 12345678901234567890.10}`) {
		t.Errorf("the variable lost digits: %s", s.bodies[0])
	}
	var sent struct{ Query, OperationName string }
	if err := json.Unmarshal([]byte(s.bodies[0]), &sent); err != nil || sent.OperationName != "Echo" {
		t.Errorf("sent %+v, %v", sent, err)
	}
}

func TestQueryWithoutDemo(t *testing.T) {
	t.Parallel()
	s, url := start(t, console.Options{})
	noderun.Run(t, "query.mjs", url+"/console/query", "--dark", "--width", "390", "--paste", " pasted-token ",
		"--query", "{ revenue }", "--expect", "9007199254740993",
		"--screenshot", filepath.Join(t.ArtifactDir(), "query-dark.png"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.tokens, []string{"Bearer pasted-token"}) {
		t.Errorf("the page sent %q", s.tokens)
	}
}

// A token that does not do leads nowhere, and the page says why.
func TestRefusedToken(t *testing.T) {
	t.Parallel()
	s, url := start(t, console.Options{})
	noderun.Run(t, "query.mjs", url+"/console/query", "--paste", "ended", "--refused", "no valid token was shown: it has ended")
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bodies) != 0 {
		t.Errorf("asked %q", s.bodies)
	}
}

// Wherever a proxy publishes the page, with the slash that some add or without.
func TestConsoleBelowAPath(t *testing.T) {
	t.Parallel()
	for published, add := range map[string]string{"/data/usher/console/query": "", "/usher/console": "/", "/console/console/": "", "/console/console": ""} {
		t.Run(published, func(t *testing.T) {
			t.Parallel()
			s, url := start(t, demoOptions())
			prefix := published[:strings.LastIndex(published, "/console")]
			target, err := neturl.Parse(url)
			if err != nil {
				t.Fatal(err)
			}
			forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				if r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, prefix); r.Out.URL.Path == "/console" {
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
			noderun.Run(t, "enter.mjs", proxy.URL+published, "--token", "alice")
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.tokens) != 1 || s.tokens[0] != "Bearer token-of-alice" {
				t.Errorf("asked with %q", s.tokens)
			}
		})
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	pages := console.Handler(demoOptions())
	for path, base := range map[string]string{
		"/console": "console/", "/console/": "console/", "/console/query": "./", "/console/catalog/orders": "../", "/console/catalog/": "../", "/console/users/a%2Fb": "../",
	} {
		response := get(pages, path, "")
		if response.Code != 200 || response.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(response.Body.String(), `<base href="`+base+`">`) {
			t.Errorf("%s: %d %s", path, response.Code, response.Body)
		}
		if regexp.MustCompile(`(src|href)="/|<style|<script>| style=| on[a-z]+=`).MatchString(response.Body.String()) {
			t.Errorf("the page names something from the root, or has something inline: %s", response.Body)
		}
		checkConfined(t, path, response)
		if again := get(pages, path, response.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s is sent again: %d", path, again.Code)
		}
	}
	for path, contentType := range map[string]string{"/console/licenses.txt": "text/plain; charset=utf-8", "/console/demo.json": "application/json; charset=utf-8"} {
		response := get(pages, path, "")
		if response.Code != 200 || response.Header().Get("Content-Type") != contentType || response.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, response.Code, response.Header().Get("Content-Type"))
		}
		checkConfined(t, path, response)
	}
	if got := get(pages, "/console/demo.json", "").Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("the tokens may be cached: %q", got)
	}
	for _, path := range []string{"/console/assets/missing.js", "/console/a/b/c/d/e/f/g/h/i"} {
		missing := get(pages, path, "")
		if missing.Code != 404 {
			t.Errorf("%s: %d", path, missing.Code)
		}
		checkConfined(t, "a missing page", missing)
	}
}

// What has its hash in its name is kept for good, and sent as the browser takes it.
func TestAssets(t *testing.T) {
	t.Parallel()
	pages := console.Handler(console.Options{})
	names, err := filepath.Glob("dist/console/assets/*")
	if err != nil || len(names) < 4 {
		t.Fatalf("%q, %v", names, err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, below := range []string{"/console/assets/", "/console/console/assets/"} {
			path := below + filepath.Base(name)
			plain := get(pages, path, "")
			if plain.Code != 200 || !bytes.Equal(plain.Body.Bytes(), content) || plain.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s: %d, %v", path, plain.Code, plain.Header())
			}
			checkConfined(t, path, plain)
		}
		for accept, compressed := range map[string]bool{
			"gzip": true, "br, gzip;q=0.5": true, "*": true, "gzip;q=0": false, "gzip;q=0, *": false, "identity": false, "br": false, "gzip;q=x": false,
		} {
			r := httptest.NewRequest(http.MethodGet, "/console/assets/"+filepath.Base(name), nil)
			r.Header.Set("Accept-Encoding", accept)
			w := httptest.NewRecorder()
			pages.ServeHTTP(w, r)
			if filepath.Ext(name) == ".woff2" {
				compressed = false // it is so already
			}
			got := w.Body.Bytes()
			if (w.Header().Get("Content-Encoding") == "gzip") != compressed || w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s to %q: %v", name, accept, w.Header())
			}
			if compressed {
				got = unzipped(t, got)
			}
			if !bytes.Equal(got, content) || w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
				t.Errorf("%s to %q: %d bytes, want %d", name, accept, len(got), len(content))
			}
		}
	}
}

// The budgets: what a browser loads for a first page, and for the Query page.
func TestBudgets(t *testing.T) {
	t.Parallel()
	pages := console.Handler(console.Options{})
	sum, most := 0, 0
	names, _ := filepath.Glob("dist/console/assets/*.*s*")
	for _, name := range names {
		if filepath.Ext(name) != ".js" && filepath.Ext(name) != ".css" {
			continue
		}
		r := httptest.NewRequest(http.MethodGet, "/console/assets/"+filepath.Base(name), nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		if strings.HasPrefix(filepath.Base(name), "page-") {
			most = max(most, w.Body.Len())
			continue
		}
		sum += w.Body.Len()
	}
	if sum == 0 || sum > 400_000 || most == 0 || most > 200_000 {
		t.Errorf("the console takes %d bytes, want 400,000 at most; the Query page %d more, want 200,000 at most", sum, most)
	}
}

func unzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNoTokensOutsideADemo(t *testing.T) {
	t.Parallel()
	if response := get(console.Handler(console.Options{}), "/console/demo.json", ""); response.Code != 200 || response.Body.String() != "{}" {
		t.Errorf("%d %s, want nothing to begin with", response.Code, response.Body)
	}
}

// The built pages belong to the sources: see README.md when this fails.
func TestBuiltFromTheseSources(t *testing.T) {
	t.Parallel()
	paths := []string{"build.mjs", "package-lock.json", "package.json"}
	for _, folder := range []string{"app", "packages"} {
		err := fs.WalkDir(os.DirFS("web"), folder, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case os.IsNotExist(err):
				return nil // there are no packages yet
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "dist"):
				return fs.SkipDir
			case !entry.IsDir():
				paths = append(paths, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(paths)
	hash := sha256.New()
	for _, path := range paths {
		content, err := os.ReadFile(filepath.Join("web", path))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(hash, "%s\n%d\n%s", path, len(content), content)
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
	if strings.Contains(response.Header().Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("%s: the policy allows what is inline", what)
	}
}

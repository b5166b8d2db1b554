package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
)

// served is a gateway with settings of the server.
func served(t *testing.T, settings string) gate {
	t.Helper()
	text := "server: {" + settings + "}\n" + fmt.Sprintf(controlled, "path: "+filepath.Join(t.TempDir(), "control.duckdb"))
	g, err := assembleControlled(t, text, pgtest.DB{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("close the gateway: %v", err)
		}
	})
	return gate{g}
}

// The console is served or not, whichever name its switch has, and everything also
// with a slash behind it.
func TestConsoleCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	for setting, shown := range map[string]bool{
		"console: true": true, "playground: true": true, "console: false": false, "playground: false": false, "console: true, playground: false": false,
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			g := served(t, "path_prefix: /usher, "+setting)
			for path, want := range map[string]int{
				"/console": http.StatusOK, "/console/": http.StatusOK, "/console/tenants/acme": http.StatusOK, "/usher/console": http.StatusOK,
				"/": http.StatusFound, "/playground": http.StatusFound, "/playground/": http.StatusFound,
			} {
				if !shown {
					want = http.StatusNotFound
				}
				w := httptest.NewRecorder()
				g.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				if w.Code != want {
					t.Errorf("%s: %d, want %d", path, w.Code, want)
				}
			}
			for _, path := range []string{"/graphql", "/graphql/", "/usher/graphql", "/usher/graphql/"} {
				w := httptest.NewRecorder()
				g.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
				if w.Code != http.StatusUnauthorized {
					t.Errorf("%s: %d", path, w.Code)
				}
			}
		})
	}
}

// The playground's address leads to the page that took its place, below any path.
func TestPlaygroundLeadsToTheConsole(t *testing.T) {
	t.Parallel()
	g := served(t, "path_prefix: /usher")
	for path, want := range map[string]string{
		"/playground": "console/query", "/playground/": "../console/query", "/usher/playground": "/usher/console/query", "/": "console", "/usher/": "/usher/console",
	} {
		w := httptest.NewRecorder()
		g.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Header().Get("Location"); w.Code != http.StatusFound || got != want {
			t.Errorf("%s: %d to %q, want %q", path, w.Code, got, want)
		}
	}
}

// Other pages may show the console in a frame where the configuration says so.
func TestConsoleInAFrame(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{"": "frame-ancestors 'none'", "frame_ancestors: [https://portal.example]": "frame-ancestors https://portal.example"} {
		w := httptest.NewRecorder()
		served(t, settings).Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/console", nil))
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, "; "+want) || (w.Header().Get("X-Frame-Options") == "DENY") != (settings == "") {
			t.Errorf("%q: %q, %q", settings, got, w.Header().Get("X-Frame-Options"))
		}
	}
}

// Why a token is refused is said where tokens are explained, and nowhere else.
func TestTokensAreExplained(t *testing.T) {
	t.Parallel()
	for settings, explained := range map[string]bool{"": false, "explain_tokens: false": false, "explain_tokens: true": true} {
		g := served(t, settings)
		for token, reason := range map[string]string{
			"usher_et_unknown": "the store has made no such token",
			"e30.e30.e30":      "the issuer is not trusted: iss is not a string",
			"text":             "the token is not three base64url parts: 1 parts",
		} {
			w := g.ask(t, token, `{"query":"{ viewer { subject } }"}`)
			challenge, body := w.Header().Get("WWW-Authenticate"), w.Body.String()
			wantChallenge, message := `Bearer error="invalid_token"`, `"no valid token was shown"`
			if explained {
				wantChallenge += `, error_description="` + reason + `"`
				message = `"no valid token was shown: ` + reason + `"`
			}
			if w.Code != http.StatusUnauthorized || challenge != wantChallenge || !strings.Contains(body, message) {
				t.Errorf("%q, %s: %d %s %s", settings, token, w.Code, challenge, body)
			}
		}
		if got := g.ask(t, "", `{"query":"{ viewer { subject } }"}`).Body.String(); !strings.Contains(got, `"message":"no valid token was shown",`) {
			t.Errorf("%q, without a token: %s", settings, got)
		}
	}
}

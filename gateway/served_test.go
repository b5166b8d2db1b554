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

// The playground is served or not, and everything also with a slash behind it.
func TestPlaygroundCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	for setting, status := range map[string]int{"true": http.StatusOK, "false": http.StatusNotFound} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			g := served(t, "path_prefix: /usher, playground: "+setting)
			for _, path := range []string{"/playground", "/playground/", "/playground/playground.js", "/usher/playground", "/"} {
				want := status
				if path == "/" && want == http.StatusOK {
					want = http.StatusFound
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
	}
}

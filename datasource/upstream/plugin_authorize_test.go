package upstream

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"usher/catalog"
)

// TestAuthorize: a connection is tried as the protocol tries it, and what the
// plugin says by its status is told, not its words.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		refused string // empty: it is taken
	}{
		"text":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "Success") }, ""},
		"json":        {says(`{"ok":true}`), ""},
		"no content":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, ""},
		"no such":     {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "poison", http.StatusNotFound) }, ""},
		"a secret":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "poison", http.StatusForbidden) }, "status 403"},
		"a failure":   {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "poison", http.StatusInternalServerError) }, "status 500"},
		"consent":     {says(`{"auth_url":"https://login.example/poison"}`), "OAuth2"},
		"another one": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/poison", http.StatusFound) }, "status 302"},
	} {
		var body, path string
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			body, path = string(text), r.URL.Path
			if r.Header.Get("X-Secret") != pluginSecret || r.Header.Get("X-Property-Region") != "eu" {
				t.Error(name, r.Header)
			}
			c.answer(w, r)
		})
		a := plugged(t, url+"/v1", func(s *catalog.SourceSpec) {
			s.Headers = map[string]catalog.Template{"X-Host": "db.example", "X-Key": "k", "X-Token": "t"}
			s.Properties = map[string]catalog.Template{"Region": "eu"}
		})
		err := Authorize(t.Context(), a.spec)
		if path != "/v1/authorize" || body != `{"id":"usher","host":"db.example","key":"k","token":"t"}` {
			t.Errorf("%s: %s %s", name, path, body)
		}
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.refused != "" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.refused) || strings.Contains(err.Error(), "poison")):
			t.Errorf("%s: %v", name, err)
		}
	}
	a := plugged(t, "http://127.0.0.1:1", func(s *catalog.SourceSpec) { s.Properties = map[string]catalog.Template{"Region": "{tenant}"} })
	if err := Authorize(t.Context(), a.spec); err != nil {
		t.Error("a connection of each tenant's own:", err)
	}
}

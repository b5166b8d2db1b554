package gateway_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const (
	listNotes  = `query Notes($limit: Int) { notes(limit: $limit) { id text } }`
	otherNotes = `{ notes { text } }`
)

// trusting is a gateway that knows one document and the tenant acme, and a key that
// administers it.
func trusting(t *testing.T, mode string) (_ gate, root string) {
	t.Helper()
	dir := t.TempDir()
	text, err := json.Marshal(map[string]string{"notes-1": listNotes})
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, filepath.Join(dir, "manifest.json"), string(text))
	config := fmt.Sprintf("documents: {mode: %s, manifests: [%q]}\n", mode, filepath.Join(dir, "manifest.json")) +
		fmt.Sprintf(controlled, "path: "+filepath.Join(dir, "control.duckdb"))
	g, err := assembleControlled(t, config, pgtest.DB{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("close the gateway: %v", err)
		}
	})
	opened := gate{g}
	root = opened.bootstrap(t)
	opened.query(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`)
	return opened, root
}

// get asks by GET, and says which answer is held already.
func (g gate) get(t *testing.T, token, address, held string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if held != "" {
		r.Header.Set("If-None-Match", held)
	}
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	return w
}

// TestTrustedDocuments: a document of the manifest is run by its id, its hash or its
// text; in mode only nothing else reads rows, changes them or describes the schema, by
// whatever way it comes.
func TestTrustedDocuments(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte(listNotes))
	hash := hex.EncodeToString(sum[:])
	ann := program.Sign(t, `{"tenant": "acme"}`)
	for _, mode := range []string{"off", "log", "only"} {
		g, _ := trusting(t, mode)
		const rows = `"notes":[{"id":1,"text":"hello"},{"id":2,"text":"again"}]`
		for _, body := range []string{
			`{"documentId": "notes-1"}`, `{"doc_id": "notes-1"}`, `{"documentId": "sha256:` + hash + `"}`, `{"extensions": {"documentId": "notes-1"}}`,
			`{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "` + hash + `"}}}`,
			`{"query": "` + listNotes + `"}`, `{"documentId": "notes-1", "query": "` + listNotes + `"}`, `{"documentId": "notes-1", "variables": {"limit": 2}}`,
		} {
			if got := g.ask(t, ann, body); !strings.Contains(got.Body.String(), rows) {
				t.Errorf("%s: %s is answered %s", mode, body, got.Body)
			}
		}
		for body, want := range map[string]string{
			`{"documentId": "notes-2"}`:                                              "no document of this id is known here",
			`{"documentId": "notes-1", "query": "{ notes { text } }"}`:               "is another text than the query",
			`{"documentId": "notes-1", "doc_id": "notes-2"}`:                         "differ",
			`{"documentId": 1}`:                                                      "must be the id of a document",
			`{"documentId": ""}`:                                                     "must be the id of a document",
			`{"documentId": null}`:                                                   "the parameter query is missing",
			`{"documentId": "notes-1", "extensions": {"documentId": {}}}`:            "differ",
			`{"extensions": {"documentId": []}}`:                                     "must be the id of a document",
			`{"documentId": "notes-1", "extensions": {"savedQuery": {"name": "x"}}}`: "there is no saved query",
			`{"documentId": "notes-1", "extensions": []}`:                            "must be an object",
			`{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "` + strings.Repeat("0", 64) + `"}}}`: "PersistedQueryNotFound",
		} {
			if got := g.ask(t, ann, body); strings.Contains(got.Body.String(), `"data"`) || !strings.Contains(got.Body.String(), want) {
				t.Errorf("%s: %s is answered %s, want %s", mode, body, got.Body, want)
			}
		}
		for _, text := range []string{
			otherNotes, listNotes + " ", `{ viewer { tenant } notes { id } }`, `{ ... { notes { id } } }`, `{ notes @skip(if: true) { id } viewer { tenant } }`,
			`{ ...F } fragment F on Query { notes { id } }`, `{ __schema { types { name } } }`, `{ __type(name: "Notes") { name } }`,
			`{ table(query: {dataset: "notes", columns: ["id"]}) { rows } }`, `{ unknown }`, `{`, `query A { viewer { tenant } } query B { notes { id } }`,
		} {
			got := g.query(t, ann, text)
			if refused := strings.Contains(got, "only documents that are known beforehand"); refused != (mode == "only") {
				t.Errorf("%s: %s is answered %s", mode, text, got)
			}
		}
		sum := sha256.Sum256([]byte(otherNotes))
		automatic := fmt.Sprintf(`{"query": %q, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": %q}}}`, otherNotes, hex.EncodeToString(sum[:]))
		if got := g.ask(t, ann, automatic); strings.Contains(got.Body.String(), "hello") == (mode == "only") {
			t.Errorf("%s: an automatic persisted query is answered %s", mode, got.Body)
		}
		if got := g.get(t, ann, "/export/notes?query="+url.QueryEscape(otherNotes), ""); strings.Contains(got.Body.String(), "hello") && mode == "only" {
			t.Errorf("%s: an export is answered %s", mode, got.Body)
		}
		for _, text := range []string{`{ viewer { tenant } }`, `{ datasets { name } __typename }`, `{ dataset(name: "notes") { name } }`} {
			if got := g.query(t, ann, text); strings.Contains(got, "errors") {
				t.Errorf("%s: the control plane answers %s", mode, got)
			}
		}
	}
}

// TestSavedQueriesAreNoWayAroundTrust: whoever may ask may save, so what is saved is
// trusted no more than what is sent.
func TestSavedQueriesAreNoWayAroundTrust(t *testing.T) {
	t.Parallel()
	g, root := trusting(t, "only")
	key := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [ADMINISTER, READ_DATA]}) { token } } }`, "token")
	for name, text := range map[string]string{"known": listNotes, "other": otherNotes} {
		g.query(t, key, `mutation { createSavedQuery(input: {name: "`+name+`", ofTenant: true, document: "`+text+`"}) { id } }`)
		got := g.ask(t, key, `{"extensions": {"savedQuery": {"name": "`+name+`"}}}`).Body.String()
		if strings.Contains(got, "hello") != (name == "known") {
			t.Errorf("%s is answered %s", name, got)
		}
	}
}

// TestNamedAnswersAreRevalidated: who names a document by GET may keep its answer, and
// is told when it still holds. Nobody else's answer is it.
func TestNamedAnswersAreRevalidated(t *testing.T) {
	t.Parallel()
	g, _ := trusting(t, "off")
	ann, bob := program.Sign(t, `{"tenant": "acme"}`), program.Sign(t, `{"tenant": "initech"}`)
	first := g.get(t, ann, "/graphql?documentId=notes-1", "")
	tag := first.Header().Get("ETag")
	if first.Code != http.StatusOK || tag == "" || first.Header().Get("Cache-Control") != "private, no-cache" || !strings.Contains(first.Header().Get("Vary"), "Authorization") {
		t.Fatalf("%d %v %s", first.Code, first.Header(), first.Body)
	}
	for _, held := range []string{tag, strings.TrimPrefix(tag, "W/"), `"other", ` + tag} {
		if again := g.get(t, ann, "/graphql?documentId=notes-1", held); again.Code != http.StatusNotModified || again.Body.Len() > 0 || again.Header().Get("ETag") != tag {
			t.Errorf("%s: %d %v %s", held, again.Code, again.Header(), again.Body)
		}
	}
	if got := g.get(t, bob, "/graphql?documentId=notes-1", tag); got.Code != http.StatusOK || strings.Contains(got.Body.String(), "hello") {
		t.Errorf("another tenant holds the answer: %d %s", got.Code, got.Body)
	}
	if got := g.get(t, "nonsense", "/graphql?documentId=notes-1", tag); got.Code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", got.Code)
	}
	if got := g.get(t, ann, "/graphql?documentId=notes-1&variables="+url.QueryEscape(`{"limit": 1}`), tag); got.Code != http.StatusOK {
		t.Errorf("another question: %d", got.Code)
	}
	for what, got := range map[string]*httptest.ResponseRecorder{
		"a text":   g.get(t, ann, "/graphql?query="+url.QueryEscape(listNotes), tag),
		"an error": g.get(t, ann, "/graphql?documentId=unknown", "*"),
	} {
		if got.Code == http.StatusNotModified || got.Header().Get("ETag") != "" || got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", what, got.Code, got.Header())
		}
	}
}

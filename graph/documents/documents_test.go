package documents_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/graph/documents"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The manifests that builds of clients write, and a folder: ids are theirs, and each
// text is found by its SHA-256 as well.
func TestManifests(t *testing.T) {
	t.Parallel()
	const text = "query Notes {\n  notes { id }\n}"
	const quoted = `"query Notes {\n  notes { id }\n}"`
	sum := sha256.Sum256([]byte(text))
	hash := hex.EncodeToString(sum[:])
	folder := filepath.Dir(file(t, "queries/notes.graphql", text))
	for what, given := range map[string]struct{ manifest, dir, id string }{
		"GraphQL Code Generator, by sha1":  {manifest: `{"7d1e6b7f3a":` + quoted + `}`, id: "7d1e6b7f3a"},
		"GraphQL Code Generator":           {manifest: `{"` + hash + `":` + quoted + `}`, id: hash},
		"GraphQL Code Generator, prefixed": {manifest: `{"sha256:` + hash + `":` + quoted + `}`, id: "sha256:" + hash},
		"an SHA-1 of something else":       {manifest: `{"` + strings.Repeat("ab", 20) + `":` + quoted + `}`, id: strings.Repeat("ab", 20)},
		"Relay":                            {manifest: `{"d41d8cd98f00b204":` + quoted + `}`, id: "d41d8cd98f00b204"},
		"Apollo":                           {manifest: `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"` + hash + `","name":"Notes","type":"query","body":` + quoted + `}]}`, id: hash},
		"a folder":                         {dir: folder, id: hash},
	} {
		var manifests []string
		if given.manifest != "" {
			manifests = []string{file(t, "manifest.json", given.manifest)}
		}
		trusted, err := documents.Load(manifests, given.dir)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		for _, id := range []string{given.id, hash, strings.ToUpper(hash), "sha256:" + hash} {
			if got, ok := trusted.Text(id); !ok || got != text {
				t.Errorf("%s: %s is %q", what, id, got)
			}
		}
		if !trusted.Has(text) || trusted.Has(text+" ") || trusted.Len() != 1 {
			t.Errorf("%s: the text is not known, or another is", what)
		}
		for _, id := range []string{"", "unknown", "sha256:", hash[:63]} {
			if _, ok := trusted.Text(id); ok {
				t.Errorf("%s: %q is known", what, id)
			}
		}
	}
}

// What is wrong with a manifest keeps usher from starting, and is named.
func TestWrongManifests(t *testing.T) {
	t.Parallel()
	for manifest, want := range map[string]string{
		`[]`:                                  "is no JSON object",
		`{}`:                                  "hold no document",
		`{"a": 1}`:                            `"a" is no text`,
		`{"a": "{ notes { id }"}`:             `the document "a" cannot be read`,
		`{"a": "fragment F on Notes { id }"}`: `the document "a" has no operation`,
		`{"format": "apollo-persisted-query-manifest", "version": 2}`: "version 2",
		`{"sha256:4a3b": "{ notes { id } }"}`:                         `the id "sha256:4a3b" says that it is the SHA-256`,
		`{"` + strings.Repeat("aB", 32) + `": "{ notes { id } }"}`:    "says that it is the SHA-256",
		`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "` + strings.Repeat("0", 64) + `", "body": "{ notes { id } }"}]}`: "says that it is the SHA-256",
	} {
		_, err := documents.Load([]string{file(t, "manifest.json", manifest)}, "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", manifest, err, want)
		}
	}
	one, other := file(t, "one.json", `{"a": "{ notes { id } }"}`), file(t, "other.json", `{"a": "{ notes { text } }"}`)
	if _, err := documents.Load([]string{one, other}, ""); err == nil || !strings.Contains(err.Error(), "stands for two documents") {
		t.Errorf("an id of two texts: %v", err)
	}
	if _, err := documents.Load([]string{"missing.json"}, ""); err == nil {
		t.Error("a file that is not there is read")
	}
	var none *documents.Trusted
	if _, ok := none.Text("a"); ok || none.Has("{ a }") {
		t.Error("who knows no documents knows one")
	}
}

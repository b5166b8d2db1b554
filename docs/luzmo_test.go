package docs

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/test/program"
)

var secretText = regexp.MustCompile(`usher_et_[A-Za-z0-9_]+`)

// TestFromLuzmo runs every example of from-luzmo.md, in their order, against a
// server: what makes tokens with a key, all else with the token made last.
func TestFromLuzmo(t *testing.T) {
	t.Parallel()
	const name = "from-luzmo.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, string(text))
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "warehouse.duckdb"), doc.blocks["sql"])
	program.WriteFile(t, filepath.Join(dir, "control.key"), base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	program.WriteFile(t, filepath.Join(dir, "password"), "nobody's")
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, doc.blocks["yaml usher.yml"])
	a := program.Administer(t, config)
	a.Says(t, "tenant", "create", "acme")
	token, made := "", 0
	for i, e := range doc.examples {
		as := token
		if strings.HasPrefix(strings.TrimSpace(e.question), "mutation") {
			as = a.Key
		}
		_, body := program.Fetch(t, a.Ask(t, as, e.question))
		if text := secretText.FindString(string(body)); text != "" {
			token, made = text, made+1
		}
		got := secretText.ReplaceAll(program.WithoutRequestID(body), []byte("usher_et_…"))
		if *update {
			doc.examples[i].answer = pretty(t, json.RawMessage(got))
			continue
		}
		if want := compact(t, e.answer); strings.TrimSpace(string(got)) != want {
			t.Errorf("%s:%d: %s\ngot  %s\nwant %s", name, e.line, e.heading, got, want)
		}
	}
	if made < 5 {
		t.Errorf("%d tokens were made", made)
	}
	if *update {
		if err := os.WriteFile(name, []byte(doc.text()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

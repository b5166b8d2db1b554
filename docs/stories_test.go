package docs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

var secretText = regexp.MustCompile(`usher_(et|st|sk)_[A-Za-z0-9_]+`)

// story is a document whose examples are asked of one server, in their order.
type story struct {
	name    string
	tenants []string // that are registered before
	tokens  int      // that are made, at least
	written bool     // its data is in PostgreSQL, since it is written
	as      func(question string) asker
}

// asker is who asks a question of a story.
type asker int

const (
	lastMade asker = iota // whoever has the token that was made last
	operator
	nobody
)

// tell runs the story, or with -update writes its answers anew.
func (s story) tell(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(s.name)
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, string(text))
	dir := t.TempDir()
	usher, password := doc.blocks["yaml usher.yml"], "nobody's"
	if s.written {
		db := pgtest.Start(t).Database(t)
		db.Exec(t, doc.blocks["sql"])
		place := fmt.Sprintf("host: %s, port: %d, database: %q, user: %q, sslmode: disable", db.Host, db.Port, db.Name, db.User)
		usher, password = strings.Replace(usher, "host: db.example, database: app, user: usher", place, 1), db.Password
	} else {
		program.MakeDuckDB(t, filepath.Join(dir, "warehouse.duckdb"), doc.blocks["sql"])
	}
	program.WriteFile(t, filepath.Join(dir, "control.key"), base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	program.WriteFile(t, filepath.Join(dir, "password"), password)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, usher)
	a := program.Administer(t, config)
	for _, tenant := range s.tenants {
		a.Says(t, "tenant", "create", tenant)
	}
	token, made := "", 0
	for i, e := range doc.examples {
		shown := map[asker]string{lastMade: token, operator: a.Key, nobody: ""}[s.as(e.question)]
		request := a.Ask(t, shown, e.question)
		if shown == "" {
			request.Header.Del("Authorization")
		}
		_, body := program.Fetch(t, request)
		if text := secretText.FindString(string(body)); text != "" {
			token, made = text, made+1
		}
		got := secretText.ReplaceAll(program.WithoutRequestID(body), []byte("usher_${1}_…"))
		if *update {
			doc.examples[i].answer = pretty(t, json.RawMessage(got))
			continue
		}
		if want := compact(t, e.answer); strings.TrimSpace(string(got)) != want {
			t.Errorf("%s:%d: %s\ngot  %s\nwant %s", s.name, e.line, e.heading, got, want)
		}
	}
	if made < s.tokens {
		t.Errorf("%d tokens were made", made)
	}
	if *update {
		if err := os.WriteFile(s.name, []byte(doc.text()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFromLuzmo runs every example of from-luzmo.md: mutations with a key, all
// else with the token made last.
func TestFromLuzmo(t *testing.T) {
	t.Parallel()
	story{name: "from-luzmo.md", tenants: []string{"acme"}, tokens: 5, as: func(question string) asker {
		if strings.HasPrefix(strings.TrimSpace(question), "mutation") {
			return operator
		}
		return lastMade
	}}.tell(t)
}

// TestFromJmix runs every example of from-jmix.md, which says who asks.
func TestFromJmix(t *testing.T) {
	t.Parallel()
	story{name: "from-jmix.md", tokens: 7, written: true, as: func(question string) asker {
		switch first, _, _ := strings.Cut(strings.TrimSpace(question), "\n"); first {
		case "# as the operator":
			return operator
		case "# as nobody":
			return nobody
		}
		return lastMade
	}}.tell(t)
}

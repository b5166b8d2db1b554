package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/demo"
	"usher/test/noderun"
	"usher/test/program"
)

// TestDemo is the demo as a person meets it: one start, the same query for
// every strategy, the console in a browser, a second start.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	arguments := []string{"demo", "--listen", "127.0.0.1:0", "--data", dir, "--orders", "2000"}
	u := program.Start(t, arguments...)
	if status, _ := program.Fetch(t, get(t, u.Base+"/health/ready")); status != http.StatusOK {
		t.Errorf("ready answers %d", status)
	}
	made := modified(t, dir)
	first := sameUnderEveryStrategy(t, u, dir)
	all := tokens(t, dir).Tokens[0]

	t.Run("graphql over http", func(t *testing.T) {
		noderun.Run(t, "audit.mjs", u.Base+"/graphql", all.Token)
	})
	t.Run("introspection", func(t *testing.T) {
		noderun.Run(t, "introspect.mjs", u.Base+"/graphql", all.Token)
		noderun.Run(t, "introspect.mjs", u.Base+"/graphql", tokens(t, dir).Tokens[1].Token)
	})
	t.Run("query page", func(t *testing.T) {
		noderun.Run(t, "query.mjs", u.Base+"/playground",
			"--token", "Casa Verde: own database", "--expect", `"data"`, "--expect", `"sold"`)
	})
	t.Run("people", func(t *testing.T) {
		noderun.Run(t, "begin.mjs", "people", u.Base, "Olga", "Ann", "Ben")
	})
	t.Run("dashboards", func(t *testing.T) {
		noderun.Run(t, "dashboards.mjs", u.Base+"/", "--token", "Casa Verde: shared database", "--expect", "Revenue this month", "--expect", "Promotions and profit")
	})
	u.Stop(t)

	u = program.Start(t, arguments...)
	if again := modified(t, dir); again != made {
		t.Error("a second start made the data anew")
	}
	second := sameUnderEveryStrategy(t, u, dir)
	for query, answer := range first {
		if !bytes.Equal(answer, second[query]) {
			t.Errorf("%s: a second start answers\n%s\nthe first one\n%s", query, second[query], answer)
		}
	}
}

// sameUnderEveryStrategy asks every sample query with every token and wants
// the same bytes for one tenant, and other ones for another. It returns those
// of the first tenant.
func sameUnderEveryStrategy(t *testing.T, u *program.Running, dir string) map[string][]byte {
	t.Helper()
	file := tokens(t, dir)
	if file.GraphQL != u.Base+"/graphql" {
		t.Errorf("tokens.json names %s, not %s", file.GraphQL, u.Base)
	}
	firstOf := make(map[string][]byte)
	for _, q := range file.Queries {
		answers := make(map[string][]byte) // by tenant
		differ := false
		for _, token := range file.Tokens {
			if token.Tenant == "" {
				continue
			}
			status, body := program.Fetch(t, u.Ask(t, token.Token, q.Query))
			if status != http.StatusOK || bytes.Contains(body, []byte(`"errors"`)) {
				t.Fatalf("%s, %s: %d %s", token.Name, q.Name, status, body)
			}
			before, asked := answers[token.Tenant]
			if asked && !bytes.Equal(before, body) {
				t.Errorf("%s answers %s with\n%s\nthe strategy before it with\n%s", token.Name, q.Name, body, before)
			}
			answers[token.Tenant] = body
			differ = differ || !bytes.Equal(body, answers[file.Tokens[1].Tenant])
		}
		if !differ {
			t.Errorf("%s: all tenants have the same answer", q.Name)
		}
		firstOf[q.Name] = answers[file.Tokens[1].Tenant]
	}
	return firstOf
}

func tokens(t *testing.T, dir string) demo.TokenFile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file demo.TokenFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Tokens) < 2 || len(file.Queries) == 0 {
		t.Fatalf("tokens.json holds %d tokens and %d queries", len(file.Tokens), len(file.Queries))
	}
	return file
}

// modified is when the data was made.
func modified(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	for _, name := range []string{"manifest.json", "shared.duckdb"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(info.ModTime().String())
	}
	return out.String()
}

func get(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

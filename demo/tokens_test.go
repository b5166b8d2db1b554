package demo

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func TestTokensOfAllTenantsAndStrategies(t *testing.T) {
	t.Parallel()
	d := prepare(t, t.TempDir(), 100, noon())
	path := filepath.Join(d.Dir, "tokens.json")
	if err := WriteTokens(path, d, "http://127.0.0.1:8080/graphql", noon()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file TokenFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if file.GraphQL != "http://127.0.0.1:8080/graphql" || len(file.Queries) != 5 {
		t.Errorf("graphql %q, %d queries", file.GraphQL, len(file.Queries))
	}
	if mode := stat(t, path).Mode().Perm(); mode != 0o600 {
		t.Errorf("tokens are readable with mode %o", mode)
	}
	s := readSample(t, d)
	if want := 1 + len(d.Tenants)*len(s.Strategies); len(file.Tokens) != want {
		t.Fatalf("%d tokens, want %d", len(file.Tokens), want)
	}
	key := func(*jwt.Token) (any, error) { return d.Secret, nil }
	at := func(now time.Time) *jwt.Parser {
		return jwt.NewParser(jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithValidMethods([]string{"HS256"}),
			jwt.WithIssuer(s.Issuers["demo"].Issuer), jwt.WithAudience(s.Issuers["demo"].Audience...), jwt.WithExpirationRequired())
	}
	names := make(map[string]bool)
	for i, token := range file.Tokens {
		names[token.Name] = true
		claims := jwt.MapClaims{}
		if _, err := at(noon().Add(TokenLife-time.Second)).ParseWithClaims(token.Token, claims, key); err != nil {
			t.Errorf("%s: %v", token.Name, err)
		}
		if _, err := at(noon().Add(TokenLife+time.Second)).Parse(token.Token, key); err == nil {
			t.Errorf("%s outlives a day", token.Name)
		}
		tenant, _ := claims["tenant"].(string)
		if tenant != token.Tenant || claims["strategy"] != token.Strategy || s.Strategies[token.Strategy].Source == "" {
			t.Errorf("%s: claims %v", token.Name, claims)
		}
		if all := claims["all_tenants"] == true; all != (i == 0) || all != (token.Tenant == "") {
			t.Errorf("%s: all tenants %t", token.Name, all)
		}
	}
	if len(names) != len(file.Tokens) {
		t.Errorf("%d names for %d tokens", len(names), len(file.Tokens))
	}
}

func TestQueriesAreOfTheDataMonth(t *testing.T) {
	t.Parallel()
	// On the first of a month the data ends in the month before.
	for day, month := range map[string]string{"2026-07-15": "2026-07-01", "2026-07-01": "2026-06-01", "2026-01-01": "2025-12-01"} {
		reference, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		queries := Queries(&Data{Reference: reference})
		for _, q := range queries {
			if _, err := parser.ParseQuery(&ast.Source{Name: q.Name, Input: q.Query}); err != nil {
				t.Errorf("%s: %v", q.Name, err)
			}
			if strings.Contains(q.Query, "{{") {
				t.Errorf("%s has a placeholder left", q.Name)
			}
		}
		if q := queries[0]; q.Name != "sold-this-month" || !strings.Contains(q.Query, `"`+month+"T") {
			t.Errorf("%s: query %s does not start at %s: %s", day, q.Name, month, q.Query)
		}
	}
}

package gateway_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
	"usher/webhook"
)

// toldOf is a shop whose answers are kept for long, and who tells of changes; the
// first %s is its database, the second whatever else.
const toldOf = `
sources:
  shop: {kind: postgres, %s, webhook: {secret: {env: HOOK}}}
strategies: {all: {kind: shared, source: shop}}
tenants: {initech: {}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, claims: {tenant: /tenant}}
datasets:
  notes: {tenant: tenant, cache: 1h, columns: {tenant: String!, text: String}}
  again: {tenant: tenant, cache: 1h, bind: {shop: {table: notes}}, columns: {tenant: String!, text: String}}
%s`

var hookSecret = strings.Repeat("h", 32)

func openTold(t *testing.T, db pgtest.DB, more string) gate {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	at := strings.TrimSuffix(strings.TrimPrefix(inPostgres(db), "postgres: {"), "}")
	env := controlledEnv(db)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, toldOf, at, more), func(name string) (string, bool) {
		if name == "HOOK" {
			return hookSecret, true
		}
		return env(name)
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
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

// tell makes a signed call about notes.
func (g gate) tell(t *testing.T, tenants string) string {
	t.Helper()
	body := `{"dataset":"notes","tenants":` + tenants + `}`
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/shop", strings.NewReader(body))
	timestamp, signature := webhook.Sign([]byte(hookSecret), time.Now(), []byte(body))
	r.Header.Set(webhook.TimestampHeader, timestamp)
	r.Header.Set(webhook.SignatureHeader, signature)
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	return strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body.String()))
}

const toldRows = `CREATE TABLE notes (tenant text NOT NULL, text text);
	INSERT INTO notes VALUES ('acme', 'old'), ('globex', 'old'), ('initech', 'old')`

// What one gateway is told of, all that share a control store forget, and
// nothing more than that.
func TestChangesReachEveryGateway(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, toldRows)
	control := "control: {" + inPostgres(db) + ", key: {id: a, secret: {env: KEY}}}"
	one, two := openTold(t, db, control), openTold(t, db, control)
	admin := one.bootstrap(t)
	one.check(t, admin, `mutation { admin { a: createTenant(input: {id: "acme"}) { id } b: createTenant(input: {id: "globex"}) { id } } }`,
		`200 {"data":{"admin":{"a":{"id":"acme"},"b":{"id":"globex"}}}}`)
	text := func(g gate, tenant string) string { // as both datasets of the table show it
		t.Helper()
		token := program.Sign(t, `{"tenant": "`+tenant+`", "sub": "ann"}`)
		answer := g.query(t, token, `{ notes { text } }`)
		if other := g.query(t, token, `{ notes: again { text } }`); strings.SplitN(other, `","`, 2)[0] != strings.SplitN(answer, `","`, 2)[0] {
			return "two: " + answer + " and " + other
		}
		return strings.TrimPrefix(answer, `200 {"data":{"notes":[{"text":"`)
	}
	shows := func(g gate, tenant, want string) bool { return strings.HasPrefix(text(g, tenant), want+`"`) }
	kept := func(want string) {
		t.Helper()
		for what, g := range map[string]gate{"one": one, "two": two} {
			for _, tenant := range []string{"acme", "globex", "initech"} {
				if got := text(g, tenant); !strings.HasPrefix(got, want+`"`) {
					t.Fatalf("gateway %s shows %s %s", what, tenant, got)
				}
			}
		}
	}
	soon := func(g gate, tenant, want string) {
		t.Helper()
		program.Soon(t, time.Second, tenant+" reads "+want, func() bool { return shows(g, tenant, want) })
	}
	kept("old")
	db.Exec(t, "UPDATE notes SET text = 'new'")
	kept("old")
	if got := one.tell(t, `["acme"]`); got != "204" {
		t.Fatalf("told: %s", got)
	}
	if !shows(one, "acme", "new") {
		t.Errorf("where it was told: %s", text(one, "acme"))
	}
	soon(two, "acme", "new")
	if !shows(one, "globex", "old") || !shows(two, "globex", "old") {
		t.Error("a change of one tenant's rows was taken for another's")
	}
	// A misspelled tenant is told of, and the others' rows are not old for that.
	if got := two.tell(t, `["globex", "gloobex"]`); got != "400 tenants names what is no tenant here: gloobex; the change was taken for the others" {
		t.Errorf("a misspelled tenant: %s", got)
	}
	soon(one, "globex", "new")
	if got := two.tell(t, `["initech"]`); got != "204" { // a tenant of the file
		t.Errorf("told: %s", got)
	}
	soon(one, "initech", "new")
	kept("new")
	db.Exec(t, "UPDATE notes SET text = 'newest'")
	kept("new")
	// More tenants than one announcement names are all of them.
	many := make([]string, 200)
	for i := range many {
		many[i] = `"initech"`
	}
	if got := one.tell(t, "["+strings.Join(many, ",")+"]"); got != "204" {
		t.Errorf("told: %s", got)
	}
	soon(two, "acme", "newest")
	if got := one.tell(t, `null`); got != "204" {
		t.Errorf("told: %s", got)
	}
	soon(two, "globex", "newest")
	kept("newest")
}

// Without a control store a gateway forgets by itself, and knows the tenants of
// the file.
func TestChangesOfOneGateway(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, toldRows)
	g := openTold(t, db, "")
	if got := g.tell(t, `["initech", "acme"]`); got != "400 tenants names what is no tenant here: acme; the change was taken for the others" {
		t.Error(got)
	}
	if got := g.tell(t, `["initech"]`); got != "204" {
		t.Error(got)
	}
}

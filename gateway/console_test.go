package gateway_test

import (
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/console"
	"usher/gateway"
	"usher/test/program"
)

const startQuestion = `{ console { version passwords minPassword issuers { name issuer } sampleTokens { name tenant token } pages } }`

// A page is told how to log in by whoever it is, and beyond that what its token can
// fill: no page of which a field would be refused.
func TestConsoleTellsWhatATokenFills(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	g.check(t, "", startQuestion, `200 {"data":{"console":{"version":null,"passwords":true,"minPassword":12,"issuers":[],"sampleTokens":[],"pages":[]}}}`)
	g.query(t, root, `mutation { admin { createUser(input: {tenant: "acme", username: "ann", password: "a long password", name: "Ann", roles: ["clerk"]}) { id } } }`)
	boss := key(`roles: ["full", "clerk"]`)
	make := func(of string) string {
		return g.text(t, boss, `mutation { createToken(input: {subject: "v", roles: ["full"], `+of+`}) { token } }`, "token")
	}
	pages := func(token string) string {
		answer := g.query(t, token, `{ console { version pages } }`)
		var got struct {
			Data struct {
				Console struct {
					Version *string
					Pages   []string
				}
			}
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(answer, "200 ")), &got); err != nil || got.Data.Console.Version == nil {
			return answer
		}
		return strings.Join(got.Data.Console.Pages, " ")
	}
	session := g.text(t, "", `mutation { login(username: "acme|ann", password: "a long password") { token } }`, "token")
	const all = "HOME CATALOG EXPLORE QUERY DASHBOARDS TENANTS USERS ROLES TOKENS KEYS AUDIT"
	for what, line := range map[string][2]string{
		"all tenants' administrator": {root, all},
		"a tenant's administrator":   {boss, all},
		"a user":                     {session, "CATALOG EXPLORE QUERY DASHBOARDS"},
		"an embed token":             {make(`datasets: []`), "CATALOG EXPLORE QUERY"},
		"who acts as the tenant":     {g.text(t, root, `mutation { actAs(tenant: "acme", reason: "r") { token } }`, "token"), "CATALOG EXPLORE QUERY DASHBOARDS"},
	} {
		if got := pages(line[0]); got != line[1] {
			t.Errorf("%s may see %s, want %s", what, got, line[1])
		}
	}
	if got := pages(make(`dashboards: []`)); !strings.HasPrefix(got, "403 ") {
		t.Errorf("a token for dashboards is told %s", got)
	}
	g.check(t, boss, `{ admin { user(username: "ann") { login name } } }`, `200 {"data":{"admin":{"user":{"login":"acme|ann","name":"Ann"}}}}`)
	g.check(t, boss, `mutation { admin { setUserProfile(username: "ann", name: "Ann B.", email: "") { name email } } }`, `200 {"data":{"admin":{"setUserProfile":{"name":"Ann B.","email":null}}}}`)
	g.check(t, root, `{ admin { users(allTenants: true, search: "ANN B") { items { login } next } } }`, `200 {"data":{"admin":{"users":{"items":[{"login":"acme|ann"}],"next":null}}}}`)
	for _, ask := range []string{`users(allTenants: true) { next }`, `users(tenant: "globex") { next }`, `findings { notes }`} {
		if got := g.query(t, boss, `{ admin { `+ask+` } }`); !strings.Contains(got, "FORBIDDEN") && !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
			t.Errorf("%s is answered %s", ask, got)
		}
	}
	g.check(t, session, `mutation { logoutEverywhere }`, `200 {"data":{"logoutEverywhere":1}}`)
	if got := g.query(t, session, `{ viewer { subject } }`); !strings.HasPrefix(got, "401 ") {
		t.Error(got)
	}
}

// Who administers one tenant is told how usher is for that tenant, and a reader nothing.
func TestHealthIsOnesOwn(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	boss, clerk := key(`roles: ["full"]`), key(`roles: ["clerk"]`)
	g.query(t, root, `mutation { admin { createTenant(input: {id: "globex"}) { id } } }`)
	other := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "globex", scopes: [ADMINISTER, READ_DATA], roles: ["full"]}) { token } } }`, "token")
	for range 3 {
		g.query(t, boss, `{ customers { id } }`)
	}
	g.query(t, boss, `{ nothing }`)
	health := func(token string) string {
		return g.query(t, token, `{ admin { health { requests errors sources { name kind status code } unfit } } }`)
	}
	for what, line := range map[string][2]string{
		"the tenant's": {boss, `"requests":4,"errors":1,"sources":[{"name":"shop","kind":null,"status":"UP","code":null}],"unfit":[]`},
		"another's":    {other, `"requests":0,"errors":0,"sources":[{"name":"shop","kind":null,"status":"UP","code":null}],"unfit":[]`},
		"all tenants'": {root, `"kind":"duckdb","status":"UP","code":null}],"unfit":[]`},
	} {
		if got := health(line[0]); !strings.Contains(got, line[1]) {
			t.Errorf("%s is told %s, want %s", what, got, line[1])
		}
	}
	if got := g.query(t, root, `{ admin { health { version startedAt sources { answeredAt failedAt } minutes { requests } } findings { problems notes } } }`); strings.Contains(got, `"answeredAt":null`) || !strings.Contains(got, `"findings":{"problems":[],`) {
		t.Error(got)
	}
	reader := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "r", tenant: "acme", scopes: [READ_DATA, CREATE_TOKENS], roles: ["full"]}) { token } } }`, "token")
	for _, field := range []string{"health { version }", "findings { notes }", "configuredRoles { name }", "roleBounds { dataset }"} {
		if got := g.query(t, reader, `{ admin { `+field+` } }`); !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
			t.Errorf("a reader is told %s", got)
		}
	}
	// Roles are told of to those who hold them, and to all tenants' administrators.
	if got := g.query(t, clerk, `{ admin { configuredRoles { name grants { dataset columns aggregate changes } } } }`); got != `200 {"data":{"admin":{"configuredRoles":[{"name":"clerk","grants":[{"dataset":"customers","columns":["id","name"],"aggregate":true,"changes":[]}]}]}}}` {
		t.Error(got)
	}
	// What a tenant's own role may grant is told of what one sees.
	g.check(t, clerk, `{ admin { roleBounds { dataset maxLimit changes given includeDeleted } } }`, `200 {"data":{"admin":{"roleBounds":[{"dataset":"customers","maxLimit":10000,"changes":[],"given":[],"includeDeleted":false}]}}}`)
	if got := g.query(t, root, `{ admin { configuredRoles { name } } }`); strings.Count(got, `"name"`) != 5 {
		t.Error(got)
	}
}

// Only a demo publishes tokens.
func TestSampleTokensAreTheDemos(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), strings.NewReplacer("%[1]d", "1", "%[2]d", "2").Replace(worldData))
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(world), program.NoEnv)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler), Console: console.Options{Demo: func() []byte {
		return []byte(`{"graphql": "x", "tokens": [{"name": "All", "tenant": "", "strategy": "shared", "token": "t-1"}, {"name": "Acme", "tenant": "acme", "strategy": "api", "token": "t-2"}]}`)
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	gate{g}.check(t, "", `{ console { sampleTokens { name tenant strategy token } } }`,
		`200 {"data":{"console":{"sampleTokens":[{"name":"All","tenant":null,"strategy":"shared","token":"t-1"},{"name":"Acme","tenant":"acme","strategy":"api","token":"t-2"}]}}}`)
}

package gateway_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/test/program"
)

// look asks a dashboard: by GET without a body.
func (g gate) look(t *testing.T, token, name, body string) string {
	t.Helper()
	return plainAnswer(g.looked(t, token, name, body, nil))
}

func (g gate) looked(t *testing.T, token, name, body string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r := httptest.NewRequestWithContext(t.Context(), method, strings.TrimSuffix("/dashboards/"+name, "/"), strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	return w
}

// tile is a tile of a document, in JSON.
func tile(id, query, chart string) string {
	text, err := json.Marshal(query)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"id": %q, "title": "The %s", "at": {"x": 0, "y": 0, "w": 3, "h": 2}, "query": %s, "chart": %s}`, id, id, text, chart)
}

func dashboardOf(parameters string, tiles ...string) string {
	return fmt.Sprintf(`{"title": "Sales", "refresh": 60, "parameters": [%s], "tiles": [%s]}`, parameters, strings.Join(tiles, ", "))
}

// save keeps a dashboard, with what else its arguments are.
func (g gate) save(t *testing.T, token, name, document, more string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"query":     `mutation($d: JSON!) { saveDashboard(name: "` + name + `", document: $d` + more + `) { version own shared } }`,
		"variables": map[string]any{"d": json.RawMessage(document)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return plainAnswer(g.ask(t, token, string(body)))
}

const (
	listChart = `{"kind": "table", "rows": "customers"}`
	margins   = `{"kind": "bar", "rows": "orders", "y": ["margin"]}`
)

// The tiles of a page are answered as one operation, each by itself: one that fails
// leaves the others their answers, and fields and variables of one name are two.
func TestDashboardsAreAnswered(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	boss := key(`roles: ["full", "clerk"]`)
	board := dashboardOf(`{"name": "name", "type": "String", "default": "Ann"}, {"name": "n", "type": "Int"}`,
		tile("one", `query($name: String, $k: Int = 2) { customers(where: {name: {eq: $name}}, limit: $k) { id name } }`, listChart),
		tile("two", `query($n: Int!) { customers(limit: $n, orderBy: [{id: DESC}]) { id } other: customers(limit: 1) { name } }`, listChart),
		tile("three", `{ customersAggregate { count score { sum } } viewer { tenant } ...rest } fragment rest on Query { customers(where: {score: {lt: 700}}) { id } }`, listChart),
		`{"id": "words", "at": {"x": 0, "y": 2, "w": 3, "h": 2}, "chart": {"kind": "text", "text": "Hi"}}`)
	if got := g.save(t, boss, "sales", board, ""); got != `200 {"data":{"saveDashboard":{"version":1,"own":true,"shared":false}}}` {
		t.Fatal(got)
	}
	got := g.look(t, boss, "sales", `{"parameters": {"n": 2}}`)
	const answers = `"tiles":{"one":{"data":{"customers":[{"id":1,"name":"Ann"}]}},` +
		`"two":{"data":{"customers":[{"id":3},{"id":2}],"other":[{"name":"Ann"}]}},` +
		`"three":{"data":{"customersAggregate":[{"count":3,"score":{"sum":725}}],"viewer":{"tenant":"acme"},"customers":[{"id":1},{"id":3}]}}}}`
	if !strings.HasSuffix(got, answers) || !strings.HasPrefix(got, `200 {"dashboard":{"title":"Sales","refresh":60,"parameters":[{`) {
		t.Errorf("%s\nwant …%s", got, answers)
	}
	if page := g.look(t, boss, "sales", ""); !strings.HasPrefix(got, strings.TrimSuffix(page, "}")+",") || strings.Contains(page, "customers(") {
		t.Errorf("the page alone is %s", page)
	}
	// Values of other parameters are other answers, of the same plans and of those with fewer values.
	for body, want := range map[string]string{
		`{"parameters": {"n": 1, "name": "Bob"}, "tiles": ["two", "one"]}`: `"tiles":{"one":{"data":{"customers":[{"id":2,"name":"Bob"}]}},"two":{"data":{"customers":[{"id":3}],"other":[{"name":"Ann"}]}}}}`,
		`{"tiles": ["one", "words"]}`:                                      `"tiles":{"one":{"data":{"customers":[{"id":1,"name":"Ann"}]}}}}`,
		`{"tiles": []}`:                                                    `"tiles":{}}`,
		`{"tiles": ["one", "two"]}`:                                        `"tiles":{"one":{"data":{"customers":[{"id":1,"name":"Ann"}]}},"two":{"errors":[{"message":"Variable \"$n\" cannot be used: it is missing.","locations":[{"line":1,"column":7}],"extensions":{"code":"BAD_USER_INPUT"}}]}}}`,
		`{"parameters": {"n": 100000}, "tiles": ["one", "two"]}`:           `"tiles":{"one":{"data":{"customers":[{"id":1,"name":"Ann"}]}},"two":{"data":{"customers":null,"other":[{"name":"Ann"}]},"errors":[{`,
		`{"parameters": {"name": 5, "n": 1}, "tiles": ["one", "two"]}`:     `"tiles":{"one":{"errors":[{"message":"Variable \"$name\" cannot be used`,
	} {
		if got := g.look(t, boss, "sales", body); !strings.Contains(got, want) || !strings.HasPrefix(got, "200 ") {
			t.Errorf("%s\nis answered %s\nwant %s", body, got, want)
		}
	}
	for body, want := range map[string]string{
		`[]`: "400 ", `{"tile": []}`: "400 ", `{"tiles": null}`: "400 ", `{"tiles": ["one", null]}`: "400 ", `{"tiles": "one"}`: "400 ", `{"parameters": null}`: "400 ",
		`{"tiles": ["gone"]}`: "400 ", `{"parameters": {"gone": 1}}`: "400 ", `{"parameters": {"name": null}}`: "400 ", `{"parameters": {"name": "a"}, "parameters": {}}`: "400 ", `{`: "400 ",
	} {
		if got := g.look(t, boss, "sales", body); !strings.HasPrefix(got, want) {
			t.Errorf("%s is answered %s", body, got)
		}
	}
	// Tiles count together, as the fields of one operation.
	var many []string
	for i := range 30 {
		many = append(many, tile(fmt.Sprintf("t%d", i), `{ a: customers { id } b: customers { id } }`, listChart))
	}
	g.save(t, boss, "many", dashboardOf("", many...), "")
	if got := g.look(t, boss, "many", "{}"); !strings.HasPrefix(got, "400 ") || !strings.Contains(got, `"code":"TOO_COMPLEX"`) {
		t.Errorf("60 fields are answered %s", got)
	}
	if got := g.look(t, boss, "many", `{"tiles": ["t1", "t2"]}`); !strings.HasPrefix(got, `200 `) || strings.Contains(got, "errors") {
		t.Error(got)
	}
	// The audit log tells of the page and of what it read.
	program.Soon(t, program.Patience, "the entries are written", func() bool {
		got = g.query(t, root, `{ admin { auditLog(filter: {operation: "sales", kind: DATA}, limit: 1) { items { tenant datasets } } } }`)
		return strings.Contains(got, `{"tenant":"acme","datasets":["customers"]}`)
	})
	if w := g.looked(t, boss, "sales", `{"parameters": {"n": 1}}`, http.Header{"Content-Type": {"text/plain"}}); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a form is answered %d", w.Code)
	}
	for _, name := range []string{"gone", "SALES", "sales%00", "a%20b"} {
		if got := g.look(t, boss, name, ""); !strings.HasPrefix(got, "404 ") {
			t.Errorf("%s is answered %s", name, got)
		}
	}
	if w := g.looked(t, "", "sales", "", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("nobody is answered %d", w.Code)
	}
}

// Tiles of one page that read the same rows read them in one statement.
func TestTilesShareScans(t *testing.T) {
	t.Parallel()
	g, _, key := savedBy(t)
	boss := key(`roles: ["full"]`)
	g.save(t, boss, "shared", dashboardOf("", tile("a", `{ customersAggregate { count } }`, listChart), tile("b", `{ customersAggregate { score { max } } }`, listChart)), "")
	if got := g.look(t, boss, "shared", "{}"); !strings.Contains(got, `"tiles":{"a":{"data":{"customersAggregate":[{"count":3}]}},"b":{"data":{"customersAggregate":[{"score":{"max":700}}]}}}`) {
		t.Fatal(got)
	}
	statements := func() (n int) {
		_, after, _ := strings.Cut(operators(t, g.Gateway, "/metrics"), `usher_statements_total{source="shop"} `)
		if _, err := fmt.Sscan(after, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := statements()
	g.look(t, boss, "shared", "{}")
	if n := statements() - before; n != 1 {
		t.Errorf("two tiles of one scan were %d statements", n)
	}
}

// Whoever looks at a dashboard is told of it what they see, and no name of the rest;
// whoever sees less than others keeps none that shows more.
func TestDashboardsShowNoHiddenNames(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	boss, clerk := key(`roles: ["full", "clerk"]`), key(`roles: ["clerk"]`)
	g.query(t, root, `mutation { admin { createTenant(input: {id: "globex"}) { id } } }`)
	other := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "globex", scopes: [ADMINISTER, READ_DATA], roles: ["full"]}) { token } } }`, "token")
	mixed := dashboardOf("", tile("names", `{ customers(orderBy: [{id: ASC}], limit: 1) { name } }`, listChart), tile("margins", `{ orders { margin } }`, margins))
	g.save(t, boss, "mixed", mixed, "")
	got := g.look(t, clerk, "mixed", "{}")
	if !strings.Contains(got, `"names":{"data":{"customers":[{"name":"Ann"}]}},"margins":{"errors":[{"message":"the tile shows what is not there, or not for you","extensions":{"code":"FORBIDDEN"`) {
		t.Errorf("the clerk is answered %s", got)
	}
	all := got + g.look(t, clerk, "mixed", "") + g.query(t, clerk, `{ dashboard(name: "mixed") { title document } dashboards { name title } }`)
	for _, hidden := range []string{`"margin"`, "orders", `{ customers`} {
		if strings.Contains(all, hidden) {
			t.Errorf("the clerk is told of %s: %s", hidden, all)
		}
	}
	if got := g.query(t, boss, `{ dashboard(name: "mixed") { document } }`); !strings.Contains(got, `orders { margin }`) {
		t.Error(got)
	}
	refused := func(who, name, document, more string) {
		t.Helper()
		if got := g.save(t, who, name, document, more); !strings.Contains(got, `"saveDashboard":null`) || !strings.Contains(got, "FORBIDDEN") && !strings.Contains(got, "BAD_USER_INPUT") {
			t.Errorf("%s%s\nis answered %s", document, more, got)
		}
	}
	for _, query := range []string{
		`{ orders { margin } }`, `query($w: CustomersWhere) { customers(where: $w) { id } }`, `query($q: TableQuery!) { table(query: $q) { rows } }`, `{ datasets { name } }`,
		`mutation { logout }`, `subscription { customers { id } }`, `query a { customers { id } } query b { customers { id } }`, `{`, `{ gone { id } }`, `query($n: Int!) { customers(limit: $n) { id } }`,
	} {
		refused(clerk, "mine", dashboardOf("", tile("a", query, listChart)), "")
		refused(clerk, "mixed", dashboardOf("", tile("a", query, listChart)), ", version: 1")
	}
	refused(clerk, "mixed", dashboardOf("", tile("a", `{ customers { id } }`, listChart)), ", version: 1")
	refused(boss, "typed", dashboardOf(`{"name": "n", "type": "String"}`, tile("a", `query($n: Int) { customers(limit: $n) { id } }`, listChart)), "")
	refused(boss, "typed", dashboardOf(`{"name": "n", "type": "Int", "default": "x"}`, tile("a", `query($n: Int) { customers(limit: $n) { id } }`, listChart)), "")
	refused(boss, "shared", mixed, ", shared: true")
	refused(root, "typed", `{"title": "x"}`, "")

	// Another tenant has none of it, and its own of that name.
	for _, body := range []string{"", "{}"} {
		if got := g.look(t, other, "mixed", body); !strings.HasPrefix(got, "404 ") {
			t.Errorf("another tenant is answered %s", got)
		}
	}
	g.save(t, other, "mixed", dashboardOf("", tile("a", `{ customers { name } }`, listChart)), "")
	if got := g.look(t, other, "mixed", "{}"); !strings.HasSuffix(got, `"tiles":{"a":{"data":{"customers":[]}}}}`) {
		t.Error(got)
	}
	// Who administers all tenants is told names and titles, to make tokens; nobody else is, of any tenant.
	g.check(t, root, `{ admin { acme: dashboards(tenant: "acme") { name title shared } globex: dashboards(tenant: "globex") { name shared } } }`,
		`200 {"data":{"admin":{"acme":[{"name":"mixed","title":"Sales","shared":false}],"globex":[{"name":"mixed","shared":false}]}}}`)
	for _, who := range []string{boss, other, clerk} {
		for _, of := range []string{"acme", "globex"} {
			if got := g.query(t, who, `{ admin { dashboards(tenant: "`+of+`") { name } } }`); !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
				t.Errorf("who administers one tenant is told of dashboards of %s: %s", of, got)
			}
		}
	}
	confined := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "c", allTenants: true, scopes: [ADMINISTER, READ_DATA], datasets: ["customers"]}) { token } } }`, "token")
	for query, code := range map[string]string{`dashboards(tenant: "none")`: "NOT_FOUND", `dashboards(tenant: "")`: "BAD_USER_INPUT"} {
		if got := g.query(t, root, `{ admin { `+query+` { name } } }`); !strings.Contains(got, code) {
			t.Errorf("%s is answered %s", query, got)
		}
	}
	if got := g.query(t, confined, `{ admin { dashboards(tenant: "acme") { name } } }`); !strings.Contains(got, "FORBIDDEN") {
		t.Errorf("who is confined is told of dashboards: %s", got)
	}
	// What is shared shows each the rows of their own.
	g.save(t, root, "template", dashboardOf("", tile("a", `{ customers { name } }`, listChart)), ", shared: true")
	if got := g.look(t, clerk, "template", "{}") + g.look(t, other, "template", "{}"); strings.Count(got, "Ann") != 1 || strings.Contains(got, "errors") {
		t.Error(got)
	}
	g.check(t, clerk, `mutation { copyDashboard(name: "template") { own shared version } }`, `200 {"data":{"copyDashboard":{"own":true,"shared":false,"version":1}}}`)
	g.check(t, clerk, `{ dashboards { name own shared } }`, `200 {"data":{"dashboards":[{"name":"mixed","own":true,"shared":false},{"name":"template","own":true,"shared":false}]}}`)
	g.check(t, other, `{ dashboards { name own shared } }`, `200 {"data":{"dashboards":[{"name":"mixed","own":true,"shared":false},{"name":"template","own":false,"shared":true}]}}`)
}

// A token for dashboards shows those and does nothing else, through whatever door.
func TestTokensForDashboardsDoNothingElse(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	boss := key(`roles: ["full"]`)
	for _, name := range []string{"sales", "stock"} {
		g.save(t, boss, name, dashboardOf("", tile("a", `{ customers(orderBy: [{id: ASC}]) { name } }`, listChart)), "")
	}
	g.text(t, boss, `mutation { createSavedQuery(input: `+savedInput("q", `{ customers { name } }`)+`) { id } }`, "id")
	mint := func(of string) string {
		return g.text(t, boss, `mutation { createToken(input: {subject: "visitor", roles: ["full"], filters: [{dataset: "customers", where: {name: {neq: "Bob"}}}], `+of+`}) { token } }`, "token")
	}
	only := mint(`dashboards: ["sales"]`)
	service := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "tv", tenant: "acme", scopes: [READ_DATA, EXPORT_DATA, ADMINISTER, CREATE_TOKENS], roles: ["full"], dashboards: ["sales"]}) { token } } }`, "token")
	if got := g.look(t, only, "sales", "{}"); !strings.HasSuffix(got, `"tiles":{"a":{"data":{"customers":[{"name":"Ann"},{"name":"Cy"}]}}}}`) {
		t.Errorf("the token is answered %s", got)
	}
	if got := g.look(t, service, "sales", ""); !strings.HasPrefix(got, `200 {"dashboard":{"title":"Sales"`) {
		t.Error(got)
	}
	for who, token := range map[string]string{"token": only, "key": service, "empty": mint(`dashboards: []`)} {
		for name := range map[string]bool{"stock": true, "gone": true} {
			for _, body := range []string{"", "{}"} {
				if got := g.look(t, token, name, body); !strings.HasPrefix(got, "403 ") {
					t.Errorf("%s: %s is answered %s", who, name, got)
				}
			}
		}
		for _, body := range []string{
			`{"query": "{ customers { name } }"}`, `{"query": "{ viewer { tenant } }"}`, `{"query": "{ __schema { types { name } } }"}`, `{"query": "{ dashboards { name } }"}`, `{"query": ""}`,
			`{"extensions": {"savedQuery": {"name": "q"}}}`, `{"query": "mutation { logout }", "extensions": {"savedQuery": {"name": "q"}}}`,
			`{"query": "mutation { createToken(input: {subject: \"x\"}) { token } }"}`, `{"query": "mutation { narrowToken(input: {}) { token } }"}`,
			`{"query": "{ admin { users { items { username } } } }"}`, `{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "` + strings.Repeat("0", 64) + `"}}}`,
		} {
			if got := plainAnswer(g.ask(t, token, body)); !strings.HasPrefix(got, "403 ") || !strings.Contains(got, "the token is for dashboards only") {
				t.Errorf("%s: %s\nis answered %s", who, body, got)
			}
		}
		for _, path := range []string{"/export/customers?query=%7Bcustomers%7Bname%7D%7D", "/import/customers"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(`{"query": "{ customers { name } }"}`))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", map[bool]string{true: "application/json", false: "text/csv"}[strings.HasPrefix(path, "/export")])
			w := httptest.NewRecorder()
			g.Handler().ServeHTTP(w, r)
			if w.Code == http.StatusOK || strings.Contains(w.Body.String(), "Ann") {
				t.Errorf("%s: %s is answered %d %s", who, path, w.Code, w.Body)
			}
		}
	}
	saved := mint(`savedOnly: true`)
	if got := g.look(t, saved, "sales", "{}"); !strings.HasPrefix(got, "403 ") {
		t.Errorf("a token for saved queries is answered %s", got)
	}
	for _, of := range []string{`dashboards: null`, `dashboards: [null]`, `dashboards: [""]`, `dashboards: ["gone"]`, `dashboards: ["sales"], savedOnly: true`} {
		if got := g.query(t, boss, `mutation { createToken(input: {subject: "v", roles: ["full"], `+of+`}) { token } }`); madeText.MatchString(got) {
			t.Errorf("%s made %s", of, got)
		}
	}
	g.check(t, only, `mutation { logout }`, `200 {"data":{"logout":true}}`)
	if got := g.look(t, only, "sales", "{}"); !strings.HasPrefix(got, "401 ") {
		t.Error(got)
	}
}

const boardClaims = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
server: {allowed_origins: ["https://app.example"]}
issuers:
  app:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    tenants: trusted
    claims: {tenant: /tenant%s}
datasets:
  notes:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: String}
`

// Dashboards in files need no control store, and issuers say which a token shows.
func TestDashboardsInFiles(t *testing.T) {
	t.Parallel()
	start := func(claims string) gate {
		dir := t.TempDir()
		program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
		program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
		if err := os.Mkdir(filepath.Join(dir, "dashboards"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"notes", "more"} {
			program.WriteFile(t, filepath.Join(dir, "dashboards", name+".yml"), `
title: Notes
parameters:
  - {name: id, type: "Int", default: 1}
tiles:
  - id: all
    at: {x: 0, y: 0, w: 6, h: 4}
    query: |
      query($id: Int) { notes(where: {id: {eq: $id}}) { id text } }
    chart: {kind: table, rows: notes}
`)
		}
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(fmt.Sprintf(boardClaims, claims)), program.NoEnv)
		if err != nil {
			t.Fatal(err)
		}
		g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.Close() })
		return gate{g}
	}
	token := func(more map[string]any) string {
		claims := map[string]any{"tenant": "acme"}
		maps.Copy(claims, more)
		text, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		return program.Sign(t, string(text))
	}
	g := start(", dashboards: /dashboards")
	const answer = `"tiles":{"all":{"data":{"notes":[{"id":1,"text":"hello"}]}}}}`
	for _, more := range []map[string]any{nil, {"dashboards": []string{"notes"}}, {"dashboards": `["notes"]`}} {
		if got := g.look(t, token(more), "notes", "{}"); !strings.HasSuffix(got, answer) {
			t.Errorf("%v is answered %s", more, got)
		}
	}
	if got := g.look(t, token(nil), "notes", `{"parameters": {"id": 3}}`); !strings.HasSuffix(got, `"tiles":{"all":{"data":{"notes":[]}}}}`) {
		t.Errorf("another tenant's note: %s", got)
	}
	for _, more := range []map[string]any{{"dashboards": []string{}}, {"dashboards": []string{"more"}}} {
		if got := g.look(t, token(more), "notes", "{}"); !strings.HasPrefix(got, "403 ") {
			t.Errorf("%v is answered %s", more, got)
		}
		if got := g.query(t, token(more), "{ notes { id } }"); !strings.HasPrefix(got, "403 ") {
			t.Errorf("%v: data is answered %s", more, got)
		}
	}
	for _, wrong := range []any{nil, "", "notes", []any{nil}, []any{""}, []any{1}, true, map[string]any{}} {
		if got := g.look(t, token(map[string]any{"dashboards": wrong}), "notes", "{}"); !strings.HasPrefix(got, "401 ") {
			t.Errorf("dashboards %v: %s", wrong, got)
		}
	}
	// A claim that is not read is not ignored: it was meant to restrict.
	deaf := start("")
	if got := deaf.look(t, token(map[string]any{"dashboards": []string{"more"}}), "notes", "{}"); !strings.HasPrefix(got, "401 ") {
		t.Error(got)
	}
	if got := deaf.look(t, token(nil), "notes", "{}"); !strings.HasSuffix(got, answer) {
		t.Error(got)
	}
	// Pages of allowed origins read it, and others do not.
	w := g.looked(t, token(nil), "notes", "{}", http.Header{"Origin": {"https://app.example"}})
	if w.Header().Get("Access-Control-Allow-Origin") != "https://app.example" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v", w.Header())
	}
	if w := g.looked(t, token(nil), "notes", "{}", http.Header{"Origin": {"https://evil.example"}}); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", w.Header())
	}
}

// Tiles are no way around trusted documents: whoever administers a tenant may save some.
// What whoever runs the gateway shares is trusted.
func TestTilesAreNoWayAroundTrust(t *testing.T) {
	t.Parallel()
	g, root := trusting(t, "only")
	key := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [ADMINISTER, READ_DATA]}) { token } } }`, "token")
	const chart = `{"kind": "table", "rows": "notes"}`
	board := dashboardOf("", tile("known", listNotes, chart), tile("other", otherNotes, chart))
	g.save(t, key, "own", board, "")
	g.save(t, root, "shared", board, ", shared: true")
	if got := g.look(t, key, "own", "{}"); !strings.Contains(got, `"known":{"data":{"notes":[{"id":1,"text":"hello"}`) || !strings.Contains(got, `"other":{"errors":[{"message":"only documents`) {
		t.Errorf("a tenant's own is answered %s", got)
	}
	if got := g.look(t, key, "shared", "{}"); strings.Contains(got, "errors") || strings.Count(got, "hello") != 2 {
		t.Errorf("what is shared is answered %s", got)
	}
}

// Who keeps a dashboard is told what will not work when somebody opens it.
func TestFindingsOfDashboards(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	boss, clerk := key(`roles: ["full", "clerk"]`), key(`roles: ["clerk"]`)
	found := func(token, name, document, more string) string {
		t.Helper()
		body, err := json.Marshal(map[string]any{
			"query":     `mutation($d: JSON!) { saveDashboard(name: "` + name + `", document: $d` + more + `) { findings { tile path message fails } } }`,
			"variables": map[string]any{"d": json.RawMessage(document)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return plainAnswer(g.ask(t, token, string(body)))
	}
	chart := func(more string) string { return `{"kind": "bar", "rows": "customersAggregate"` + more + `}` }
	const groups = `{ customersAggregate { key { name } count score { sum } } }`
	for i, line := range []struct {
		parameters, tile string
		want             string // empty: nothing is found
	}{
		{"", tile("a", groups, chart(`, "x": "key.name", "y": ["count", "score.sum"], "format": {"score.sum": {"digits": 1}, "count": {"digits": 0}}`)), ""},
		{"", tile("a", groups, chart("")), ""},
		{"", tile("a", groups, chart(`, "format": {"sum": {"digits": 1}}`)), ""},
		{"", tile("a", groups, chart(`, "y": ["key.name"]`)), `"message":"key.name is of the type String, and what is measured is a number","fails":true`},
		{"", tile("a", groups, chart(`, "x": "key.nam"`)), `"path":["tiles","0","chart","x"],"message":"key.nam leads nowhere: there is no nam, but name","fails":true`},
		{"", tile("a", groups, chart(`, "x": "key"`)), `"message":"key leads to an object: name one of name below it"`},
		{"", tile("a", groups, chart(`, "y": ["count.sum"]`)), `"message":"count.sum leads into a value: there is no sum below it"`},
		{"", tile("a", groups, chart(`, "series": "id"`)), `"message":"id leads nowhere`},
		{"", tile("a", groups, chart(`, "x": "key.name", "y": ["count"], "format": {"total": {"digits": 1}}`)), `"message":"nothing that is drawn is called total: count, key.name","fails":false`},
		{"", tile("a", groups, `{"kind": "table", "rows": "customers"}`), `"message":"customers leads nowhere: there is no customers, but customersAggregate"`},
		{"", tile("a", groups, `{"kind": "table", "rows": "customersAggregate", "columns": [{"path": "count"}, {"path": "gone"}]}`), `"path":["tiles","0","chart","columns","1","path"]`},
		{`{"name": "w", "type": "CustomersWhere!", "control": "text", "default": {}}`, tile("a", `query($w: CustomersWhere!) { customersAggregate(where: $w) { key { name } count } }`, chart("")), `"path":["parameters","0","control"],"message":"what people give by a control text is no value of the type CustomersWhere!: write select, with options, or leave control out","fails":true`},
		{`{"name": "n", "type": "Int", "control": "toggle"}`, tile("a", `query($n: Int) { customers(limit: $n) { id } }`, listChart), `"path":["parameters","0","control"],"message":"what people give by a control toggle is no value of the type Int: `},
		{`{"name": "w", "type": "CustomersWhere!", "control": "select", "default": {}}`, tile("a", `query($w: CustomersWhere!) { customers(where: $w) { id } }`, listChart), `"path":["parameters","0","control"],"message":"there is nothing to choose: select needs options","fails":false`},
		{`{"name": "gone", "type": "Int"}`, tile("a", groups, chart("")), `"path":["parameters","0"],"message":"no tile has a variable $gone, so nothing follows from it","fails":false`},
		{"", tile("a", `query($n: Int) { customers(limit: $n) { id } }`, listChart), `"message":"$n never has a value`},
		{`{"name": "n", "type": "Int!"}`, tile("a", `query($n: Int!) { customers(limit: $n) { id } }`, listChart), `"message":"$n has no value until whoever shows the dashboard gives one`},
		{`{"name": "n", "type": "Int", "default": 1, "options": [{"value": 2}, {"value": "two"}]}`, tile("a", `query($n: Int) { customers(limit: $n) { id } }`, listChart), `"path":["parameters","0","options","1","value"]`},
		{`{"name": "ids", "type": "[Int!]"}`, tile("a", `query($ids: [Int!]) { customers(where: {id: {in: $ids}}) { id } }`, listChart), `the comparison of id is empty`},
		{`{"name": "ids", "type": "[Int!]", "default": [1]}`, tile("a", `query($ids: [Int!]) { customers(where: {id: {in: $ids}}) { id } }`, listChart), ""},
		{`{"name": "which", "type": "CustomersWhere!", "default": {}}`, tile("a", `query($which: CustomersWhere!) { customers(where: $which) { id } }`, listChart), ""},
	} {
		got := found(boss, fmt.Sprintf("b%d", i), dashboardOf(line.parameters, line.tile), "")
		if line.want == "" && got != `200 {"data":{"saveDashboard":{"findings":[]}}}` || line.want != "" && (!strings.Contains(got, line.want) || strings.Count(got, `"message"`) != 1) {
			t.Errorf("%s %s\nis told %s\nwant %s", line.parameters, line.tile, got, line.want)
		}
	}
	for query, want := range map[string]string{
		`mutation { logout }`:                                         "a tile asks one query, and nothing else",
		`{ __schema { queryType { name } } }`:                         "a tile asks for rows, and not for the schema",
		`{ ...f } fragment f on Query { __type(name: "A") { name } }`: "a tile asks for rows, and not for the schema",
	} {
		if got := found(boss, "refused", dashboardOf("", tile("a", query, listChart)), ""); !strings.Contains(got, want) {
			t.Errorf("%s is answered %s", query, got)
		}
	}
	// Who administers all tenants and has no role sees nothing of what they keep, and is told.
	if got := found(root, "all", dashboardOf("", tile("a", groups, chart(""))), ", shared: true"); strings.Contains(got, "errors") {
		t.Error(got)
	}
	if got := found(clerk, "few", dashboardOf("", tile("a", groups, chart(""))), ""); strings.Contains(got, `"saveDashboard":{`) && strings.Contains(got, "you do not see") {
		t.Error(got)
	}
	// A token that shows no tile of its dashboard is made all the same, and its maker is told.
	mint := func(of string) string {
		return plainAnswer(g.ask(t, boss, `{"query": "mutation { createToken(input: {subject: \"v\", `+of+`, dashboards: [\"b0\"]}) { findings } }"}`))
	}
	if got := mint(`roles: [\"full\"]`); got != `200 {"data":{"createToken":{"findings":[]}}}` {
		t.Error(got)
	}
	if got := mint(`roles: [\"full\"], datasets: []`); !strings.Contains(got, "the token shows no tile of the dashboard b0") {
		t.Error(got)
	}
	// It lists what it shows, and nothing else does.
	token := g.text(t, boss, `mutation { createToken(input: {subject: "v", roles: ["full"], dashboards: ["b1", "b0"]}) { token } }`, "token")
	if got := g.look(t, token, "", ""); !strings.HasPrefix(got, `200 {"only":true,"dashboards":[{"name":"b0","title":"Sales","shared":false,"own":true,"version":1,"shows":true},{"name":"b1",`) || strings.Count(got, `"name"`) != 2 {
		t.Error(got)
	}
	if got := g.look(t, boss, "", ""); !strings.HasPrefix(got, `200 {"only":false,`) {
		t.Error(got)
	}
}

// Where only trusted documents are run, a copy of what is shared is not, and its maker is told.
func TestCopiesAreNotTrusted(t *testing.T) {
	t.Parallel()
	g, root := trusting(t, "only")
	key := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [ADMINISTER, READ_DATA]}) { token } } }`, "token")
	const chart = `{"kind": "table", "rows": "notes"}`
	g.save(t, root, "shared", dashboardOf("", tile("known", listNotes, chart), tile("other", otherNotes, chart)), ", shared: true")
	body, _ := json.Marshal(map[string]string{"query": `mutation { copyDashboard(name: "shared", as: "mine") { findings { tile message } } }`})
	got := plainAnswer(g.ask(t, key, string(body)))
	if !strings.Contains(got, `{"tile":"other","message":"only trusted documents are run here`) || strings.Contains(got, `"tile":"known","message":"only`) {
		t.Error(got)
	}
}

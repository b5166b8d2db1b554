package gateway_test

import (
	"encoding/json"
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
	"usher/tenancy"
	"usher/tenancy/database"
	"usher/test/program"
)

// controlled is a configuration with a control store, for one shop of two
// tenants; %s is where the store is.
const controlled = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
control:
  %s
  key: {id: a, secret: {env: KEY}}
  max_stale: 2s
tenants:
  initech: {}
issuers:
  tests:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    claims: {tenant: /tenant, all_tenants: /all, roles: /roles}
    may_grant: {all_tenants: true}
  trusting:
    issuer: trusting
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    tenants: trusted
    claims: {tenant: /tenant}
datasets:
  notes:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: String}
`

const controlledData = `
	CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, text VARCHAR);
	INSERT INTO notes VALUES (1, 'acme', 'hello'), (2, 'acme', 'again'), (3, 'globex', 'hi'), (4, 'initech', 'paper')`

func inPostgres(db pgtest.DB) string {
	return fmt.Sprintf("postgres: {host: %s, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}", db.Host, db.Port, db.Name, db.User)
}

func controlledEnv(db pgtest.DB) func(string) (string, bool) {
	return func(name string) (string, bool) {
		text, ok := map[string]string{"PG": db.Password, "KEY": "aGlkZGVuLWtleS1vZi10aGlydHktdHdvLWJ5dGVzISE="}[name]
		return text, ok
	}
}

// gate is a gateway in this process, asked by HTTP without a network.
type gate struct{ *gateway.Gateway }

func openGate(t *testing.T, place string, db pgtest.DB) gate {
	t.Helper()
	g, err := assembleControlled(t, fmt.Sprintf(controlled, place), db)
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

func assembleControlled(t *testing.T, text string, db pgtest.DB) (*gateway.Gateway, error) {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	return gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

// ask sends a body with a token; an empty token is none.
func (g gate) ask(t *testing.T, token, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	return w
}

// query is the status and the body for a text, without the request's id.
func (g gate) query(t *testing.T, token, text string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		t.Fatal(err)
	}
	return plainAnswer(g.ask(t, token, string(body)))
}

func plainAnswer(w *httptest.ResponseRecorder) string {
	return fmt.Sprintf("%d %s", w.Code, program.WithoutRequestID(w.Body.Bytes()))
}

// text is a member of the answer to a mutation that must succeed.
func (g gate) text(t *testing.T, token, mutation, field string) string {
	t.Helper()
	answer := g.query(t, token, mutation)
	var got struct{ Data map[string]any }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(answer, "200 ")), &got); err != nil {
		t.Fatalf("%s\nis answered %s", mutation, answer)
	}
	objects := got.Data
	if below, ok := objects["admin"].(map[string]any); ok {
		objects = below
	}
	for _, object := range objects {
		object, _ := object.(map[string]any)
		if text, ok := object[field].(string); ok {
			return text
		}
	}
	t.Fatalf("%s\nis answered %s", mutation, answer)
	return ""
}

func (g gate) check(t *testing.T, token, text, want string) {
	t.Helper()
	if got := g.query(t, token, text); got != want {
		t.Errorf("%s\n got %s\nwant %s", text, got, want)
	}
}

func (g gate) bootstrap(t *testing.T) string {
	t.Helper()
	made, err := g.Control().Bootstrap(t.Context(), "tests")
	if err != nil {
		t.Fatal(err)
	}
	return made.Token
}

const (
	unauthenticated = `401 {"errors":[{"message":"no valid token was shown","extensions":{"code":"UNAUTHENTICATED"}}]}`
	ofAcme          = `200 {"data":{"notes":[{"id":1},{"id":2}]}}`
	ofGlobex        = `200 {"data":{"notes":[{"id":3}]}}`
	ofInitech       = `200 {"data":{"notes":[{"id":4}]}}`
	notes           = `{ notes { id } }`
	noteToken       = `mutation { createToken(input: {tenant: "acme", subject: "browser"}) { id token } }`
)

// From an empty store to a browser's token, by what an operator sends.
func TestControl(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	g := openGate(t, inPostgres(db), db)
	admin := g.bootstrap(t)
	g.check(t, admin, `mutation { admin { a: createTenant(input: {id: "acme"}) { id } b: createTenant(input: {id: "globex", name: "Globex"}) { name } } }`,
		`200 {"data":{"admin":{"a":{"id":"acme"},"b":{"name":"Globex"}}}}`)
	browser := g.text(t, admin, noteToken, "token")
	g.check(t, browser, notes, ofAcme)
	g.check(t, browser, `{ viewer { subject tenant tokenKind scopes acting { subject } } }`,
		`200 {"data":{"viewer":{"subject":"browser","tenant":"acme","tokenKind":"EMBED","scopes":["READ_DATA"],"acting":null}}}`)
	g.check(t, browser, `{ admin { tenants { next } } }`,
		`200 {"errors":[{"message":"Cannot query field \"admin\" on type \"Query\".","locations":[{"line":1,"column":3}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`)
	filtered := g.text(t, admin, `mutation { createToken(input: {tenant: "acme", subject: "s", filters: [{dataset: "notes", where: {text: {eq: "hello"}}}]}) { token } }`, "token")
	g.check(t, filtered, notes, `200 {"data":{"notes":[{"id":1}]}}`)
	if got := g.query(t, admin, `mutation { createToken(input: {tenant: "acme", subject: "s", filters: [{dataset: "notes", where: {nothing: {eq: 1}}}]}) { token } }`); !strings.Contains(got, "nothing") || strings.Contains(got, "usher_et_") {
		t.Errorf("a filter by no column: %s", got)
	}
	g.check(t, admin, `mutation { admin { createTenant(input: {id: "initech"}) { id } } }`,
		`200 {"data":{"admin":{"createTenant":null}},"errors":[{"message":"the configuration registers a tenant of this id or key","path":["admin","createTenant"],"locations":[{"line":1,"column":20}],"extensions":{"code":"CONFLICT","hint":"Choose another, or take it out of the configuration's tenants."}}]}`)
	g.check(t, admin, `mutation { admin { createTenant(input: {id: "other", key: "initech"}) { id } } }`,
		`200 {"data":{"admin":{"createTenant":null}},"errors":[{"message":"the configuration registers a tenant of this id or key","path":["admin","createTenant"],"locations":[{"line":1,"column":20}],"extensions":{"code":"CONFLICT","hint":"Choose another, or take it out of the configuration's tenants."}}]}`)

	// JWTs of a registered issuer are of tenants of the file or of the store.
	g.check(t, program.Sign(t, `{"tenant": "initech"}`), notes, ofInitech)
	g.check(t, program.Sign(t, `{"tenant": "globex"}`), notes, ofGlobex)
	g.check(t, program.Sign(t, `{"tenant": "umbrella"}`), notes, unauthenticated)
	g.check(t, program.Sign(t, `{"tenant": "umbrella", "iss": "trusting"}`), notes, `200 {"data":{"notes":[]}}`)

	// A key without data:read mints and reads nothing.
	minter := g.text(t, admin, `mutation { admin { createServiceKey(input: {name: "backend", tenant: "acme", scopes: [CREATE_TOKENS]}) { token } } }`, "token")
	g.check(t, minter, `{ viewer { tokenKind scopes } }`, `200 {"data":{"viewer":{"tokenKind":"SERVICE_KEY","scopes":["CREATE_TOKENS"]}}}`)
	if got := g.query(t, minter, notes); !strings.Contains(got, `Cannot query field \"notes\"`) {
		t.Errorf("a key without data:read: %s", got)
	}
	g.check(t, g.text(t, minter, `mutation { createToken(input: {subject: "s"}) { token } }`, "token"), notes, ofAcme)

	// Acting as a tenant reads as the tenant, administers and saves nothing.
	acting := g.text(t, admin, `mutation { actAs(tenant: "acme", reason: "ticket 7") { token } }`, "token")
	g.check(t, acting, notes, ofAcme)
	g.check(t, acting, `{ viewer { tokenKind acting { subject reason } } }`,
		`200 {"data":{"viewer":{"tokenKind":"SESSION","acting":{"subject":"tests","reason":"ticket 7"}}}}`)
	if got := g.query(t, acting, `mutation { createSavedQuery(input: {name: "x", document: "{ __typename }"}) { id } }`); !strings.Contains(got, "Cannot query field") {
		t.Errorf("who acts to read saves: %s", got)
	}
	g.check(t, acting, `mutation { logout }`, `200 {"data":{"logout":true}}`)
	g.check(t, acting, notes, unauthenticated)

	// A rate is kept to, and the answer says when to come again.
	slow := g.text(t, admin, `mutation { createToken(input: {tenant: "acme", subject: "s", rate: 1}) { token } }`, "token")
	g.check(t, slow, notes, ofAcme)
	w := g.ask(t, slow, `{"query":"{ notes { id } }"}`)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "60" || !strings.Contains(w.Body.String(), "TOO_MANY_REQUESTS") {
		t.Errorf("too many requests: %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
}

// The anonymous log in; whatever else they ask, a token is missing.
func TestAnonymousLogin(t *testing.T) {
	t.Parallel()
	g := openGate(t, "path: control.duckdb", pgtest.DB{})
	admin := g.bootstrap(t)
	g.check(t, admin, `mutation { admin { createTenant(input: {id: "acme"}) { id } createUser(input: {tenant: "acme", username: "ann", password: "correct horse battery"}) { username } } }`,
		`200 {"data":{"admin":{"createTenant":{"id":"acme"},"createUser":{"username":"ann"}}}}`)
	g.check(t, "", `{ authenticated }`, `200 {"data":{"authenticated":false}}`)
	for _, text := range []string{notes, `{ viewer { subject } }`, `{`, `mutation { logout }`, `mutation { admin { createTenant(input: {id: "x"}) { id } } }`, `{ nothing }`} {
		g.check(t, "", text, unauthenticated)
	}
	for _, body := range []string{``, `{`, `[]`, `{"query": 7}`, `{"query": "{ authenticated }"} x`, `{"extensions": {"savedQuery": {"name": "x"}}}`, `{"query":"` + strings.Repeat("a", 17<<10) + `"}`} {
		if got := plainAnswer(g.ask(t, "", body)); got != unauthenticated {
			t.Errorf("%.60s: %s", body, got)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/graphql", nil)
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	if got := plainAnswer(w); got != unauthenticated || w.Header().Get("WWW-Authenticate") != "Bearer" || w.Header().Get("Allow") != "" {
		t.Errorf("PUT: %s, %v", got, w.Header())
	}

	const wrong = `200 {"data":{"login":null},"errors":[{"message":"tenant, username or password is wrong","path":["login"],"locations":[{"line":1,"column":12}],"extensions":{"code":"UNAUTHENTICATED"}}]}`
	g.check(t, "", `mutation { login(tenant: "acme", username: "ann", password: "wrong") { token } }`, wrong)
	g.check(t, "", `mutation { login(tenant: "nowhere", username: "ann", password: "wrong") { token } }`, wrong)
	session := g.text(t, "", `mutation { login(tenant: "acme", username: "ann", password: "correct horse battery") { token } }`, "token")
	other := g.text(t, "", `mutation { login(username: "acme|ann", password: "correct horse battery") { token } }`, "token")
	g.check(t, session, `{ notes { id } viewer { subject tokenKind } }`,
		`200 {"data":{"notes":[{"id":1},{"id":2}],"viewer":{"subject":"ann","tokenKind":"SESSION"}}}`)
	g.check(t, session, `mutation { changePassword(old: "correct horse battery", new: "another horse entirely") }`, `200 {"data":{"changePassword":true}}`)
	g.check(t, other, notes, unauthenticated)
	g.check(t, session, `mutation { logout }`, `200 {"data":{"logout":true}}`)
	g.check(t, session, notes, unauthenticated)

	// Who fails often from one address has to wait, and is told for how long.
	var last string
	for range 8 {
		last = g.query(t, "", `mutation { login(tenant: "acme", username: "ann", password: "wrong") { token } }`)
	}
	if !strings.Contains(last, `"code":"TOO_MANY_REQUESTS"`) || !strings.Contains(last, `"retryAfter":`) {
		t.Errorf("after many failures: %s", last)
	}
}

func TestSavedQueriesAreAsked(t *testing.T) {
	t.Parallel()
	g := openGate(t, "path: control.duckdb", pgtest.DB{})
	admin := g.bootstrap(t)
	g.check(t, admin, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	keeper := g.text(t, admin, `mutation { admin { createServiceKey(input: {name: "keeper", tenant: "acme", scopes: [ADMINISTER, READ_DATA]}) { token } } }`, "token")
	id := g.text(t, keeper, `mutation { createSavedQuery(input: {name: "some", ofTenant: true, document: "query($n: Int!) { notes(limit: $n) { id } }", variables: {n: 1}}) { id } }`, "id")
	only := g.text(t, admin, `mutation { createToken(input: {tenant: "acme", subject: "tv", savedOnly: true}) { token } }`, "token")
	f := func(token, body, want string) {
		t.Helper()
		if got := plainAnswer(g.ask(t, token, body)); got != want {
			t.Errorf("%s\n got %s\nwant %s", body, got, want)
		}
	}
	const one = `200 {"data":{"notes":[{"id":1}]}}`
	for _, token := range []string{only, keeper} {
		f(token, `{"extensions": {"savedQuery": {"name": "some"}}}`, one)
		f(token, `{"extensions": {"savedQuery": {"id": "`+id+`"}}}`, one)
		f(token, `{"extensions": {"savedQuery": {"name": "some"}}, "variables": {"n": 5}}`, ofAcme)
		f(token, `{"extensions": {"savedQuery": {"name": "none"}}}`,
			`200 {"errors":[{"message":"there is no saved query none","extensions":{"code":"NOT_FOUND"}}]}`)
	}
	for _, text := range []string{
		`{ notes { id } }`, `mutation { logout again: logout }`, `mutation { ...l } fragment l on Mutation { logout }`,
		`mutation a { logout } query b { notes { id } }`, `{ logout }`, `mutation { logout: __typename }`, `mutation { logout } # ` + strings.Repeat("long ", 200), `{ viewer { subject } }`, ``,
	} {
		body, err := json.Marshal(map[string]string{"query": text, "operationName": ""})
		if err != nil {
			t.Fatal(err)
		}
		f(only, string(body), forSavedOnly)
	}
	f(only, `{"query": "mutation Bye { logout }"}`, `200 {"data":{"logout":true}}`)
	f(only, `{"extensions": {"savedQuery": {"name": "some"}}}`, unauthenticated)
}

// A page ends the token that it was given, and nobody else's.
func TestEmbedTokensEndThemselves(t *testing.T) {
	t.Parallel()
	g := openGate(t, "path: control.duckdb", pgtest.DB{})
	admin := g.bootstrap(t)
	g.check(t, admin, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	one, two := g.text(t, admin, noteToken, "token"), g.text(t, admin, noteToken, "token")
	g.check(t, one, notes, ofAcme)
	g.check(t, one, `{ __type(name: "Mutation") { fields { name } } }`, `200 {"data":{"__type":{"fields":[{"name":"logout"}]}}}`)
	g.check(t, one, `mutation { logout }`, `200 {"data":{"logout":true}}`)
	g.check(t, one, notes, unauthenticated)
	g.check(t, two, notes, ofAcme)
	g.check(t, admin, `{ admin { auditLog(filter: {operation: "logout"}) { items { subject tenant outcome } } } }`,
		`200 {"data":{"admin":{"auditLog":{"items":[{"subject":"browser","tenant":"acme","outcome":"done"}]}}}}`)
}

const forSavedOnly = `403 {"errors":[{"message":"the token is for saved queries only","extensions":{"code":"FORBIDDEN","hint":"Name one instead of a text: \"extensions\": {\"savedQuery\": {\"name\": \"…\"}}."}}]}`

// What is asked of datasets is noted: by whom, what, and how it went.
func TestDataAccessIsAudited(t *testing.T) {
	t.Parallel()
	g := openGate(t, "path: control.duckdb", pgtest.DB{})
	admin := g.bootstrap(t)
	g.check(t, admin, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	browser := g.text(t, admin, noteToken, "token")
	g.check(t, browser, `query mine { notes(where: {text: {eq: "hello"}}) { id } other: notes { id } }`, `200 {"data":{"notes":[{"id":1}],"other":[{"id":1},{"id":2}]}}`)
	g.check(t, browser, `query mine { notes(where: {text: {eq: "hello"}}) { id } other: notes { id } }`, `200 {"data":{"notes":[{"id":1}],"other":[{"id":1},{"id":2}]}}`)
	g.check(t, browser, `query asTable { table(query: {dataset: "notes", columns: ["id"]}) { rows } }`, `200 {"data":{"table":{"rows":[[1],[2]]}}}`)
	if got := g.query(t, browser, `query tooMuch { notes(limit: 999999) { id } }`); !strings.Contains(got, `"code":`) {
		t.Errorf("an unbounded question: %s", got)
	}
	g.check(t, browser, `query me { viewer { subject } }`, `200 {"data":{"viewer":{"subject":"browser"}}}`)
	const log = `{ admin { auditLog(filter: {kind: DATA}) { items { subject tenant operation datasets strategy rows outcome hash } } } }`
	var answer string
	program.Soon(t, program.Patience, "the entries are written", func() bool {
		answer = g.query(t, admin, log)
		return strings.Count(answer, `"operation"`) == 4
	})
	for _, part := range []string{
		`{"subject":"browser","tenant":"acme","operation":"mine","datasets":["notes"],"strategy":"shared","rows":3,"outcome":"done","hash":"`,
		`{"subject":"browser","tenant":"acme","operation":"asTable","datasets":["notes"],"strategy":"shared","rows":2,"outcome":"done","hash":"`,
		`"operation":"tooMuch","datasets":["notes"],"strategy":null,"rows":0,"outcome":"TOO_COMPLEX","hash":"`,
	} {
		if !strings.Contains(answer, part) {
			t.Errorf("%s\nlacks %s", answer, part)
		}
	}
	if strings.Contains(answer, "hello") {
		t.Errorf("the log holds a value: %s", answer)
	}
}

// What is revoked or suspended through one gateway is refused by the other.
func TestGatewaysShareAStore(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	one, two := openGate(t, inPostgres(db), db), openGate(t, inPostgres(db), db)
	admin := one.bootstrap(t)
	one.check(t, admin, `mutation { admin { a: createTenant(input: {id: "acme"}) { id } b: createTenant(input: {id: "globex"}) { id } } }`,
		`200 {"data":{"admin":{"a":{"id":"acme"},"b":{"id":"globex"}}}}`)
	embedded := one.text(t, admin, noteToken, "token")
	jwt, foreign := program.Sign(t, `{"tenant": "acme", "sub": "bob", "jti": "j-1"}`), program.Sign(t, `{"tenant": "acme", "iss": "trusting"}`)
	everybody := map[string]string{"an embed token": embedded, "a JWT": jwt, "a JWT of a trusted issuer": foreign}
	for what, token := range everybody {
		for _, g := range []gate{one, two} {
			if got := g.query(t, token, notes); got != ofAcme {
				t.Fatalf("%s: %s", what, got)
			}
		}
	}
	refusedSoon := func(what, token string) {
		t.Helper()
		if got := one.query(t, token, notes); got != unauthenticated {
			t.Errorf("%s, where it was revoked: %s", what, got)
		}
		program.Soon(t, time.Second, what, func() bool { return two.query(t, token, notes) == unauthenticated })
	}
	one.check(t, admin, `mutation { admin { suspendTenant(id: "acme") { status } } }`, `200 {"data":{"admin":{"suspendTenant":{"status":"SUSPENDED"}}}}`)
	for what, token := range everybody {
		refusedSoon(what+" of a suspended tenant", token)
	}
	two.check(t, admin, `mutation { admin { resumeTenant(id: "acme") { status } } }`, `200 {"data":{"admin":{"resumeTenant":{"status":"ACTIVE"}}}}`)
	for what, token := range everybody {
		program.Soon(t, time.Second, what+" of a tenant that is back", func() bool { return one.query(t, token, notes) == ofAcme })
	}
	one.check(t, admin, `mutation { admin { revokeTokens(by: {token: "`+strings.Split(embedded, "_")[2]+`"}) } }`, `200 {"data":{"admin":{"revokeTokens":1}}}`)
	refusedSoon("an embed token", embedded)
	one.check(t, admin, `mutation { admin { revokeTokens(by: {tenant: "acme", subject: "bob"}) } }`, `200 {"data":{"admin":{"revokeTokens":0}}}`)
	refusedSoon("a JWT", jwt)
	one.check(t, admin, `mutation { admin { revokeTokens(by: {issuer: "trusting"}) } }`, `200 {"data":{"admin":{"revokeTokens":0}}}`)
	refusedSoon("a JWT of a trusted issuer", foreign)
	one.check(t, program.Sign(t, `{"tenant": "globex", "sub": "bob"}`), notes, ofGlobex)
}

// While the store is silent, what needs it is answered 503, and what does not
// goes on.
func TestSilentControlStore(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	db := server.Database(t)
	g := openGate(t, inPostgres(db), db)
	admin := g.bootstrap(t)
	g.check(t, admin, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	embedded := g.text(t, admin, noteToken, "token")
	registered, configured, everybody := program.Sign(t, `{"tenant": "acme"}`), program.Sign(t, `{"tenant": "initech", "iss": "trusting"}`), program.Sign(t, `{"all": true}`)
	g.check(t, embedded, notes, ofAcme)
	g.check(t, registered, notes, ofAcme)
	const silent = `503 {"errors":[{"message":"the control store does not answer","extensions":{"code":"UNAVAILABLE","hint":"Try again in a moment.","retryAfter":1}}]}`
	metrics := func(ready, silent int) {
		t.Helper()
		got := operators(t, g.Gateway, "/metrics")
		for _, line := range []string{fmt.Sprintf("usher_ready %d", ready), fmt.Sprintf(`usher_not_ready{reason="control_store"} %d`, silent), `usher_not_ready{reason="draining"} 0`} {
			if !strings.Contains(got, "\n"+line+"\n") {
				t.Errorf("the metrics do not say %s", line)
			}
		}
	}
	metrics(1, 0)
	server.Freeze(t)
	program.Soon(t, program.Patience, "the silence is noticed", func() bool { return g.query(t, embedded, notes) == silent })
	metrics(0, 1)
	g.check(t, registered, notes, silent)
	g.check(t, admin, `{ admin { tenants { next } } }`, silent)
	g.check(t, configured, notes, silent)
	g.check(t, everybody, notes, silent)
	for _, token := range []string{embedded, registered, configured, everybody} {
		if w := g.ask(t, token, `{"query": "{ notes { id } }"}`); w.Header().Get("Retry-After") != "1" {
			t.Errorf("when to ask again: %q", w.Header().Get("Retry-After"))
		}
	}
	g.check(t, "usher_et_nonsense", notes, unauthenticated)
	g.check(t, program.Sign(t, `{"tenant": "acme", "$secret": "another secret of 32 bytes or more"}`), notes, unauthenticated)
	server.Thaw(t)
	program.Soon(t, program.Patience, "the store answers again", func() bool { return g.query(t, embedded, notes) == ofAcme })
	metrics(1, 0)
	g.check(t, registered, notes, ofAcme)
	g.check(t, configured, notes, ofInitech)
	g.check(t, everybody, notes, `200 {"data":{"notes":[{"id":1},{"id":2},{"id":3},{"id":4}]}}`)
}

// A tenant is registered in one place.
func TestTenantsOfTheFileAndOfTheStore(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	text := fmt.Sprintf(controlled, inPostgres(db))
	g := openGate(t, inPostgres(db), db)
	admin := g.bootstrap(t)
	g.check(t, admin, `mutation { admin { a: createTenant(input: {id: "acme"}) { id } b: createTenant(input: {id: "globex", key: "42"}) { id } deleteTenant(id: "globex") { id } } }`,
		`200 {"data":{"admin":{"a":{"id":"acme"},"b":{"id":"globex"},"deleteTenant":{"id":"globex"}}}}`)
	for tenants, want := range map[string]string{
		`initech: {}`: "",
		`acme: {}`:    "tenants.acme: the control store has, or had, a tenant of this id or key",
		`globex: {}`:  "tenants.globex: the control store has, or had",
		`other: "42"`: "tenants.other: the control store has, or had",
		`"42": {}`:    "tenants.42: the control store has, or had",
		`other: acme`: "tenants.other: the control store has, or had",
	} {
		other, err := assembleControlled(t, strings.Replace(text, "initech: {}", tenants, 1), db)
		if err == nil {
			err = other.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", tenants, err)
		}
	}
}

// Whose rows a token shows does not depend on who has issued it: a tenant that
// is registered, in the file or in the store, has its registered key, and a key
// is nobody's id.
func TestIssuersAgreeOnTenants(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	g, err := assembleControlled(t, strings.Replace(fmt.Sprintf(controlled, inPostgres(db)), "initech: {}", "ft: globex", 1), db)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	ask := gate{g}
	admin := ask.bootstrap(t)
	registered := func(id string) string { return program.Sign(t, `{"tenant": "`+id+`"}`) }
	trusted := func(id string) string { return program.Sign(t, `{"tenant": "`+id+`", "iss": "trusting"}`) }
	// Until anybody registers it, a trusted tenant's key is its id.
	ask.check(t, trusted("acme"), notes, ofAcme)
	ask.check(t, registered("acme"), notes, unauthenticated)
	ask.check(t, trusted("yy"), notes, `200 {"data":{"notes":[]}}`)
	ask.check(t, admin, `mutation { admin { createTenant(input: {id: "yy", key: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"yy"}}}}`)
	for _, sign := range []func(string) string{registered, trusted} {
		ask.check(t, sign("ft"), notes, ofGlobex)
		ask.check(t, sign("globex"), notes, unauthenticated)
		ask.check(t, sign("yy"), notes, ofAcme)
		ask.check(t, sign("acme"), notes, unauthenticated)
	}
	for _, n := range [][2]string{{"globex", "z"}, {"z", "ft"}, {"ft", "z"}, {"z", "globex"}, {"acme", "z"}, {"z", "yy"}} {
		if got := ask.query(t, admin, fmt.Sprintf(`mutation { admin { createTenant(input: {id: %q, key: %q}) { id } } }`, n[0], n[1])); !strings.Contains(got, "CONFLICT") {
			t.Errorf("id %s with key %s: %s", n[0], n[1], got)
		}
	}
	// What another tenant is called by others is nobody's id either.
	ask.check(t, trusted("42"), notes, `200 {"data":{"notes":[]}}`)
	ask.check(t, admin, `mutation { admin { setTenantExternalIds(id: "yy", externalIds: ["42"]) { id } } }`, `200 {"data":{"admin":{"setTenantExternalIds":{"id":"yy"}}}}`)
	ask.check(t, trusted("42"), notes, unauthenticated)
	for _, mutation := range []string{"suspendTenant", "deleteTenant"} {
		ask.check(t, admin, `mutation { admin { `+mutation+`(id: "yy") { id } } }`, `200 {"data":{"admin":{"`+mutation+`":{"id":"yy"}}}}`)
		for _, id := range []string{"yy", "acme"} {
			ask.check(t, trusted(id), notes, unauthenticated)
			ask.check(t, registered(id), notes, unauthenticated)
		}
	}
}

// A token whose issuer's clock is ahead does not outlive its revocation, whether
// the gateway has seen it before or not.
func TestRevocationReachesClocksAhead(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	g := openGate(t, inPostgres(db), db)
	admin := g.bootstrap(t)
	seen, unseen := program.Sign(t, `{"tenant": "acme", "iss": "trusting", "iat": "5s"}`), program.Sign(t, `{"tenant": "acme", "iss": "trusting", "iat": "5s", "jti": "2"}`)
	other := program.Sign(t, `{"tenant": "acme", "iss": "trusting", "iat": "5s", "sub": "bob"}`)
	g.check(t, admin, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	g.check(t, seen, notes, ofAcme)
	g.check(t, admin, `mutation { admin { revokeTokens(by: {tenant: "acme", subject: "ann"}) } }`, `200 {"data":{"admin":{"revokeTokens":0}}}`)
	g.check(t, seen, notes, unauthenticated)
	g.check(t, unseen, notes, unauthenticated)
	g.check(t, other, notes, ofAcme)
}

// A new store says how its first key is made, once nobody administers it, and
// shows no secret.
func TestFirstKeyIsExplained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
	text := strings.Replace(fmt.Sprintf(controlled, "path: control.duckdb"), "key: {id: a, secret: {env: KEY}}", "", 1)
	file := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, file, text)
	serve := func() string {
		u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
		u.Stop(t)
		return u.Stdout.String()
	}
	if got := serve(); strings.Count(got, "usher key bootstrap") != 1 || strings.Contains(got, tenancy.Prefix) {
		t.Errorf("an empty store is served with %s", got)
	}
	store, err := tenancy.Open(t.Context(), database.Spec{Path: filepath.Join(dir, "control.duckdb")}, tenancy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Bootstrap(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := serve(); strings.Contains(got, "bootstrap") {
		t.Errorf("a store with a key is served with %s", got)
	}
}

// Failed logins behind a trusted proxy are those of the address that it has
// seen, and of no address that a client makes up.
func TestLoginsBehindAProxy(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	g, err := assembleControlled(t, "server: {trusted_proxies: [192.0.2.1]}\n"+fmt.Sprintf(controlled, "path: control.duckdb"), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("close the gateway: %v", err)
		}
	})
	login := func(username, forwarded string) int {
		body := fmt.Sprintf(`{"query": "mutation { login(tenant: \"acme\", username: \"%s\", password: \"wrong\") { token } }"}`, username)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(body)) // from 192.0.2.1
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/graphql-response+json")
		r.Header.Set("X-Forwarded-For", forwarded)
		w := httptest.NewRecorder()
		g.Handler().ServeHTTP(w, r)
		switch body := w.Body.String(); {
		case strings.Contains(body, "TOO_MANY_REQUESTS"):
			return http.StatusTooManyRequests
		case strings.Contains(body, "UNAUTHENTICATED"):
			return http.StatusUnauthorized
		}
		t.Fatalf("%s", w.Body)
		return 0
	}
	locked := false
	for i := range 60 {
		locked = locked || login(fmt.Sprintf("name%d", i), fmt.Sprintf("203.0.113.%d, 198.51.100.1", i)) == http.StatusTooManyRequests
	}
	if !locked {
		t.Error("60 failures from one address lock nothing")
	}
	if got := login("somebody", "198.51.100.2"); got != http.StatusUnauthorized {
		t.Errorf("another address behind the same proxy is answered %d", got)
	}
}

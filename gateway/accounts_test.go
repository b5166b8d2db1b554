package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// housed has datasets of tenants in a database of their own, behind an API and in
// a shared file. The first %s is where the store is, then come the database
// server, its password and the API.
const housed = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
  silo: {kind: postgres, host: %[2]s, port: %[3]d, database: postgres, user: %[4]s, password: {env: PG}, sslmode: disable, template: true, allow_private: true, allow_hosts: ["127.0.0.1", "*.invalid"]}
  public: {kind: postgres, host: db.invalid, database: x, user: x, password: {env: PG}, sslmode: disable, template: true, allow_hosts: ["127.0.0.1"]}
  secure: {kind: postgres, host: db.invalid, database: x, user: x, password: {env: PG}, template: true, allow_private: true, allow_hosts: ["127.0.0.1"]}
  partner: {kind: api, base_url: "%[5]s/good", allow_private: true, isolation: upstream, headers: {X-Tenant: "{tenant}"}, allow_hosts: ["127.0.0.1"]}
strategies:
  standard: {source: shop, datasets: {orders: silo, web: partner}}
  public: {source: public}
  secure: {source: secure}
  shop: {source: shop}
  api: {source: shop, datasets: {web: partner}}
default_strategy: standard
control:
  %[1]s
  key: {id: a, secret: {env: KEY}}
issuers:
  idp:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    claims: {tenant: {pointer: /org_id, map: registry}, strategies: /strategies}
    may_grant: {strategies: [shop]}
tenants:
  filed: {external_ids: [org_filed, "7"], strategy: shop}
datasets:
  notes:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: String}
  orders:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, total: Decimal, placed: Date}
    relations: {note: {to: notes, on: {id: id}}, web: {to: web, on: {id: order_id}}}
    bind: {silo: {columns: {tenant: ~}}, public: {columns: {tenant: ~}}, secure: {columns: {tenant: ~}}}
  web:
    tenant: tenant
    key: order_id
    columns: {order_id: Int!, tenant: String!, url: String}
    bind: {partner: {path: /web, columns: {tenant: ~}}}
`

// partnerAPI answers below /good, and in other places as APIs do that cannot.
func partnerAPI(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch place, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); place {
		case "good":
			fmt.Fprintf(w, `[{"order_id": 1, "url": "https://%s.example"}]`, r.Header.Get("X-Tenant"))
		case "wrong":
			fmt.Fprint(w, `[{"order_id": "one", "url": 7}]`)
		case "keyless":
			w.WriteHeader(http.StatusUnauthorized)
		case "busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func openHoused(t *testing.T) (g gate, db pgtest.DB, api string) {
	t.Helper()
	db, api = pgtest.Start(t).Database(t), partnerAPI(t)
	made, err := assembleControlled(t, fmt.Sprintf(housed, "path: control.duckdb", db.Host, db.Port, db.User, api), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := made.Close(); err != nil {
			t.Errorf("close the gateway: %v", err)
		}
	})
	return gate{made}, db, api
}

// One token shows rows of several sources together, whichever of its record, its
// claims or the file says where they are; external ids find the tenant.
func TestStrategiesOfDatasets(t *testing.T) {
	t.Parallel()
	g, db, _ := openHoused(t)
	db.Exec(t, `CREATE TABLE orders (id int PRIMARY KEY, total numeric, placed date); INSERT INTO orders VALUES (1, 5, '2026-01-01'), (3, 7, NULL)`)
	root := g.bootstrap(t)
	account := fmt.Sprintf(`{source: "silo", database: %q, user: %q, password: %q}`, db.Name, db.User, db.Password)
	g.check(t, root, `mutation { admin { createTenant(input: {id: "acme", externalIds: ["org_9ybsU1dN2d", "42"], accounts: [`+account+`], allowHosts: ["127.0.0.1"]}) { id strategies { dataset } externalIds allowHosts } } }`,
		`200 {"data":{"admin":{"createTenant":{"id":"acme","strategies":[],"externalIds":["org_9ybsU1dN2d","42"],"allowHosts":["127.0.0.1"]}}}}`)
	const together = `{ orders { id total note { text } web { url } } }`
	const acmes = `200 {"data":{"orders":[{"id":1,"total":5,"note":{"text":"hello"},"web":{"url":"https://acme.example"}},{"id":3,"total":7,"note":null,"web":null}]}}`
	embed := g.text(t, root, `mutation { createToken(input: {tenant: "acme", subject: "browser"}) { token } }`, "token")
	for _, token := range []string{program.Sign(t, `{"org_id": "org_9ybsU1dN2d"}`), program.Sign(t, `{"org_id": 42}`), embed} {
		g.check(t, token, together, acmes)
	}
	for _, claims := range []string{`{"org_id": "acme"}`, `{"org_id": "7x"}`, `{"org_id": null}`, `{"org_id": "null"}`, `{"org_id": 42.5}`, `{}`} {
		if got := g.query(t, program.Sign(t, claims), together); !strings.HasPrefix(got, "401 ") {
			t.Errorf("%s: %s", claims, got)
		}
	}
	g.check(t, program.Sign(t, `{"org_id": "org_filed"}`), `{ notes { id } }`, `200 {"data":{"notes":[]}}`)
	// What the file calls a tenant, no tenant of the store is called, and the other way round.
	for _, taken := range []string{"org_filed", "7", "filed"} {
		if got := g.query(t, root, `mutation { admin { setTenantExternalIds(id: "acme", externalIds: ["`+taken+`"]) { id } } }`); !strings.Contains(got, `"CONFLICT"`) {
			t.Errorf("%s: %s", taken, got)
		}
	}
	if got := g.query(t, root, `mutation { admin { createTenant(input: {id: "7"}) { id } } }`); !strings.Contains(got, `"CONFLICT"`) {
		t.Error(got)
	}
	// By dataset: the token, then the record.
	refused := func(token, document, want string) {
		t.Helper()
		if got := g.query(t, token, document); !strings.Contains(got, want) {
			t.Errorf("%s is answered %s, want %s", document, got, want)
		}
	}
	g.check(t, program.Sign(t, `{"org_id": 42, "strategies": {"web": "shop"}}`), `{ orders { id } }`, `200 {"data":{"orders":[{"id":1},{"id":3}]}}`)
	refused(program.Sign(t, `{"org_id": 42, "strategies": {"web": "shop"}}`), `{ web { url } }`, `cannot be reached by the strategy \"shop\"`)
	refused(program.Sign(t, `{"org_id": 42, "strategies": {"web": "standard"}}`), `{ orders { id } }`, `UNAUTHENTICATED`)
	refused(program.Sign(t, `{"org_id": 42, "strategies": {"nothing": "shop"}}`), `{ orders { id } }`, `unknown dataset \"nothing\"`)
	refused(root, `mutation { createToken(input: {tenant: "acme", subject: "s", strategies: [{dataset: "nothing", strategy: "shop"}]}) { id } }`, `unknown dataset \"nothing\"`)
	refused(root, `mutation { createToken(input: {tenant: "acme", subject: "s", strategies: [{dataset: "web", strategy: "nothing"}]}) { id } }`, `unknown strategy \"nothing\"`)
	refused(root, `mutation { createToken(input: {tenant: "acme", subject: "s", strategies: [{dataset: "web", strategy: "shop"}, {dataset: "web", strategy: "standard"}]}) { id } }`, `given twice`)
	refused(root, `mutation { createToken(input: {tenant: "acme", subject: "s", strategies: [{dataset: "web", strategy: "shop"}]}) { id } }`, `web cannot be reached by the strategy \"shop\"`)
	refused(root, `mutation { admin { setTenantStrategy(id: "acme", strategies: [{dataset: "nothing", strategy: "shop"}]) { id } } }`, `unknown dataset \"nothing\"`)
	g.check(t, root, `mutation { admin { setTenantStrategy(id: "acme", strategies: [{dataset: "web", strategy: "shop"}]) { strategies { dataset strategy } } } }`,
		`200 {"data":{"admin":{"setTenantStrategy":{"strategies":[{"dataset":"web","strategy":"shop"}]}}}}`)
	refused(embed, `{ web { url } }`, `cannot be reached by the strategy \"shop\"`)
	minted := g.text(t, root, `mutation { createToken(input: {tenant: "acme", subject: "s", strategies: [{dataset: "web", strategy: "standard"}]}) { token } }`, "token")
	g.check(t, minted, together, acmes)
	if got := g.query(t, root, `{ admin { tokens { items { strategies { dataset strategy } } } } }`); !strings.Contains(got, `{"strategies":[{"dataset":"web","strategy":"standard"}]}`) {
		t.Errorf("the tokens are listed as %s", got)
	}
}

// The hosts of a record bound its accounts and those of its tokens; whoever
// administers the tenant alone does not change them.
func TestHostsOfARecord(t *testing.T) {
	t.Parallel()
	g, _, api := openHoused(t)
	root := g.bootstrap(t)
	g.check(t, root, `mutation { admin { createTenant(input: {id: "acme", allowHosts: ["`+api+`/good"]}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	boss := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "boss", tenant: "acme", scopes: [ADMINISTER, CREATE_TOKENS, READ_DATA], mayGrant: {accounts: ["partner", "silo"]}}) { token } } }`, "token")
	mint := func(account string) string {
		return g.query(t, boss, `mutation { createToken(input: {subject: "s", accounts: [`+account+`]}) { id } }`)
	}
	for account, want := range map[string]string{
		`{source: "partner", baseUrl: "` + api + `/good/acme"}`:                           `"id":`,
		`{source: "partner", baseUrl: "` + api + `/bad"}`:                                 "what the tenant's record allows",
		`{source: "partner", baseUrl: "` + api + `/good/../bad"}`:                         "what the tenant's record allows",
		`{source: "partner", baseUrl: "` + api + `/good/%2e%2e/bad"}`:                     "what the tenant's record allows",
		`{source: "silo", host: "127.0.0.1", database: "x", user: "x", password: "x"}`:    "what the tenant's record allows",
		`{source: "silo", host: "other.example", database: "x", user: "x", password: ""}`: `"code"`,
	} {
		if got := mint(account); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", account, got, want)
		}
	}
	for _, document := range []string{
		`mutation { admin { setTenantAllowHosts(id: "acme", allowHosts: ["*"]) { id } } }`,
		`mutation { admin { setTenantExternalIds(id: "acme", externalIds: ["x"]) { id } } }`,
		`mutation { admin { setTenantStrategy(id: "acme", strategies: []) { id } } }`,
	} {
		if got := g.query(t, boss, document); !strings.Contains(got, "Cannot query field") {
			t.Errorf("%s: %s", document, got)
		}
	}
	// Nothing is allowed; then all that the source allows; and an account that is there stays within.
	g.check(t, root, `mutation { admin { setTenantAllowHosts(id: "acme", allowHosts: []) { allowHosts } } }`, `200 {"data":{"admin":{"setTenantAllowHosts":{"allowHosts":[]}}}}`)
	if got := mint(`{source: "partner", baseUrl: "` + api + `/good/acme"}`); !strings.Contains(got, "what the tenant's record allows") {
		t.Error(got)
	}
	g.check(t, root, `mutation { admin { setTenantAllowHosts(id: "acme", allowHosts: ["*"]) { allowHosts } } }`, `200 {"data":{"admin":{"setTenantAllowHosts":{"allowHosts":["*"]}}}}`)
	g.check(t, root, `mutation { admin { setTenantAccounts(id: "acme", accounts: [{source: "partner", baseUrl: "`+api+`/bad"}]) { id } } }`, `200 {"data":{"admin":{"setTenantAccounts":{"id":"acme"}}}}`)
	if got := g.query(t, root, `mutation { admin { setTenantAllowHosts(id: "acme", allowHosts: ["`+api+`/good"]) { id } } }`); !strings.Contains(got, "what the tenant's record allows") {
		t.Errorf("a record allows less than it has: %s", got)
	}
}

// problemsOf are what testAccount finds: source, dataset, column and kind in a line.
func (g gate) problemsOf(t *testing.T, token, tenant string) string {
	t.Helper()
	answer := g.query(t, token, `mutation { admin { tests: testAccount(tenant: "`+tenant+`") { source ok problems { kind dataset column message } } } }`)
	var got struct {
		Data struct {
			Admin struct {
				Tests []struct {
					Source   string
					OK       bool
					Problems []struct{ Kind, Dataset, Column, Message string }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(answer[4:]), &got); err != nil {
		t.Fatal(answer)
	}
	var lines []string
	for _, test := range got.Data.Admin.Tests {
		if test.OK != (len(test.Problems) == 0) {
			t.Errorf("%s: %+v", tenant, test)
		}
		for _, p := range test.Problems {
			if p.Message == "" || strings.Contains(p.Message, "127.0.0.1") || strings.Contains(p.Message, "SELECT *") || strings.Contains(p.Message, "pq:") {
				t.Errorf("%s says %q", p.Kind, p.Message)
			}
			lines = append(lines, strings.TrimRight(test.Source+" "+p.Kind+" "+p.Dataset+" "+p.Column, " "))
		}
	}
	if lines == nil && len(got.Data.Admin.Tests) == 0 {
		return answer
	}
	return strings.Join(lines, "\n")
}

// Each fault of an account is told as what it is.
func TestAccountsAreTried(t *testing.T) {
	t.Parallel()
	g, db, api := openHoused(t)
	login := "reader_" + strings.ToLower(db.Name)
	db.Exec(t, fmt.Sprintf(`
		CREATE TABLE orders (id int PRIMARY KEY, total numeric, placed date);
		CREATE SCHEMA less; CREATE TABLE less.orders (id int PRIMARY KEY, placed text);
		CREATE SCHEMA bare; CREATE TABLE bare.other (id int);
		CREATE ROLE %[1]s LOGIN PASSWORD 'right'`, login))
	closed := pgtest.Start(t).Database(t)
	closed.Exec(t, "REVOKE CONNECT ON DATABASE "+closed.Name+" FROM PUBLIC")
	root := g.bootstrap(t)
	silo := func(more string) string {
		return fmt.Sprintf(`{source: "silo", database: %q, user: %q, password: %q%s}`, db.Name, db.User, db.Password, more)
	}
	partner := func(place string) string { return `{source: "partner", baseUrl: "` + api + "/" + place + `"}` }
	port := fmt.Sprint(db.Port)
	cases := []struct{ strategy, accounts, want string }{
		{"", silo(""), ""},
		{"", silo(`, host: "nowhere.invalid"`), "silo UNREACHABLE"},
		{"", silo(`, host: "127.0.0.1", port: 1`), "silo UNREACHABLE"},
		{"", `{source: "silo", database: "` + db.Name + `", user: "` + login + `", password: "wrong"}`, "silo LOGIN_REFUSED"},
		{"", `{source: "silo", database: "nothing_here", user: "` + login + `", password: "right"}`, "silo NO_DATABASE"},
		{"", `{source: "silo", database: "` + closed.Name + `", user: "` + login + `", password: "right"}`, "silo CONNECT_REFUSED"},
		{"", silo(`, schema: "nothing_here"`), "silo NO_SCHEMA"},
		{"", silo(`, schema: "bare"`), "silo NO_TABLE orders"},
		{"", silo(`, schema: "less"`), "silo WRONG_TYPE orders placed\nsilo NO_COLUMN orders total"},
		{"api", partner("keyless"), "partner LOGIN_REFUSED"},
		{"api", partner("nothing"), "partner NO_TABLE web"},
		{"api", partner("busy"), "partner BUSY"},
		{"api", partner("broken"), "partner ANSWER web"},
		{"api", partner("wrong"), "partner ANSWER web"},
		{"public", `{source: "public", host: "127.0.0.1", port: ` + port + `, database: "x", user: "x", password: "x"}`, "public ADDRESS_REFUSED"},
		{"secure", `{source: "secure", host: "127.0.0.1", port: ` + port + `, database: "y", user: "y", password: "y"}`, "secure TLS"},
		{"shop", "", ""},
	}
	for i, c := range cases {
		id := fmt.Sprintf("t%d", i)
		strategy := ""
		if c.strategy != "" {
			strategy = `, strategy: "` + c.strategy + `"`
		}
		if got := g.query(t, root, `mutation { admin { createTenant(input: {id: "`+id+`"`+strategy+`, accounts: [`+c.accounts+`]}) { id } } }`); !strings.Contains(got, `"id"`) {
			t.Fatalf("%s: %s", c.accounts, got)
		}
		got := g.problemsOf(t, root, id)
		var kept []string
		for _, line := range strings.Split(got, "\n") { // what other datasets lack by these strategies is not asked here
			if c.strategy == "" || strings.Contains(line, strings.ToUpper(strings.Fields(c.want + " none none")[1])) {
				kept = append(kept, line)
			}
		}
		if got = strings.Join(kept, "\n"); got != c.want {
			t.Errorf("%s %s:\n got %q\nwant %q", c.strategy, c.accounts, got, c.want)
		}
	}
	// Its own administrator is told the same; nobody else is told anything.
	key := func(tenant string) string {
		return g.text(t, root, `mutation { admin { createServiceKey(input: {name: "boss", tenant: "`+tenant+`", scopes: [ADMINISTER, READ_DATA]}) { token } } }`, "token")
	}
	if got := g.problemsOf(t, key("t8"), "t8"); got != cases[8].want {
		t.Errorf("its administrator is told %s", got)
	}
	if got := g.query(t, key("t0"), `mutation { admin { testAccount(tenant: "t8") { source } } }`); !strings.Contains(got, `"FORBIDDEN"`) {
		t.Error(got)
	}
	if got := g.query(t, root, `mutation { admin { testAccount(tenant: "nobody") { source } } }`); !strings.Contains(got, `"NOT_FOUND"`) {
		t.Error(got)
	}
	if got := g.query(t, root, `mutation { admin { testAccount { source } } }`); !strings.Contains(got, "whose accounts") {
		t.Error(got)
	}
	g.check(t, root, `mutation { admin { testAccount(tenant: "filed") { source ok datasets } } }`, `200 {"data":{"admin":{"testAccount":[{"source":"shop","ok":true,"datasets":["notes"]}]}}}`)
	// Whoever asks for data is told what is wrong, and not where.
	for tenant, want := range map[string]string{"t3": "does not accept the account", "t4": "no such database", "t5": "may not connect to the database", "t14": "address that is not allowed", "t15": "no secure connection"} {
		token := g.text(t, root, `mutation { createToken(input: {tenant: "`+tenant+`", subject: "s"}) { token } }`, "token")
		got := g.query(t, token, `{ orders { id } }`)
		if !strings.Contains(got, want) || strings.Contains(got, "127.0.0.1") || strings.Contains(got, login) || strings.Contains(got, "nothing_here") {
			t.Errorf("%s is told %s, want %s", tenant, got, want)
		}
	}
}

package gateway_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/test/program"
)

// world is a configuration whose minters see a part each. What they do not see
// is in the placeholders of its data.
const world = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
control: {path: data/control.duckdb}
parameters:
  branches: {type: "[String!]"}
roles:
  full: {datasets: {customers: {aggregate: true}, orders: {aggregate: true}, visits: {}, secrets: {}}}
  clerk: {datasets: {customers: {columns: [id, name], aggregate: true}}}
  regional:
    datasets:
      customers: {columns: [id, name]}
      orders: {columns: [id, customer_id, region, total], filter: {region: {eq: EU}}}
      visits: {}
  scored:
    datasets:
      customers: {columns: [id, score], filter: {vip: {eq: true}}}
  hinted:
    datasets:
      customers: {columns: [score], filter: {vip: {eq: true}}}
datasets:
  customers:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, name: String!, vip: Boolean!, score: Int!, profile: JSON, secret_id: Int!}
    relations:
      orders: {to: orders, many: true, on: {id: customer_id}}
      visits: {to: visits, many: true, on: {id: customer_id}}
      secret: {to: secrets, on: {secret_id: id}}
  orders:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, customer_id: Int!, region: String!, total: Int!, margin: Int!}
    relations:
      customer: {to: customers, on: {customer_id: id}}
  visits:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, customer_id: Int!, branch: String!}
    filter: {branch: {in: $branches}}
  secrets:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, code: String!}
`

// worldData holds what is hidden as its arguments: a score, a score in a
// document, the total of an order out of the region, a margin, a branch, a code.
const worldData = `
	CREATE TABLE customers (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, name VARCHAR NOT NULL, vip BOOLEAN NOT NULL, score INTEGER NOT NULL, profile JSON, secret_id INTEGER NOT NULL);
	CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, customer_id INTEGER NOT NULL, region VARCHAR NOT NULL, total INTEGER NOT NULL, margin INTEGER NOT NULL);
	CREATE TABLE visits (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, customer_id INTEGER NOT NULL, branch VARCHAR NOT NULL);
	CREATE TABLE secrets (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, code VARCHAR NOT NULL);
	INSERT INTO customers VALUES (1, 'acme', 'Ann', false, %[1]d, '{"score": %[1]d}', 1), (2, 'acme', 'Bob', true, 700, '{}', 1), (3, 'acme', 'Cy', false, 5, '{}', 1);
	INSERT INTO orders VALUES (1, 'acme', 1, 'US', %[1]d, 5), (2, 'acme', 2, 'EU', 100, %[1]d), (3, 'acme', %[2]d, 'US', 100, 5);
	INSERT INTO visits VALUES (1, 'acme', %[2]d, 'north');
	INSERT INTO secrets VALUES (1, 'acme', '%[1]d');`

// minters are keys of every kind, by what they are made with.
var minters = map[string]string{
	"clerk":             `tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA], roles: ["clerk"]`,
	"clerk who is boss": `tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA, ADMINISTER], roles: ["clerk"]`,
	"reads nothing":     `tenant: "acme", scopes: [CREATE_TOKENS], roles: ["clerk"]`,
	"regional":          `tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA], roles: ["regional"]`,
	"everywhere":        `allTenants: true, scopes: [CREATE_TOKENS, READ_DATA], roles: ["regional"]`,
	"two roles":         `tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA], roles: ["clerk", "scored"]`,
	"apart":             `tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA], roles: ["clerk", "hinted"]`,
	"own role":          `tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA], roles: ["full", "small"]`,
	"one dataset":       `tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA], roles: ["clerk"], datasets: ["customers"]`,
}

const smallRole = `{datasets: {customers: {columns: ["id", "name"]}, orders: {columns: ["id", "region", "total"], filter: {region: {eq: "EU"}}}}}`

// guesses are what minters would like to know, as filters.
var guesses = []string{
	`{dataset: "customers", where: {score: {gt: 1000}}}`,
	`{dataset: "customers", where: {score: {gt: 10}}}`,
	`{dataset: "customers", where: {not: {score: {gt: 1000}}}}`,
	`{dataset: "customers", where: {or: [{name: {eq: "Bob"}}, {score: {gt: 1000}}]}}`,
	`{dataset: "customers", where: {score: {gt: "x"}}}`,
	`{dataset: "customers", where: {score: {like: "x"}}}`,
	`{dataset: "customers", where: {vip: {eq: true}}}`,
	`{dataset: "customers", where: {profile: {path: [{at: "score", number: {gt: 1000}}]}}}`,
	`{dataset: "customers", where: {profile: {contains: {score: 2000}}}}`,
	`{dataset: "customers", where: {orders: {some: {total: {gt: 1000}}}}}`,
	`{dataset: "customers", where: {orders: {none: {total: {gt: 1000}}}}}`,
	`{dataset: "customers", where: {orders: {every: {total: {lt: 1000}}}}}`,
	`{dataset: "customers", where: {orders: {some: {margin: {gt: 1000}}}}}`,
	`{dataset: "customers", where: {orders: {some: {}}}}`,
	`{dataset: "customers", where: {orders: {none: {}}}}`,
	`{dataset: "customers", where: {orders: {some: {customer: {score: {gt: 1000}}}}}}`,
	`{dataset: "customers", where: {visits: {some: {branch: {eq: "north"}}}}}`,
	`{dataset: "customers", where: {visits: {none: {}}}}`,
	`{dataset: "customers", where: {secret: {code: {eq: "2000"}}}}`,
	`{dataset: "orders", where: {customer: {score: {gt: 1000}}}}`,
	`{dataset: "orders", where: {customer: {orders: {some: {total: {gt: 1000}}}}}}`,
	`{dataset: "orders", where: {margin: {gt: 1000}}}`,
	`{dataset: "orders", where: {total: {gt: 1000}}}`,
	`{dataset: "visits", where: {branch: {eq: "north"}}}`,
	`{dataset: "secrets", where: {code: {eq: "2000"}}}`,
	`{dataset: "customers", where: {name: {eq: "Ann"}}}`,
}

// looks are what is asked with a token that was made.
var looks = []string{
	`{ customers { id name } }`,
	`{ customers { id } }`,
	`{ customersAggregate { count } }`,
	`{ customers { id orders { id total } } }`,
	`{ orders { id } }`,
}

var madeText = regexp.MustCompile(`usher_et_[A-Za-z0-9_-]+`)

func openWorld(t *testing.T, score, customer int) gate {
	t.Helper()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), fmt.Sprintf(worldData, score, customer))
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(world), program.NoEnv)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
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

// learned is all that a minter is answered, by what it asked: by each door
// through which it makes tokens, and by what it asks with them.
func (g gate) learned(t *testing.T, minter, roles, filters string) map[string]string {
	t.Helper()
	said := make(map[string]string)
	for _, mutation := range []string{
		`createToken(input: {tenant: "acme", subject: "s", roles: ` + roles + `, filters: [` + filters + `]})`,
		`narrowToken(input: {roles: ` + roles + `, filters: [` + filters + `]})`,
	} {
		answer := g.query(t, minter, `mutation { `+mutation+` { token } }`)
		token := madeText.FindString(answer)
		said[mutation] = madeText.ReplaceAllString(answer, "TOKEN")
		if token == "" {
			continue
		}
		for _, look := range looks {
			said[mutation+" "+look] = g.query(t, token, look)
		}
	}
	return said
}

// Two worlds differ in what minters do not see, and in nothing else. Whatever
// filter they put into a token, what they are told is the same in both.
func TestMintersLearnNothing(t *testing.T) {
	t.Parallel()
	worlds := [2]gate{openWorld(t, 20, 2), openWorld(t, 2000, 3)}
	keys := make([]map[string]string, len(worlds))
	var roots [2]string
	for i, g := range worlds {
		roots[i] = g.bootstrap(t)
		g.check(t, roots[i], `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
		g.check(t, roots[i], `mutation { admin { putRole(tenant: "acme", name: "small", spec: `+smallRole+`) { name } } }`, `200 {"data":{"admin":{"putRole":{"name":"small"}}}}`)
		keys[i] = make(map[string]string)
		for name, of := range minters {
			keys[i][name] = g.text(t, roots[i], `mutation { admin { createServiceKey(input: {name: "m", `+of+`}) { token } } }`, "token")
		}
	}
	made := 0
	compare := func(who string, keys [2]string, roles, filter string) bool {
		t.Helper()
		first, second := worlds[0].learned(t, keys[0], roles, filter), worlds[1].learned(t, keys[1], roles, filter)
		same := true
		for asked, answer := range first {
			if strings.Contains(answer, "TOKEN") {
				made++
			}
			same = same && answer == second[asked]
			if answer != second[asked] && who != "root" {
				t.Errorf("%s learns from %s\n%s\n%s", who, asked, answer, second[asked])
			}
		}
		return same
	}
	for who, of := range minters {
		held := regexp.MustCompile(`roles: (\[.*?\])`).FindStringSubmatch(of)[1]
		granted := []string{held}
		if first, _, several := strings.Cut(held, ","); several && who != "own role" { // what restricts its holder stays
			granted = append(granted, first+"]")
		}
		for _, roles := range granted {
			for _, filter := range guesses {
				compare(who, [2]string{keys[0][who], keys[1][who]}, roles, filter)
			}
		}
	}
	if made < 20 {
		t.Errorf("only %d tokens were made at all", made)
	}
	told := 0
	for _, filter := range guesses {
		if !compare("root", roots, `["full"]`, filter) {
			told++
		}
	}
	if told < 10 {
		t.Errorf("the worlds differ for %d guesses of somebody who sees everything", told)
	}
}

// What a minter does not see is to it as what is not there, also in the
// messages. Of its own columns it makes filters.
func TestMintersMeetUnknownNames(t *testing.T) {
	t.Parallel()
	g := openWorld(t, 20, 2)
	root := g.bootstrap(t)
	g.query(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`)
	key := func(of string) string {
		return g.text(t, root, `mutation { admin { createServiceKey(input: {name: "m", tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA, ADMINISTER], roles: ["clerk"]`+of+`}) { token } } }`, "token")
	}
	clerk := key("")
	for hidden, asked := range map[string]string{
		"score":   `createToken(input: {subject: "s", roles: ["clerk"], filters: [{dataset: "customers", where: {score: {gt: 1}}}]}) { id }`,
		"profile": `createToken(input: {subject: "s", roles: ["clerk"], filters: [{dataset: "customers", where: {profile: {path: [{at: "a", exists: true}]}}}]}) { id }`,
		"orders":  `createToken(input: {subject: "s", roles: ["clerk"], filters: [{dataset: "customers", where: {orders: {some: {total: {gt: 1}}}}}]}) { id }`,
		"secret":  `narrowToken(input: {filters: [{dataset: "customers", where: {secret: {code: {eq: "x"}}}}]}) { id }`,
		"visits":  `narrowToken(input: {filters: [{dataset: "visits", where: {branch: {eq: "x"}}}]}) { id }`,
		"secrets": `createToken(input: {subject: "s", roles: ["clerk"], datasets: ["secrets", "nothing"]}) { id }`,
	} {
		answer := g.query(t, clerk, `mutation { `+asked+` }`)
		unknown := "x" + hidden[1:]
		if hidden == "secrets" {
			unknown = "xecrets"
		}
		other := strings.ReplaceAll(g.query(t, clerk, `mutation { `+strings.ReplaceAll(asked, hidden, unknown)+` }`), unknown, hidden)
		if answer != other || !strings.Contains(answer, "BAD_USER_INPUT") {
			t.Errorf("%s\nhidden  %s\nunknown %s", asked, answer, other)
		}
	}
	// A key of a tenant's own administrator that reads nothing, likewise.
	makes := `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [CREATE_TOKENS], roles: ["clerk"], datasets: ["secrets"]}) { id } } }`
	if hidden, unknown := g.query(t, clerk, makes), g.query(t, clerk, strings.ReplaceAll(makes, "secrets", "xecrets")); hidden != strings.ReplaceAll(unknown, "xecrets", "secrets") || !strings.Contains(hidden, "BAD_USER_INPUT") {
		t.Errorf("a key for a dataset\nhidden  %s\nunknown %s", hidden, unknown)
	}
	// So is a role that they write for the tenant.
	for _, names := range [][2]string{
		{`{datasets: {customers: {columns: ["id", "score"]}}}`, "score"},
		{`{datasets: {customers: {filter: {score: {gt: "x"}}}}}`, "score"},
		{`{datasets: {secrets: {columns: ["id"]}}}`, "secrets"},
	} {
		asked := `mutation { admin { putRole(name: "mine", spec: ` + names[0] + `) { name } } }`
		hidden, unknown := g.query(t, clerk, asked), g.query(t, clerk, strings.ReplaceAll(asked, names[1], "x"+names[1][1:]))
		if hidden != strings.ReplaceAll(unknown, "x"+names[1][1:], names[1]) || !strings.Contains(hidden, "BAD_USER_INPUT") {
			t.Errorf("%s\nhidden  %s\nunknown %s", asked, hidden, unknown)
		}
	}
	g.check(t, clerk, `mutation { admin { putRole(name: "mine", spec: {datasets: {customers: {columns: ["name"], filter: {name: {eq: "Ann"}}}}}) { name } } }`, `200 {"data":{"admin":{"putRole":{"name":"mine"}}}}`)
	narrow := g.text(t, clerk, `mutation { createToken(input: {subject: "s", roles: ["clerk"], filters: [{dataset: "customers", where: {name: {eq: "Ann"}}}]}) { token } }`, "token")
	g.check(t, narrow, `{ customers { id } }`, `200 {"data":{"customers":[{"id":1}]}}`)
	// Whoever sees more than the token shows may filter by it, through relations too.
	wide := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "m", tenant: "acme", scopes: [CREATE_TOKENS], roles: ["clerk", "full"]}) { token } } }`, "token")
	for where, want := range map[string]string{
		`{score: {gt: 100}}`:                               `[{"id":2}]`,
		`{orders: {some: {total: {lt: 50}}}}`:              `[{"id":1}]`,
		`{orders: {some: {customer: {score: {lt: 50}}}}}`:  `[{"id":1}]`,
		`{secret: {code: {eq: "20"}}, name: {neq: "Ann"}}`: `[{"id":2},{"id":3}]`,
	} {
		token := g.text(t, wide, `mutation { createToken(input: {subject: "s", roles: ["clerk"], filters: [{dataset: "customers", where: `+where+`}]}) { token } }`, "token")
		g.check(t, token, `{ customers { id } }`, `200 {"data":{"customers":`+want+`}}`)
		g.check(t, token, `{ customers { score } }`, strings.ReplaceAll(g.query(t, token, `{ customers { scorx } }`), "scorx", "score"))
	}
}

// Whoever writes what cannot be used is told so, and not sent to somebody else;
// whoever shows such a token is.
func TestWhoGrantsIsToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	g := openWorld(t, 20, 2)
	root := g.bootstrap(t)
	g.query(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`)
	g.query(t, root, `mutation { admin { createUser(input: {tenant: "acme", username: "ann", password: "a long password"}) { id } } }`)
	key := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "m", tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA, ADMINISTER], roles: ["full"]}) { token } } }`, "token")
	for _, input := range []string{
		`filters: [{dataset: "customers", where: {nothing: {eq: 1}}}]`, `filters: [{dataset: "customers", where: {score: {above: 1}}}]`,
		`filters: [{dataset: "customers", where: {score: {eq: "x"}}}]`, `filters: [{dataset: "nothing", where: {id: {eq: 1}}}]`,
		`filters: [{dataset: "customers", where: {and: []}}]`, `datasets: ["nothing"]`,
	} {
		for _, text := range []string{
			`createToken(input: {tenant: "acme", subject: "s", roles: ["full"], ` + input + `}) { id }`, `narrowToken(input: {` + input + `}) { id }`,
		} {
			if got := g.query(t, key, `mutation { `+text+` }`); !strings.Contains(got, "BAD_USER_INPUT") || !strings.Contains(got, "this cannot be granted") || !strings.Contains(got, "Change what") {
				t.Errorf("%s\nis answered %s", text, got)
			}
		}
	}
	for _, text := range []string{
		`createToken(input: {tenant: "acme", subject: "s", roles: ["nothing"]}) { id }`,
		`createToken(input: {tenant: "acme", subject: "s", strategy: "nothing"}) { id }`,
		`createToken(input: {tenant: "acme", subject: "s", parameters: [{name: "nothing", value: 1}]}) { id }`,
		`createToken(input: {tenant: "acme", subject: "s", parameters: [{name: "branches", value: 1}]}) { id }`,
		`createToken(input: {tenant: "acme", subject: "s", accounts: [{source: "nothing", password: "x"}]}) { id }`,
		`admin { createUser(input: {tenant: "acme", username: "bob", password: "a long password", roles: ["nothing"]}) { id } }`,
		`admin { setUserRights(tenant: "acme", username: "ann", roles: ["nothing"], scopes: []) { id } }`,
		`admin { setUserRights(tenant: "acme", username: "ann", roles: ["nothing"], scopes: [READ_DATA]) { id } }`,
		`admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [READ_DATA], datasets: ["nothing"]}) { id } }`,
		`admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [CREATE_TOKENS], roles: ["nothing"]}) { id } }`,
		`admin { setTenantStrategy(id: "acme", strategy: "nothing") { id } }`,
		`admin { setTenantAccounts(id: "acme", accounts: [{source: "nothing", user: "x"}]) { id } }`,
		`admin { createTenant(input: {id: "other", accounts: [{source: "shop", host: "x"}]}) { id } }`,
	} {
		if got := g.query(t, root, `mutation { `+text+` }`); !strings.Contains(got, "BAD_USER_INPUT") || strings.Contains(got, "whoever") {
			t.Errorf("%s\nis answered %s", text, got)
		}
	}
}

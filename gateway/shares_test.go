package gateway_test

import (
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// A weight and limits of a tenant's record hold at all gateways of the store without another
// configuration, and only who administers all tenants may change them.
func TestSharesOfTenants(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	shop, store := server.Database(t), server.Database(t)
	shop.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text); CREATE TABLE old_notes (id int PRIMARY KEY, tenant text NOT NULL, text text);
		CREATE TABLE words (word text); INSERT INTO notes VALUES (1, 'acme', 'a'), (2, 'globex', 'b')`)
	one, _ := openBound(t, shop, store)
	two, _ := openBound(t, shop, store)
	root := one.bootstrap(t)
	const said = ` { weight limits { requests databaseMilliseconds rows bytes } }`
	const nothing = `{"weight":null,"limits":{"requests":null,"databaseMilliseconds":null,"rows":null,"bytes":null}}`
	change := func(token, field string) string {
		return one.query(t, token, `mutation { admin { it: `+field+said+` } }`)
	}
	is := func(field, want string) {
		t.Helper()
		if got := change(root, field); got != `200 {"data":{"admin":{"it":`+want+`}}}` {
			t.Errorf("%s: %s", field, got)
		}
	}
	is(`createTenant(input: {id: "acme"})`, nothing)
	is(`createTenant(input: {id: "globex", weight: 3, limits: {requests: 1000, bytes: "5000000000"}})`, `{"weight":3,"limits":{"requests":1000,"databaseMilliseconds":null,"rows":null,"bytes":5000000000}}`)
	is(`createTenant(input: {id: "hooli", limits: {}})`, nothing)
	is(`setTenantWeight(id: "globex", weight: 100)`, `{"weight":100,"limits":{"requests":1000,"databaseMilliseconds":null,"rows":null,"bytes":5000000000}}`)
	is(`setTenantWeight(id: "globex")`, `{"weight":null,"limits":{"requests":1000,"databaseMilliseconds":null,"rows":null,"bytes":5000000000}}`)
	is(`setTenantLimits(id: "globex", limits: {databaseMilliseconds: "1500"})`, `{"weight":null,"limits":{"requests":null,"databaseMilliseconds":1500,"rows":null,"bytes":null}}`)
	is(`setTenantLimits(id: "globex", limits: {})`, nothing)
	for _, wrong := range []string{
		`setTenantWeight(id: "acme", weight: 0)`, `setTenantWeight(id: "acme", weight: -1)`, `setTenantWeight(id: "acme", weight: 101)`, `setTenantWeight(id: "acme", weight: "3")`, `setTenantWeight(id: null, weight: 3)`,
		`setTenantWeight(id: "globex", weight: null)`, `setTenantLimits(id: "globex", limits: {requests: null})`, `createTenant(input: {id: "fresh", weight: null})`, `createTenant(input: {id: "fresh", limits: null})`,
		`setTenantWeight(id: "", weight: 3)`, `setTenantWeight(id: "nobody", weight: 3)`, `setTenantLimits(id: "acme", limits: null)`, `setTenantLimits(id: "acme")`, `setTenantLimits(id: "acme", limits: {requests: 0})`,
		`setTenantLimits(id: "acme", limits: {rows: -5})`, `setTenantLimits(id: "acme", limits: {bytes: 1.5})`, `setTenantLimits(id: "acme", limits: {rows: ""})`, `setTenantLimits(id: "acme", limits: {databaseMilliseconds: 9223372036854775807})`,
		`setTenantLimits(id: "acme", limits: {queries: 5})`, `createTenant(input: {id: "fresh", weight: 0})`, `createTenant(input: {id: "fresh", limits: {requests: 0}})`,
	} {
		if got := change(root, wrong); !strings.Contains(got, "errors") || strings.Contains(got, "INTERNAL") {
			t.Errorf("%s: %s", wrong, got)
		}
	}
	one.check(t, root, `{ admin { tenant(id: "acme") `+said+` } }`, `200 {"data":{"admin":{"tenant":`+nothing+`}}}`)

	const ask = `{ notes { id } }`
	acme, globex := program.Sign(t, `{"tenant": "acme", "sub": "ann"}`), program.Sign(t, `{"tenant": "globex", "sub": "bob"}`)
	one.check(t, acme, ask, `200 {"data":{"notes":[{"id":1}]}}`)
	is(`setTenantLimits(id: "acme", limits: {requests: 3})`, `{"weight":null,"limits":{"requests":3,"databaseMilliseconds":null,"rows":null,"bytes":null}}`)
	allowed := 0
	for range 10 {
		for _, g := range []gate{one, two} { // the other one knows of it within a second, and not of what was asked before
			switch got := g.query(t, acme, ask); {
			case strings.HasPrefix(got, "200"):
				allowed++
			case !strings.HasPrefix(got, "429") || !strings.Contains(got, "the tenant allows 3 requests a minute"):
				t.Error(got)
			}
		}
	}
	if got := two.query(t, acme, ask); !strings.HasPrefix(got, "429") && allowed > 10 {
		t.Errorf("%d were allowed, the other gateway says %s", allowed, got)
	}
	if got := one.query(t, acme, ask); !strings.HasPrefix(got, "429") {
		t.Error(got)
	}
	for _, g := range []gate{one, two} {
		g.check(t, globex, ask, `200 {"data":{"notes":[{"id":2}]}}`) // another tenant's is its own
	}
	is(`setTenantLimits(id: "acme", limits: {})`, nothing)
	one.check(t, acme, ask, `200 {"data":{"notes":[{"id":1}]}}`)
	two.soon(t, acme, ask, `200 {"data":{"notes":[{"id":1}]}}`)

	// Who administers one tenant sees what it has, and changes none of it.
	key := one.text(t, root, `mutation { admin { createServiceKey(input: {name: "of acme", tenant: "acme", scopes: [ADMINISTER]}) { token } } }`, "token")
	one.check(t, key, `{ admin { tenant(id: "acme") `+said+` } }`, `200 {"data":{"admin":{"tenant":`+nothing+`}}}`)
	for _, field := range []string{`setTenantWeight(id: "acme", weight: 100)`, `setTenantLimits(id: "acme", limits: {})`} {
		if got := change(key, field); !strings.Contains(got, "Cannot query field") {
			t.Errorf("%s: %s", field, got)
		}
	}
}

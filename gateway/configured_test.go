package gateway_test

import (
	"strings"
	"testing"

	"usher/pgtest"
)

// What the file says of tenants is told to who administers all of them, without a value of
// an account; to a tenant's administrator what it says of theirs. Nothing of it is changed there.
func TestConfiguredTenants(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	shop, store := server.Database(t), server.Database(t)
	shop.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text); CREATE TABLE old_notes (id int PRIMARY KEY, tenant text NOT NULL, text text); CREATE TABLE words (word text)`)
	g, _ := openOf(t, bound+`
tenants:
  acme: {key: "42", name: Acme <b>Ltd</b>, weight: 3, external_ids: [org_1], bindings: {notes: archive}, accounts: {silo: {database: acme, user: acme, password: {env: PG}}}}
  globex: {}
  later: {registered: false, weight: 7}
`, shop, store)
	root := g.bootstrap(t)
	const of = `{ id registered key name weight bound strategy bindings { dataset binding } accounts { source set } externalIds allowHosts }`
	const acme = `{"id":"acme","registered":true,"key":"42","name":"Acme <b>Ltd</b>","weight":3,"bound":[],"strategy":null,"bindings":[{"dataset":"notes","binding":"archive"}],` +
		`"accounts":[{"source":"silo","set":["database","user","password"]}],"externalIds":["org_1"],"allowHosts":["*"]}`
	const later = `{"id":"later","registered":false,"key":null,"name":null,"weight":7,"bound":[],"strategy":null,"bindings":[],"accounts":[],"externalIds":[],"allowHosts":["*"]}`
	for ask, want := range map[string]string{
		`configuredTenants(limit: 1) { items ` + of + ` next }`:            `{"configuredTenants":{"items":[` + acme + `],"next":"acme"}}`,
		`configuredTenants(after: "globex") { items ` + of + ` next }`:     `{"configuredTenants":{"items":[` + later + `],"next":null}}`,
		`configuredTenants(search: "LTD") { items { id } next }`:           `{"configuredTenants":{"items":[{"id":"acme"}],"next":null}}`,
		`configuredTenants(search: "ORG_") { items { id } }`:               `{"configuredTenants":{"items":[{"id":"acme"}]}}`,
		`configuredTenants(search: "nothing of it") { items { id } next }`: `{"configuredTenants":{"items":[],"next":null}}`,
		`configuredTenant(id: "acme") ` + of:                               `{"configuredTenant":` + acme + `}`,
		`configuredTenant(id: "nobody") ` + of:                             `{"configuredTenant":null}`,
	} {
		g.check(t, root, `{ admin { `+ask+` } }`, `200 {"data":{"admin":`+want+`}}`)
	}
	for _, refused := range []string{`configuredTenants(limit: 0) { next }`, `configuredTenants(limit: 501) { next }`, `configuredTenant(id: "") { id }`} {
		if got := g.query(t, root, `{ admin { `+refused+` } }`); !strings.Contains(got, "BAD_USER_INPUT") {
			t.Errorf("%s: %s", refused, got)
		}
	}
	if got := g.query(t, root, `mutation { admin { renameTenant(id: "acme", name: "x") { id } } }`); !strings.Contains(got, "the configuration registers it") {
		t.Error(got)
	}
	// The store registers the tenant whose weight the file says, and its administrator sees that.
	if got := g.query(t, root, `mutation { admin { createTenant(input: {id: "later"}) { id } } }`); strings.Contains(got, "errors") {
		t.Fatal(got)
	}
	key := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "of later", tenant: "later", scopes: [ADMINISTER]}) { token } } }`, "token")
	g.check(t, key, `{ admin { configuredTenant(id: "later") { weight } } }`, `200 {"data":{"admin":{"configuredTenant":{"weight":7}}}}`)
	if got := g.query(t, key, `{ admin { configuredTenant(id: "acme") { id } } }`); !strings.Contains(got, "FORBIDDEN") || strings.Contains(got, "42") {
		t.Error(got)
	}
}

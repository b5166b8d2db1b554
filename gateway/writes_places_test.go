package gateway_test

import (
	"strings"
	"testing"

	"usher/pgtest"
)

// What is refused is told alike wherever a tenant's rows are: a condition of a table of the tenant's own is known
// by its columns, as one of a shared table is. A source that is told whose rows are meant is written by
// whoever is of all tenants when they name one, and says so.
func TestRefusalsAreAlikeInPlacesOfOnesOwn(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	const table = ` (tenant text NOT NULL, id int NOT NULL, qty int CHECK (qty < 10), low int, CHECK (low < qty), PRIMARY KEY (tenant, id));`
	db.Exec(t, `CREATE TABLE acct`+table+`CREATE SCHEMA of_b; CREATE TABLE of_b.acct`+table)
	g := openWritingOf(t, db, `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources:
  told: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable, session: {settings: {usher.tenant: "{tenant_key}"}}}
  apart: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable, schema: "of_{tenant}", template: true}
strategies:
  all: {kind: shared, source: told}
  own: {kind: database, source: apart}
default_strategy: all
datasets:
  acct: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, qty: Int, low: Int}}
`)
	g.check(t, g.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"a"}}}}`)
	g.check(t, g.root, `mutation { admin { createTenant(input: {id: "b", strategy: "own"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"b"}}}}`)
	for _, tenant := range []string{"a", "b"} {
		key := g.keyOf(t, "of-"+tenant, tenant, "READ_DATA, WRITE_DATA")
		for _, line := range []struct{ text, want string }{
			{`mutation { insertAcctOne(row: {id: 1, qty: 5, low: 1}) { id } }`, `{"insertAcctOne":{"id":1}}`},
			{`mutation { insertAcct(rows: [{id: 2}, {id: 3, qty: 50}]) { affected } }`, `null BAD_USER_INPUT: qty of acct may not have such a value (insertAcct.rows.1.qty)`},
			{`mutation { updateAcctByPk(id: 1, set: {qty: 50}) { id } }`, `null BAD_USER_INPUT: qty of acct may not have such a value (updateAcctByPk.set.qty)`},
			{`mutation { insertAcctOne(row: {id: 2, qty: 5, low: 6}) { id } }`, `null BAD_USER_INPUT: qty, low of a row of acct may not have such values together (insertAcctOne.row)`},
		} {
			if got := short(t, g.query(t, key, line.text)); got != line.want {
				t.Errorf("%s: %s\n got %s\nwant %s", tenant, line.text, got, line.want)
			}
		}
	}
	all := g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "all", allTenants: true, scopes: [READ_DATA, WRITE_DATA]}) { token } } }`, "token")
	for _, text := range []string{
		`mutation { updateAcct(where: {qty: {eq: 5}}, set: {low: 2}) { affected } }`,
		`mutation { deleteAcct(where: {qty: {eq: 5}}) { affected } }`,
	} {
		got := g.query(t, all, text)
		for _, want := range []string{"FORBIDDEN", "the source is told whose rows to show", "name the tenant whose rows they are: tenant: …"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is answered %s, without %s", text, got, want)
			}
		}
	}
	for tenant, want := range map[string]string{"a": `{"updateAcct":{"affected":1}}`, "b": `{"updateAcct":{"affected":1}}`} {
		if got := short(t, g.query(t, all, `mutation { updateAcct(tenant: "`+tenant+`", where: {qty: {eq: 5}}, set: {low: 2}) { affected } }`)); got != want {
			t.Errorf("as %s: %s", tenant, got)
		}
	}
}

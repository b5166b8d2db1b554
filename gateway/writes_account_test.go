package gateway_test

import (
	"strings"
	"testing"

	"github.com/lib/pq"

	"usher/pgtest"
)

// TestWriterOfASource: one account reads and may do nothing else, another one writes. Who has an
// account of a tenant's own writes as that one.
func TestWriterOfASource(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	reads, writes, own := db.Name+"_reads", db.Name+"_writes", db.Name+"_own"
	for _, role := range []string{reads, writes, own} {
		db.Exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD "+pq.QuoteLiteral(db.Password))
	}
	db.Exec(t, writtenTables+`ALTER TABLE customers ADD COLUMN by text DEFAULT current_user;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO `+reads+`, `+writes+`, `+own+`;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO `+writes+`, `+own+`;`)
	open := func(writer string) writing {
		return openWrittenAs(t, db, func(text string) string {
			text = strings.Replace(text, "user: \""+db.User+"\"", "user: "+reads+writer, 1)
			return strings.Replace(text, "columns: {id: BigInt!, tenant: String!, name: String}\n    filter", "columns: {id: BigInt!, tenant: String!, name: String, by: String}\n    filter", 1)
		})
	}
	const insert = `mutation { insertCustomersOne(row: {id: 9, name: "x"}) { by } }`
	g := open(", writer: {user: " + writes + ", password: {env: PG}}")
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	if got, want := short(t, g.query(t, ann, insert)), `{"insertCustomersOne":{"by":"`+writes+`"}}`; got != want {
		t.Errorf("the writer writes: %s", got)
	}
	if got := short(t, g.query(t, ann, `{ customers(where: {id: {eq: 9}}) { name } }`)); got != `{"customers":[{"name":"x"}]}` {
		t.Errorf("the reader reads: %s", got)
	}
	g.check(t, g.root, `mutation { admin { setTenantAccounts(id: "b", accounts: [{source: "shop", user: "`+own+`", password: "`+db.Password+`"}]) { id } } }`, `200 {"data":{"admin":{"setTenantAccounts":{"id":"b"}}}}`)
	bob := g.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")
	if got, want := short(t, g.query(t, bob, insert)), `{"insertCustomersOne":{"by":"`+own+`"}}`; got != want {
		t.Errorf("a tenant's own account writes: %s", got)
	}
	g = open("")
	ann = g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	if got := short(t, g.query(t, ann, `mutation { insertCustomersOne(row: {id: 10, name: "x"}) { by } }`)); !strings.HasPrefix(got, "null UNAVAILABLE: the source's account may not write customers") {
		t.Errorf("the reader alone writes: %s", got)
	}
}

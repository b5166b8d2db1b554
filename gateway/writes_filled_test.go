package gateway_test

import (
	"strings"
	"testing"

	"usher/pgtest"
)

// A column that a trigger fills in may be left out where the file says so, and what it leaves null is refused with its place.
// A tenant without a row of its own in the source's table of tenants is told what that means.
func TestWritesThatTheSourceCompletes(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
CREATE TABLE companies (id text PRIMARY KEY);
INSERT INTO companies VALUES ('a');
CREATE TABLE receipts (tenant text NOT NULL REFERENCES companies, id bigint, number text NOT NULL, amount int, PRIMARY KEY (tenant, id));
CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.number IS NULL AND NEW.amount > 0 THEN NEW.number := 'R-' || NEW.id; END IF; RETURN NEW; END $$;
CREATE TRIGGER number BEFORE INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION number();`)
	g := openWritingOf(t, db, `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources: {main: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}}
strategies: {shared: {source: main}}
datasets: {receipts: {tenant: tenant, key: id, writable: true, columns: {tenant: {}, id: {}, number: String, amount: {}}}}
`)
	keys := make(map[string]string)
	for _, tenant := range []string{"a", "b"} {
		g.check(t, g.root, `mutation { admin { createTenant(input: {id: "`+tenant+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"`+tenant+`"}}}}`)
		keys[tenant] = g.keyOf(t, "of "+tenant, tenant, "READ_DATA, WRITE_DATA")
	}
	for _, line := range []struct{ tenant, text, want string }{
		{"a", `mutation { insertReceiptsOne(row: {id: 1, amount: 5}) { number } }`, `{"insertReceiptsOne":{"number":"R-1"}}`},
		{"a", `mutation { insertReceipts(rows: [{id: 2, amount: 5}, {id: 3, amount: 0}]) { affected } }`, `null BAD_USER_INPUT: number is never null (insertReceipts.rows.1.number)`},
		{"b", `mutation { insertReceiptsOne(row: {id: 1, amount: 5}) { number } }`, `null NOT_FOUND: a row of receipts leads to no row (insertReceiptsOne.row)`},
	} {
		if got := short(t, g.query(t, keys[line.tenant], line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	if got := g.query(t, keys["b"], `mutation { insertReceiptsOne(row: {id: 1, amount: 5}) { number } }`); !strings.Contains(got, "no row of its own yet") {
		t.Errorf("it has no hint: %s", got)
	}
}

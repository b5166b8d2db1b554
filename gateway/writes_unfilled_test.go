package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const unfilledRows = `
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {shop: %s}
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
datasets:
  orders: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: Int!, note: String}}
  keyless: {tenant: tenant, writable: true, columns: {tenant: String, id: Int}, bind: {shop: {table: bare}}}
  led: {tenant: tenant, key: id, writable: true}
  later: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: Int!}}
`

const unfilledTables = `
	CREATE TABLE orders (tenant text NOT NULL, id int NOT NULL, note text, secret text NOT NULL, PRIMARY KEY (tenant, id));
	CREATE TABLE bare (tenant text, id int);
	CREATE TABLE later (tenant text NOT NULL, id int NOT NULL, PRIMARY KEY (tenant, id));
	CREATE TABLE persons (id text PRIMARY KEY);
	CREATE TABLE led (tenant text NOT NULL, id int NOT NULL, who text NOT NULL REFERENCES persons, PRIMARY KEY (tenant, id));
	INSERT INTO persons VALUES ('p');
	INSERT INTO orders VALUES ('a', 1, NULL, 's');
`

// An insert that cannot succeed, since a column has to have a value that nobody gives it, is not offered, nor is any change of rows
// without a key.
func TestInsertsThatCannotSucceed(t *testing.T) {
	t.Parallel()
	fields := func(t *testing.T, g writing, token string) string {
		t.Helper()
		return short(t, g.query(t, token, `{ __type(name: "Mutation") { fields { name } } }`))
	}
	without := func(t *testing.T, g writing) string {
		t.Helper()
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		if got := fields(t, g, ann); !strings.Contains(got, `"updateOrders"`) || strings.Contains(got, `"insertOrders`) || strings.Contains(got, "Keyless") || strings.Contains(got, "insertLed") || !strings.Contains(got, `"insertLaterOne"`) {
			t.Errorf("the mutations are %s", got)
		}
		if got := short(t, g.query(t, ann, `mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { note } }`)); got != `{"updateOrdersByPk":{"note":"x"}}` {
			t.Error(got)
		}
		return ann
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := pgtest.Start(t).Database(t)
		db.Exec(t, unfilledTables)
		open := func() writing {
			g := openWritingOf(t, db, fmt.Sprintf(unfilledRows, "%[4]s", "{kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}"))
			g.query(t, g.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`)
			return g
		}
		g := open()
		ann := without(t, g)
		db.Exec(t, "ALTER TABLE later ADD COLUMN must text NOT NULL")
		if got := g.query(t, ann, `mutation { insertLaterOne(row: {id: 1}) { id } }`); !strings.Contains(got, "rows of later need a value that nobody here may give") || strings.Contains(got, "must") || strings.Contains(got, "SIGHUP") {
			t.Errorf("of a column that came meanwhile: %s", got)
		}
		db.Exec(t, "CREATE FUNCTION fills() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.secret := 7; RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION fills();"+
			"CREATE FUNCTION leads() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.who := 'p'; RETURN NEW; END $$; CREATE TRIGGER t BEFORE INSERT ON led FOR EACH ROW EXECUTE FUNCTION leads()")
		g = open()
		ann = g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		if got := short(t, g.query(t, ann, `mutation { insertOrdersOne(row: {id: 2}) { id } }`)); got != `{"insertOrdersOne":{"id":2}}` {
			t.Errorf("a trigger fills it in: %s", got)
		}
		if got := short(t, g.query(t, ann, `mutation { insertLedOne(row: {id: 2}) { who } }`)); got != `{"insertLedOne":{"who":"p"}}` {
			t.Errorf("a trigger fills in what nobody gives: %s", got)
		}
		if got := fields(t, g, ann); strings.Contains(got, "insertLater") {
			t.Errorf("the column that came is known now: %s", got)
		}
	})
	t.Run("duckdb", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), unfilledTables)
		without(t, openFiles(t, dir, fmt.Sprintf(unfilledRows, filepath.Join(dir, "store.duckdb"), "{kind: duckdb, path: shop.duckdb}")))
	})
}

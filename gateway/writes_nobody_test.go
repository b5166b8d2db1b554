package gateway_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const nobodysTables = `
CREATE TABLE odd (tenant text, id bigint PRIMARY KEY, note text);
CREATE TABLE parts (tenant text, id bigint PRIMARY KEY, odd_id bigint);
INSERT INTO odd VALUES ('a', 1, NULL), ('b', 2, NULL), (NULL, 3, NULL), (NULL, 4, NULL);
INSERT INTO parts VALUES ('a', 1, 1), (NULL, 2, 2);
`

const nobodysRows = `
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {shop: %s}
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
datasets:
  odd: {tenant: tenant, key: id, writable: true, global_keys: true, relations: {parts: {to: parts, many: true, on: {id: odd_id}, on_delete: cascade}}}
  parts: {tenant: tenant, key: id, writable: true, global_keys: true}
`

// A row without a tenant is nobody's: whoever is of all tenants reads it, and nobody writes it.
func TestRowsWithoutATenantAreNotWritten(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"postgres", "duckdb"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var g writing
			if engine == "postgres" {
				db := pgtest.Start(t).Database(t)
				db.Exec(t, nobodysTables)
				g = openWritingOf(t, db, fmt.Sprintf(nobodysRows, filepath.Join(dir, "store.duckdb"),
					"{kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}")+"# %[4]q\n")
				for _, tenant := range []string{"a", "b"} {
					g.query(t, g.root, `mutation { admin { createTenant(input: {id: "`+tenant+`"}) { id } } }`)
				}
			} else {
				program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), nobodysTables)
				g = openFiles(t, dir, fmt.Sprintf(nobodysRows, filepath.Join(dir, "store.duckdb"), "{kind: duckdb, path: shop.duckdb}"))
			}
			operator := g.operator(t)
			for _, line := range []struct{ text, want string }{
				{`{ odd(orderBy: [{id: ASC}]) { id tenant } }`, `{"odd":[{"id":1,"tenant":"a"},{"id":2,"tenant":"b"},{"id":3,"tenant":null},{"id":4,"tenant":null}]}`},
				{`mutation { updateOdd(where: {id: {lte: 3}}, set: {note: "x"}) { affected rows { id note } } }`, `{"updateOdd":{"affected":2,"rows":[{"id":1,"note":"x"},{"id":2,"note":"x"}]}}`},
				{`mutation { updateOdd(where: {tenant: {isNull: true}}, set: {note: "x"}) { affected } }`, `{"updateOdd":{"affected":0}}`},
				{`mutation { updateOdd(all: true, limit: 1, set: {note: null}) { rows { id } } }`, `{"updateOdd":{"rows":[{"id":1}]}}`},
				{`mutation { deleteOdd(where: {id: {eq: 3}}) { affected } }`, `{"deleteOdd":{"affected":0}}`},
				{`mutation { updateOdd(tenant: "a", where: {id: {lte: 3}}, set: {note: "y"}) { rows { id note } } }`, `{"updateOdd":{"rows":[{"id":1,"note":"y"}]}}`},
				{`mutation { deleteOdd(where: {id: {in: [1, 2, 4]}}) { affected rows { id } } }`, `{"deleteOdd":{"affected":2,"rows":[{"id":1},{"id":2}]}}`},
				{`{ odd(orderBy: [{id: ASC}]) { id note } parts { id } }`, `{"odd":[{"id":3,"note":null},{"id":4,"note":null}],"parts":[{"id":2}]}`},
			} {
				if got := short(t, g.query(t, operator, line.text)); got != line.want {
					t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
				}
			}
		})
	}
}

package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// TestRefusalsHaveTheirPlaces: an error is about a member that the input has, of a file as of a server.
func TestRefusalsHaveTheirPlaces(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	tables := func(tenant, key, value string) string {
		return fmt.Sprintf(`
CREATE TABLE companies (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE things (%[1]sid bigint NOT NULL, label text NOT NULL, stock int, other bigint, PRIMARY KEY (%[2]sid), UNIQUE (%[2]slabel), CHECK (stock >= 0));
INSERT INTO things VALUES (%[3]s1, 'one', 3, NULL), (%[3]s2, 'two', 3, 1);
INSERT INTO companies VALUES ('a', 'first');`, tenant, key, value)
	}
	db.Exec(t, tables("tenant text NOT NULL, ", "tenant, ", "'a', "))
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), tables("tenant text NOT NULL, ", "tenant, ", "'a', "))
	const datasets = `
datasets:
  companies: {tenant: id, key: id, writable: true, columns: {id: String!, name: String!}}
  things: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: BigInt!, label: String!, stock: Int, other: BigInt}, relations: {led: {to: things, on: {other: id}}}}
`
	server := openWritingOf(t, db, `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources: {main: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}}
strategies: {shared: {source: main}}
default_strategy: shared`+datasets)
	server.check(t, server.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"a"}}}}`)
	inFile := openFiles(t, dir, `
control: {path: "`+filepath.Join(dir, "store.duckdb")+`", key: {id: a, secret: {env: KEY}}}
sources: {main: {kind: duckdb, path: shop.duckdb}}
strategies: {shared: {source: main}}
default_strategy: shared`+datasets)
	for name, g := range map[string]writing{"server": server, "file": inFile} {
		key := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		for _, line := range []struct{ text, want string }{
			{`mutation { updateThings(all: true, set: {label: "x"}) { affected } }`, `null CONFLICT: there is a row of things with the same label (updateThings.set.label)`},
			{`mutation { updateThingsByPk(id: 2, increment: {other: 5}) { id } }`, `null NOT_FOUND: other leads to no row of things (updateThingsByPk.increment.other)`},
			{`mutation { updateThingsByPk(id: 2, set: {other: 5}) { id } }`, `null NOT_FOUND: other leads to no row of things (updateThingsByPk.set.other)`},
		} {
			if got := short(t, g.query(t, key, line.text)); got != line.want {
				t.Errorf("%s: %s\n got %s\nwant %s", name, line.text, got, line.want)
			}
		}
		if got := short(t, g.query(t, key, `mutation { insertCompaniesOne(row: {name: "q"}) { name } }`)); !strings.HasPrefix(got, "null CONFLICT: ") || !strings.HasSuffix(got, "(insertCompaniesOne.row)") {
			t.Errorf("%s: a second row of a tenant: %s", name, got)
		}
		got := short(t, g.query(t, key, `mutation { updateThingsByPk(id: 2, increment: {stock: -5}) { id } }`))
		want := map[string]string{
			"server": `null BAD_USER_INPUT: stock of things may not have such a value (updateThingsByPk.increment.stock)`,
			"file":   `null BAD_USER_INPUT: a row of things has values that may not be there together (updateThingsByPk.increment)`,
		}[name]
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

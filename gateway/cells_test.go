package gateway_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// celled has two cells, and none beside them. A template leads wherever an
// account says.
const celled = `
control:
  %[5]s
  key: {id: a, secret: {env: KEY}}
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: registered, claims: {tenant: /tenant, all_tenants: /all, roles: /roles}, may_grant: {all_tenants: true}}
  free: {issuer: free, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
sources:
  shop: {kind: postgres, user: %[3]q, password: {env: PG}, sslmode: disable, cells: {eu1: {host: 127.0.0.1, port: %[4]d, database: %[1]q}, eu2: {host: 127.0.0.1, port: %[4]d, database: %[2]q}}}
  silo: {kind: postgres, host: 127.0.0.1, port: %[4]d, database: elsewhere, user: nobody, template: true, sslmode: disable, allow_hosts: [127.0.0.1]}
strategies: {all: {kind: shared, source: shop}, own: {kind: database, source: silo}}
default_strategy: all
tenants: {a: {cell: eu1}, b: {cell: eu2}, c: {}}
datasets:
  notes: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, text: String}, bind: {silo: {table: notes, columns: {tenant: ~}}}}
  words: {common: true, source: shop, columns: {word: String}}
`

func openCells(t *testing.T, one, two pgtest.DB, store, more string) (gate, error) {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	text := fmt.Sprintf(celled, one.Name, two.Name, one.User, one.Port, store)
	text = strings.Replace(text, "c: {}}", "c: {}"+more+"}", 1)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(one))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err == nil {
		t.Cleanup(func() { _ = g.Close() })
	}
	return gate{g}, err
}

func cellsOf(t *testing.T) (one, two pgtest.DB) {
	t.Helper()
	one, two = pgtest.Start(t).Database(t), pgtest.Start(t).Database(t)
	for i, db := range []pgtest.DB{one, two} {
		db.Exec(t, fmt.Sprintf(`
			CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text);
			CREATE TABLE words (word text);
			INSERT INTO words VALUES ('word of %[1]d');
			INSERT INTO notes SELECT n, t, t || ' in cell %[1]d' FROM unnest(ARRAY['a', 'b', 'c', 'd']) WITH ORDINALITY u(t, n)`, i+1))
	}
	return one, two
}

// Each tenant is read in its cell and nowhere else; whoever has none, and whoever
// asks for all, is refused.
func TestCells(t *testing.T) {
	t.Parallel()
	one, two := cellsOf(t)
	g, err := openCells(t, one, two, "path: store.duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	as := func(claims string) string { return program.Sign(t, claims) }
	admin := as(`{"all": true}`)
	for _, line := range []struct{ token, text, want string }{
		{as(`{"tenant": "a"}`), `{ notes { text } words { word } }`, `200 {"data":{"notes":[{"text":"a in cell 1"}],"words":[{"word":"word of 1"}]}}`},
		{as(`{"tenant": "b"}`), `{ notes { text } words { word } }`, `200 {"data":{"notes":[{"text":"b in cell 2"}],"words":[{"word":"word of 2"}]}}`},
		{as(`{"tenant": "c"}`), `{ notes { text } }`, `"FORBIDDEN"`},
		{as(`{"tenant": "c"}`), `{ words { word } }`, `"FORBIDDEN"`},
		{as(`{"iss": "free", "tenant": "d"}`), `{ notes { text } }`, `"FORBIDDEN"`},
		{admin, `{ notes { text } }`, `"FORBIDDEN"`},
		{admin, `{ notesAggregate { count } }`, `"FORBIDDEN"`},
		{admin, `{ words { word } }`, `"FORBIDDEN"`},
	} {
		got := g.query(t, line.token, line.text)
		if !strings.Contains(got, line.want) || strings.Contains(line.want, "FORBIDDEN") && strings.Contains(got, "in cell") {
			t.Errorf("%s: %s", line.text, got)
		}
	}
	if got := operators(t, g.Gateway, "/metrics"); !strings.Contains(got, `usher_accounts{source="shop"} 2`) {
		t.Error("there is not one account for each cell")
	}
	// A cell whose table has lost the tenant's column serves nobody; the other goes on.
	two.Exec(t, `ALTER TABLE notes DROP COLUMN tenant`)
	for range 2 {
		if got := g.query(t, as(`{"tenant": "b"}`), `{ notes { id text } }`); !strings.Contains(got, `"UNAVAILABLE"`) || strings.Contains(got, "in cell") {
			t.Errorf("without the tenant's column: %s", got)
		}
	}
	if got := g.query(t, as(`{"tenant": "a"}`), `{ notes { text } }`); !strings.Contains(got, "a in cell 1") {
		t.Errorf("the other cell: %s", got)
	}
}

// A tenant's own account cannot lead into a cell, where others live.
func TestCellsAreNeighborhoods(t *testing.T) {
	t.Parallel()
	one, two := cellsOf(t)
	for _, db := range []pgtest.DB{one, two} {
		_, err := openCells(t, one, two, "path: store.duckdb", fmt.Sprintf(`, e: {strategy: own, accounts: {silo: {host: 127.0.0.1, port: %d, database: %q, user: %q, password: {env: PG}}}}`, db.Port, db.Name, db.User))
		if err == nil || !strings.Contains(err.Error(), "tenants.e.accounts.silo") {
			t.Errorf("a tenant is alone in a cell: %v", err)
		}
	}
}

// A tenant of the control store moves: suspended, its rows copied, its cell set,
// resumed, what is left behind deleted. Nothing is read from where it was.
func TestATenantMoves(t *testing.T) {
	t.Parallel()
	one, two := cellsOf(t)
	store := pgtest.Start(t).Database(t)
	g, err := openCells(t, one, two, fmt.Sprintf("postgres: {host: %s, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}", store.Host, store.Port, store.Name, store.User), "")
	if err != nil {
		t.Fatal(err)
	}
	token := program.Sign(t, `{"tenant": "d"}`)
	admin := g.bootstrap(t)
	change := func(text, want string) {
		t.Helper()
		if got := g.query(t, admin, `mutation { admin { `+text+` } }`); got != `200 {"data":{"admin":{`+want+`}}}` {
			t.Errorf("%s: %s", text, got)
		}
	}
	notes := func(want string) {
		t.Helper()
		if got := g.query(t, token, `{ notes { text } }`); !strings.Contains(got, want) {
			t.Errorf("%s, and not %s", got, want)
		}
	}
	if got := g.query(t, admin, `mutation { admin { createTenant(input: {id: "d", cell: "eu7"}) { id } } }`); !strings.Contains(got, "BAD_USER_INPUT") {
		t.Errorf("a cell that there is not: %s", got)
	}
	change(`createTenant(input: {id: "d"}) { id cell }`, `"createTenant":{"id":"d","cell":null}`)
	notes(`"FORBIDDEN"`)
	change(`setTenantCell(id: "d", cell: "eu1") { cell }`, `"setTenantCell":{"cell":"eu1"}`)
	notes(`"d in cell 1"`)
	if got := g.query(t, admin, `mutation { admin { setTenantCell(id: "d", cell: "eu7") { id } } }`); !strings.Contains(got, "BAD_USER_INPUT") {
		t.Errorf("a cell that there is not: %s", got)
	}
	change(`suspendTenant(id: "d") { status }`, `"suspendTenant":{"status":"SUSPENDED"}`)
	notes(`errors`)
	change(`setTenantCell(id: "d", cell: "eu2") { cell }`, `"setTenantCell":{"cell":"eu2"}`)
	change(`resumeTenant(id: "d") { status cell }`, `"resumeTenant":{"status":"ACTIVE","cell":"eu2"}`)
	notes(`"d in cell 2"`)
	one.Exec(t, `DELETE FROM notes WHERE tenant = 'd'`)
	notes(`"d in cell 2"`)
	change(`setTenantCell(id: "d") { cell }`, `"setTenantCell":{"cell":null}`)
	notes(`"FORBIDDEN"`)
}

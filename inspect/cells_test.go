package inspect_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/inspect"
	"usher/pgtest"
	"usher/test/program"
)

// A check looks into every cell, and names the one that is down, or whose tables lack a
// column or are not there.
func TestCheckLooksIntoEveryCell(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	good, bare, empty, other := server.Database(t), server.Database(t), server.Database(t), server.Database(t)
	good.Exec(t, "CREATE TABLE orders (id bigint, tenant text NOT NULL, PRIMARY KEY (tenant, id))")
	other.Exec(t, `CREATE TABLE orders (id bigint UNIQUE, tenant text NOT NULL, PRIMARY KEY (tenant, id));
		CREATE TABLE notes (order_id bigint REFERENCES orders (id) ON DELETE CASCADE)`)
	bare.Exec(t, "CREATE TABLE orders (id bigint PRIMARY KEY)")
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	cell := func(db pgtest.DB, port int) string {
		return fmt.Sprintf("{host: %s, port: %d, database: %q, user: %q, password: {env: P%s}}", db.Host, port, db.Name, db.User, strings.ToUpper(db.Name))
	}
	text := fmt.Sprintf(`
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
sources:
  shop: {kind: postgres, sslmode: disable, cells: {aa: %s, bare: %s, down: %s, empty: %s, other: %s}}
strategies: {all: {kind: shared, source: shop}}
datasets: {orders: {tenant: tenant, key: [tenant, id], writable: true, columns: {id: BigInt!, tenant: String!}}}
`, cell(good, good.Port), cell(bare, bare.Port), cell(good, 1), cell(empty, empty.Port), cell(other, other.Port))
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), func(name string) (string, bool) {
		for _, db := range []pgtest.DB{good, bare, empty, other} {
			if name == "P"+strings.ToUpper(db.Name) {
				return db.Password, true
			}
		}
		return "", false
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := inspect.Check(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(r.Problems, "\n")
	for _, want := range []string{
		"source shop: cell bare: datasets.orders.columns.tenant: it is not there",
		"source shop: cell down could not be looked into",
		"source shop: cell empty: datasets.orders: there is no table public.orders",
		"source shop: cell other: datasets.orders.writable: the unique index orders_id_key holds no tenant",
		"source shop: cell other: datasets.orders.writable: deleting changes rows of public.notes (ON DELETE CASCADE)",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said of the cells:\n%s", want, all)
		}
	}
	if strings.Contains(all, "cell aa") || len(r.Problems) != 6 {
		t.Errorf("the problems are\n%s", all)
	}
}

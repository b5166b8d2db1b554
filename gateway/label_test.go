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

// A label that an enum got while usher runs is no value of the schema's: it is null
// with an entry, in rows and as the key of its group.
func TestLabelThatCameLater(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TYPE state AS ENUM ('open', 'paid');
		CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL, status state);
		INSERT INTO orders VALUES (1, 'acme', 'open'), (2, 'acme', NULL), (3, 'acme', 'paid')`)
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, `
sources: {pg: {kind: postgres, host: %q, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}}
strategies: {shared: {kind: shared, source: pg}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
datasets:
  orders: {tenant: tenant, key: id}
`, db.Host, db.Port, db.Name, db.User), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	db.Exec(t, `ALTER TYPE state ADD VALUE 'stolen'`)
	db.Exec(t, `UPDATE orders SET status = 'stolen' WHERE id = 3`)
	got := (gate{g}).query(t, program.Sign(t, `{"tenant": "acme"}`), `{ orders(orderBy: [{id: ASC}]) { id status } ordersAggregate(orderBy: [{count: DESC}]) { key { status } count } }`)
	for _, part := range []string{
		`"orders":[{"id":1,"status":"open"},{"id":2,"status":null},{"id":3,"status":null}]`,
		`"path":["orders",2,"status"]`, `{"key":{"status":"open"},"count":1}`, `"path":["ordersAggregate",`, "that the schema has not",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s lacks %s", got, part)
		}
	}
	if n := strings.Count(got, `{"key":{"status":null},"count":1}`); n != 2 || strings.Contains(got, "stolen") {
		t.Errorf("%d groups of null: %s", n, got)
	}
}

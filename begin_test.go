package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

// TestConsoleOfNothing: a configuration that says that it has no datasets is served, and
// the console tells its operator what comes first.
func TestConsoleOfNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "key"), base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, "control: {path: control.duckdb, key: {id: a, secret: {file: key}}}\ndatasets: {}\n")
	a := program.Administer(t, config)
	noderun.Run(t, "begin.mjs", "empty", a.Base, a.Key)
}

const filesConfig = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
issuers:
  tests:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    tenants: trusted
    claims: {tenant: /tenant, roles: /roles}
    may_grant: {roles: [seller, clerk]}
roles:
  seller: {datasets: {orders: {aggregate: true}}}
  clerk: {datasets: {notes: {}}}
datasets:
  orders:
    tenant: tenant
    columns: {tenant: String!, total: Int!}
    measures: {revenue: "sum(total)", twice: "sum(total * 2)"}
  notes:
    tenant: tenant
    columns: {tenant: String!, text: String!}
`

// soldBoard has one number.
const soldBoard = `title: Sold
tiles:
  - {id: one, title: One, at: {x: 0, y: 0, w: 4, h: 2}, query: "{ ordersAggregate { %[1]s } }", chart: {kind: number, rows: ordersAggregate.0, y: [%[1]s]}}
`

// TestDashboardsOfFiles: dashboards in files have their pages without a control store, and
// whoever would see nothing of them is not offered them.
func TestDashboardsOfFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `
		CREATE TABLE orders (tenant VARCHAR NOT NULL, total INTEGER NOT NULL);
		INSERT INTO orders VALUES ('acme', 35), ('other', 7);
		CREATE TABLE notes (tenant VARCHAR NOT NULL, text VARCHAR NOT NULL)`)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, filesConfig)
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	if err := os.Mkdir(filepath.Join(dir, "dashboards"), 0o700); err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, filepath.Join(dir, "dashboards", "sold.yml"), fmt.Sprintf(soldBoard, "revenue"))
	u := program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0")
	noderun.Run(t, "begin.mjs", "files", u.Base, program.Sign(t, `{"tenant": "acme", "roles": ["seller"]}`), program.Sign(t, `{"tenant": "acme", "roles": ["clerk"]}`))
}

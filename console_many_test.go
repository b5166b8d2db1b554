package main

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

// manyConfig has a source that nobody answers for, and tenants of its own.
const manyConfig = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
  warehouse: {kind: postgres, host: 127.0.0.1, port: 1, database: shop, user: usher, sslmode: disable}
strategies:
  shared: {kind: shared, source: shop}
  far: {kind: shared, source: warehouse}
default_strategy: far
control:
  path: control.duckdb
  key: {id: a, secret: {file: key}}
roles:
  viewer: {datasets: {d0: {}, d1: {}, d499: {}}}
tenants:
  filed: {key: "42", name: "Filed <b>Ltd</b>", weight: 3, external_ids: [org_9], accounts: {warehouse: {database: filed, user: filed, password: {file: key}}}}
datasets:
`

// TestConsoleOfMany is the console's administration by keyboard alone, of ten thousand
// tenants and users and five hundred datasets, with a broken source.
func TestConsoleOfMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var config, tables strings.Builder
	config.WriteString(manyConfig)
	for n := range 500 {
		whose := "common: true, source: shop"
		if n%35 == 0 || n == 499 { // whose places are found of each tenant, at the start
			whose = "tenant: tenant"
		}
		fmt.Fprintf(&config, "  d%d: {label: \"<i>Dataset</i> %d\", %s, columns: {tenant: String!, n: Int}}\n", n, n, whose)
		fmt.Fprintf(&tables, "CREATE TABLE d%d (tenant VARCHAR NOT NULL, n INTEGER);\n", n)
	}
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), tables.String())
	program.WriteFile(t, filepath.Join(dir, "key"), base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	file := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, file, config.String())
	a := program.AdministerFilled(t, file, func() {
		program.MakeDuckDB(t, filepath.Join(dir, "control.duckdb"), `
			INSERT INTO usher.tenants (id, tenant_key, name, status, strategy, accounts, created_at, changed_at, generation)
				SELECT 't' || n, 't' || n, '<b>Tenant</b> ' || n || ' <img src=x onerror=alert(1)>', 'active', '', '', 1, 1, 1 FROM generate_series(1, 10000) AS g(n);
			INSERT INTO usher.users (id, tenant, username, name, email, password, status, roles, scopes, created_at, changed_at)
				SELECT 'u' || n, 't' || (n % 100 + 1), 'user' || n, 'User ' || n, 'user' || n || '@example.org', 'x', 'active', '[]', '[]', 1, 1 FROM generate_series(1, 10000) AS g(n)`)
	})
	const password = "a-password-of-tests"
	if out, says, err := a.With(t, a.Key, password, "user", "create", "olga", "--all-tenants", "--role", "viewer", "--scope", "data:read,admin,tokens:create,explain", "--password-stdin"); err != nil {
		t.Fatalf("%v\n%s%s", err, out, says)
	}
	noderun.Run(t, "many.mjs", a.Base, password)
}

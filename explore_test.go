package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

const exploreConfig = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
  away: {kind: api, base_url: "http://127.0.0.1:1", allow_private: true, isolation: upstream, headers: {X-Tenant: "{tenant}"}}
strategies:
  shared: {kind: shared, source: shop}
  away: {kind: api, source: away}
default_strategy: shared
control:
  path: control.duckdb
datasets:
  sales:
    label: "<b>Sales</b> <img src=x onerror=alert(1)>"
    description: "<img src=x onerror=alert(2)>"
    tenant: tenant
    key: id
    columns:
      id: Int!
      tenant: String!
      cityCode: {type: String, column: region, label: City code}
      region: {type: String, label: "<i>Region</i>"}
      status: {type: Enum, name: Status, labels: [paid, open]}
      soldAt: {type: Timestamp, column: sold_at}
      total: {type: Decimal, precision: 20, scale: 2}
      rating: Float
    measures:
      revenue: {expr: sum(total), label: Revenue}
    relations:
      shop: {to: shops, on: {region: region}}
    bind: {away: {path: /sales, columns: {tenant: ~}}}
  shops:
    label: Shops
    tenant: tenant
    key: region
    columns: {tenant: String!, region: String!, city: String}
`

// TestExplore is Explore as an operator, a tenant's administrator and a reader use it,
// against usher itself, with five hundred datasets, one source that does not answer, and
// names full of markup.
func TestExplore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sql.Open("duckdb", filepath.Join(dir, "shop.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `
		CREATE TYPE status AS ENUM ('paid', 'open');
		CREATE TABLE sales (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, region VARCHAR, status status, sold_at TIMESTAMPTZ, total DECIMAL(20,2), rating DOUBLE);
		INSERT INTO sales SELECT i, CASE WHEN i % 3 = 0 THEN 'other' ELSE 'acme' END, CASE i % 4 WHEN 0 THEN '<img src=x onerror=alert(3)>' WHEN 1 THEN 'North' ELSE 'South' END,
			CASE WHEN i % 5 = 0 THEN 'open' ELSE 'paid' END, TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (i) DAY, 900719925474099.25 + i, 0.08125 + (i % 2) * 0.001 FROM range(300) r(i);
		CREATE TABLE shops (tenant VARCHAR NOT NULL, region VARCHAR NOT NULL, city VARCHAR);
		INSERT INTO shops VALUES ('acme', 'North', 'Oslo'), ('acme', 'South', 'Rome'), ('other', 'North', 'Bergen')`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString(exploreConfig)
	for i := range 500 {
		fmt.Fprintf(&text, "  many%03d:\n    label: Number %03d of many\n    tenant: tenant\n    key: id\n    columns: {id: Int!, tenant: String!, total: Decimal}\n    bind: {shop: {table: sales}}\n", i, i)
	}
	config := filepath.Join(dir, "usher.yml")
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	a := program.Administer(t, config)
	const password = "a-password-of-tests"
	for _, tenant := range []string{"acme", "other"} {
		a.Says(t, "tenant", "create", tenant)
	}
	for _, user := range [][]string{
		{"olga", "--all-tenants", "--scope", "data:read,admin,tokens:create,explain"},
		{"ann", "--tenant", "acme", "--scope", "data:read,admin,tokens:create"},
		{"rita", "--tenant", "acme", "--scope", "data:read"},
	} {
		if out, says, err := a.With(t, a.Key, password, append([]string{"user", "create"}, append(user, "--password-stdin")...)...); err != nil {
			t.Fatalf("%v\n%s%s", err, out, says)
		}
	}
	for _, kind := range []string{"operator", "administrator", "reader"} {
		t.Log(noderun.Run(t, "explore.mjs", kind, a.Base, password, t.ArtifactDir()))
	}
}

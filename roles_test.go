package main

import (
	"encoding/base64"
	"path/filepath"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

const rolesConfig = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
  silo: {kind: postgres, host: 127.0.0.1, port: 1, database: nowhere, user: nobody, template: true, sslmode: disable, allow_hosts: ["*.db.example"]}
strategies:
  shared: {kind: shared, source: shop}
control:
  path: control.duckdb
  key: {id: a, secret: {file: key}}
parameters:
  branches: {type: "[String!]", default: [one, two]}
datasets:
  orders:
    label: "<b>Orders</b>"
    tenant: tenant
    key: id
    filter: {branch: {in: $branches}}
    columns:
      id: Int!
      tenant: {type: String!}
      branch: {type: String!}
      region: {type: Enum, name: Region, labels: [north, south]}
      note: String
      total: {type: Decimal, precision: 20, scale: 2}
      customerId: {type: Int, column: customer_id}
    relations:
      customer: {to: customers, on: {customerId: id}}
    writable: [insert, update]
  customers:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, name: String!}
  events:
    max_limit: 50
    tenant: tenant
    key: id
    deleted: {at: goneAt}
    writable: [delete]
    columns:
      id: Int!
      tenant: {type: String!}
      goneAt: {type: Timestamp, column: gone_at}
      big: BigInt
      amount: Decimal
      ratio: Float
      ok: Boolean
      day: Date
      clock: Time
      at: {type: Timestamp, column: moment}
      local: {type: LocalTimestamp, column: local_at}
      span: Interval
      uid: UUID
      raw: Bytes
      doc: JSON
      tags: "[String]"
roles:
  reader:
    datasets:
      orders: {columns: [id, region, note, total], aggregate: true}
      customers: {aggregate: true}
      events: {}
`

// TestRoles is the editor of roles, and what becomes of forms that nobody finished, in the console and against
// usher itself.
func TestRoles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `
		CREATE TYPE region AS ENUM ('north', 'south');
		CREATE TABLE customers (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, name VARCHAR NOT NULL);
		CREATE TABLE orders (id INTEGER NOT NULL, tenant VARCHAR NOT NULL, branch VARCHAR NOT NULL, region region, note VARCHAR, total DECIMAL(20, 2), customer_id INTEGER, PRIMARY KEY (tenant, id));
		CREATE TABLE events (id INTEGER NOT NULL, tenant VARCHAR NOT NULL, gone_at TIMESTAMPTZ, big BIGINT, amount DECIMAL(38, 10), ratio DOUBLE, ok BOOLEAN, day DATE, clock TIME, moment TIMESTAMPTZ, local_at TIMESTAMP, span INTERVAL, uid UUID, raw BLOB, doc JSON, tags VARCHAR[], PRIMARY KEY (tenant, id));
		INSERT INTO customers VALUES (1, 'acme', 'Ann');
		INSERT INTO orders VALUES (1, 'acme', 'one', 'north', 'x', 9007199254740993.00, 1)`)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, rolesConfig)
	program.WriteFile(t, filepath.Join(dir, "key"), base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	a := program.Administer(t, config)
	a.Says(t, "tenant", "create", "acme")
	const password = "a-password-of-tests"
	for _, who := range [][]string{{"olga", "--all-tenants"}, {"ann", "--tenant", "acme", "--role", "reader"}} {
		args := append([]string{"user", "create"}, append(who, "--scope", "data:read,data:write,admin,tokens:create", "--password-stdin")...)
		if out, says, err := a.With(t, a.Key, password, args...); err != nil {
			t.Fatalf("%v\n%s%s", err, out, says)
		}
	}
	for _, kind := range []string{"editor", "judged", "unsaved"} {
		noderun.Run(t, "roles.mjs", kind, a.Base, password, t.ArtifactDir())
	}
}

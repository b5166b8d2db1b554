package main

import (
	"database/sql"
	"encoding/base64"
	"path/filepath"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

const consoleConfig = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
  silo: {kind: postgres, host: 127.0.0.1, port: 1, database: nowhere, user: nobody, template: true, sslmode: disable, allow_hosts: ["*.db.example"]}
strategies:
  shared: {kind: shared, source: shop}
limits:
  tenant: {requests: 6000}
  token: {rows: 1000000}
control:
  path: control.duckdb
  key: {id: a, secret: {file: key}}
datasets:
  notes:
    label: Notes
    description: "<img src=x onerror=alert(1)>"
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: {type: String, label: "<b>text</b>"}}
    bind:
      archive: {source: shop, table: notes}
  tags:
    label: Tags
    tenant: tenant
    columns: {tenant: String!, noteId: {type: Int!, column: note_id}, tag: String!}
    relations:
      note: {to: notes, on: {noteId: id}}
`

// TestConsole is the console as an operator, a tenant's administrator and a reader
// use it, against usher itself.
func TestConsole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sql.Open("duckdb", filepath.Join(dir, "shop.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `
		CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, text VARCHAR);
		INSERT INTO notes VALUES (1, 'umbrella', 'hello'), (2, 'other', 'theirs');
		CREATE TABLE tags (tenant VARCHAR NOT NULL, note_id INTEGER NOT NULL, tag VARCHAR NOT NULL);
		INSERT INTO tags VALUES ('umbrella', 1, 'first')`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, consoleConfig)
	program.WriteFile(t, filepath.Join(dir, "key"), base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	a := program.Administer(t, config)
	const password = "a-password-of-tests"
	if out, says, err := a.With(t, a.Key, password, "user", "create", "olga", "--all-tenants", "--scope", "data:read,admin,tokens:create,explain", "--password-stdin"); err != nil {
		t.Fatalf("%v\n%s%s", err, out, says)
	}
	for _, kind := range []string{"operator", "administrator", "reader"} {
		noderun.Run(t, "administer.mjs", kind, a.Base, password)
	}
	noderun.Run(t, "shell.mjs", a.Base, password)
}

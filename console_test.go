package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

const consoleConfig = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
control:
  path: control.duckdb
datasets:
  notes:
    label: Notes
    description: "<img src=x onerror=alert(1)>"
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: {type: String, label: "<b>text</b>"}}
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
	if err := os.WriteFile(config, []byte(consoleConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	a := program.Administer(t, config)
	const password = "a-password-of-tests"
	if out, says, err := a.With(t, a.Key, password, "user", "create", "olga", "--all-tenants", "--scope", "data:read,admin,tokens:create,explain", "--password-stdin"); err != nil {
		t.Fatalf("%v\n%s%s", err, out, says)
	}
	for _, kind := range []string{"operator", "administrator", "reader"} {
		noderun.Run(t, "administer.mjs", kind, a.Base, password)
	}
}

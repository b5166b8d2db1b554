package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

const boardsConfig = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
control:
  path: control.duckdb
datasets:
  orders:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, region: String!, total: Decimal!}
    measures: {revenue: "sum(total)"}
`

// TestBoards is a dashboard from the editor to whoever holds a token for it alone: made by
// an operator for all tenants, copied by a tenant's administrator, and shown to a holder.
func TestBoards(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `
		CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, region VARCHAR NOT NULL, total DECIMAL(9, 2) NOT NULL);
		INSERT INTO orders VALUES (1, 'umbrella', 'EU', 10.50), (2, 'other', 'EU', 25.00), (3, 'other', 'US', 40.00)`)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, boardsConfig)
	a := program.Administer(t, config)
	a.Says(t, "tenant", "create", "umbrella")
	const password = "a-password-of-tests"
	for _, who := range [][]string{{"olga", "--all-tenants"}, {"ann", "--tenant", "umbrella"}} {
		args := append([]string{"user", "create"}, append(who, "--scope", "data:read,admin,tokens:create", "--password-stdin")...)
		if out, says, err := a.With(t, a.Key, password, args...); err != nil {
			t.Fatalf("%v\n%s%s", err, out, says)
		}
	}
	noderun.Run(t, "boards.mjs", "operator", a.Base, password, t.ArtifactDir())
	noderun.Run(t, "boards.mjs", "unsaved", a.Base, password, t.ArtifactDir())
	token := strings.TrimSpace(noderun.Run(t, "boards.mjs", "administrator", a.Base, password, t.ArtifactDir()))
	if !strings.HasPrefix(token, "usher_et_") {
		t.Fatalf("no token is shown: %s", token)
	}
	noderun.Run(t, "boards.mjs", "minter", a.Base, password, t.ArtifactDir())
	noderun.Run(t, "boards.mjs", "chooser", a.Base, password, t.ArtifactDir())
	noderun.Run(t, "boards.mjs", "holder", a.Base, token)
	// What was made there is a file that makes it again.
	file := filepath.Join(dir, "board.yml")
	a.Says(t, "dashboard", "show", "board", "--output", file)
	a.Says(t, "dashboard", "save", "again", "--file", file)
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(text), "title: Sales\n") || a.Says(t, "dashboard", "show", "again", "--yaml") != string(text) {
		t.Errorf("%v\n%s", err, text)
	}
}

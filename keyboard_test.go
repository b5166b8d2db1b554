package main

import (
	"path/filepath"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

const keyboardBoard = `
title: Sales
parameters:
  - {name: region, label: Region, type: "[String!]!", control: select, default: [EU, US], options: [{value: [EU, US], label: Everywhere}, {value: [EU], label: Europe}]}
tiles:
  - id: regions
    title: By region
    at: {x: 0, y: 0, w: 6, h: 4}
    query: "query($region: [String!]!) { ordersAggregate(where: {region: {in: $region}}) { key { region } revenue } }"
    chart: {kind: bar, rows: ordersAggregate, x: key.region, y: [revenue]}
  - id: total
    title: In all
    at: {x: 6, y: 0, w: 6, h: 4}
    query: "query($region: [String!]!) { ordersAggregate(where: {region: {in: $region}}) { revenue } }"
    chart: {kind: number, rows: ordersAggregate, y: [revenue]}
`

// TestKeyboard is the console as it is used without a pointer: whatever is done, the focus is somewhere, where one goes on from.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `
		CREATE TABLE orders (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, region VARCHAR NOT NULL, total DECIMAL(9, 2) NOT NULL);
		INSERT INTO orders VALUES (1, 'umbrella', 'EU', 10.50), (2, 'umbrella', 'US', 25.00), (3, 'other', 'US', 40.00)`)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, boardsConfig)
	a := program.Administer(t, config)
	a.Says(t, "tenant", "create", "umbrella")
	file := filepath.Join(dir, "board.yml")
	program.WriteFile(t, file, keyboardBoard)
	a.Says(t, "dashboard", "save", "board", "--file", file, "--shared")
	const password = "a-password-of-tests"
	if out, says, err := a.With(t, a.Key, password, "user", "create", "olga", "--all-tenants", "--scope", "data:read,admin,tokens:create,explain", "--password-stdin"); err != nil {
		t.Fatalf("%v\n%s%s", err, out, says)
	}
	noderun.Run(t, "keyboard.mjs", a.Base, password, t.ArtifactDir())
}

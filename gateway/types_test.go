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
	"usher/value"
)

// What a migration makes of the column that is read, with a value that the type before does not have.
var retyped = []struct{ name, before, value, migrate string }{
	{"bigint", "bigint", "7", "ALTER v TYPE date USING '2026-01-01'"},
	{"text", "int", "7", "ALTER v TYPE text USING 'seven'"},
	{"timestamp", "timestamp", "'2026-02-01 03:00'", "ALTER v TYPE timestamptz"},
	{"timestamptz", "timestamptz", "'2026-02-01 03:00'", "ALTER v TYPE timestamp"},
	{"date", "date", "'2026-02-01'", "ALTER v TYPE timestamptz"},
	{"boolean", "boolean", "true", "ALTER v TYPE int USING 1"},
	{"time", "time", "'03:00'", "ALTER v TYPE timestamp USING '2026-02-01 03:00'"},
	{"uuid", "uuid", "'11111111-2222-3333-4444-555555555555'", "ALTER v TYPE int USING 1"},
}

// TestColumnsOfOtherTypes: a column that has become another one is told as that, and no value is
// answered that is none of the schema's type.
func TestColumnsOfOtherTypes(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	var datasets strings.Builder
	for _, c := range retyped {
		db.Exec(t, fmt.Sprintf("CREATE TABLE %[1]s_rows (id int PRIMARY KEY, tenant text NOT NULL, v %[2]s); INSERT INTO %[1]s_rows VALUES (1, 'acme', %[3]s)", c.name, c.before, c.value))
		fmt.Fprintf(&datasets, "  %[1]s_rows: {tenant: tenant, relations: {self: {to: %[1]s_rows, many: true, on: {tenant: tenant}}}}\n", c.name)
	}
	db.Exec(t, "CREATE TABLE wide_rows (id int PRIMARY KEY, tenant text NOT NULL, v int); INSERT INTO wide_rows VALUES (1, 'acme', 7)")
	datasets.WriteString("  wide_rows: {tenant: tenant}\n")
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, `
sources: {main: {kind: postgres, host: %s, port: %d, database: %s, user: %s, password: {env: PG}, sslmode: disable}}
strategies: {all: {kind: shared, source: main}}
issuers: {tests: {issuer: tests, tenants: trusted, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, claims: {tenant: /tenant}}}

datasets:
%s`, db.Host, db.Port, db.Name, db.User, datasets.String()), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	g, token := gate{opened}, program.Sign(t, `{"tenant": "acme"}`)
	db.Exec(t, "ALTER TABLE wide_rows ALTER v TYPE bigint; INSERT INTO wide_rows VALUES (2, 'acme', 9007199254740993)")
	if got := g.query(t, token, `{ wide_rows(orderBy: [{id: ASC}]) { v } }`); !strings.Contains(got, `"wide_rows":[{"v":7},{"v":null}]`) || !strings.Contains(got, value.ErrInt.Error()) {
		t.Errorf("an int that has become a bigint: %s", got)
	}
	for _, c := range retyped {
		questions := []string{
			fmt.Sprintf(`{"query": "{ %s_rows { v } }"}`, c.name), fmt.Sprintf(`{"query": "{ %[1]s_rows { self { v } } }"}`, c.name),
			fmt.Sprintf(`{"query": "{ %s_rowsAggregate { v { min max } } }"}`, c.name),
		}
		if c.before == "boolean" || c.before == "uuid" || c.before == "time" {
			questions = questions[:2]
		}
		for _, q := range questions {
			if got := g.ask(t, token, q).Body.String(); strings.Contains(got, "errors") {
				t.Fatalf("%s: %s", q, got)
			}
		}
		db.Exec(t, "ALTER TABLE "+c.name+"_rows "+c.migrate)
		for _, q := range questions {
			for range 2 {
				if got := g.ask(t, token, q).Body.String(); !strings.Contains(got, "UNAVAILABLE") || !strings.Contains(got, "differs from the catalog") || !strings.Contains(got, "SIGHUP") {
					t.Errorf("%s: %s", q, got)
				}
			}
		}
	}
}

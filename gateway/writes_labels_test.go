package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const labeled = `
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {shop: %s}
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
datasets:
  logs: {tenant: tenant, key: id, writable: true}
`

// A label that an enum has no more, as after ALTER TYPE … RENAME VALUE, is told as a column is that was renamed, wherever it
// is named; what is no label of an enum that is served as text is a mistake of whoever gives it.
func TestLabelsThatAreNoMore(t *testing.T) {
	t.Parallel()
	const tables = `CREATE TYPE level AS ENUM ('low', 'mid', 'high'); CREATE TYPE odd AS ENUM ('a b', 'c');
		CREATE TABLE logs (tenant text NOT NULL, id int NOT NULL, level level, levels level[], kind odd, note text, PRIMARY KEY (tenant, id));
		INSERT INTO logs VALUES ('a', 1, 'mid', ARRAY['mid'::level], 'c', 'mid'), ('a', 2, 'high', ARRAY['low'::level], 'c', NULL);`
	const lost = "UNAVAILABLE: the source's table differs from the catalog: an enum has no such label any more"
	db := pgtest.Start(t).Database(t)
	db.Exec(t, tables+`CREATE VIEW casts AS SELECT tenant, id, note::level AS level FROM logs`)
	text := fmt.Sprintf(labeled, "%[4]s", "{kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}")
	i := importing{writing: openWritingOf(t, db, text+"  casts: {tenant: tenant, key: id}\n"), sql: db.Open(t)}
	i.serve(t)
	i.query(t, i.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`)
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	imports := func() {
		t.Helper()
		if got := i.load(t, ann, "/import/logs?format=ndjson", `{"id": 20, "level": "low"}`+"\n"+`{"id": 21, "level": "mid"}`+"\n"); !strings.Contains(got, "UNAVAILABLE") || !strings.Contains(got, "the source's table differs from the catalog") {
			t.Errorf("an import: %s", got)
		}
		if got := i.load(t, ann, "/import/logs?format=ndjson", `{"id": 20, "kind": "c"}`+"\n"+`{"id": 21, "kind": "d"}`+"\n"); !strings.Contains(got, "BAD_USER_INPUT") {
			t.Errorf("an import of no label: %s", got)
		}
	}
	db.Exec(t, `ALTER TYPE level RENAME VALUE 'mid' TO 'middle'`)
	for _, line := range []struct{ text, want string }{
		{`{ logs(where: {level: {eq: mid}}) { id } }`, `{"logs":null} ` + lost},
		{`{ logs(where: {level: {in: [low, mid]}}) { id } }`, `{"logs":null} ` + lost},
		{`{ logs(where: {level: {neq: mid}}) { id } }`, `{"logs":null} ` + lost},
		{`{ logs(where: {levels: {has: mid}}) { id } }`, `{"logs":null} ` + lost},
		{`{ logs(where: {level: {eq: high}}) { id } }`, `{"logs":[{"id":2}]}`},
		{`{ logs(where: {kind: {eq: "nope"}}) { id } }`, `{"logs":[]}`},
		{`{ casts { id level } }`, `{"casts":null} UNAVAILABLE: something of the database's own failed`}, // a view's own
		{`mutation { insertLogsOne(row: {id: 9, level: mid}) { id } }`, `null ` + lost + ` (insertLogsOne.row.level)`},
		{`mutation { insertLogs(rows: [{id: 9, level: high}, {id: 10, level: mid}]) { affected } }`, `null ` + lost + ` (insertLogs.rows.1.level)`},
		{`mutation { insertLogsOne(row: {id: 9, levels: [low, mid]}) { id } }`, `null ` + lost + ` (insertLogsOne.row.levels)`},
		{`mutation { insertLogs(rows: [{id: 9, kind: "c"}, {id: 10, kind: "d"}]) { affected } }`, `null BAD_USER_INPUT: a value does not fit its column in logs (insertLogs.rows.1.kind)`},
		{`mutation { updateLogsByPk(id: 2, set: {level: mid}) { id } }`, `null ` + lost + ` (updateLogsByPk.set.level)`},
		{`mutation { updateLogsByPk(id: 2, set: {kind: "nope"}) { id } }`, `null BAD_USER_INPUT: a value does not fit its column in logs (updateLogsByPk.set.kind)`},
		{`mutation { updateLogs(where: {level: {eq: mid}}, set: {note: "x"}) { affected } }`, `null ` + lost},
		{`mutation { deleteLogs(where: {level: {eq: mid}}) { affected } }`, `null ` + lost},
		{`mutation { insertLogsOne(row: {id: 9, level: high}) { id level } }`, `{"insertLogsOne":{"id":9,"level":"high"}}`},
	} {
		if got := short(t, i.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	imports()

	dir := t.TempDir()
	shop := filepath.Join(dir, "shop.duckdb")
	program.MakeDuckDB(t, shop, tables)
	i = importing{writing: openFiles(t, dir, fmt.Sprintf(labeled, filepath.Join(dir, "store.duckdb"), "{kind: duckdb, path: shop.duckdb}"))}
	i.serve(t)
	ann = i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	replace(t, shop, func(path string) { program.MakeDuckDB(t, path, strings.ReplaceAll(tables, "'mid'", "'middle'")) })
	for _, line := range []struct{ text, want string }{
		{`{ logs(where: {level: {eq: mid}}) { id } }`, `UNAVAILABLE: logs.level is not what the catalog says in its database: its labels are low, middle, high, not low, mid, high`},
		{`mutation { insertLogsOne(row: {id: 9, level: mid}) { id } }`, lost + ` (insertLogsOne.row.level)`},
		{`mutation { updateLogs(where: {id: {eq: 2}}, set: {level: mid}) { affected } }`, lost + ` (updateLogs.set.level)`},
		{`mutation { updateLogs(where: {id: {eq: 2}}, set: {kind: "nope"}) { affected } }`, `BAD_USER_INPUT`},
	} {
		if got := short(t, i.query(t, ann, line.text)); !strings.Contains(got, line.want) {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	imports()
}

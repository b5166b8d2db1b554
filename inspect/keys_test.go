package inspect_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"usher/config"
	"usher/inspect"
	"usher/pgtest"
	"usher/test/program"
)

// A key that nothing promises to be one row's is told, of tables and of views; not where a unique key over some of its columns is.
func TestKeysThatNothingPromises(t *testing.T) {
	t.Parallel()
	const (
		tables = `
		CREATE TABLE bare (tenant text NOT NULL, id int NOT NULL);
		CREATE TABLE other (tenant text NOT NULL, id int NOT NULL, code text NOT NULL, UNIQUE (tenant, code));
		CREATE TABLE lines (tenant text NOT NULL, id int NOT NULL, n int NOT NULL, UNIQUE (tenant, id, n));
		CREATE TABLE good (tenant text NOT NULL, id int NOT NULL, UNIQUE (tenant, id));
		CREATE TABLE alone (tenant text NOT NULL, id int PRIMARY KEY, n int NOT NULL);
		CREATE VIEW seen AS SELECT tenant, id FROM bare;`
		datasets = `{bare: {tenant: tenant, key: id}, other: {tenant: tenant, key: id}, lines: {tenant: tenant, key: id}, good: {tenant: tenant, key: id}, alone: {tenant: tenant, key: [id, n]}, seen: {tenant: tenant, key: id}`
		promises = "no unique constraint of "
	)
	want := []string{
		"datasets.bare.key: no unique constraint of bare says that these columns identify a row; of two rows with one key lists would skip one, and whoever asks for it is shown either",
		"datasets.other.key: no unique constraint of other", "datasets.lines.key: no unique constraint of lines", "datasets.seen.key: nothing can say of seen, a view, that these columns identify a row, so it is believed",
	}
	told := func(engine string, r *inspect.Report, want []string) {
		t.Helper()
		if len(r.Problems) > 0 {
			t.Fatal(engine, r.Problems)
		}
		notes := slices.DeleteFunc(r.Notes, func(note string) bool { return !strings.Contains(note, "identify a row") })
		for _, line := range want {
			if !slices.ContainsFunc(notes, func(note string) bool { return strings.Contains(note, line) }) {
				t.Errorf("%s: %q is not said", engine, line)
			}
		}
		if len(notes) != len(want) {
			t.Errorf("%s: it is told\n%s", engine, strings.Join(notes, "\n"))
		}
	}

	db := pgtest.Start(t).Database(t)
	db.Exec(t, tables+`
		CREATE TABLE indexed (tenant text NOT NULL, id int NOT NULL); CREATE UNIQUE INDEX ON indexed (tenant, id);
		CREATE TABLE partly (tenant text NOT NULL, id int NOT NULL); CREATE UNIQUE INDEX ON partly (tenant, id) WHERE id > 5; CREATE UNIQUE INDEX ON partly (tenant, (id + 1));
		CREATE TABLE heirs (tenant text NOT NULL, id int NOT NULL, PRIMARY KEY (tenant, id)); CREATE TABLE heir () INHERITS (heirs);
		CREATE MATERIALIZED VIEW kept AS SELECT tenant, id FROM bare; CREATE UNIQUE INDEX ON kept (tenant, id);
		CREATE MATERIALIZED VIEW loose AS SELECT tenant, id FROM bare`)
	const more = `, indexed: {tenant: tenant, key: id}, partly: {tenant: tenant, key: id}, heirs: {tenant: tenant, key: id}, kept: {tenant: tenant, key: id}, loose: {tenant: tenant, key: id}}`
	told("postgres", checkShop(t, db, datasets+more), append(slices.Clone(want), "datasets.partly.key: "+promises+"partly", "datasets.heirs.key: tables inherit from heirs, whose rows are in none of its unique indexes", "datasets.loose.key: nothing can say of loose, a materialized view,"))

	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), tables)
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	from, to := strings.Index(writableShop, "  shop: {"), strings.Index(writableShop, "strategies:")
	text := strings.Replace(writableShop[:from]+"  shop: {kind: duckdb, path: shop.duckdb}\n"+writableShop[to:], "%s", datasets+"}", 1)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := inspect.Check(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	told("duckdb", r, want)
}

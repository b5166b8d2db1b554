package duckdb_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
)

// Files are read by descriptors, which say nothing of folders and compression: the
// columns are those that the engine finds by the path.
func TestFilesOfFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := filepath.Join(dir, "Year=2024", "day=2024-02-03", "region=a%20b", "none=__HIVE_DEFAULT_PARTITION__")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, format := range map[string]string{
		"n.parquet": "FORMAT parquet", "n.csv": "FORMAT csv", "n.csv.gz": "FORMAT csv, COMPRESSION gzip", "n.json": "FORMAT json", "n.json.gz": "FORMAT json, COMPRESSION gzip",
	} {
		path := filepath.Join(folder, name)
		file(t, fmt.Sprintf("COPY (SELECT 1 AS id, 1999 AS year) TO '%s' (%s)", path, format))
		db := open(t, catalog.DuckDBSpec{Files: map[string]string{"n": path}}, duckdb.Options{})
		want(t, db, `1|2024|"2024-02-03"|"a b"|null|"BIGINT"|"DATE"`,
			`SELECT id, "Year", CAST(day AS VARCHAR), region, none, typeof("Year"), typeof(day) FROM n`)
		want(t, db, "5", `SELECT CAST(count(*) AS INTEGER) FROM (DESCRIBE n)`)
		if _, err := ask(t.Context(), db, 1, fmt.Sprintf("SELECT 1 FROM read_text('%s')", filepath.Join(folder, "other"))); err == nil {
			t.Error("another file is read")
		}
	}
}

// A session goes on reading the file that it began with, by whatever name it goes
// meanwhile; a new one reads the new file. What nobody reads is not held open.
func TestHeldFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "n.parquet")
	write := func(n int) {
		file(t, fmt.Sprintf("COPY (SELECT %d AS n) TO '%s' (FORMAT parquet)", n, path+".new"))
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	source, err := duckdb.OpenSource(catalog.DuckDBSpec{Files: map[string]string{"n": path}}, duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(s sqlexec.Session) string {
		rows, err := s.Query(t.Context(), "SELECT n FROM n", nil)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = rows.Close() }()
		if !rows.Next() {
			return fmt.Sprint(rows.Err())
		}
		return show(rows.Cell(0))
	}
	err = source.Session(t.Context(), false, func(s sqlexec.Session) error {
		write(2)
		if _, err := source.Look(); err != nil {
			return err
		}
		if got := read(s); got != "1" {
			t.Errorf("a session that runs: %s", got)
		}
		want(t, source, "2", "SELECT n FROM n")
		if got := read(s); got != "1" {
			t.Errorf("a session that runs on: %s", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Moved aside first: the statement is asked again, of the new file.
	tries := 0
	err = source.Session(t.Context(), false, func(s sqlexec.Session) error {
		if tries++; tries == 1 {
			if err := os.Rename(path, path+".old"); err != nil {
				return err
			}
			write(3)
		}
		rows, err := s.Query(t.Context(), "SELECT n FROM n", nil)
		if err != nil {
			return err
		}
		if rows.Next(); show(rows.Cell(0)) != "3" {
			t.Errorf("after a move: %s", show(rows.Cell(0)))
		}
		return rows.Close()
	})
	if err != nil || tries != 2 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	links, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", link.Name())); err == nil && filepath.Dir(to) == dir {
			t.Errorf("%s is open", to)
		}
	}
}

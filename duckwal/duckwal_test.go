package duckwal_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"usher/duckwal"
)

// database makes a file with a table of one row.
func database(t *testing.T, path string) {
	t.Helper()
	run(t, path, "CREATE TABLE notes AS SELECT 1 AS n")
}

func run(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// crashed is a file and its log as whoever is killed leaves them, of a row in each.
func crashed(t *testing.T) string {
	t.Helper()
	open, path := filepath.Join(t.TempDir(), "open.duckdb"), filepath.Join(t.TempDir(), "shop.duckdb")
	database(t, open)
	db, err := sql.Open("duckdb", open)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "INSERT INTO notes VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	copied(t, open, path)
	later()
	copied(t, open+".wal", path+".wal")
	later()
	return path
}

// later is longer than what a file system takes for one moment.
func later() { <-time.After(30 * time.Millisecond) }

func copied(t *testing.T, from, to string) {
	t.Helper()
	body, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, body, 0o600) //nolint:gosec // the test's own folder
	}
	if err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestALogOfTheFile(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]func(t *testing.T, path string){
		"as it was left": func(*testing.T, string) {},
		"without a log":  func(t *testing.T, path string) { must(t, os.Remove(path+".wal")) },
		"an empty log": func(t *testing.T, path string) {
			must(t, os.Truncate(path+".wal", 0))
			later()
			must(t, os.Chmod(path, 0o640))
		},
		"rows that were not committed": func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.WriteString("a block")
			must(t, err, f.Close())
		},
		"another owner for both": func(t *testing.T, path string) {
			must(t, os.Chmod(path+".wal", 0o640))
			later()
			must(t, os.Chmod(path, 0o640))
		},
		"another folder": func(t *testing.T, path string) {
			dir := t.TempDir()
			must(t, os.Rename(path, filepath.Join(dir, "a")), os.Rename(path+".wal", filepath.Join(dir, "a.wal")))
			must(t, os.Symlink(filepath.Join(dir, "a"), path))
		},
		"put there, and the log touched": func(t *testing.T, path string) {
			must(t, os.Rename(path, path+".1"), os.Rename(path+".1", path))
			later()
			must(t, os.Chtimes(path+".wal", time.Time{}, time.Now()))
		},
		"no file": func(t *testing.T, path string) { must(t, os.Remove(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := crashed(t)
			handle(t, path)
			if err := duckwal.Check(path); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestALogOfAnotherFile(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]func(t *testing.T, path string){
		"a new file renamed": func(t *testing.T, path string) {
			database(t, path+".new")
			later()
			must(t, os.Rename(path+".new", path))
		},
		"one copied into the place of one that was removed": func(t *testing.T, path string) {
			must(t, os.Rename(path, path+".1"))
			copied(t, path+".1", path)
		},
		"an older one renamed": func(t *testing.T, path string) {
			must(t, os.Rename(path, path+".1"))
			later()
			must(t, os.Rename(path+".1", path))
		},
		"one copied over it with its times": func(t *testing.T, path string) {
			before := time.Now().Add(-time.Hour)
			copied(t, path, path+".copy")
			copied(t, path+".copy", path)
			must(t, os.Chtimes(path, before, before))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := crashed(t)
			handle(t, path)
			if err := duckwal.Check(path); !errors.Is(err, duckwal.ErrNotOf) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The engine itself adds a log to whatever file has its tables, unless the file is of a format whose logs say whose
// they are. When it does no longer, nothing need be asked.
func TestTheEngineDoesNotAsk(t *testing.T) {
	t.Parallel()
	path := crashed(t)
	database(t, path+".new")
	must(t, os.Rename(path+".new", path))
	db, err := sql.Open("duckdb", path)
	must(t, err)
	defer func() { _ = db.Close() }()
	var n int
	must(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM notes").Scan(&n))
	if n != 2 {
		t.Errorf("%d rows: the engine tells whose a log is", n)
	}
}

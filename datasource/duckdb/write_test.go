package duckdb_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
	"usher/fault"
)

func openWriter(t *testing.T, path string, opts duckdb.Options) *duckdb.Source {
	t.Helper()
	opts.Writes = true
	s, err := duckdb.OpenSource(catalog.DuckDBSpec{Path: path}, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// does is a transaction of some statements.
func does(ctx context.Context, s *duckdb.Source, statements ...string) error {
	return s.Write(ctx, func(session sqlexec.Session) error {
		for _, statement := range statements {
			if _, err := session.Query(ctx, statement, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

const things = "CREATE TABLE things (id INTEGER PRIMARY KEY, name VARCHAR UNIQUE, n SMALLINT NOT NULL, CHECK (n < 100)); CREATE TABLE parts (thing INTEGER REFERENCES things (id)); " +
	"INSERT INTO things VALUES (1, 'one', 1), (2, 'two', 2); INSERT INTO parts VALUES (1)"

func TestWrite(t *testing.T) {
	t.Parallel()
	s := openWriter(t, file(t, things), duckdb.Options{})
	version := func() uint64 {
		t.Helper()
		v, err := s.Look()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := version()
	if err := does(t.Context(), s, "INSERT INTO things VALUES (3, 'three', 3)", "UPDATE things SET n = n + 1"); err != nil {
		t.Fatal(err)
	}
	want(t, s, "1|2\n2|3\n3|4", "SELECT id, n FROM things ORDER BY id")
	if now := version(); now != before {
		t.Errorf("a file that was written is taken for another one: %d, %d before", now, before)
	}
	// All of it or nothing, also of what failed without a word.
	if err := does(t.Context(), s, "INSERT INTO things VALUES (4, 'four', 4)", "INSERT INTO things VALUES (5, 'one', 5)"); err == nil {
		t.Error("a row with the name of another was written")
	}
	err := s.Write(t.Context(), func(session sqlexec.Session) error {
		_, _ = session.Query(t.Context(), "INSERT INTO things VALUES (4, 'four', 4)", nil)
		_, _ = session.Query(t.Context(), "INSERT INTO things VALUES (1, 'other', 4)", nil)
		return nil
	})
	if err == nil {
		t.Error("a failure was forgotten")
	}
	ended, cancel := context.WithCancel(t.Context())
	err = s.Write(ended, func(session sqlexec.Session) error {
		_, err := session.Query(ended, "INSERT INTO things VALUES (4, 'four', 4)", nil)
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) && fault.From(err).Code != fault.Timeout {
		t.Errorf("a transaction of a request that has ended: %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.Write(t.Context(), func(session sqlexec.Session) error {
			_, _ = session.Query(t.Context(), "INSERT INTO things VALUES (4, 'four', 4)", nil)
			panic("in the middle")
		})
	}()
	want(t, s, "3", "SELECT count(*) FROM things")
	if err := does(t.Context(), s, "INSERT INTO things VALUES (4, 'four', 4)"); err != nil {
		t.Errorf("after failures: %v", err)
	}
	// Whoever reads does not write.
	err = s.Session(t.Context(), false, func(session sqlexec.Session) error {
		_, err := session.Query(t.Context(), "DELETE FROM parts", nil)
		return err
	})
	if err == nil {
		t.Error("a session that reads has written")
	}
	// Nor does a source that was not opened for it.
	reads, err := duckdb.OpenSource(catalog.DuckDBSpec{Path: file(t, things)}, duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reads.Close() }()
	if err := does(t.Context(), reads, "DELETE FROM parts"); err == nil {
		t.Error("a source that reads has written")
	}
}

// What the engine says of rows has the SQLSTATE of PostgreSQL, and columns; and no value.
func TestViolations(t *testing.T) {
	t.Parallel()
	s := openWriter(t, file(t, things), duckdb.Options{})
	for _, line := range []struct{ statement, code, columns string }{
		{"INSERT INTO things VALUES (1, 'secret', 1)", "23505", "id"},
		{"INSERT INTO things VALUES (9, 'one', 1)", "23505", "name"},
		{"INSERT INTO things VALUES (9, 'secret', 1), (9, 'secret2', 1)", "23505", ""},
		{"INSERT INTO things VALUES (9, 'secret', NULL)", "23502", "n"},
		{"INSERT INTO things VALUES (9, 'secret', 100)", "23514", ""},
		{"INSERT INTO things VALUES (9, 'secret', CAST(70000 AS BIGINT))", "22003", ""},
		{"INSERT INTO things VALUES (9, 'secret', 'secret')", "22000", ""},
		{"INSERT INTO parts VALUES (77)", "23503", ""},
		{"DELETE FROM things WHERE id = 1", "23503", ""},
		{"UPDATE things SET id = 10 WHERE id = 1", "23503", ""},
		{"UPDATE things SET name = 'secret' WHERE id = 1", "23503", ""}, // which the engine can do of rows only that none refers to
	} {
		err := does(t.Context(), s, line.statement)
		var v *duckdb.Violation
		if !errors.As(err, &v) || v.Code != line.code || strings.Join(v.Columns, ",") != line.columns {
			t.Errorf("%s: %v, %+v", line.statement, err, v)
			continue
		}
		for _, word := range []string{"secret", "70000", "77", "100"} {
			if strings.Contains(err.Error()+fault.From(err).Message+fault.From(err).Hint, word) {
				t.Errorf("%s: %v has a value", line.statement, err)
			}
		}
	}
	want(t, s, "1|\"one\"|1\n2|\"two\"|2", "SELECT id, name, n FROM things ORDER BY id")
}

// Two sources have one file, as two configurations do while one takes the place of the other:
// both write and read, one after the other, and nothing is lost.
func TestTwoSourcesWriteOneFile(t *testing.T) {
	t.Parallel()
	path := file(t, "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (0)")
	memory := duckdb.NewMemory(256 << 20)
	sources := []*duckdb.Source{openWriter(t, path, duckdb.Options{Memory: memory}), openWriter(t, path, duckdb.Options{Memory: memory})}
	const each = 8
	var wg sync.WaitGroup
	for _, s := range sources {
		wg.Go(func() {
			for range each {
				if err := does(t.Context(), s, "UPDATE t SET n = n + 1"); err != nil {
					t.Error(err)
				}
				if _, err := ask(t.Context(), s, 1, "SELECT n FROM t"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// One that only reads, as whoever describes its tables.
	reads := open(t, catalog.DuckDBSpec{Path: path}, duckdb.Options{})
	want(t, reads, "16", "SELECT n FROM t")
	want(t, sources[0], "16", "SELECT n FROM t")
}

// A process that ends in the middle of a transaction leaves nothing of it, and all of those before.
func TestKilledWhileItWrites(t *testing.T) {
	const inside = "USHER_TEST_WRITES_AND_ENDS"
	if path := os.Getenv(inside); path != "" {
		s := openWriter(t, path, duckdb.Options{})
		for _, n := range []string{"1", "2"} {
			if err := does(t.Context(), s, "INSERT INTO a VALUES ("+n+")", "INSERT INTO b VALUES ("+n+")"); err != nil {
				t.Fatal(err)
			}
		}
		_ = s.Write(t.Context(), func(session sqlexec.Session) error {
			if _, err := session.Query(t.Context(), "INSERT INTO a SELECT 3 FROM range(100000)", nil); err != nil {
				t.Fatal(err)
			}
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				t.Fatal(err)
			}
			_ = self.Kill()
			select {}
		})
	}
	path := file(t, "CREATE TABLE a (n INTEGER); CREATE TABLE b (n INTEGER)")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWhileItWrites$") //nolint:gosec // it is this test
	child.Env = append(os.Environ(), inside+"="+path)
	if out, err := child.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("%v: %s", err, out)
	}
	s := openWriter(t, path, duckdb.Options{})
	want(t, s, "1\n2", "SELECT n FROM a ORDER BY n")
	want(t, s, "1\n2", "SELECT n FROM b ORDER BY n")
	if err := does(t.Context(), s, "INSERT INTO a VALUES (4)"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM a").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// An export has a table of its rows as they were when it began, while others write.
func TestCursorWhileOthersWrite(t *testing.T) {
	t.Parallel()
	s := openWriter(t, file(t, "CREATE TABLE t AS SELECT range AS n FROM range(10)"), duckdb.Options{})
	err := s.Session(t.Context(), false, func(session sqlexec.Session) error {
		cursor, err := session.(sqlexec.Cursors).Cursor(t.Context(), "SELECT n FROM t WHERE n >= $1::BIGINT ORDER BY n", []string{"2"})
		if err != nil {
			return err
		}
		got := 0
		for _, rows := range []int{3, 100} {
			found, err := cursor.Next(t.Context(), rows)
			if err != nil {
				return err
			}
			for found.Next() {
				got++
			}
			if err := errors.Join(found.Err(), does(t.Context(), s, "DELETE FROM t")); err != nil {
				return err
			}
		}
		if got != 8 {
			t.Errorf("%d rows", got)
		}
		_, err = session.Query(t.Context(), "INSERT INTO t VALUES (1)", nil)
		if err == nil {
			t.Error("an export has written")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s, "0", "SELECT count(*) FROM t")
}

package duckdb_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/duckwal"
	"usher/fault"
)

// TestAFilePutBesideALog: a file that takes the place of one whose log is still there does not get what is in it.
func TestAFilePutBesideALog(t *testing.T) {
	t.Parallel()
	const table = "CREATE TABLE t (n INTEGER)"
	source, path := file(t, table), file(t, table)
	writer := openWriter(t, source, duckdb.Options{})
	if err := does(t.Context(), writer, "INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(source + ".wal") // as whoever is killed leaves it
	if err != nil {
		t.Fatal(err)
	}
	leave := func() {
		t.Helper()
		<-time.After(30 * time.Millisecond)                           // moments that a file system tells apart
		if err := os.WriteFile(path+".wal", log, 0o600); err != nil { //nolint:gosec // the test's own folder
			t.Fatal(err)
		}
		<-time.After(30 * time.Millisecond)
	}
	for _, writes := range []bool{false, true} {
		opened := func(test func(*duckdb.Source)) error {
			s, err := duckdb.OpenSource(catalog.DuckDBSpec{Path: path}, duckdb.Options{Writes: writes})
			if err == nil {
				test(s)
				err = s.Close()
			}
			return err
		}
		leave()
		if err := opened(func(s *duckdb.Source) { want(t, s, "1", "SELECT count(*) FROM t") }); err != nil {
			t.Errorf("to be written %t: its own: %v", writes, err)
		}
		leave()
		if err := os.Rename(file(t, table), path); err != nil {
			t.Fatal(err)
		}
		err := opened(func(s *duckdb.Source) { want(t, s, "0", "SELECT count(*) FROM t") })
		if wantFault(t, err, fault.Unavailable); !errors.Is(err, duckwal.ErrNotOf) {
			t.Errorf("to be written %t: another one's: %v", writes, err)
		}
		if err := os.Remove(path + ".wal"); err != nil {
			t.Fatal(err)
		}
		if err := opened(func(s *duckdb.Source) { want(t, s, "0", "SELECT count(*) FROM t") }); err != nil {
			t.Errorf("to be written %t: none: %v", writes, err)
		}
	}
}

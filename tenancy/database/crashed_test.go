package database_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"usher/duckwal"
	"usher/tenancy/database"
)

// TestABackupPutBesideALog: a store that is restored over one whose process was killed does not get what that one wrote last.
func TestABackupPutBesideALog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	spec := database.Spec{Path: filepath.Join(dir, "control.duckdb")}
	backup := filepath.Join(dir, "backup.duckdb")
	store := open(t, spec)
	if err := write(t.Context(), store, "CREATE SCHEMA usher", "CREATE TABLE usher.notes (n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	copied := func(from, to string) {
		t.Helper()
		<-time.After(30 * time.Millisecond) // moments that a file system tells apart
		body, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, body, 0o600) //nolint:gosec // the test's own folder
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	copied(spec.Path, backup)
	store = open(t, spec)
	if err := write(t.Context(), store, "INSERT INTO usher.notes VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	killed := database.Spec{Path: filepath.Join(dir, "killed.duckdb")}
	copied(spec.Path, killed.Path)
	copied(spec.Path+".wal", killed.Path+".wal")
	again := open(t, killed)
	var n int
	if err := again.Get(t.Context(), &n, "SELECT count(*) FROM usher.notes"); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
	if err := database.Check(t.Context(), killed); err != nil { // to open it is no change of it
		t.Error(err)
	}
	copied(killed.Path+".wal", killed.Path+".kept")
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	copied(killed.Path+".kept", killed.Path+".wal")
	<-time.After(30 * time.Millisecond)
	if err := os.Rename(backup, killed.Path); err != nil {
		t.Fatal(err)
	}
	if err := database.Check(t.Context(), killed); !errors.Is(err, duckwal.ErrNotOf) {
		t.Errorf("a check says %v", err)
	}
	if db, err := database.Open(t.Context(), killed, slog.Default()); !errors.Is(err, duckwal.ErrNotOf) {
		_ = db.Close()
		t.Errorf("got %v", err)
	}
}

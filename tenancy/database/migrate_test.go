package database_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"usher/fault"
	"usher/pgtest"
	"usher/tenancy/database"
)

// each runs a test on both engines.
func each(t *testing.T, test func(t *testing.T, spec database.Spec)) {
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := pgtest.Start(t).Database(t)
		test(t, database.Spec{Postgres: &database.Postgres{
			Hosts: []database.Host{{Name: db.Host, Port: db.Port}}, Database: db.Name, User: db.User, Password: db.Password, SSLMode: "disable",
		}})
	})
	t.Run("duckdb", func(t *testing.T) {
		t.Parallel()
		test(t, database.Spec{Path: filepath.Join(t.TempDir(), "control.duckdb")})
	})
}

func open(t *testing.T, spec database.Spec) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), spec, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func write(ctx context.Context, db *database.DB, texts ...string) error {
	t, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer t.Rollback()
	for _, text := range texts {
		if _, err := t.Exec(text); err != nil {
			return err
		}
	}
	return t.Commit()
}

// Tables of a newer program are not touched.
func TestNewerTables(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, spec database.Spec) {
		db := open(t, spec)
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := write(t.Context(), db, "INSERT INTO store.migrations (id, version_id, is_applied, tstamp) VALUES (999, 999, true, now())"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		err := open(t, spec).Migrate(t.Context())
		if fault.From(err).Code != fault.Unavailable || !errors.Is(err, database.ErrNewer) || !strings.Contains(err.Error(), "version 999") {
			t.Errorf("tables of version 999: %v", err)
		}
	})
}

// Tables that a newer program changes while this one runs are not this program's mistake.
func TestTablesThatChange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, spec database.Spec) {
		db := open(t, spec)
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for change, question := range map[string]string{
			"ALTER TABLE store.generation RENAME COLUMN n TO m": "SELECT n FROM store.generation",
			"DROP TABLE store.gateways":                         "SELECT count(*) FROM store.gateways",
		} {
			if err := write(t.Context(), db, change); err != nil {
				t.Fatal(err)
			}
			var n int
			f := fault.From(database.Translate(t.Context(), db.Get(t.Context(), &n, question)))
			if f.Code != fault.Unavailable || !strings.Contains(f.Hint, "Tell an administrator") || f.Unwrap() == nil {
				t.Errorf("after %s: %v, %s (%v)", change, f, f.Hint, f.Unwrap())
			}
		}
	})
}

// Each version can be had, one after another.
func TestMigrateTo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, spec database.Spec) {
		db := open(t, spec)
		versions, err := db.Versions()
		if err != nil || versions[0] != 1 || !slices.IsSorted(versions) {
			t.Fatalf("there are versions %v, %v", versions, err)
		}
		for _, version := range versions {
			if err := db.MigrateTo(t.Context(), version); err != nil {
				t.Fatalf("version %d: %v", version, err)
			}
			var has int64
			if err := db.Get(t.Context(), &has, "SELECT max(version_id) FROM store.migrations"); err != nil || has != version {
				t.Errorf("the tables have version %d, want %d, %v", has, version, err)
			}
		}
	})
}

// What is written is there for all or for nobody, and writers do not keep each other for ever.
func TestTransactions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, spec database.Spec) {
		db := open(t, spec)
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := write(t.Context(), db, "CREATE TABLE store.words (word text PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
		if err := write(t.Context(), db, "INSERT INTO store.words VALUES ('half')", "INSERT INTO store.nothing VALUES (1)"); err == nil {
			t.Error("nothing is a table")
		}
		if err := write(t.Context(), db, "INSERT INTO store.words VALUES ('a')"); err != nil {
			t.Fatal(err)
		}
		err := write(t.Context(), db, "INSERT INTO store.words VALUES ('a')")
		if !database.Duplicate(err) || fault.From(database.Translate(t.Context(), err)).Code != fault.Conflict {
			t.Errorf("another row of the same key: %v", err)
		}
		var group sync.WaitGroup
		for _, word := range []string{"b", "c", "d", "e", "f", "g", "h", "i"} {
			group.Go(func() {
				if err := write(t.Context(), db, "INSERT INTO store.words VALUES ('"+word+"')"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		var words []string
		if err := db.List(t.Context(), &words, "SELECT word FROM store.words ORDER BY word"); err != nil || strings.Join(words, "") != "abcdefghi" {
			t.Errorf("there are %q, %v", words, err)
		}
		var none string
		if err := db.Get(t.Context(), &none, "SELECT word FROM store.words WHERE word = $1", "half"); !database.Missing(err) {
			t.Errorf("half a transaction: %q, %v", none, err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if err := write(ended, db, "INSERT INTO store.words VALUES ('late')"); err == nil || errors.As(err, new(*fault.Error)) && fault.From(err).Code == fault.Internal {
			t.Errorf("for a caller who has gone: %v", err)
		}
		if err := write(t.Context(), db, "INSERT INTO store.words VALUES ('late')"); err != nil {
			t.Errorf("after a caller who had gone: %v", err)
		}
	})
}

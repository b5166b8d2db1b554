package tenancy_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/tenancy"
)

// TestEmptiedStore: somebody takes the tables away while usher runs, or the one row that is always
// there. That is said, and not that the store does not answer: once in the log, however often it is
// looked at. When they are back, usher goes on.
func TestEmptiedStore(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	var log lines
	s := open(t, postgresOf(db), tenancy.Options{Poll: 5 * time.Millisecond, MaxStale: 50 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	tenant(t, s, "acme")
	for n, c := range []struct{ take, back string }{
		{"ALTER SCHEMA usher RENAME TO taken", "ALTER SCHEMA taken RENAME TO usher"},
		{"ALTER TABLE usher.generation RENAME TO taken", "ALTER TABLE usher.taken RENAME TO generation"},
		{"CREATE TABLE usher.taken AS TABLE usher.generation; DELETE FROM usher.generation", "INSERT INTO usher.generation SELECT * FROM usher.taken"},
	} {
		db.Exec(t, c.take)
		eventually(t, "it is not ready, and says why", func() bool {
			err := s.Ready()
			return err != nil && strings.Contains(err.Error(), "tables are not as")
		})
		if f := fault.From(s.Ready()); f.Code != fault.Unavailable || !strings.Contains(f.Hint, "emptied or replaced") || f.RetryAfter == 0 {
			t.Errorf("after %s: %v, %s", c.take, f, f.Hint)
		}
		<-time.After(300 * time.Millisecond) // it is looked at sixty times
		if said := log.count("the control store cannot be read"); said != n+1 {
			t.Errorf("after %s it was said %d times", c.take, said)
		}
		db.Exec(t, c.back)
		eventually(t, "it is ready", func() bool { return s.Ready() == nil })
		eventually(t, "that is said", func() bool { return log.count("the control store answers again") == n+1 })
	}
}

// TestStoreWithoutRights: the store's account may no longer write. That is what those are told who
// change something, what Upkeep says, and what the log says once and not each second; when it
// may again, everything is written.
func TestStoreWithoutRights(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	role := "writer_" + db.Name
	db.Exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'writes'; GRANT CREATE ON DATABASE "+db.Name+" TO "+role)
	owner := db.Open(t)
	t.Cleanup(func() { // the test's own context has ended by then
		if _, err := owner.ExecContext(context.Background(), "DROP OWNED BY "+role+" CASCADE; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	spec := postgresOf(db)
	spec.Postgres.User, spec.Postgres.Password = role, "writes"
	var log lines
	s := open(t, spec, tenancy.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	tenant(t, s, "acme")
	const rights = " INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA usher "
	db.Exec(t, "REVOKE"+rights+"FROM "+role)
	boss := adminOf("acme")
	if err := s.RenameTenant(t.Context(), boss, "globex", "TEXT"); fault.From(err).Code != fault.Forbidden { // which is to be in the audit log
		t.Error(err)
	}
	_, err := s.CreateTenant(t.Context(), root(), tenancy.NewTenant{ID: "globex"})
	if f := fault.From(err); f.Code != fault.Unavailable || !strings.Contains(f.Message, "account may not do what usher needs") || !strings.Contains(f.Hint, "usher check") {
		t.Errorf("%v", err)
	}
	if err := s.Ready(); err != nil {
		t.Errorf("what is read goes on: %v", err)
	}
	eventually(t, "it is known why nothing is written", func() bool {
		why := s.Upkeep().Why
		return why != nil && strings.Contains(why.Error(), "account may not do what usher needs")
	})
	<-time.After(2500 * time.Millisecond) // it is tried three times
	if said := log.count("entries of the audit log are not written yet"); said != 1 {
		t.Errorf("it was said %d times", said)
	}
	db.Exec(t, "GRANT"+rights+"TO "+role)
	eventually(t, "entries are written", func() bool { return s.Upkeep().Why == nil && s.Upkeep().Waiting == 0 })
	eventually(t, "that is said", func() bool { return log.count("entries of the audit log are written again") == 1 })
	tenant(t, s, "globex")
}

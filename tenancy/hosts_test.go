package tenancy_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/tenancy"
	"usher/tenancy/database"
)

func hostsOf(db pgtest.DB, servers ...*pgtest.Server) database.Spec {
	spec := postgresOf(db)
	spec.Postgres.Hosts = nil
	for _, s := range servers {
		spec.Postgres.Hosts = append(spec.Postgres.Hosts, database.Host{Name: s.Host, Port: s.Port})
	}
	return spec
}

// TestStoreFailsOver: the control store's standby is promoted while tenants are
// registered. What was acknowledged is there, what is refused is refused for now,
// and the old primary is not written to when it comes back.
func TestStoreFailsOver(t *testing.T) {
	t.Parallel()
	first := pgtest.StartOwn(t)
	db := first.Database(t)
	second := first.Standby(t)
	if s, err := tenancy.Open(t.Context(), hostsOf(db, second), tenancy.Options{Password: cheap}); err == nil {
		_ = s.Close()
		t.Error("a standby alone is taken for the store")
	}
	store := open(t, hostsOf(db, second, first), tenancy.Options{}) // in whatever order
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.RWMutex // nobody writes while the servers change places: replication is not synchronous
	var group sync.WaitGroup
	var made sync.Map
	var count, refused atomic.Int64
	for w := range 4 {
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				mu.RLock()
				id := fmt.Sprintf("t%d-%d", w, i)
				_, err := store.CreateTenant(ctx, root(), tenancy.NewTenant{ID: id})
				mu.RUnlock()
				switch {
				case ctx.Err() != nil:
				case err == nil:
					count.Add(1)
					made.Store(id, true)
				case fault.From(err).Code == fault.Unavailable:
					refused.Add(1)
					after(20 * time.Millisecond)
				default:
					t.Errorf("%s: %v", id, err)
				}
			}
		})
	}
	more := func() {
		t.Helper()
		for was, began := count.Load(), time.Now(); count.Load() < was+10; after(10 * time.Millisecond) {
			if time.Since(began) > 30*time.Second {
				t.Fatalf("nothing is written any more; %d were refused", refused.Load())
			}
		}
	}
	more()
	mu.Lock()
	caughtUp(t, db, first, second)
	first.Crash(t)
	second.Promote(t)
	mu.Unlock()
	began := time.Now()
	more()
	recovered := time.Since(began)
	first.Recover(t) // as a primary that was never told
	more()
	after(2 * time.Second)
	more()
	first.Crash(t)
	first.Rejoin(t, second)
	more()
	stop()
	group.Wait()
	there := make(map[string]bool)
	pool := db.On(second).Open(t)
	rows, err := pool.QueryContext(t.Context(), "SELECT id FROM usher.tenants")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		there[id] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	made.Range(func(id, _ any) bool {
		if !there[id.(string)] {
			t.Errorf("%s was acknowledged and is not there", id)
		}
		return true
	})
	t.Logf("%d tenants registered, %d refused for now; ten more %s after the promotion", count.Load(), refused.Load(), recovered)
}

func after(d time.Duration) { <-time.After(d) }

// caughtUp waits until a standby has all of its primary.
func caughtUp(t *testing.T, db pgtest.DB, primary, standby *pgtest.Server) {
	t.Helper()
	var position string
	if err := db.On(primary).Open(t).QueryRowContext(t.Context(), "SELECT pg_current_wal_insert_lsn()").Scan(&position); err != nil {
		t.Fatal(err)
	}
	pool := db.On(standby).Open(t)
	for began, there := time.Now(), false; !there; after(10 * time.Millisecond) {
		if err := pool.QueryRowContext(t.Context(), "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", position).Scan(&there); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("the standby does not catch up")
		}
	}
}

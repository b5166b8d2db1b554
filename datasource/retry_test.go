package datasource

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
)

// numbered is a gate over a table with rows 0 to 999 of tenant acme.
func numbered(t *testing.T, s *pgtest.Server) (*gate, pgtest.DB) {
	t.Helper()
	db := s.Database(t)
	db.Exec(t, "CREATE TABLE items (tenant text NOT NULL, id int PRIMARY KEY, note text NOT NULL); INSERT INTO items SELECT 'acme', i, repeat('x', 100) FROM generate_series(0, 999) i")
	return open(t, db, Options{}, `
sources: {a: {`+server(db)+`, max_conns: 8}}
strategies: {shared: {kind: shared, source: a}}
datasets: {items: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, note: String!}, bind: {a: {table: items}}}}
`), db
}

// load has workers ask until they are told to stop; each question is another
// one, and all have the same number of rows.
func load(g *gate, workers int, done func(asked time.Time, err error)) (stop func()) {
	var group sync.WaitGroup
	var stopped atomic.Bool
	for w := range workers {
		group.Go(func() {
			for i := w; !stopped.Load(); i += workers {
				asked := time.Now()
				rows, err := g.ask(named("acme"), fmt.Sprintf("items(where: {id: {gt: %d, lt: 500}}, limit: 500) { id note }", -1-i))
				if err == nil && len(rows) != 500 {
					err = fmt.Errorf("%d rows", len(rows))
				}
				done(asked, err)
			}
		})
	}
	return func() {
		stopped.Store(true)
		group.Wait()
	}
}

// Whoever ends the server's sessions, as an operator or a failover does, costs no
// answer: reads are asked again on another connection.
func TestTerminatedSessionsCostNoAnswer(t *testing.T) {
	t.Parallel()
	g, db := numbered(t, pgtest.StartOwn(t))
	admin := db.Open(t)
	var answered atomic.Int64
	stop := load(g, 16, func(_ time.Time, err error) {
		if err != nil {
			t.Errorf("%v", err)
		}
		answered.Add(1)
	})
	killed := 0
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 40 {
		before := answered.Load()
		for <-tick.C; answered.Load() < before+8; <-tick.C { // a busy machine needs longer to connect
		}
		var n int
		if err := admin.QueryRowContext(t.Context(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'usher'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		killed += n
	}
	stop()
	t.Logf("%d answers, %d sessions ended", answered.Load(), killed)
	if killed < 100 {
		t.Errorf("%d answers, %d sessions ended", answered.Load(), killed)
	}
}

// When the server crashes and comes back, so do answers.
func TestRestartUnderLoad(t *testing.T) {
	t.Parallel()
	s := pgtest.StartOwn(t)
	g, _ := numbered(t, s)
	var mu sync.Mutex
	var down bool
	var up, first, last time.Time // the end of the outage, the first answer since, the last failure of what was asked since
	failed, answered := 0, 0
	stop := load(g, 16, func(asked time.Time, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			answered++
			if !up.IsZero() && first.IsZero() {
				first = time.Now()
			}
		case !down && up.IsZero():
			t.Errorf("before the outage: %v", err)
		case fault.From(err).Code != fault.Unavailable:
			t.Errorf("%v", err)
		default:
			failed++
			if !up.IsZero() {
				last = asked
			}
		}
	})
	pass(500 * time.Millisecond)
	for range 3 {
		mu.Lock()
		down, up, first, last = true, time.Time{}, time.Time{}, time.Time{}
		began := time.Now()
		mu.Unlock()
		s.Crash(t)
		pass(200*time.Millisecond - time.Since(began))
		s.Recover(t)
		mu.Lock()
		up = time.Now()
		lasted := up.Sub(began)
		mu.Unlock()
		pass(2 * time.Second)
		mu.Lock()
		t.Logf("an outage of %s: the first answer %s after its end; %d answers, %d failures", lasted, first.Sub(up), answered, failed)
		if first.IsZero() || first.Sub(up) > 500*time.Millisecond {
			t.Errorf("the first answer came %s after the end of an outage of %s", first.Sub(up), lasted)
		}
		if late := last.Sub(up); late > 500*time.Millisecond {
			t.Errorf("what was asked %s after the end of an outage of %s was refused", late, lasted)
		}
		down = false
		mu.Unlock()
	}
	stop()
}

// pass lets time pass.
func pass(d time.Duration) { <-time.After(d) }

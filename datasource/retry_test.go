package datasource

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/admit"
	"usher/fault"
	"usher/pgtest"
)

// numbered is a gate over a table with rows 0 to 999 of tenant acme; its source has more settings, if any are named.
func numbered(t *testing.T, s *pgtest.Server, more ...string) (*gate, pgtest.DB) {
	t.Helper()
	db := s.Database(t)
	db.Exec(t, "CREATE TABLE items (tenant text NOT NULL, id int PRIMARY KEY, note text NOT NULL); INSERT INTO items SELECT 'acme', i, repeat('x', 100) FROM generate_series(0, 999) i")
	db.Exec(t, "CHECKPOINT") // the tests' servers do not wait for what they commit
	return open(t, db, Options{Waiting: admit.Limits{Wait: time.Hour}}, `
sources: {a: {`+strings.Join(append(more, server(db), "max_conns: 8"), ", ")+`}}
strategies: {shared: {kind: shared, source: a}}
datasets: {items: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, note: String!}, bind: {a: {table: items}}}}
`), db
}

// load has workers ask one question after another until they are told to stop; each question
// is another one, and all have the same number of rows.
func load(g *gate, workers int, done func(worker int, err error)) (stop func()) {
	var group sync.WaitGroup
	var stopped atomic.Bool
	for w := range workers {
		group.Go(func() {
			for i := w; !stopped.Load(); i += workers {
				rows, err := g.ask(named("acme"), fmt.Sprintf("items(where: {id: {gt: %d, lt: 500}}, limit: 500) { id note }", -1-i))
				if err == nil && len(rows) != 500 {
					err = fmt.Errorf("%d rows", len(rows))
				}
				done(w, err)
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
	g, db := numbered(t, pgtest.StartOwn(t), "timeout: 1h")
	admin := db.Open(t)
	const workers = 16
	var answers [workers]atomic.Int64
	stop := load(g, workers, func(worker int, err error) {
		if err != nil {
			t.Errorf("%v", err)
		}
		answers[worker].Add(1)
	})
	// each waits until every worker has so many answers more: whatever was under way is answered, and something else is.
	each := func(more int64) {
		var before [workers]int64
		for w := range answers {
			before[w] = answers[w].Load()
		}
		for w := range answers {
			for answers[w].Load() < before[w]+more {
				pass(5 * time.Millisecond)
			}
		}
	}
	killed := 0
	for range 40 {
		each(2)
		var n int
		if err := admin.QueryRowContext(t.Context(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'usher'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		killed += n
	}
	each(1)
	stop()
	t.Logf("%d sessions ended", killed)
	if killed < 100 {
		t.Errorf("%d sessions ended", killed)
	}
}

// When the server crashes and comes back, whoever can wait is answered: reads under way
// are asked again, others wait for a connection. USHER_TEST_RESTARTS says how often.
func TestRestartUnderLoad(t *testing.T) {
	t.Parallel()
	restarts := 3
	if text := os.Getenv("USHER_TEST_RESTARTS"); text != "" {
		var err error
		if restarts, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	s := pgtest.StartOwn(t)
	g, _ := numbered(t, s)
	var mu sync.Mutex
	var up, first time.Time // the end of the outage, the first answer of what was asked since
	answered := 0
	stop := load(g, 16, func(_ int, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("%v", err)
			return
		}
		answered++
		if !up.IsZero() && first.IsZero() {
			first = time.Now()
		}
	})
	t.Cleanup(stop)
	flowing := func() { // a server that never was there is not waited for
		t.Helper()
		mu.Lock()
		want := answered + 16
		mu.Unlock()
		for began := time.Now(); ; pass(50 * time.Millisecond) {
			mu.Lock()
			enough := answered >= want
			mu.Unlock()
			if enough {
				return
			}
			if time.Since(began) > time.Minute {
				t.Fatal("no answers come")
			}
		}
	}
	for n := range restarts {
		flowing()
		mu.Lock()
		up, first = time.Time{}, time.Time{}
		mu.Unlock()
		began := time.Now()
		s.Crash(t)
		down := 200 * time.Millisecond
		if n == 1 {
			down = 3 * time.Second // as a server that has much to recover
		}
		pass(down - time.Since(began))
		s.Recover(t)
		mu.Lock()
		up = time.Now()
		mu.Unlock()
		none := true
		for none && time.Since(up) < 5*time.Second { // it takes a tenth of a second, on a machine that has nothing else to do
			pass(50 * time.Millisecond)
			mu.Lock()
			none = first.IsZero()
			mu.Unlock()
		}
		mu.Lock()
		t.Logf("an outage of %s: the first answer %s after its end; %d answers", up.Sub(began), first.Sub(up), answered)
		if none {
			t.Errorf("no answer came within 5 s of the end of an outage of %s", up.Sub(began))
		}
		mu.Unlock()
	}
	flowing()
	stop()
}

// A server that stays away is waited for as long as a restart may take, and refused from
// then on without any waiting.
func TestServersThatStayAway(t *testing.T) {
	t.Parallel()
	s := pgtest.StartOwn(t)
	g, _ := numbered(t, s)
	ask := func() (time.Duration, error) {
		began := time.Now()
		_, err := g.ask(named("acme"), "items(limit: 1) { id }")
		return time.Since(began), err
	}
	if _, err := ask(); err != nil {
		t.Fatal(err)
	}
	s.Crash(t)
	took, err := ask()
	if fault.From(err).Code != fault.Unavailable || took < 5*time.Second || took > 15*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
	for range 20 { // an attempt now and then, which nothing answers
		took, err := ask()
		if fault.From(err).Code != fault.Unavailable || took > 4*time.Second { // as soon as a busy machine gets to it
			t.Errorf("after %s: %v", took, err)
		}
	}
	s.Recover(t)
	_, err = ask()
	for began := time.Now(); err != nil; _, err = ask() {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the server is back, and %v", err)
		}
		pass(50 * time.Millisecond)
	}
}

// pass lets time pass.
func pass(d time.Duration) { <-time.After(d) }

package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pgtest"
)

// serversOf are servers of one cluster as a source has them; reads may go to all.
func serversOf(db pgtest.DB, servers ...*pgtest.Server) catalog.PostgresSpec {
	spec := specOf(db)
	var all []catalog.Server
	for _, s := range servers {
		all = append(all, catalog.Server{Host: s.Host, Port: s.Port, Replica: true})
	}
	spec.Host, spec.MaxLag = catalog.ServersText(all), 5*time.Second
	return spec
}

// port is which server answers, and the newest row it has.
func asked(ctx context.Context, db *postgres.DB) (port, newest int64, err error) {
	err = db.Session(ctx, false, func(s sqlexec.Session) error {
		rows, err := s.Query(ctx, "SELECT current_setting('port')::int8, (SELECT coalesce(max(n), 0)::int8 FROM public.log)", nil)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		if rows.Next() {
			port, newest = rows.Cell(0).Int, rows.Cell(1).Int
		}
		return rows.Err()
	})
	return port, newest, err
}

// TestFailover: a standby is promoted while many read and one writes. Reads go to
// the standby while it is fresh, what must be fresh to the primary; afterwards to
// the new primary, found without a restart; never to the old one, as whatever it
// comes back.
func TestFailover(t *testing.T) {
	t.Parallel()
	first := pgtest.StartOwn(t)
	data := first.Database(t)
	data.Exec(t, "CREATE TABLE log (n bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())")
	second := first.Standby(t)
	var primary atomic.Int64
	changed := make(chan struct{}, 100)
	db := open(t, serversOf(data, first, second), postgres.Options{HostsChanged: func(n int, err error) {
		if err == nil {
			primary.Store(int64(n))
		} else {
			primary.Store(-1)
		}
		changed <- struct{}{}
	}})
	until := func(what string, is func() bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		for !is() {
			select {
			case <-ctx.Done():
				t.Fatalf("%s does not come to be so", what)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	at := func(ctx context.Context) int64 {
		port, _, err := asked(ctx, db)
		if err != nil {
			return 0
		}
		return port
	}
	until("reading from the standby", func() bool { return at(t.Context()) == int64(second.Port) })
	if got := at(postgres.Fresh(t.Context())); got != int64(first.Port) {
		t.Errorf("what must be fresh is read at %d", got)
	}

	// The writer knows what it has been acknowledged, and which server is primary. Each write is
	// whole under writing; mu is of what readers look at.
	var writing, mu sync.Mutex
	type write struct {
		n  int64
		at time.Time
	}
	var written []write
	writer := data
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	insert := func(into pgtest.DB, n int64) error {
		pool := into.Open(t)
		defer func() { _ = pool.Close() }()
		_, err := pool.ExecContext(ctx, "INSERT INTO log (n) VALUES ($1)", n)
		return err
	}
	var n int64
	group.Go(func() {
		for ctx.Err() == nil {
			writing.Lock()
			if insert(writer, n+1) == nil {
				n++
				mu.Lock()
				written = append(written, write{n, time.Now()})
				mu.Unlock()
			}
			writing.Unlock()
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	var reads, failures, wrong atomic.Int64
	var slowest, outage atomic.Int64
	lastGood := new(atomic.Int64)
	lastGood.Store(time.Now().UnixNano())
	for range 4 {
		group.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				one, cancel := context.WithTimeout(ctx, 5*time.Second)
				_, newest, err := asked(one, db)
				cancel()
				if ctx.Err() != nil {
					return
				}
				slowest.Store(max(slowest.Load(), int64(time.Since(began))))
				reads.Add(1)
				if err != nil {
					failures.Add(1)
					if fault.From(err).Code != fault.Unavailable {
						t.Errorf("a reader is answered %v", err)
					}
					select {
					case <-time.After(20 * time.Millisecond):
					case <-ctx.Done():
					}
					continue
				}
				was := lastGood.Swap(time.Now().UnixNano())
				outage.Store(max(outage.Load(), time.Now().UnixNano()-was))
				// Whatever was acknowledged longer ago than rows may be old must be there.
				mu.Lock()
				for i := len(written) - 1; i >= 0; i-- {
					if began.Sub(written[i].at) > 5*time.Second {
						if newest < written[i].n {
							wrong.Add(1)
							t.Errorf("a reader misses %d of %s ago, and has %d", written[i].n, began.Sub(written[i].at), newest)
						}
						break
					}
				}
				mu.Unlock()
			}
		})
	}
	pause(t, 2*time.Second)

	// Nobody acknowledges what only the old primary has: the writer stops first.
	writing.Lock()
	settled := n
	until("replication", func() bool {
		var there int64
		pool := data.On(second).Open(t)
		defer func() { _ = pool.Close() }()
		_ = pool.QueryRowContext(t.Context(), "SELECT coalesce(max(n), 0) FROM log").Scan(&there)
		return there >= settled
	})
	first.Crash(t)
	second.Promote(t)
	writer = data.On(second)
	writing.Unlock()
	began := time.Now()
	until("the new primary", func() bool { return primary.Load() == 1 })
	found := time.Since(began)
	pause(t, 2*time.Second)

	// The old primary comes back and thinks that it still is one.
	first.Recover(t)
	pause(t, 2*time.Second)
	for range 20 {
		if got := at(postgres.Fresh(t.Context())); got != int64(second.Port) {
			t.Errorf("the old primary is asked: %d", got)
		}
		if got := at(t.Context()); got != int64(second.Port) {
			t.Errorf("the old primary is read: %d", got)
		}
	}
	// It becomes a standby of the new one, and is read from when it has caught up.
	first.Crash(t)
	first.Rejoin(t, second)
	until("reading from the new standby", func() bool { return at(t.Context()) == int64(first.Port) })
	if got := at(postgres.Fresh(t.Context())); got != int64(second.Port) {
		t.Errorf("what must be fresh is read at %d", got)
	}
	stop()
	group.Wait()
	t.Logf("%d reads, %d refused, %d wrong; slowest %s, longest time without an answer %s; the new primary was found after %s",
		reads.Load(), failures.Load(), wrong.Load(), time.Duration(slowest.Load()), time.Duration(outage.Load()), found)
	if outage := time.Duration(outage.Load()); outage > 10*time.Second {
		t.Errorf("nobody was answered for %s", outage)
	}
}

// pause lets others work for a while.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// Two servers that say that they are the primary, of one timeline, are both refused.
func TestSplitBrain(t *testing.T) {
	t.Parallel()
	one, two := pgtest.StartOwn(t), pgtest.StartOwn(t)
	data := one.Database(t)
	data.Exec(t, "CREATE TABLE log (n bigint)")
	spec := serversOf(data, one, two)
	other := two.Database(t)
	pool := other.Open(t)
	for _, statement := range []string{
		fmt.Sprintf(`CREATE DATABASE %q`, data.Name), fmt.Sprintf(`ALTER USER %q PASSWORD '%s'`, data.User, data.Password),
	} {
		if _, err := pool.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	db := open(t, spec, postgres.Options{})
	_, _, err := asked(t.Context(), db)
	if f := fault.From(err); f.Code != fault.Unavailable || f.RetryAfter == 0 {
		t.Errorf("two primaries: %v", err)
	}
	two.Crash(t)
	for range 50 {
		if _, _, err = asked(t.Context(), db); err == nil {
			return
		}
		pause(t, 100*time.Millisecond)
	}
	t.Errorf("one of them is gone, and still %v", err)
}

// A question of several parts is answered by one host.
func TestOneHostForAQuestion(t *testing.T) {
	t.Parallel()
	first := pgtest.StartOwn(t)
	data := first.Database(t)
	data.Exec(t, "CREATE TABLE log (n bigint)")
	second, third := first.Standby(t), first.Standby(t)
	db := open(t, serversOf(data, first, second, third), postgres.Options{})
	seen := make(map[int64]bool)
	deadline := time.Now().Add(30 * time.Second)                                        // a standby that falls behind a busy machine has no turn until it has caught up
	turns := func() bool { return seen[int64(second.Port)] && seen[int64(third.Port)] } // the primary stands in for standbys that are behind
	for n := 0; n < 200 || !turns() && time.Now().Before(deadline); n++ {
		ctx := postgres.OneHost(t.Context())
		var ports [3]int64
		var group sync.WaitGroup
		for i := range ports {
			group.Go(func() {
				var err error
				if ports[i], _, err = asked(ctx, db); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if ports[0] != ports[1] || ports[1] != ports[2] {
			t.Fatalf("one question is answered at %v", ports)
		}
		seen[ports[0]] = true
	}
	if !turns() {
		t.Errorf("standbys do not take turns: %v", seen)
	}
	third.Crash(t)
	for range 50 {
		if _, _, err := asked(t.Context(), db); err != nil {
			t.Errorf("with a standby gone: %v", err)
		}
	}
}

// Why there is no server to ask is said as it is of one alone, to whoever asks and to the log.
func TestWhyNoServerIsThePrimary(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	data := server.Database(t)
	nobody := *server
	nobody.Port = 1
	for _, c := range []struct {
		edit          func(*catalog.PostgresSpec)
		message, says string
	}{
		{func(s *catalog.PostgresSpec) { s.Password = "wrong" }, "the source does not accept the account", "28P01"},
		{func(s *catalog.PostgresSpec) { s.Database = "nowhere" }, "the source has no such database as the account names", "3D000"},
		{func(s *catalog.PostgresSpec) { s.SSLMode = "verify-full" }, "no secure connection to the source can be made", "does not offer TLS"},
		{func(s *catalog.PostgresSpec) {
			s.Host = catalog.ServersText([]catalog.Server{{Host: nobody.Host, Port: 1}, {Host: nobody.Host, Port: 2}})
		}, "the source does not answer", "connection refused"},
	} {
		spec := serversOf(data, &nobody, server)
		c.edit(&spec)
		db := open(t, spec, postgres.Options{Writes: true})
		_, _, read := asked(t.Context(), db)
		wrote := db.Write(t.Context(), postgres.Transaction{}, func(sqlexec.Session) error { return nil })
		for _, err := range []error{read, wrote} {
			f := fault.From(err)
			why := fmt.Sprint(f.Unwrap())
			if f.Code != fault.Unavailable || f.Message != c.message || !strings.Contains(why, c.says) || !strings.Contains(why, "none of the servers") || strings.Contains(why, "wrong") {
				t.Errorf("%v: want %s, and %s", err, c.message, c.says)
			}
		}
	}
}

// A standby that falls behind is not read from.
func TestAStandbyThatIsBehind(t *testing.T) {
	t.Parallel()
	first := pgtest.StartOwn(t)
	data := first.Database(t)
	data.Exec(t, "CREATE TABLE log (n bigint)")
	second := first.Standby(t)
	spec := serversOf(data, first, second)
	spec.MaxLag = 2 * time.Second
	db := open(t, spec, postgres.Options{})
	at := func() int64 {
		port, _, err := asked(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return port
	}
	await := func(port int) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); at() != int64(port); pause(t, 50*time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d is not read from", port)
			}
		}
	}
	await(second.Port)
	pool := data.On(second).Open(t)
	if _, err := pool.ExecContext(t.Context(), "SELECT pg_wal_replay_pause()"); err != nil {
		t.Fatal(err)
	}
	data.Exec(t, "INSERT INTO log VALUES (1)")
	await(first.Port)
	if _, err := pool.ExecContext(t.Context(), "SELECT pg_wal_replay_resume()"); err != nil {
		t.Fatal(err)
	}
	await(second.Port)
	if port, newest, err := asked(t.Context(), db); err != nil || newest != 1 {
		t.Errorf("%d has %d, %v", port, newest, err)
	}
	// Where it is the only server that is known, as behind a balancer that has not noticed, it takes no changes, and says so.
	alone := open(t, specOf(data.On(second)), postgres.Options{Writes: true})
	err := alone.Write(t.Context(), postgres.Transaction{}, func(s sqlexec.Session) error {
		return run(t.Context(), s, "INSERT INTO public.log VALUES (2)")
	})
	if wantFault(t, err, fault.Unavailable); !strings.Contains(fmt.Sprint(err), "changes nothing now") {
		t.Errorf("a change at a standby: %v", err)
	}
}

// A standby that hangs takes nothing with it: what it was asked is asked again of the
// primary within seconds, by many as by few, and what is asked meanwhile does not go there.
func TestAStandbyThatHangs(t *testing.T) {
	t.Parallel()
	first := pgtest.StartOwn(t)
	data := first.Database(t)
	data.Exec(t, "CREATE TABLE log (n bigint)")
	second := first.Standby(t)
	spec := serversOf(data, first, second)
	spec.MaxConns, spec.MaxLag = 4, time.Minute
	db := open(t, spec, postgres.Options{})
	ask := func(ctx context.Context, text string) (port int64, err error) {
		err = db.Session(ctx, false, func(s sqlexec.Session) error {
			rows, err := s.Query(ctx, text, nil)
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			if rows.Next() {
				port = rows.Cell(0).Int
			}
			return rows.Err()
		})
		return port, err
	}
	const slow = "SELECT current_setting('port')::int8, (SELECT true FROM pg_sleep(CASE WHEN pg_is_in_recovery() THEN 3 ELSE 0 END))"
	for range 100 {
		if port, _ := ask(t.Context(), "SELECT current_setting('port')::int8"); port == int64(second.Port) {
			break
		}
		pause(t, 50*time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second) // the statements' own is 30 s
	defer cancel()
	var group sync.WaitGroup
	for i := range 12 { // more than may connect: some wait in line
		asking := ctx
		if i%2 == 0 {
			asking = postgres.OneHost(ctx)
		}
		group.Go(func() {
			port, err := ask(asking, slow)
			if asking != ctx && postgres.Lost(err) { // whoever asks again begins anew
				port, err = ask(postgres.OneHost(ctx), slow)
			}
			if err != nil || port != int64(first.Port) {
				t.Errorf("a question under way: %d, %v", port, err)
			}
		})
	}
	for db.Stats().Waiting == 0 {
		pause(t, 10*time.Millisecond)
	}
	pause(t, 200*time.Millisecond)
	second.Freeze(t)
	began := time.Now()
	group.Wait()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the questions under way took %s", took)
	}
	for range 20 {
		began := time.Now()
		port, err := ask(ctx, "SELECT current_setting('port')::int8")
		if took := time.Since(began); err != nil || port != int64(first.Port) || took > 2*time.Second {
			t.Errorf("a new question: %d, %v, after %s", port, err, took)
		}
	}
	if n := db.Hosts(); n["down"] != 1 {
		t.Errorf("the hosts are %v", n)
	}
	second.Thaw(t)
	for deadline := time.Now().Add(20 * time.Second); ; pause(t, 50*time.Millisecond) {
		if port, err := ask(t.Context(), "SELECT current_setting('port')::int8"); err == nil && port == int64(second.Port) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the standby is not read from again")
		}
	}
}

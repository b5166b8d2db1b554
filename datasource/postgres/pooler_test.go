package postgres_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
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

// ignoring is what people write so that PgBouncer lets gateways in.
const ignoring = "ignore_startup_parameters = extra_float_digits, search_path, statement_timeout, IntervalStyle, " +
	"default_transaction_read_only, jit, standard_conforming_strings"

// orders are of three tenants: t0 has 100 of them, t1 200, t2 300.
func orders(t *testing.T) pgtest.DB {
	t.Helper()
	return database(t, `CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL, at timestamptz NOT NULL);
		INSERT INTO orders SELECT g, 't' || CASE WHEN g <= 100 THEN 0 WHEN g <= 300 THEN 1 ELSE 2 END, '2026-01-01 00:00:00+00' FROM generate_series(1, 600) g`)
}

// tally counts answers of a source that is asked by many at once.
type tally struct{ right, refused, wrong atomic.Int64 }

// rush asks for two tenants' counts in many shapes at a time: lists of other
// lengths are other texts, so that each of several connections comes to them
// in an order of its own.
func rush(t *testing.T, spec catalog.PostgresSpec, workers, questions int) *tally {
	t.Helper()
	n := &tally{}
	n.rush(t, spec, workers, questions)
	return n
}

func (n *tally) rush(t *testing.T, spec catalog.PostgresSpec, workers, questions int) {
	t.Helper()
	spec.MaxConns = workers
	source := open(t, spec, postgres.Options{})
	var first sync.Once
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range questions {
				tenant := (w + i) % 3
				args := []string{fmt.Sprintf("t%d", tenant)}
				var list []string
				for k := range (i*7+w*3)%12 + 1 {
					args = append(args, fmt.Sprint(k))
					list = append(list, fmt.Sprintf("$%d::int8", k+2))
				}
				text := "SELECT count(*), min(at)::text, current_setting('transaction_read_only'), $1::text FROM public.orders WHERE tenant = $1::text AND id NOT IN (-1" +
					strings.Repeat(", "+list[0], 1) + ", " + strings.Join(list, ", ") + ")"
				gone := 0
				for k := range list {
					if k >= 1 && tenant == 0 {
						gone++
					}
				}
				expected := fmt.Sprintf("%d|%q|%q|%q", 100*(tenant+1)-gone, "2026-01-01 00:00:00+00", "on", args[0])
				got, err := ask(t.Context(), source, i%3 == 0, 4, text, args...)
				switch {
				case err != nil:
					if fault.From(err).Code != fault.Unavailable {
						first.Do(func() { t.Errorf("%v: want UNAVAILABLE", err) })
					}
					n.refused.Add(1)
				case got != expected:
					n.wrong.Add(1)
					first.Do(func() { t.Errorf("a wrong answer: %s, want %s", got, expected) })
				default:
					n.right.Add(1)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d right, %d refused, %d wrong", n.right.Load(), n.refused.Load(), n.wrong.Load())
}

func through(db pgtest.DB, pooler catalog.Pooler) catalog.PostgresSpec {
	spec := specOf(db)
	spec.Pooler = pooler
	return spec
}

// Fewer connections of the server than of usher, several tenants and many texts
// at once: every answer is right.
func TestTransactionPooler(t *testing.T) {
	t.Parallel()
	db := orders(t)
	for _, mode := range []string{"transaction", "session"} {
		for size := range 2 {
			t.Run(fmt.Sprintf("%s/%d", mode, size+1), func(t *testing.T) {
				t.Parallel()
				workers := 12
				if mode == "session" {
					workers = size + 1 // each keeps one
				}
				spec := through(db.Bouncer(t, mode, fmt.Sprintf("default_pool_size = %d", size+1)), catalog.TransactionPooler)
				n := rush(t, spec, workers, 2400/workers)
				if n.wrong.Load()+n.refused.Load() > 0 {
					t.Errorf("%d wrong, %d refused", n.wrong.Load(), n.refused.Load())
				}
			})
		}
	}
}

func TestSessionPooler(t *testing.T) {
	t.Parallel()
	db := orders(t)
	behind := db.Bouncer(t, "session", "default_pool_size = 8")
	n := rush(t, through(behind, catalog.SessionPooler), 8, 300)
	if n.wrong.Load()+n.refused.Load() > 0 {
		t.Errorf("%d wrong, %d refused", n.wrong.Load(), n.refused.Load())
	}
	// No pooler at all is one that keeps a connection for each client.
	n = rush(t, through(db, catalog.SessionPooler), 8, 30)
	if n.wrong.Load()+n.refused.Load() > 0 {
		t.Errorf("without a pooler: %d wrong, %d refused", n.wrong.Load(), n.refused.Load())
	}
	// A connection that another client has used is there for the next one,
	// prepared statements or not.
	for _, reset := range []string{"DISCARD ALL", ""} {
		spec := through(db.Bouncer(t, "session", "default_pool_size = 1", "server_reset_query = "+reset), catalog.SessionPooler)
		spec.MaxConns = 1
		for range 3 {
			source := open(t, spec, postgres.Options{})
			want(t, source, "8", "SELECT $1::int8 + 1", "7")
			want(t, source, `"UTC"`, "SELECT current_setting('TimeZone')")
			_ = source.Close()
		}
	}
}

// A pooler that is not of the kind that was said gives right answers or none.
func TestWrongPooler(t *testing.T) {
	t.Parallel()
	db := orders(t)
	for size := range 2 {
		spec := through(db.Bouncer(t, "transaction", fmt.Sprintf("default_pool_size = %d", size+1)), catalog.SessionPooler)
		if n := rush(t, spec, 8, 40); n.wrong.Load() > 0 || n.right.Load() == 0 {
			t.Errorf("%d wrong answers, %d right", n.wrong.Load(), n.right.Load())
		}
	}
	// Somebody else takes the one connection of the server: the next statement
	// is led to another, which is noticed.
	spec := through(db.Bouncer(t, "transaction", "default_pool_size = 2"), catalog.SessionPooler)
	err := open(t, spec, postgres.Options{}).Session(t.Context(), false, func(mine sqlexec.Session) error {
		if _, err := read(t.Context(), mine, 1, "SELECT 1"); err != nil {
			t.Error(err)
		}
		return open(t, spec, postgres.Options{}).Session(t.Context(), true, func(other sqlexec.Session) error {
			if _, err := read(t.Context(), other, 1, "SELECT 1"); err != nil {
				t.Error(err)
			}
			_, err := read(t.Context(), mine, 1, "SELECT 1")
			return err
		})
	})
	wantFault(t, err, fault.Unavailable)
	if !strings.Contains(fmt.Sprint(err), "must become `pooler: transaction`") {
		t.Errorf("the cause names no remedy: %v", err)
	}
	for _, pooler := range []catalog.Pooler{catalog.SessionPooler, catalog.TransactionPooler} {
		source := open(t, through(db.Bouncer(t, "statement"), pooler), postgres.Options{})
		_, err := ask(t.Context(), source, false, 1, "SELECT 1")
		wantFault(t, err, fault.Unavailable)
		if !strings.Contains(fmt.Sprint(err), "pool_mode") && !strings.Contains(fmt.Sprint(err), "pools statements") {
			t.Errorf("%s: the cause does not say what is wrong: %v", pooler, err)
		}
	}
}

// What holds without a pooler holds behind one.
func TestPooledSessions(t *testing.T) {
	t.Parallel()
	db := database(t, "CREATE TABLE t (a int); INSERT INTO t VALUES (7)")
	db.Exec(t, fmt.Sprintf("ALTER DATABASE %s SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE %[1]s SET IntervalStyle = 'iso_8601'; ALTER DATABASE %[1]s SET DateStyle = 'German'; "+
		"ALTER DATABASE %[1]s SET extra_float_digits = -3; ALTER DATABASE %[1]s SET standard_conforming_strings = off", db.Name))
	for _, c := range []struct {
		mode   string
		pooler catalog.Pooler
	}{{"transaction", catalog.TransactionPooler}, {"session", catalog.TransactionPooler}, {"session", catalog.SessionPooler}} {
		source := open(t, through(db.Bouncer(t, c.mode, "default_pool_size = 4"), c.pooler), postgres.Options{Timeout: 5 * time.Second})
		for setting, expected := range map[string]string{
			"TimeZone": "UTC", "DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "extra_float_digits": "1", "standard_conforming_strings": "on",
			"client_encoding": "UTF8", "jit": "off", "transaction_read_only": "on",
		} {
			want(t, source, fmt.Sprintf("%q", expected), "SELECT current_setting($1)", setting)
		}
		want(t, source, `"2026-06-15 12:00:00+00"|0.1f|"\\"`, `SELECT '2026-06-15 12:00:00'::timestamptz::text, 0.1::float8, '\'`)
		if got, err := ask(t.Context(), source, false, 1, "SELECT current_setting('statement_timeout')"); err != nil || got != `"6s"` {
			t.Errorf("statement_timeout %s, %v", got, err)
		}
		for _, snapshot := range []bool{true, false} {
			_, err := ask(t.Context(), source, snapshot, 1, "INSERT INTO public.t VALUES (1)")
			wantFault(t, err, fault.Unavailable)
			if refused := fault.From(err).Unwrap(); !strings.Contains(fmt.Sprint(refused), "25006") {
				t.Errorf("a statement that writes: %v", refused)
			}
			within(t, "a statement", func(ctx context.Context) error {
				_, err := ask(ctx, source, snapshot, 1, "SELECT 'marker'::text, pg_sleep(60) IS NULL")
				return err
			})
			gone(t, db.Open(t), "marker")
			_, err = ask(t.Context(), source, snapshot, 1, "SELECT 1 / $1::int", "0")
			wantFault(t, err, fault.Unavailable)
			want(t, source, "7", "SELECT a FROM public.t")
		}
	}
}

// Policies of the database's own are told whose rows to show in each
// transaction, and what they are told ends with it.
func TestPooledPolicies(t *testing.T) {
	t.Parallel()
	db := orders(t)
	db.Exec(t, `CREATE ROLE pooled_policies_reader; GRANT SELECT ON orders TO pooled_policies_reader;
		ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON orders USING (tenant = current_setting('usher.tenant', true))`)
	pool := db.Open(t)
	t.Cleanup(func() {
		if _, err := pool.ExecContext(context.Background(), "DROP OWNED BY pooled_policies_reader; DROP ROLE pooled_policies_reader"); err != nil {
			t.Errorf("drop the role: %v", err)
		}
	})
	spec := through(db.Bouncer(t, "transaction", "default_pool_size = 1"), catalog.TransactionPooler)
	var group sync.WaitGroup
	for tenant := range 3 {
		source := open(t, spec, postgres.Options{Session: catalog.Session{
			Role: "pooled_policies_reader", Settings: []catalog.Setting{{Name: "usher.tenant", Value: fmt.Sprintf("t%d", tenant)}},
		}})
		group.Go(func() {
			for range 100 {
				want(t, source, fmt.Sprint(100*(tenant+1)), "SELECT count(*) FROM public.orders")
			}
		})
	}
	plain := open(t, spec, postgres.Options{})
	group.Go(func() {
		for range 100 {
			want(t, plain, "600|true", "SELECT count(*), current_user = session_user FROM public.orders")
		}
	})
	group.Wait()
}

// What other clients of the pooler leave behind on a connection of the server
// changes nothing, and what usher sets is gone when they come back.
func TestPooledLeftovers(t *testing.T) {
	t.Parallel()
	db := orders(t)
	behind := db.Bouncer(t, "transaction", "default_pool_size = 1", ignoring)
	other := behind.Open(t)
	if _, err := other.ExecContext(t.Context(), `SET search_path = public; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'Asia/Tokyo'; SET statement_timeout = 0;
		SET standard_conforming_strings = off; SET extra_float_digits = -3; SET ROLE pg_monitor; CREATE TEMP TABLE text (a int); PREPARE u1 AS SELECT 1`); err != nil {
		t.Fatal(err)
	}
	source := open(t, through(behind, catalog.TransactionPooler), postgres.Options{})
	want(t, source, `600|"1 day"|"\\"|"31s"|"2026-01-01 00:00:00+00"|true`,
		`SELECT count(*), '1 day'::interval::text, '\', current_setting('statement_timeout'), min(at)::text, current_user = session_user FROM public.orders`)
	var is string
	err := other.QueryRowContext(t.Context(), "SELECT concat_ws(' ', current_setting('search_path'), current_setting('IntervalStyle'), current_setting('TimeZone'), "+
		"current_setting('statement_timeout'), current_setting('transaction_read_only'), current_user)").Scan(&is)
	if err != nil || is != "public iso_8601 Asia/Tokyo 0 off pg_monitor" {
		t.Errorf("the other client finds %q, %v", is, err)
	}
}

// The server's processes end while many ask through a pooler.
func TestPoolerLosesItsServer(t *testing.T) {
	t.Parallel()
	db := orders(t)
	spec := through(db.Bouncer(t, "transaction", "default_pool_size = 2"), catalog.TransactionPooler)
	admin := db.Open(t)
	var n tally
	ended := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for next := int64(40); ; {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			if n.right.Load() < next {
				continue
			}
			next = n.right.Load() + 40
			_, err := admin.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
			if err != nil {
				t.Error(err)
			}
		}
	})
	n.rush(t, spec, 8, 100)
	close(ended)
	group.Wait()
	if n.wrong.Load() > 0 || n.right.Load() == 0 {
		t.Errorf("%d wrong, %d right", n.wrong.Load(), n.right.Load())
	}
	if n := rush(t, spec, 8, 20); n.wrong.Load()+n.refused.Load() > 0 {
		t.Errorf("afterwards: %d wrong, %d refused", n.wrong.Load(), n.refused.Load())
	}
}

// What only passes bytes on, as load balancers do, is no pooler.
func TestPassedThrough(t *testing.T) {
	t.Parallel()
	db := orders(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = client.Close() }()
				server, err := net.Dial("tcp", net.JoinHostPort(db.Host, strconv.Itoa(db.Port)))
				if err != nil {
					return
				}
				defer func() { _ = server.Close() }()
				go func() { _, _ = io.Copy(server, client) }()
				_, _ = io.Copy(client, server)
			}()
		}
	}()
	spec := specOf(db)
	spec.Port = listener.Addr().(*net.TCPAddr).Port
	if n := rush(t, spec, 4, 30); n.wrong.Load()+n.refused.Load() > 0 {
		t.Errorf("%d wrong, %d refused", n.wrong.Load(), n.refused.Load())
	}
}

// Who owns the database may bound statements more narrowly than usher, never
// the other way around.
func TestOwnersBound(t *testing.T) {
	t.Parallel()
	for bound, expected := range map[string]string{"500ms": `"500ms"`, "2min": `"31s"`, "0": `"31s"`} {
		db := database(t, "")
		db.Exec(t, fmt.Sprintf("ALTER DATABASE %s SET statement_timeout = '%s'", db.Name, bound))
		for what, spec := range map[string]catalog.PostgresSpec{
			"without a pooler": specOf(db),
			"transaction":      through(db.Bouncer(t, "transaction"), catalog.TransactionPooler),
			"session":          through(db.Bouncer(t, "session"), catalog.SessionPooler),
		} {
			source := open(t, spec, postgres.Options{})
			want(t, source, expected, "SELECT current_setting('statement_timeout')")
			if bound != "500ms" {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			for _, snapshot := range []bool{true, false} {
				_, err := ask(ctx, source, snapshot, 1, "SELECT pg_sleep(20) IS NULL")
				wantFault(t, err, fault.Timeout)
				if ctx.Err() != nil {
					t.Errorf("%s: only usher gave up", what)
				}
			}
			cancel()
		}
	}
}

// A statement whose first run fails is prepared all the same, and is known.
func TestFailuresLeaveNothing(t *testing.T) {
	t.Parallel()
	spec := specOf(database(t, ""))
	spec.MaxConns = 1
	source := open(t, spec, postgres.Options{})
	for i := range 1000 {
		for range 2 {
			_, err := ask(t.Context(), source, i%2 == 0, 1, fmt.Sprintf("SELECT %d / $1::int", i), "0")
			wantFault(t, err, fault.Unavailable)
		}
	}
	want(t, source, "true", "SELECT count(*) <= 256 FROM pg_prepared_statements")
	want(t, source, "999", "SELECT 999 / $1::int", "1")
}

// Whoever puts a pooler in front without a word of it gets no answer rather
// than another's.
func TestPoolerThatNobodySpokeOf(t *testing.T) {
	t.Parallel()
	db := orders(t)
	for _, mode := range []string{"session", "transaction", "statement"} {
		for _, settings := range []string{"", ignoring} {
			spec := specOf(db.Bouncer(t, mode, "default_pool_size = 2", settings))
			_, err := ask(t.Context(), open(t, spec, postgres.Options{}), false, 1, "SELECT 1")
			if err == nil || fault.From(err).Code != fault.Unavailable || !strings.Contains(err.Error(), "`pooler: transaction`") {
				t.Errorf("%s: the cause names no remedy: %v", mode, err)
			}
			if n := rush(t, spec, 8, 30); n.wrong.Load()+n.right.Load() > 0 {
				t.Errorf("%s: %d wrong and %d right answers through a pooler that was not spoken of", mode, n.wrong.Load(), n.right.Load())
			}
		}
	}
}

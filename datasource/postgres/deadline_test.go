package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pgtest"
)

const (
	deadline = 300 * time.Millisecond
	late     = 2 * time.Second // how long after its deadline an answer may come, on a busy machine; the statements take a minute
)

// within asserts that ask ends as a timeout when it should.
func within(t *testing.T, what string, ask func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	// A busy machine is late itself: what counts is the time since we could
	// have known.
	ended := make(chan time.Time, 1)
	context.AfterFunc(ctx, func() { ended <- time.Now() })
	end, _ := ctx.Deadline()
	err := ask(ctx)
	answered := time.Now()
	wantFault(t, err, fault.Timeout)
	if early := end.Sub(answered); early > deadline/10 {
		t.Errorf("%s: answered %s before the deadline", what, early)
	}
	if took := answered.Sub(<-ended); took > late {
		t.Errorf("%s: answered %s after the deadline, want at most %s", what, took, late)
	}
}

// gone waits for a statement to have left the server.
func gone(t *testing.T, db *sql.DB, marker string) {
	t.Helper()
	began := time.Now()
	for {
		var running int
		err := db.QueryRowContext(t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid()", marker).Scan(&running)
		if err != nil {
			t.Fatal(err)
		}
		if running == 0 {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Errorf("the statement still runs after %s", time.Since(began))
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	source := open(t, specOf(db), postgres.Options{})
	admin := db.Open(t)
	for _, snapshot := range []bool{true, false} {
		// Before the first row, and between rows.
		for i, statement := range []string{
			"SELECT 'marker %d'::text, pg_sleep(60) IS NULL",
			"SELECT 'marker %d'::text || repeat('x', 10000), pg_sleep(0.01) IS NULL FROM generate_series(1, 6000)",
		} {
			statement = fmt.Sprintf(statement, i)
			within(t, statement, func(ctx context.Context) error {
				_, err := ask(ctx, source, snapshot, 1, statement)
				return err
			})
			gone(t, admin, fmt.Sprintf("marker %d", i))
			want(t, source, "1", "SELECT 1")
		}
	}
}

// The caller has gone away before its deadline, or never had one.
func TestCancel(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	source := open(t, specOf(db), postgres.Options{})
	admin := db.Open(t)
	for _, snapshot := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		began := time.Now()
		_, err := ask(ctx, source, snapshot, 1, "SELECT 'marker'::text, pg_sleep(60) IS NULL")
		wantFault(t, err, fault.Timeout)
		if took := time.Since(began); took > 50*time.Millisecond+late {
			t.Errorf("answered after %s", took)
		}
		gone(t, admin, "marker")
		want(t, source, "1", "SELECT 1")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ask(ctx, source, true, 1, "SELECT 1")
	wantFault(t, err, fault.Timeout)
}

// A statement's own context counts too, though the session's goes on.
func TestStatementDeadline(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	source := open(t, specOf(db), postgres.Options{})
	for _, snapshot := range []bool{true, false} {
		err := source.Session(t.Context(), snapshot, func(s sqlexec.Session) error {
			within(t, "statement", func(ctx context.Context) error {
				_, err := s.Query(ctx, "SELECT 'marker'::text, pg_sleep(60) IS NULL", nil)
				return err
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		gone(t, db.Open(t), "marker")
		want(t, source, "1", "SELECT 1")
	}
}

// The server ends what usher has forgotten to: the source's timeout and a second.
func TestServerTimeout(t *testing.T) {
	t.Parallel()
	source := open(t, specOf(pgtest.Start(t).Database(t)), postgres.Options{Timeout: 100 * time.Millisecond})
	began := time.Now()
	_, err := ask(t.Context(), source, false, 1, "SELECT pg_sleep(60) IS NULL")
	wantFault(t, err, fault.Timeout)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("ended after %s", took)
	}
}

// Everything is stopped: statements that run, statements on an idle
// connection, and new connections all answer in time, and work again later.
func TestFrozenServer(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	db := server.Database(t)
	spec := specOf(db)
	for _, snapshot := range []bool{true, false} {
		running, idle := open(t, spec, postgres.Options{}), open(t, spec, postgres.Options{})
		fresh := open(t, spec, postgres.Options{})
		fast := open(t, spec, postgres.Options{ConnectTimeout: deadline})
		want(t, idle, "1", "SELECT 1")
		err := running.Session(t.Context(), snapshot, func(s sqlexec.Session) error {
			if _, err := read(t.Context(), s, 1, "SELECT 1"); err != nil {
				return err
			}
			server.Freeze(t)
			within(t, "running", func(ctx context.Context) error {
				_, err := s.Query(ctx, "SELECT 2", nil)
				return err
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for what, source := range map[string]*postgres.DB{"idle": idle, "fresh": fresh} {
			within(t, what, func(ctx context.Context) error {
				_, err := ask(ctx, source, snapshot, 1, "SELECT 1")
				return err
			})
		}
		// Without a deadline of the request connecting has one of its own.
		began := time.Now()
		_, err = ask(t.Context(), fast, snapshot, 1, "SELECT 1")
		wantFault(t, err, fault.Timeout)
		if took := time.Since(began); took > 10*deadline {
			t.Errorf("connecting ended after %s", took)
		}
		server.Thaw(t)
		for _, source := range []*postgres.DB{running, idle, fresh, fast} {
			want(t, source, "1", "SELECT 1")
		}
	}
}

// Only the backend is stopped: the postmaster takes the request to cancel, and
// the backend obeys when it goes on.
func TestFrozenBackend(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	db := server.Database(t)
	source := open(t, specOf(db), postgres.Options{})
	for _, snapshot := range []bool{true, false} {
		var pid int
		err := source.Session(t.Context(), snapshot, func(s sqlexec.Session) error {
			text, err := read(t.Context(), s, 1, "SELECT pg_backend_pid()")
			if err != nil {
				return err
			}
			if pid, err = strconv.Atoi(text); err != nil {
				return err
			}
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				return err
			}
			within(t, "backend", func(ctx context.Context) error {
				_, err := s.Query(ctx, "SELECT 'marker'::text, pg_sleep(60) IS NULL", nil)
				return err
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		want(t, source, "1", "SELECT 1")
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		gone(t, db.Open(t), "marker")
	}
}

// A server that takes the connection and says nothing is no PostgreSQL.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	for _, mode := range []string{"disable", "require"} {
		source := open(t, catalog.PostgresSpec{
			Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, Database: "d", User: "u", Password: "secret", SSLMode: mode,
		}, postgres.Options{})
		within(t, mode, func(ctx context.Context) error {
			_, err := ask(ctx, source, true, 1, "SELECT 1")
			return err
		})
	}
}

// A crash costs no further request: connections that it has ended are noticed,
// and a server that is starting up is waited for.
func TestRestart(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	source := open(t, catalog.PostgresSpec{
		Host: server.Host, Port: server.Port, Database: "postgres", User: server.User, Password: server.Password, SSLMode: "disable",
	}, postgres.Options{})
	for range 3 {
		// Two idle connections, and a crash of another backend, which ends all of them.
		err := source.Session(t.Context(), false, func(first sqlexec.Session) error {
			want(t, source, "1", "SELECT 1")
			_, err := read(t.Context(), first, 1, "SELECT 1")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = source.Session(t.Context(), true, func(victim sqlexec.Session) error {
			text, err := read(t.Context(), victim, 1, "SELECT pg_backend_pid()")
			if err != nil {
				return err
			}
			pid, err := strconv.Atoi(text)
			if err != nil {
				return err
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				return err
			}
			_, err = read(t.Context(), victim, 1, "SELECT pg_sleep(60) IS NULL")
			return err
		})
		wantFault(t, err, fault.Unavailable)
		want(t, source, "1", "SELECT 1")
	}
}

// What one caller gives up never cancels what another asks.
func TestCancelHitsNobodyElse(t *testing.T) {
	t.Parallel()
	source := open(t, specOf(pgtest.Start(t).Database(t)), postgres.Options{})
	done := make(chan error, 4)
	for worker := range 4 {
		go func() {
			var failed error
			for i := range 100 {
				ctx, cancel := context.WithCancel(context.Background())
				aborted := (i+worker)%2 == 0
				if aborted {
					time.AfterFunc(time.Duration(i%7)*200*time.Microsecond, cancel)
				}
				_, err := ask(ctx, source, i%3 == 0, 1, "SELECT pg_sleep(0.001) IS NULL")
				if err != nil && !aborted {
					failed = err
				}
				cancel()
			}
			done <- failed
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Errorf("a request that nobody gave up: %v", err)
		}
	}
}

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pgtest"
	"usher/value"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func specOf(db pgtest.DB) catalog.PostgresSpec {
	return catalog.PostgresSpec{
		Host: db.Host, Port: db.Port, Database: db.Name, User: db.User, Password: db.Password, SSLMode: "disable", MaxConns: 2,
	}
}

// database makes one with the statements run in it.
func database(t *testing.T, statements string) pgtest.DB {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, statements)
	return db
}

func open(t *testing.T, spec catalog.PostgresSpec, opts postgres.Options) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// ask runs one statement and writes its rows, a line of so many cells each.
func ask(ctx context.Context, db *postgres.DB, snapshot bool, width int, text string, args ...string) (string, error) {
	var out string
	err := db.Session(ctx, snapshot, func(s sqlexec.Session) error {
		var err error
		out, err = read(ctx, s, width, text, args...)
		return err
	})
	return out, err
}

func read(ctx context.Context, s sqlexec.Session, width int, text string, args ...string) (string, error) {
	rows, err := s.Query(ctx, text, args)
	if err != nil {
		return "", err
	}
	var lines []string
	for rows.Next() {
		cells := make([]string, width)
		for i := range cells {
			cells[i] = show(rows.Cell(i))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.Join(lines, "\n"), errors.Join(rows.Err(), rows.Close())
}

func show(c value.Cell) string {
	switch c.Kind {
	case value.KindNull:
		return "null"
	case value.KindBool:
		return fmt.Sprint(c.Bool)
	case value.KindInt:
		return fmt.Sprint(c.Int)
	case value.KindFloat:
		return fmt.Sprintf("%gf", c.Float)
	case value.KindText:
		return fmt.Sprintf("%q", c.Text)
	}
	return "?"
}

func want(t *testing.T, db *postgres.DB, expected, text string, args ...string) {
	t.Helper()
	firstLine, _, _ := strings.Cut(expected, "\n")
	for _, snapshot := range []bool{true, false} {
		got, err := ask(t.Context(), db, snapshot, strings.Count(firstLine, "|")+1, text, args...)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got != expected {
			t.Errorf("%s:\n%s\nwant\n%s", text, got, expected)
		}
	}
}

func wantFault(t *testing.T, err error, code fault.Code) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("%v: want a fault", err)
	}
	if f.Code != code {
		t.Errorf("%v: want %s", err, code)
	}
	for _, leak := range []string{"SELECT", "secret", "127.0.0.1", "pq:", "test_"} {
		if strings.Contains(f.Message+f.Hint, leak) {
			t.Errorf("the message %q holds %q", f.Message, leak)
		}
	}
}

func TestCells(t *testing.T) {
	t.Parallel()
	db := open(t, specOf(database(t, "CREATE TABLE t (a int)")), postgres.Options{})
	want(t, db, `true|2|3|-4|1.5f|"x"|"y"|""|"12.30"|null|null`,
		"SELECT true, 2::int2, 3::int4, -4::int8, 1.5::float8, 'x', 'y'::varchar, '', 12.30, NULL, NULL::text")
	want(t, db, "NaNf|+Inff", "SELECT 'NaN'::float8, 'Infinity'::float8")
	// Every argument is text; the statement casts it.
	want(t, db, `8|"1.50"|"a'b"`, "SELECT $1::int8 + 1, $2::numeric(9, 2), $3::text", "7", "1.5", "a'b")
	want(t, db, "", "SELECT a FROM public.t")
	want(t, db, "0|\"a0\"\n1|\"a1\"\n2|\"a2\"", "SELECT i, 'a' || i FROM generate_series(0, 2) g(i)")
}

// A type without a cell is a mistake in the statement, never guessed at.
func TestTypesWithoutCell(t *testing.T) {
	t.Parallel()
	db := open(t, specOf(database(t, "CREATE TYPE mood AS ENUM ('ok')")), postgres.Options{})
	for _, expr := range []string{
		"1::float4", "'{}'::jsonb", "ARRAY[1]", "'ok'::public.mood",
		"'x'::bytea", "'1 day'::interval", "'x'::char(3)", "1::oid", "'x'::name",
	} {
		_, err := ask(t.Context(), db, true, 1, "SELECT "+expr)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Internal || !strings.Contains(f.Message, "type") {
			t.Errorf("%s: %v", expr, err)
		}
	}
	want(t, db, "1", "SELECT 1")
}

func TestSessionSettings(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	// What the role prefers does not count.
	db.Exec(t, fmt.Sprintf("ALTER DATABASE %s SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE %[1]s SET IntervalStyle = 'iso_8601'; ALTER DATABASE %[1]s SET DateStyle = 'German'", db.Name))
	source := open(t, specOf(db), postgres.Options{Timeout: 5 * time.Second})
	for setting, expected := range map[string]string{
		"TimeZone": "UTC", "DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "extra_float_digits": "1",
		"search_path": "", "application_name": "usher", "client_encoding": "UTF8", "jit": "off", "transaction_read_only": "on",
	} {
		want(t, source, fmt.Sprintf("%q", expected), "SELECT current_setting($1)", setting)
	}
	if got, err := ask(t.Context(), source, false, 1, "SELECT current_setting('statement_timeout')"); err != nil || got != `"6s"` {
		t.Errorf("statement_timeout %s, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if got, err := ask(ctx, source, true, 1, "SELECT current_setting('statement_timeout')::interval <= '3 s', current_setting('transaction_isolation')"); err != nil || got != `true` {
		t.Errorf("statement_timeout of a snapshot: at most 3 s is %s, %v", got, err)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	db := database(t, "CREATE TABLE t (a int); INSERT INTO t VALUES (7)")
	source := open(t, specOf(db), postgres.Options{})
	for _, snapshot := range []bool{true, false} {
		for _, statement := range []string{"INSERT INTO public.t VALUES (1)", "CREATE TABLE public.u (a int)", "SELECT nextval('public.s')"} {
			_, err := ask(t.Context(), source, snapshot, 1, statement)
			wantFault(t, err, fault.Unavailable)
			if refused := fault.From(err).Unwrap(); !strings.Contains(statement, "nextval") && !strings.Contains(fmt.Sprint(refused), "25006") { // there is no s
				t.Errorf("%s: %v", statement, refused)
			}
		}
	}
	want(t, source, "7", "SELECT a FROM public.t")
}

// All statements of a snapshot see the same; statements without see what is
// there when they run.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	db := database(t, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
	source := open(t, specOf(db), postgres.Options{})
	for _, c := range []struct {
		snapshot bool
		second   string
	}{{true, "1"}, {false, "3"}} {
		db.Exec(t, "TRUNCATE t; INSERT INTO t VALUES (1)")
		err := source.Session(t.Context(), c.snapshot, func(s sqlexec.Session) error {
			const count = "SELECT count(*) FROM public.t"
			if got, err := read(t.Context(), s, 1, count); err != nil || got != "1" {
				t.Errorf("first: %s, %v", got, err)
			}
			db.Exec(t, "INSERT INTO t VALUES (2), (3)")
			if got, err := read(t.Context(), s, 1, count); err != nil || got != c.second {
				t.Errorf("second, snapshot %t: %s, %v", c.snapshot, got, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What fn returns comes back as it is, and the connection is used again.
func TestFnFails(t *testing.T) {
	t.Parallel()
	source := open(t, specOf(database(t, "")), postgres.Options{})
	mine := errors.New("mine")
	first := backend(t, source)
	for _, snapshot := range []bool{true, false} {
		err := source.Session(t.Context(), snapshot, func(s sqlexec.Session) error {
			_, _ = s.Query(t.Context(), "SELECT nonsense", nil)
			return mine
		})
		if !errors.Is(err, mine) {
			t.Errorf("%v", err)
		}
	}
	if now := backend(t, source); now != first {
		t.Errorf("backend %s, before it was %s", now, first)
	}
}

func backend(t *testing.T, db *postgres.DB) string {
	t.Helper()
	pid, err := ask(t.Context(), db, false, 1, "SELECT pg_backend_pid()")
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// A statement ends the rows of the one before, and a session what is left: a
// few rows are read, many cost the connection.
func TestRowsLeftOpen(t *testing.T) {
	t.Parallel()
	source := open(t, specOf(database(t, "")), postgres.Options{})
	for _, c := range []struct {
		rows string
		kept bool
	}{{"500", true}, {"500000", false}} {
		for _, snapshot := range []bool{true, false} {
			first := backend(t, source)
			var second error
			err := source.Session(t.Context(), snapshot, func(s sqlexec.Session) error {
				rows, err := s.Query(t.Context(), "SELECT i, repeat('x', 100) FROM generate_series(1, $1::int) g(i)", []string{c.rows})
				if err != nil {
					return err
				}
				rows.Next()
				_, second = read(t.Context(), s, 1, "SELECT 1")
				if rows.Next() {
					t.Error("the first rows go on")
				}
				return rows.Close()
			})
			if err != nil {
				t.Fatal(err)
			}
			if kept := second == nil; kept != c.kept {
				t.Errorf("%s rows: the next statement: %v", c.rows, second)
			}
			if kept := backend(t, source) == first; kept != c.kept {
				t.Errorf("%s rows: the connection is kept: %t", c.rows, kept)
			}
		}
	}
}

func TestPreparedOnce(t *testing.T) {
	t.Parallel()
	spec := specOf(database(t, ""))
	spec.MaxConns = 1
	source := open(t, spec, postgres.Options{})
	for i := range 3 {
		want(t, source, fmt.Sprint(i+1), "SELECT $1::int8 + 1", fmt.Sprint(i))
	}
	want(t, source, "1", "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int8%'")
	// More texts than are kept: the server keeps no more either.
	for i := range 600 {
		if _, err := ask(t.Context(), source, false, 1, fmt.Sprintf("SELECT %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	want(t, source, "true", "SELECT count(*) <= 256 FROM pg_prepared_statements")
	want(t, source, "2", "SELECT $1::int8 + 1", "1")
}

// A statement prepared before its table changed is prepared again.
func TestTableChanges(t *testing.T) {
	t.Parallel()
	db := database(t, "CREATE TABLE t (a int4); INSERT INTO t VALUES (7)")
	spec := specOf(db)
	spec.MaxConns = 1
	source := open(t, spec, postgres.Options{})
	want(t, source, "7", "SELECT a FROM public.t")
	db.Exec(t, "ALTER TABLE t ALTER a TYPE text")
	want(t, source, `"7"`, "SELECT a FROM public.t")
	db.Exec(t, "ALTER TABLE t ALTER a TYPE int8 USING a::int8")
	// Inside a snapshot that another statement has seen it cannot be; but the next session can.
	for i, code := range []fault.Code{fault.Unavailable, ""} {
		err := source.Session(t.Context(), true, func(s sqlexec.Session) error {
			if _, err := read(t.Context(), s, 1, "SELECT 1"); err != nil {
				return err
			}
			got, err := read(t.Context(), s, 1, "SELECT a FROM public.t")
			if err == nil && got != "7" {
				t.Errorf("read %s", got)
			}
			return err
		})
		if code == "" && err != nil {
			t.Errorf("session %d: %v", i, err)
		} else if code != "" {
			wantFault(t, err, code)
		}
	}
	db.Exec(t, "DROP TABLE t")
	_, err := ask(t.Context(), source, false, 1, "SELECT a FROM public.t")
	wantFault(t, err, fault.Unavailable)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	db := database(t, "CREATE TABLE t (a text); INSERT INTO t VALUES ('secret'); CREATE TABLE hidden (a int)")
	source := open(t, specOf(db), postgres.Options{})
	for _, c := range []struct {
		statement string
		code      fault.Code
	}{
		{"SELECT b FROM public.t", fault.Unavailable},
		{"SELECT 1 FROM public.u", fault.Unavailable},
		{"SELECT 1 FROM t", fault.Unavailable}, // there is no search path
		{"SELECT a::int FROM public.t", fault.Unavailable},
		{"SELECT 1 +", fault.Internal},
		{"SELECT 9223372036854775807 + length(a) FROM public.t", fault.TooComplex},
		{"SELECT repeat(a, 1000000) FROM public.t, generate_series(1, 20)", fault.TooComplex},
	} {
		for _, snapshot := range []bool{true, false} {
			source := source
			if strings.Contains(c.statement, "repeat") {
				source = open(t, specOf(db), postgres.Options{MaxBytes: 10 << 20})
			}
			_, err := ask(t.Context(), source, snapshot, 1, c.statement)
			wantFault(t, err, c.code)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: a value in the cause: %v", c.statement, err)
			}
		}
	}
	want(t, source, `"secret"`, "SELECT a FROM public.t")

	_, err := ask(t.Context(), open(t, role(t, db, ""), postgres.Options{}), true, 1, "SELECT a FROM public.hidden")
	wantFault(t, err, fault.Unavailable)
}

// role is the account of a role of the test's own.
func role(t *testing.T, db pgtest.DB, statements string) catalog.PostgresSpec {
	t.Helper()
	return specOf(db.Role(t, statements))
}

func TestConcurrentSessions(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	source := open(t, specOf(db), postgres.Options{})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { want(t, source, "499500", "SELECT sum(i)::int8 FROM generate_series(0, 999) g(i)") })
	}
	group.Wait()
	// The server's side of a connection that was closed takes a moment to end.
	want(t, source, "true", `WITH RECURSIVE wait(n, slept) AS (SELECT 0, '' UNION ALL SELECT n + 1, pg_sleep(0.05)::text || pg_stat_clear_snapshot()::text FROM wait
			WHERE n < 100 AND (SELECT count(*) > 2 FROM pg_stat_activity WHERE datname = current_database()))
		SELECT max(n) < 100 FROM wait`)
}

func TestWaitForConnection(t *testing.T) {
	t.Parallel()
	spec := specOf(database(t, ""))
	spec.MaxConns = 1
	source := open(t, spec, postgres.Options{})
	err := source.Session(t.Context(), false, func(sqlexec.Session) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := ask(ctx, source, false, 1, "SELECT 1")
		return err
	})
	wantFault(t, err, fault.Timeout)
}

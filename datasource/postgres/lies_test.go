package postgres_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/pool"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pgtest"
	"usher/pgtest/lies"
	"usher/value"
)

// statements are lies in answer to a source's own statements.
var statements = []lies.Lie{
	{Name: "silence", At: lies.Statement},
	{Name: "no columns", At: lies.Statement, Says: lies.Parsed + lies.Parameters("") + lies.Columns() + lies.Bound + lies.Row() + lies.Complete("SELECT 1") + lies.Ready("I")},
	{Name: "nothing described", At: lies.Statement, Says: lies.Parsed + lies.Parameters("") + lies.Message('n') + lies.Bound + lies.Row() + lies.Complete("SELECT 1") + lies.Ready("I")},
	{Name: "a row of two cells", At: lies.Statement, Says: lies.Parsed + lies.Columns(lies.Column("a", lies.Int8)) + lies.Bound + lies.Row("1", "2")},
	{Name: "a number that is none", At: lies.Statement, Says: lies.Parsed + lies.Columns(lies.Column("a", lies.Int8)) + lies.Bound + lies.Row("x")},
	{Name: "a gigabyte announced", At: lies.Statement, Says: "1\x40\x00\x00\x00"},
	{Name: "sign in once more", At: lies.Statement, Says: lies.Auth(10)},
	{Name: "notices without end", At: lies.Statement, Says: lies.Message('N', strings.Repeat("x", 1000)), Endless: true},
	{Name: "an error with half a code", At: lies.Statement, Says: lies.Failure("4", "no") + lies.Ready("I")},
	{Name: "an error of control characters", At: lies.Statement, Says: lies.Failure("42601", strings.Repeat("\x1b[2J\n", 10_000)) + lies.Ready("I")},
}

// patience is how long connecting to a liar may take.
const patience = 200 * time.Millisecond

func liar(port int, sslMode string) catalog.PostgresSpec {
	return catalog.PostgresSpec{Host: "127.0.0.1", Port: port, Database: "d", User: "u", Password: "secret", SSLMode: sslMode, MaxConns: 2}
}

// Whatever a tenant's own server says: an error in time, no panic, no memory to
// speak of, and the other tenants' servers go on answering.
func TestLies(t *testing.T) {
	shared := pool.New(pool.Limits{Conns: 2, PerHost: 2})
	defer shared.Close()
	other := open(t, specOf(pgtest.Start(t).Database(t)), postgres.Options{Pool: shared})
	want(t, other, "1", "SELECT 1")
	running := runtime.NumGoroutine()
	bear := func(lie lies.Lie, sslMode string) {
		t.Run(string(lie.At)+"/"+lie.Name, func(t *testing.T) {
			source, err := postgres.Open(liar(lies.Serve(t, lie), sslMode), postgres.Options{
				Pool: shared, ConnectTimeout: patience, MaxBytes: 1 << 20,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = source.Close() }()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			got, err := ask(ctx, source, true, 1, "SELECT 1")
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatalf("passed for an answer: %.100q", got)
			}
			if f := (*fault.Error)(nil); !errors.As(err, &f) {
				t.Errorf("%v: want a fault", err)
			} else {
				wantFault(t, err, f.Code)
			}
			if took > 2*patience+4*late {
				t.Errorf("it took %s", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("it took %d MiB of memory", used>>20)
			}
			if text := err.Error(); !strings.Contains(text, "panic: ") && len(text) > 4<<10 {
				t.Errorf("an error of %d bytes: %.200q", len(text), text)
			}
			if strings.Contains(err.Error(), "driver panicked") {
				t.Errorf("the driver has read it: %v", err)
			}
			if strings.ContainsAny(err.Error(), "\x00\x1b\r") {
				t.Errorf("control characters in %q", err)
			}
			want(t, other, "1", "SELECT 1")
		})
	}
	all := append(lies.All(), statements...)
	told := 0
	for _, lie := range all {
		switch lie.At {
		case lies.Described, lies.Rows: // of the driver's prepared statements, of which a source has none
			continue
		case lies.Statement: // first of where it is, then of what is asked
			at := lie
			at.At = lies.Identity
			bear(at, "disable")
			told++
		}
		bear(lie, "disable")
		told++
	}
	for _, lie := range lies.AboutTLS() {
		bear(lie, "require")
	}
	if n := told + len(lies.AboutTLS()); n < 55 {
		t.Errorf("%d lies only", n)
	}
	settled(t, running)
}

// settled waits for goroutines that lies have left behind.
func settled(t *testing.T, running int) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for runtime.NumGoroutine() > running+10 {
		select {
		case <-deadline:
			all := make([]byte, 1<<20)
			t.Errorf("%d goroutines more than before\n%s", runtime.NumGoroutine()-running, all[:runtime.Stack(all, true)])
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// A server may ask for so many rounds that deriving the key takes longer than
// connecting may: whoever asked is told in time, and the next derives after it.
func TestRounds(t *testing.T) {
	t.Parallel()
	source := open(t, liar(lies.Serve(t, lies.Lie{
		Name: "a million rounds", At: lies.FirstReply, Says: lies.Auth(11, "r="+lies.Nonce+"x,s=c2FsdHNhbHQ=,i=1000000"),
	}), "disable"), postgres.Options{ConnectTimeout: 50 * time.Millisecond})
	for range 3 {
		began := time.Now()
		_, err := ask(t.Context(), source, true, 1, "SELECT 1")
		wantFault(t, err, fault.Timeout)
		if took := time.Since(began); took > 50*time.Millisecond+2*late {
			t.Errorf("it took %s", took)
		}
	}
}

// Types that are made of themselves have no end.
func TestTypesOfThemselves(t *testing.T) {
	t.Parallel()
	const name, truth, number, double = lies.Text, lies.Bool, lies.Int8, int64(701)
	column := func(oid int64) string { return lies.Column("c", oid) }
	rows := func(columns string, rows ...string) string {
		return lies.Parsed + lies.Message('t', "\x00\x00") + columns + lies.Bound + strings.Join(rows, "") + lies.Complete("SELECT 1")
	}
	types := lies.Columns(column(number), column(name), column(truth), column(name), column(number), column(number), column(number), column(name))
	columns := lies.Columns(column(number), column(name), column(name), column(truth), column(name), column(name), column(number), column(number), column(number),
		column(truth), column(truth), column(truth), column(name), column(truth), column(truth),
		column(truth), column(double), column(double), column(double), column(truth), column(double), column(name))
	source := open(t, liar(lies.Answering(t, lies.Lie{}, map[string]string{
		"FROM pg_type t": rows(types,
			lies.Row("1", "domain", "f", "d", "1", "-1", "0", "[]"),
			lies.Row("2", "list", "f", "b", "0", "-1", "2", "[]")),
		"domains AS": rows(columns,
			lies.Row("9", "public", "t", "f", "a", "domain", "1", "-1", "0", "t", "t", "t", "", "f", "f", "f", "NaN", "-1", "0", "t", "NaN", "c"),
			lies.Row("9", "public", "t", "f", "b", "list", "2", "-1", "0", "t", "t", "t", "", "f", "f", "f", "NaN", "-1", "0", "t", "-1", "c")),
		"i.indisprimary, i.indisunique":      rows(lies.Columns(column(number), column(truth), column(truth), column(truth), column(name))),
		"SELECT DISTINCT ON (t.nspname":      rows(lies.Columns(column(number), column(name), column(name), column(name), column(name), column(name), column(name), column(truth))),
		"SELECT f.root::int8, c.relkind":     rows(lies.Columns(column(number), column(name), column(truth), column(truth), column(truth), column(number), column(truth), column(truth), column(name), column(truth))),
		"made(domain, of)":                   rows(lies.Columns(column(number), column(name), column(name), column(name))),
		"SELECT a.attrelid::int8, a.attname": rows(lies.Columns(column(number), column(name), column(name), column(name), column(name))),
		"SELECT f.root::int8, x.relname":     rows(lies.Columns(column(number), column(name), column(truth), column(truth), column(truth), column(truth), column(truth), column(name))),
		"l.lanname::text, p.proname":         rows(lies.Columns(column(number), column(name), column(name), column(name), column(name), column(truth))),
		"k.confdeltype::text":                rows(lies.Columns(column(number), column(name), column(name), column(name), column(name), column(truth), column(name), column(name), column(name))),
	}), "disable"), postgres.Options{})
	tables, err := source.Introspect(t.Context(), "public")
	if err != nil || len(tables) != 1 || len(tables[0].Columns) != 2 || tables[0].Columns[0].Form != value.Printed || tables[0].Columns[1].Form != value.Document {
		t.Errorf("%+v, %v", tables, err)
	}
}

// Introspection reads the columns that it has asked for, and no others.
func TestIntrospectionOfOtherColumns(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"one column":  lies.Columns(lies.Column("a", lies.Int8)) + lies.Bound + lies.Row("1"),
		"no columns":  lies.Columns() + lies.Bound + lies.Row(),
		"no rows":     lies.Message('n') + lies.Bound,
		"other types": lies.Columns(strings.Split(strings.Repeat(lies.Column("a", lies.Text)+"|", 9), "|")[:9]...) + lies.Bound,
	} {
		source := open(t, liar(lies.Answering(t, lies.Lie{}, map[string]string{
			"FROM pg_type t": lies.Parsed + lies.Message('t', "\x00\x00") + answer + lies.Complete("SELECT 1"),
		}), "disable"), postgres.Options{})
		tables, err := source.Introspect(t.Context(), "public")
		wantFault(t, err, fault.Unavailable)
		if len(tables) != 0 || !strings.Contains(err.Error(), "introspection") {
			t.Errorf("%s: %v, %v", name, tables, err)
		}
	}
}

// Whoever reads other columns than there are fails alone, and gives back the
// connection.
func TestPanicInASession(t *testing.T) {
	t.Parallel()
	spec := specOf(pgtest.Start(t).Database(t))
	spec.MaxConns = 1
	source := open(t, spec, postgres.Options{})
	for range 3 {
		err := source.Session(t.Context(), true, func(s sqlexec.Session) error {
			rows, err := s.Query(t.Context(), "SELECT 1", nil)
			if err != nil {
				return err
			}
			rows.Next()
			_ = rows.Cell(7)
			return nil
		})
		wantFault(t, err, fault.Internal)
	}
	want(t, source, "1", "SELECT 1")
}

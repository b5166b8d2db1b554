package duckdb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/value"
)

// file makes a database file, or whatever other files the statements write in
// its folder, which they know as the current one.
func file(t testing.TB, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.duckdb")
	connector, err := driver.NewConnector(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), strings.ReplaceAll(statement, "$dir", filepath.Dir(path))); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return path
}

func open(t *testing.T, spec catalog.DuckDBSpec, opts duckdb.Options) *duckdb.DB {
	t.Helper()
	db, err := duckdb.Open(spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// source is what has sessions: a DB and a Scratch.
type source interface {
	Session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) error
}

// ask runs one statement and writes its rows, a line of so many cells each.
func ask(ctx context.Context, s source, width int, text string, args ...string) (string, error) {
	var lines []string
	err := s.Session(ctx, true, func(session sqlexec.Session) error {
		rows, err := session.Query(ctx, text, args)
		if err != nil {
			return err
		}
		for rows.Next() {
			cells := make([]string, width)
			for i := range cells {
				cells[i] = show(rows.Cell(i))
			}
			lines = append(lines, strings.Join(cells, "|"))
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return strings.Join(lines, "\n"), err
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

func want(t *testing.T, s source, expected, text string, args ...string) {
	t.Helper()
	firstLine, _, _ := strings.Cut(expected, "\n")
	got, err := ask(t.Context(), s, strings.Count(firstLine, "|")+1, text, args...)
	if err != nil {
		t.Errorf("%s: %v", text, err)
	} else if got != expected {
		t.Errorf("%s:\n%s\nwant\n%s", text, got, expected)
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
	for _, secret := range []string{"SELECT", "select", "secret", "data.duckdb", "Error"} {
		if strings.Contains(f.Message, secret) {
			t.Errorf("the message %q holds %q", f.Message, secret)
		}
	}
}

func TestCells(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t, "CREATE TABLE t (a INTEGER)")}, duckdb.Options{})
	want(t, db, `true|1|2|3|-4|5|6|7|1.5f|"x"|""|null|null`,
		"SELECT true, 1::TINYINT, 2::SMALLINT, 3::INTEGER, -4::BIGINT, 5::UTINYINT, 6::USMALLINT, 7::UINTEGER, 1.5::DOUBLE, 'x', '', NULL, NULL::VARCHAR")
	// Every argument is text; the statement casts it.
	want(t, db, `8|"1.50"|"a''b"`, "SELECT $1::INTEGER + 1, $2::DECIMAL(9, 2)::VARCHAR, $3", "7", "1.5", "a''b")
	want(t, db, `"UTC"`, "SELECT current_setting('TimeZone')")
	want(t, db, "", "SELECT a FROM main.t")
}

// A type without a cell is a mistake in the statement, never guessed at.
func TestTypesWithoutCell(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t)}, duckdb.Options{})
	for _, expr := range []string{
		"1.5::DECIMAL(9, 2)", "1::HUGEINT", "1::UBIGINT", "1::FLOAT", "DATE '2026-01-01'", "now()", "'{}'::JSON",
		"[1]", "'a'::ENUM('a')", "uuid()", "'x'::BLOB", "INTERVAL 1 DAY",
	} {
		_, err := ask(t.Context(), db, 1, "SELECT "+expr)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Internal || !strings.Contains(f.Message, "type") {
			t.Errorf("%s: %v", expr, err)
		}
	}
	want(t, db, "1", "SELECT 1")
}

func TestManyRows(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t)}, duckdb.Options{})
	err := db.Session(t.Context(), true, func(s sqlexec.Session) error {
		rows, err := s.Query(t.Context(), "SELECT i, 'row ' || i, NULL FROM range(5000) r(i) ORDER BY i", nil)
		if err != nil {
			return err
		}
		n := int64(0)
		for ; rows.Next(); n++ {
			if rows.Cell(0).Int != n || string(rows.Cell(1).Text) != fmt.Sprintf("row %d", n) || !rows.Cell(2).Null() {
				t.Fatalf("row %d: %v", n, rows.Cell(1))
			}
		}
		if n != 5000 {
			t.Errorf("%d rows", n)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A statement ends the rows of the one before, and a session what is left.
func TestRowsLeftOpen(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t)}, duckdb.Options{MaxConns: 1})
	for range 3 {
		for _, snapshot := range []bool{true, false} {
			err := db.Session(t.Context(), snapshot, func(s sqlexec.Session) error {
				first, err := s.Query(t.Context(), "SELECT i FROM range(9999) r(i)", nil)
				if err != nil {
					return err
				}
				first.Next()
				second, err := s.Query(t.Context(), "SELECT i FROM range(9999) r(i)", nil)
				if err != nil {
					return err
				}
				if first.Next() || !second.Next() {
					t.Error("the first rows go on, or the second do not begin")
				}
				return first.Close()
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "data.duckdb")
	_, err := duckdb.Open(catalog.DuckDBSpec{Path: missing}, duckdb.Options{})
	wantFault(t, err, fault.Unavailable)
	if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the missing file was made: %v", err)
	}
	_, err = duckdb.Open(catalog.DuckDBSpec{Files: map[string]string{"t": missing + ".csv"}}, duckdb.Options{})
	wantFault(t, err, fault.Unavailable)
	_, err = duckdb.Open(catalog.DuckDBSpec{}, duckdb.Options{})
	wantFault(t, err, fault.Unavailable)
}

func TestNotADatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.duckdb")
	if err := os.WriteFile(path, []byte(strings.Repeat("secret", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := duckdb.Open(catalog.DuckDBSpec{Path: path}, duckdb.Options{})
	wantFault(t, err, fault.Unavailable)
}

// Two sources may be the same file, as during a reload, and names that mean
// something in a URL mean nothing here.
func TestPaths(t *testing.T) {
	t.Parallel()
	plain := file(t, "CREATE TABLE t AS SELECT 7 AS a")
	odd := filepath.Join(t.TempDir(), "50% of a#b it's.db")
	if err := os.Link(plain, odd); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{plain, plain, odd} {
		want(t, open(t, catalog.DuckDBSpec{Path: path}, duckdb.Options{}), "7", "SELECT a FROM main.t")
	}
}

// Whatever statement got through: it writes nothing and reaches no other file.
func TestConfined(t *testing.T) {
	t.Parallel()
	path := file(t, "CREATE TABLE t AS SELECT 7 AS a", "COPY t TO '$dir/t.csv'", "COPY t TO '$dir/other.csv'")
	dir := filepath.Dir(path)
	dbs := map[string]*duckdb.DB{
		"database": open(t, catalog.DuckDBSpec{Path: path}, duckdb.Options{}),
		"files":    open(t, catalog.DuckDBSpec{Files: map[string]string{"t": filepath.Join(dir, "t.csv")}}, duckdb.Options{}),
	}
	for name, db := range dbs {
		for _, statement := range []string{
			"SELECT * FROM read_text('/etc/passwd')",
			"SELECT * FROM read_csv('" + dir + "/other.csv')",
			"SELECT * FROM '" + dir + "/other.csv'",
			"COPY (SELECT 1) TO '" + dir + "/new.csv'",
			"COPY (SELECT 1) TO '" + dir + "/t.csv'",
			"ATTACH '" + dir + "/new.duckdb'",
			"CREATE TABLE u (a INTEGER)",
			"INSERT INTO t VALUES (1)",
			"DROP VIEW t",
			"INSTALL httpfs",
			"LOAD '" + dir + "/x.duckdb_extension'",
			"SET enable_external_access =",
			"SET lock_configuration = false",
			"SET memory_limit = '1TB'",
			"SET GLOBAL allowed_paths = ['/etc/passwd']",
			"SELECT * FROM getenv('HOME')",
		} {
			_, err := ask(t.Context(), db, 1, statement)
			if err == nil {
				t.Errorf("%s: %s was done", name, statement)
			}
		}
		want(t, db, "7", "SELECT a FROM t")
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(file(t,
		`COPY (SELECT 1::BIGINT AS id, TIMESTAMP '2026-11-21 22:19:23.5' AS ts, TIMESTAMPTZ '2026-11-21 22:19:23+02' AS tz,
			12.30::DECIMAL(9, 2) AS "unit price (€)", -7::SMALLINT AS "a-b", 'x' AS "select") TO '$dir/orders.parquet'`,
		`COPY (SELECT 1 AS id, 'Ana' AS "full name", TIMESTAMP '2026-11-21 22:19:23' AS "at+") TO '$dir/people.csv'`,
		`COPY (SELECT 1 AS id, {a: 1} AS "the extra", 'it''s' AS txt) TO '$dir/notes.json'`,
	))
	db := open(t, catalog.DuckDBSpec{Files: map[string]string{
		"order lines": filepath.Join(dir, "orders.parquet"),
		"people":      filepath.Join(dir, "people.csv"),
		"notes":       filepath.Join(dir, "notes.json"),
	}}, duckdb.Options{})
	want(t, db, `1|"2026-11-21 22:19:23.5"|"2026-11-21 20:19:23+00"|"12.30"|-7|"x"`,
		`SELECT id, ts::VARCHAR, tz::VARCHAR, "unit price (€)"::VARCHAR, "a-b", "select" FROM main."order lines"`)
	want(t, db, `1|"Ana"|"2026-11-21 22:19:23"`, `SELECT id, "full name", "at+"::VARCHAR FROM main.people`)
	want(t, db, `1|"it's"`, `SELECT id, txt FROM main.notes`)

	tables, err := db.Introspect(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, table := range tables {
		if !table.View {
			t.Errorf("%s is not a view", table.Name)
		}
		for _, c := range table.Columns {
			found[table.Name+"."+c.Name] = c.Native
			if c.Supported {
				found[table.Name+"."+c.Name] += " " + c.Type.GraphQL()
			}
		}
	}
	expected := map[string]string{
		"order lines.id": "BIGINT BigInt", "order lines.ts": "TIMESTAMP LocalTimestamp",
		"order lines.tz": "TIMESTAMP WITH TIME ZONE Timestamp", "order lines.unit price (€)": "DECIMAL(9,2) Decimal",
		"order lines.a-b": "SMALLINT Int", "order lines.select": "VARCHAR String",
		"people.id": "BIGINT BigInt", "people.full name": "VARCHAR String", "people.at+": "TIMESTAMP LocalTimestamp",
		"notes.id": "BIGINT BigInt", "notes.the extra": "STRUCT(a BIGINT) JSON", "notes.txt": "VARCHAR String",
	}
	if diff := cmp.Diff(expected, found); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

const endless = "SELECT count(*) FROM range(10000000000) a(i), range(100000) b(j) WHERE i * j % 7 = 3"

func TestDeadline(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t)}, duckdb.Options{MaxConns: 1})
	for _, snapshot := range []bool{true, false} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		// A busy machine is late itself: what counts is the time since we
		// could have known.
		ended := make(chan time.Time, 1)
		context.AfterFunc(ctx, func() { ended <- time.Now() })
		err := db.Session(ctx, snapshot, func(s sqlexec.Session) error {
			_, err := s.Query(ctx, endless, nil)
			return err
		})
		wantFault(t, err, fault.Timeout)
		if took := time.Since(<-ended); took > 2*time.Second {
			t.Errorf("answered %s after the deadline", took)
		}
		// The one connection is free again, which it is not before the statement has ended.
		want(t, db, "1", "SELECT 1")
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t)}, duckdb.Options{MaxConns: 1})
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Session(ctx, true, func(s sqlexec.Session) error {
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err := s.Query(ctx, endless, nil)
		return err
	})
	wantFault(t, err, fault.Timeout)
	want(t, db, "1", "SELECT 1")
}

func TestWaitForConnection(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t)}, duckdb.Options{MaxConns: 1})
	err := db.Session(t.Context(), false, func(sqlexec.Session) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := ask(ctx, db, 1, "SELECT 1")
		return err
	})
	wantFault(t, err, fault.Timeout)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t, "CREATE TABLE t AS SELECT 'secret' AS a, 9e37::DECIMAL(38, 0) AS n")},
		duckdb.Options{MemoryLimit: 32 << 20, Threads: 1})
	for _, c := range []struct {
		statement string
		code      fault.Code
	}{
		{"SELECT b FROM main.t", fault.Unavailable},
		{"SELECT 1 FROM main.u", fault.Unavailable},
		{"SELECT a::INTEGER FROM main.t", fault.Internal},
		{"SELECT 1 +", fault.Internal},
		{"SELECT sum(n)::VARCHAR FROM main.t, range(2)", fault.TooComplex},
		{"SELECT count(*) FROM (SELECT DISTINCT i, i || 'secret' FROM range(100000000) r(i))", fault.TooComplex},
	} {
		_, err := ask(t.Context(), db, 1, c.statement)
		wantFault(t, err, c.code)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: a value in the cause: %v", c.statement, err)
		}
	}
	// The connection has survived each of them.
	want(t, db, `"secret"`, "SELECT a FROM main.t")
}

func TestConcurrentSessions(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t, "CREATE TABLE t AS SELECT i FROM range(1000) r(i)")}, duckdb.Options{MaxConns: 3})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { want(t, db, "499500", "SELECT sum(i)::BIGINT FROM main.t") })
	}
	group.Wait()
}

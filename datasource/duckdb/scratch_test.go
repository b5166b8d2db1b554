package duckdb_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"usher/datasource/duckdb"
	"usher/fault"
	"usher/value"
)

var caps = duckdb.Caps{MaxRows: 1_000_000, MaxBytes: 1 << 30}

// cells are rows given as values: nil, bool, int, float64 or string.
type cells struct {
	rows [][]any
	next int
	err  error
}

func (c *cells) Next() bool {
	c.next++
	return c.next <= len(c.rows)
}

func (c *cells) Cell(i int) value.Cell {
	switch v := c.rows[c.next-1][i].(type) {
	case bool:
		return value.Cell{Kind: value.KindBool, Bool: v}
	case int:
		return value.Cell{Kind: value.KindInt, Int: int64(v)}
	case float64:
		return value.Cell{Kind: value.KindFloat, Float: v}
	case string:
		return value.Cell{Kind: value.KindText, Text: []byte(v)}
	}
	return value.Cell{}
}

func (c *cells) Err() error { return c.err }

func (c *cells) Close() error { return nil }

func engine(t testing.TB, opts duckdb.Options) *duckdb.Engine {
	t.Helper()
	e := duckdb.NewEngine(opts)
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func scratch(t testing.TB, e *duckdb.Engine) *duckdb.Scratch {
	t.Helper()
	s, err := e.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func listOf(t value.Type) value.Type {
	t.List = true
	return t
}

// What has no memory for it beside another question may have it later; what has none alone is too much.
func TestMemoryBesideOthers(t *testing.T) {
	t.Parallel()
	e := engine(t, duckdb.Options{MemoryLimit: 64 << 20, Threads: 1})
	texts := make([][]any, 20_000)
	for i := range texts {
		texts[i] = []any{strings.Repeat(strconv.Itoa(i), 600)}
	}
	load := func(s *duckdb.Scratch, rows int) error {
		_, err := s.Load(t.Context(), "texts", []duckdb.ScratchColumn{{Name: "text", Type: value.Of(value.String)}}, &cells{rows: texts[:rows]}, caps)
		return err
	}
	first := scratch(t, e)
	if err := load(first, 10_000); err != nil {
		t.Fatal(err)
	}
	second := scratch(t, e)
	err := load(second, 10_000)
	if f := fault.From(err); err == nil || f.Code != fault.Unavailable || f.RetryAfter == 0 {
		t.Fatalf("beside another question: %v", err)
	}
	second.Close()
	first.Close()
	alone := scratch(t, e)
	if err := load(alone, 10_000); err != nil {
		t.Errorf("alone: %v", err)
	}
	alone.Close()
	if err := load(scratch(t, e), 20_000); err == nil || fault.From(err).Code != fault.TooComplex {
		t.Errorf("too much: %v", err)
	}
}

// Each wire form becomes a native value, and null stays null.
func TestLoadTypes(t *testing.T) {
	t.Parallel()
	enum := value.Type{Scalar: value.Enum, EnumName: "Mood", Labels: []string{"ok", "it's"}}
	for _, c := range []struct {
		typ    value.Type
		in     []any
		native string
		out    string
	}{
		{value.Of(value.Boolean), []any{true, nil}, "BOOLEAN", "true null"},
		{value.Of(value.Int), []any{-7, nil}, "INTEGER", "-7 null"},
		{value.Of(value.BigInt), []any{1 << 62}, "BIGINT", "4611686018427387904"},
		{value.Of(value.Float), []any{1.5, 1e300}, "DOUBLE", "1.5 1e+300"},
		{value.Of(value.String), []any{"x", "", nil, "ö'\x00\""}, "VARCHAR", "x  null ö'\x00\""},
		{value.Of(value.ID), []any{"007"}, "VARCHAR", "007"},
		{value.DecimalOf(9, 2), []any{"-12.30", nil}, "DECIMAL(9,2)", "-12.30 null"},
		{value.DecimalOf(0, 3), []any{"1"}, "DECIMAL(38,3)", "1.000"},
		{value.Of(value.Decimal), []any{"-12.30", "1", "0.12345", nil}, "DECIMAL(38,5)", "-12.30000 1.00000 0.12345 null"},
		{value.Of(value.Decimal), []any{"99999999999999999999999999999999999999"}, "DECIMAL(38,0)", "99999999999999999999999999999999999999"},
		{value.Of(value.Decimal), []any{"-0.00000000000000000000000000000000000001"}, "DECIMAL(38,38)", "-.00000000000000000000000000000000000001"},
		{value.Of(value.Decimal), []any{nil}, "DECIMAL(38,0)", "null"},
		// What the engine cannot hold is null, or what it is in other words.
		{value.Of(value.Decimal), []any{"NaN", "1.5", "Infinity", strings.Repeat("9", 39), "0." + strings.Repeat("0", 39) + "1", nil}, "DECIMAL(38,1)", "null 1.5 null null null null"},
		{value.DecimalOf(9, 2), []any{"NaN", "1.50"}, "DECIMAL(9,2)", "null 1.50"},
		{value.Of(value.Date), []any{"infinity", "0044-03-15 BC", "5874897-12-31"}, "DATE", "infinity 0044-03-15 (BC) 5874897-12-31"},
		{value.Of(value.Timestamp), []any{"-infinity", "0044-03-15 00:00:00+00 BC", "294276-12-31 23:59:59+00"}, "TIMESTAMP WITH TIME ZONE", "-infinity 0044-03-15 (BC) 00:00:00+00 null"},
		{value.Of(value.LocalTimestamp), []any{"0044-03-15 00:00:00.5 BC", "12000-01-01 00:00:00"}, "TIMESTAMP", "0044-03-15 (BC) 00:00:00.5 12000-01-01 00:00:00"},
		{listOf(value.Of(value.Date)), []any{`["infinity","0044-03-15 BC",null]`}, "DATE[]", "[infinity, '0044-03-15 (BC)', NULL]"},
		{value.Of(value.UUID), []any{"0e37df36-f698-11e6-8dd4-cb9ced3df976"}, "UUID", "0e37df36-f698-11e6-8dd4-cb9ced3df976"},
		{value.Of(value.Date), []any{"2026-11-21"}, "DATE", "2026-11-21"},
		{value.Of(value.Time), []any{"22:19:23", "22:19:23.5"}, "TIME", "22:19:23 22:19:23.5"},
		{value.Of(value.Timestamp), []any{"2026-11-21 22:19:23.5+00"}, "TIMESTAMP WITH TIME ZONE", "2026-11-21 22:19:23.5+00"},
		{value.Of(value.LocalTimestamp), []any{"2026-11-21 22:19:23.5"}, "TIMESTAMP", "2026-11-21 22:19:23.5"},
		{value.Of(value.Interval), []any{"14 -3 4500000", nil}, "INTERVAL", "1 year 2 months -3 days 00:00:04.5 null"},
		{value.Of(value.JSON), []any{`{"b":1.50, "a":[null]}`, "null", nil}, "JSON", `{"b":1.50, "a":[null]} null null`},
		{value.Of(value.Bytes), []any{"AAH/", ""}, "BLOB", `\x00\x01\xFF `},
		{enum, []any{"it's", nil}, "ENUM('ok', 'it''s')", "it's null"},
		{listOf(value.Of(value.String)), []any{`["a",null,"b\"c,"]`, "[]", nil}, "VARCHAR[]", `[a, NULL, 'b"c,'] [] null`},
		{listOf(value.Of(value.Int)), []any{`["1",null]`}, "INTEGER[]", "[1, NULL]"},
		{listOf(value.Of(value.Boolean)), []any{`["true","false"]`}, "BOOLEAN[]", "[true, false]"},
		{listOf(value.Of(value.Decimal)), []any{`["1.5",null]`, `["0.125"]`, "[]"}, "DECIMAL(38,3)[]", "[1.500, NULL] [0.125] []"},
		{listOf(value.Of(value.Interval)), []any{`["14 -3 4500000"]`}, "INTERVAL[]", "['1 year 2 months -3 days 00:00:04.5']"},
		{listOf(value.Of(value.Bytes)), []any{`["AAH/"]`}, "BLOB[]", `[\x00\x01\xFF]`},
		{listOf(enum), []any{`["it's"]`}, "ENUM('ok', 'it''s')[]", `['it\'s']`},
		{listOf(value.Of(value.Timestamp)), []any{`["2026-11-21 22:19:23.5+00"]`}, "TIMESTAMP WITH TIME ZONE[]", "['2026-11-21 22:19:23.5+00']"},
	} {
		s := scratch(t, engine(t, duckdb.Options{Threads: 1, MaxConns: 1}))
		rows := &cells{}
		for i, v := range c.in {
			rows.rows = append(rows.rows, []any{i, v})
		}
		columns := []duckdb.ScratchColumn{{Name: "n", Type: value.Of(value.Int)}, {Name: `the "value"`, Type: c.typ}}
		n, err := s.Load(t.Context(), "t", columns, rows, caps)
		if err != nil || n != len(c.in) {
			t.Errorf("%s %q: %d rows, %v", c.typ.GraphQL(), c.in, n, err)
			continue
		}
		want(t, s, strconv.Quote(c.out), `SELECT (SELECT string_agg(coalesce("the ""value"""::VARCHAR, 'null'), ' ' ORDER BY n) FROM t)`)
		want(t, s, strconv.Quote(c.native), `SELECT DISTINCT typeof("the ""value""") FROM t`)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	s := scratch(t, engine(t, duckdb.Options{}))
	text, number := value.Of(value.String), value.Of(value.BigInt)
	enum := value.Type{Scalar: value.Enum, EnumName: "Mood", Labels: []string{"ok"}}
	lost := fault.New(fault.Unavailable, "lost")
	for i, c := range []struct {
		typ  value.Type
		rows *cells
		caps duckdb.Caps
		code fault.Code
	}{
		{number, &cells{rows: [][]any{{1}, {2}, {3}}}, duckdb.Caps{MaxRows: 2, MaxBytes: 1000}, fault.TooComplex},
		{text, &cells{rows: [][]any{{strings.Repeat("x", 1000)}}}, duckdb.Caps{MaxRows: 2, MaxBytes: 1000}, fault.TooComplex},
		{text, &cells{rows: [][]any{{1}}}, caps, fault.Internal},
		{number, &cells{rows: [][]any{{"1"}}}, caps, fault.Internal},
		{text, &cells{rows: [][]any{{"\xff secret"}}}, caps, fault.Internal},
		{value.Of(value.Date), &cells{rows: [][]any{{"secret"}}}, caps, fault.Internal},
		{enum, &cells{rows: [][]any{{"ok"}, {"secret"}}}, caps, fault.NotImplemented},
		{listOf(enum), &cells{rows: [][]any{{`["ok"]`}, {`["ok","secret"]`}}}, caps, fault.NotImplemented},
		{value.Of(value.Int), &cells{rows: [][]any{{1 << 40}}}, caps, fault.Internal},
		{value.Of(value.Decimal), &cells{rows: [][]any{{"12345678901234567890"}, {"0.12345678901234567890"}}}, caps, fault.TooComplex},
		{number, &cells{rows: [][]any{{1}}, err: lost}, caps, fault.Unavailable},
	} {
		_, err := s.Load(t.Context(), "t"+strconv.Itoa(i), []duckdb.ScratchColumn{{Name: "a", Type: c.typ}}, c.rows, c.caps)
		wantFault(t, err, c.code)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("a value in the cause: %v", err)
		}
	}
	want(t, s, "1", "SELECT 1")
}

// A table is as large as the caps allow, and no larger; nothing is left of it
// for the next request.
func TestScratchLeavesNothing(t *testing.T) {
	t.Parallel()
	e := engine(t, duckdb.Options{})
	columns := []duckdb.ScratchColumn{{Name: "a", Type: value.Of(value.String)}}
	load := func(s *duckdb.Scratch, text string) {
		if _, err := s.Load(t.Context(), "t", columns, &cells{rows: [][]any{{text}}}, caps); err != nil {
			t.Fatal(err)
		}
	}
	first, second := scratch(t, e), scratch(t, e)
	load(first, "one")
	load(second, "two")
	want(t, first, `"one"`, "SELECT a FROM t")
	want(t, second, `"two"`, "SELECT a FROM t")
	first.Close()
	second.Close()
	third := scratch(t, e)
	if _, err := ask(t.Context(), third, 1, "SELECT a FROM t"); err == nil {
		t.Error("the table is still there")
	}
	want(t, third, "0", "SELECT count(*) FROM duckdb_tables()")
	want(t, third, "0", "SELECT count(*) FROM duckdb_types() WHERE NOT internal")
	for _, statement := range []string{"SELECT * FROM read_text('/etc/passwd')", "ATTACH 'x.duckdb'", "SET threads = 9"} {
		if _, err := ask(t.Context(), third, 1, statement); err == nil {
			t.Errorf("%s was done", statement)
		}
	}
}

// Requests that wait for a connection get one of their own, not the tables of
// the request that had it before.
func TestScratchIsNobodyElses(t *testing.T) {
	t.Parallel()
	e := engine(t, duckdb.Options{MaxConns: 1})
	columns := []duckdb.ScratchColumn{{Name: "a", Type: value.Of(value.String)}}
	var group errgroup.Group
	for range 20 {
		group.Go(func() error {
			s, err := e.Scratch(t.Context())
			if err != nil {
				return err
			}
			defer s.Close()
			_, err = s.Load(t.Context(), "rows", columns, &cells{rows: [][]any{{"x"}}}, caps)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func TestLoadCancelled(t *testing.T) {
	t.Parallel()
	e := engine(t, duckdb.Options{MaxConns: 1})
	s := scratch(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Load(ctx, "t", []duckdb.ScratchColumn{{Name: "a", Type: value.Of(value.BigInt)}}, &endlessRows{cancel: cancel}, caps)
	wantFault(t, err, fault.Timeout)
	s.Close()
	// The one connection is free again.
	want(t, scratch(t, e), "1", "SELECT 1")
}

// endlessRows cancels after 5000 rows and goes on.
type endlessRows struct {
	cells
	cancel context.CancelFunc
	n      int
}

func (r *endlessRows) Next() bool {
	if r.n++; r.n == 5000 {
		r.cancel()
	}
	return true
}

func (r *endlessRows) Cell(int) value.Cell { return value.Cell{Kind: value.KindInt, Int: int64(r.n)} }

func BenchmarkScratch(b *testing.B) {
	e := engine(b, duckdb.Options{})
	for b.Loop() {
		s, err := e.Scratch(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkLoad(b *testing.B) {
	e := engine(b, duckdb.Options{})
	columns := []duckdb.ScratchColumn{
		{Name: "id", Type: value.Of(value.BigInt)},
		{Name: "at", Type: value.Of(value.Timestamp)},
		{Name: "price", Type: value.DecimalOf(9, 2)},
		{Name: "name", Type: value.Of(value.String)},
	}
	row := []any{7, "2026-11-21 22:19:23.5+00", "12.30", "a name of usual length"}
	var all [][]any
	for range 100_000 {
		all = append(all, row)
	}
	for b.Loop() {
		s, err := e.Scratch(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Load(b.Context(), "t", columns, &cells{rows: all}, caps); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

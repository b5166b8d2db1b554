package sheet_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // reads what was written

	"usher/answer"
	"usher/answer/sheet"
	"usher/intake"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/value"
)

const types = `
sources: {main: {kind: duckdb, path: main.duckdb}}
strategies: {shared: {kind: shared, source: main}}
datasets:
  things:
    tenant: tenant
    key: i
    columns:
      i: Int!
      tenant: String!
      big: BigInt
      d9: {type: Decimal, precision: 9, scale: 2}
      d38: {type: Decimal, precision: 38, scale: 10}
      du: Decimal
      f: Float
      b: Boolean
      s: String
      u: UUID
      day: Date
      clock: Time
      at: Timestamp
      local: LocalTimestamp
      span: Interval
      j: JSON
      raw: Bytes
      e: {type: Enum, name: Mood, labels: [good, bad]}
      l: "[Int]"
      other_id: Int
    relations: {other: {to: things, on: {other_id: i}}, many: {to: things, many: true, on: {i: other_id}}}
`

func exported(t *testing.T, field string) plan.Query {
	t.Helper()
	who := principal.Principal{Subject: "ann", Tenant: "acme", TenantKey: "acme", Scopes: []principal.Scope{principal.ReadData, principal.ExportData}}
	x, err := plan.BuildExport(plantest.Request(t, field), plantest.Catalog(t, types, nil), who, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return x.Query()
}

const everything = `things { i big d9 d38 du f b s u day clock at local span j raw e l other { s } }`

// rows are those of everything; nil is null.
func rows(t *testing.T, q plan.Query, lists ...[]any) *value.Result {
	t.Helper()
	b := value.NewBuffer(q.Root().Columns())
	for _, list := range lists {
		if len(list) != b.Width() {
			t.Fatalf("%d cells for %d", len(list), b.Width())
		}
		for _, cell := range list {
			switch v := cell.(type) {
			case nil:
				b.Append(value.Cell{})
			case int:
				b.Append(value.Cell{Kind: value.KindInt, Int: int64(v)})
			case float64:
				b.Append(value.Cell{Kind: value.KindFloat, Float: v})
			case bool:
				b.Append(value.Cell{Kind: value.KindBool, Bool: v})
			case string:
				b.Append(value.Cell{Kind: value.KindText, Text: []byte(v)})
			}
		}
	}
	return &value.Result{Rows: b}
}

// full, empty and odd are a row each: of values, of nulls, and of values that some
// formats cannot hold.
func full() []any {
	return []any{
		-7, math.MinInt64, "-1234567.89", "-1234567890123456789012345678.0123456789", "1.50", 0.1, true, "a,\"b\"\n<i>=c</i>", "0190163d-8694-739b-aea5-966c26f8ad91",
		"0001-02-03", "23:59:59.25", "1969-12-31 23:59:59.999999+00", "2026-06-15 12:00:00", "14 -3 4500000", `{"a": [1, null]}`, "AAH/", "bad", `["1",null]`, 9, "other",
	}
}

func empty() []any {
	list := make([]any, 20)
	list[0] = 1
	return list
}

func odd() []any {
	list := empty()
	list[0], list[3], list[5], list[11], list[9], list[16] = 2, "NaN", math.Inf(1), "infinity", "10000-01-01", "fair"
	return list
}

func write(t *testing.T, f sheet.Format, q plan.Query, portions ...*value.Result) (text []byte, nulls int64) {
	t.Helper()
	var out bytes.Buffer
	s, err := sheet.New(f, &out, q, answer.Writing{Key: "things"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range portions {
		if err := s.Rows(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), s.Nulls()
}

// TestTypes: every type is written as it is documented, and read back as that.
func TestTypes(t *testing.T) {
	t.Parallel()
	q := exported(t, everything)
	portions := []*value.Result{rows(t, q, full(), empty()), rows(t, q, odd())}

	text, nulls := write(t, sheet.CSV, q, portions...)
	want := "i,big,d9,d38,du,f,b,s,u,day,clock,at,local,span,j,raw,e,l,other.s\n" +
		"-7,-9223372036854775808,-1234567.89,-1234567890123456789012345678.0123456789,1.5,0.1,true,\"a,\"\"b\"\"\n<i>=c</i>\",0190163d-8694-739b-aea5-966c26f8ad91," +
		"0001-02-03,23:59:59.25,1969-12-31T23:59:59.999999Z,2026-06-15T12:00:00,P1Y2M-3DT4.5S,\"{\"\"a\"\":[1,null]}\",AAH/,bad,\"[1,null]\",other\n" +
		"1,,,,,,,,,,,,,,,,,,\n2,,,,,,,,,,,,,,,,,,\n"
	if string(text) != want || nulls != 5 {
		t.Errorf("CSV with %d nulls:\n got %s\nwant %s", nulls, text, want)
	}

	text, nulls = write(t, sheet.NDJSON, q, portions...)
	first, rest, _ := strings.Cut(string(text), "\n")
	if nulls != 5 || strings.Count(rest, "\n") != 2 || !strings.HasPrefix(first, `{"i":-7,"big":-9223372036854775808,"d9":-1234567.89,`) || !strings.HasSuffix(first, `"l":[1,null],"other":{"s":"other"}}`) ||
		!strings.HasSuffix(rest, `"l":null,"other":null}`+"\n") {
		t.Errorf("NDJSON with %d nulls: %s", nulls, text)
	}

	text, nulls = write(t, sheet.Parquet, q, portions...)
	if nulls != 4 { // a double need not be finite
		t.Errorf("%d nulls in Parquet", nulls)
	}
	got := query(t, text, `SELECT "i","big","d9","d38","du","f","b","s","u","day","clock","at","local","span","j","raw","e","l","other.s" FROM f`)
	wantRows := []string{
		"-7|-9223372036854775808|-1234567.89|-1234567890123456789012345678.0123456789|1.5|0.1|true|a,\"b\"\n<i>=c</i>|0190163d-8694-739b-aea5-966c26f8ad91|" +
			"0001-02-03|23:59:59.25|1969-12-31 23:59:59.999999+00|2026-06-15 12:00:00|P1Y2M-3DT4.5S|{\"a\":[1,null]}|\\x00\\x01\\xFF|bad|[1,null]|other",
		"1" + strings.Repeat("|", 18), "2|||||inf" + strings.Repeat("|", 13),
	}
	if strings.Join(got, "\n") != strings.Join(wantRows, "\n") {
		t.Errorf("Parquet:\n got %q\nwant %q", got, wantRows)
	}
	kinds := query(t, text, `SELECT string_agg(column_type, ' ') FROM (DESCRIBE SELECT * FROM f)`)
	if kinds[0] != "INTEGER BIGINT DECIMAL(9,2) DECIMAL(38,10) VARCHAR DOUBLE BOOLEAN VARCHAR UUID DATE TIME TIMESTAMP WITH TIME ZONE TIMESTAMP VARCHAR JSON BLOB VARCHAR JSON VARCHAR" {
		t.Errorf("Parquet has the types %s", kinds)
	}
}

// query asks the engine about a Parquet file, f. Rows are texts with bars between.
func query(t *testing.T, file []byte, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.parquet")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "SET GLOBAL TimeZone = 'UTC'; CREATE VIEW f AS SELECT * FROM read_parquet('"+path+"')"); err != nil { //nolint:gosec // the test's own path
		t.Fatal(err)
	}
	found, err := db.QueryContext(t.Context(), "SELECT concat_ws('|', COLUMNS(*)::VARCHAR) FROM ("+text+")") //nolint:gosec // the test's own text
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for found.Next() {
		cells, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := found.Scan(to...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = c.String
		}
		out = append(out, strings.Join(texts, "|"))
	}
	return append(out, errText(found.Err())...)
}

func errText(err error) []string {
	if err == nil {
		return nil
	}
	return []string{err.Error()}
}

// TestNoRows: a file without rows is one.
func TestNoRows(t *testing.T) {
	t.Parallel()
	q := exported(t, `things { i s }`)
	for f, want := range map[sheet.Format]string{sheet.CSV: "i,s\n", sheet.NDJSON: ""} {
		if text, _ := write(t, f, q); string(text) != want {
			t.Errorf("%s: %q", f, text)
		}
	}
	text, _ := write(t, sheet.Parquet, q)
	if got := query(t, text, `SELECT count(*), count("i"), count("s") FROM f`); got[0] != "0|0|0" {
		t.Errorf("Parquet: %v", got)
	}
}

// TestManyPortions: a file of several row groups is one.
func TestManyPortions(t *testing.T) {
	t.Parallel()
	q := exported(t, `things { i s }`)
	var portions []*value.Result
	const each, n = 5000, 30
	for p := range n {
		lists := make([][]any, each)
		for i := range lists {
			lists[i] = []any{p*each + i, fmt.Sprint(i)}
		}
		portions = append(portions, rows(t, q, lists...))
	}
	text, _ := write(t, sheet.Parquet, q, portions...)
	if got := query(t, text, `SELECT count(*), sum("i"), count(DISTINCT "s") FROM f`); got[0] != "150000|11249925000|5000" {
		t.Errorf("%v", got)
	}
}

// TestRefused: a table has no lists, and a failing writer fails the file.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, f := range []sheet.Format{sheet.CSV, sheet.Parquet} {
		if _, err := sheet.New(f, nil, exported(t, `things { other { many { i } } }`), answer.Writing{}); err == nil || !strings.Contains(err.Error(), "other.many is a list") {
			t.Errorf("%s: %v", f, err)
		}
		q := exported(t, `things { i s }`)
		s, err := sheet.New(f, failing{}, q, answer.Writing{})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Rows(rows(t, q, []any{1, "a"}))
		if closing := s.Close(); err == nil {
			err = closing
		}
		if !errors.Is(err, errFull) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

// A file of one column says null by a line with nothing in it; usher reads it as it was.
func TestCSVOfOneColumn(t *testing.T) {
	t.Parallel()
	q := exported(t, `things { s }`)
	text, _ := write(t, sheet.CSV, q, rows(t, q, []any{"a"}, []any{nil}, []any{""}, []any{nil}))
	if string(text) != "s\na\n\n\"\"\n\n" {
		t.Fatalf("got %q", text)
	}
	read, err := intake.Open(intake.CSV, bytes.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{`"a"`, `query.Null{}`, `""`, `query.Null{}`} {
		if _, row, err := read.Next(); err != nil || fmt.Sprintf("%#v", row[0]) != want {
			t.Errorf("row %d is read as %#v, %v", n, row, err)
		}
	}
	if _, row, err := read.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("one more row: %v, %v", row, err)
	}
}

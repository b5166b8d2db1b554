package value_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"usher/value"
)

func text(s string) value.Cell { return value.Cell{Kind: value.KindText, Text: []byte(s)} }

func number(n int64) value.Cell { return value.Cell{Kind: value.KindInt, Int: n} }

func float(x float64) value.Cell { return value.Cell{Kind: value.KindFloat, Float: x} }

func listOf(t value.Type) value.Type {
	t.List = true
	return t
}

// TestAppendJSON writes wire forms in the one form each value has.
func TestAppendJSON(t *testing.T) {
	t.Parallel()
	f := func(typ value.Type, c value.Cell, style value.Style, want string) {
		t.Helper()
		got, err := value.AppendJSON([]byte("["), typ, c, style)
		if err != nil || string(got) != "["+want {
			t.Errorf("%s %s: %s, %v; want %s", typ.GraphQL(), value.WireText(c), got, err, want)
		}
		if !json.Valid(append(got, ']')) {
			t.Errorf("%s is no JSON", got)
		}
	}
	of, plain := value.Of, value.Style{}
	for s := value.Int; s <= value.Enum; s++ {
		f(of(s), value.Cell{}, plain, "null")
		f(listOf(of(s)), value.Cell{}, plain, "null")
	}

	// Numbers.
	asText := value.Style{NumbersAsText: true}
	f(of(value.Int), number(-2147483648), asText, "-2147483648")
	f(of(value.BigInt), number(math.MinInt64), plain, "-9223372036854775808")
	f(of(value.BigInt), number(math.MaxInt64), asText, `"9223372036854775807"`)
	f(value.DecimalOf(12, 2), text("1.5"), plain, "1.50")
	f(value.DecimalOf(12, 2), text("-0.00"), plain, "0.00")
	f(value.DecimalOf(12, 2), text("-0.10"), asText, `"-0.10"`)
	f(value.DecimalOf(12, 2), text("1.23400"), plain, "1.234")
	f(value.DecimalOf(12, 0), text("7.000"), plain, "7")
	f(value.DecimalOf(12, 2), number(5), plain, "5.00")
	f(of(value.Decimal), text("1.500"), plain, "1.5")
	f(of(value.Decimal), text("100"), plain, "100")
	f(of(value.Decimal), text("-0"), plain, "0")
	f(of(value.Decimal), text("000.10"), plain, "0.1")
	f(value.DecimalOf(38, 0), text(strings.Repeat("9", 38)), plain, strings.Repeat("9", 38))
	f(of(value.Float), float(math.Copysign(0, -1)), plain, "0")
	f(of(value.Float), float(0.1), plain, "0.1")
	f(of(value.Float), float(1e21), plain, "1e+21")
	f(of(value.Float), float(123456789012345680000), plain, "123456789012345680000")
	f(of(value.Float), float(0.000001), plain, "0.000001")
	f(of(value.Float), float(1e-7), plain, "1e-07")
	f(of(value.Float), float(0.30000000000000004), plain, "0.30000000000000004")
	f(of(value.Float), float(0.30000000000000004), value.Style{Rounded: true}, "0.3")
	f(of(value.Float), float(123456789012345), value.Style{Rounded: true}, "123456789012000")
	f(of(value.Float), float(-0.0000001234567890124), value.Style{Rounded: true}, "-1.23456789012e-07")
	f(of(value.Boolean), value.Cell{Kind: value.KindBool, Bool: true}, plain, "true")

	// Text.
	f(of(value.String), text("a\"b\\c\n\r\t\x01\x1f\u007fé😀"), plain, `"a\"b\\c\n\r\t\u0001\u001f`+"\u007fé😀\"")
	f(of(value.String), text("a\xffb\xc3"), plain, `"a`+"\ufffd"+`b`+"\ufffd"+`"`)
	f(of(value.String), text("</script>\u2028"), plain, `"</script>`+"\u2028"+`"`)
	f(of(value.ID), text("007"), plain, `"007"`)
	f(mood, text("sad"), plain, `"sad"`)
	f(of(value.UUID), text("123e4567-e89b-12d3-a456-426614174000"), plain, `"123e4567-e89b-12d3-a456-426614174000"`)
	f(of(value.Bytes), text("AAH/"), plain, `"AAH/"`)

	// Times.
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	f(of(value.Date), text("2026-11-21"), plain, `"2026-11-21"`)
	f(of(value.Time), text("22:19:23.500000"), plain, `"22:19:23.5"`)
	f(of(value.Time), text("22:19:20"), plain, `"22:19:20"`)
	f(of(value.Time), text("22:19:20.000"), plain, `"22:19:20"`)
	f(of(value.LocalTimestamp), text("2026-11-21 22:19:20.120"), plain, `"2026-11-21T22:19:20.12"`)
	f(of(value.Timestamp), text("2026-11-21 22:19:20+00"), plain, `"2026-11-21T22:19:20Z"`)
	f(of(value.Timestamp), text("2026-11-21 22:19:20.10+00"), value.Style{Zone: time.UTC}, `"2026-11-21T22:19:20.1Z"`)
	f(of(value.Timestamp), text("2026-11-21 23:30:00+00"), value.Style{Zone: madrid}, `"2026-11-22T00:30:00+01:00"`)
	f(of(value.Timestamp), text("2026-07-21 22:19:20.25+00"), value.Style{Zone: madrid}, `"2026-07-22T00:19:20.25+02:00"`)
	f(of(value.Timestamp), text("2026-10-25 00:30:00+00"), value.Style{Zone: madrid}, `"2026-10-25T02:30:00+02:00"`)
	f(of(value.Timestamp), text("2026-10-25 01:30:00+00"), value.Style{Zone: madrid}, `"2026-10-25T02:30:00+01:00"`)

	// Intervals.
	f(of(value.Interval), text("0 0 0"), plain, `"PT0S"`)
	f(of(value.Interval), text("14 3 14706500000"), plain, `"P1Y2M3DT4H5M6.5S"`)
	f(of(value.Interval), text("1 -3 4000001"), plain, `"P1M-3DT4.000001S"`)
	f(of(value.Interval), text("-14 0 -3600500000"), plain, `"P-1Y-2MT-1H-0.5S"`)
	f(of(value.Interval), text("0 0 -60000000"), plain, `"PT-1M"`)
	f(of(value.Interval), text("0 400 0"), plain, `"P400D"`)

	// JSON.
	f(of(value.JSON), text(` {"b": 1.50, "a": {"z": 1, "y": [ ]}, "é": "\u00e9/"} `), plain, `{"a":{"y":[],"z":1},"b":1.50,"é":"é/"}`)
	f(of(value.JSON), text("12345678901234567890123.0"), plain, "12345678901234567890123.0")

	// Lists.
	f(listOf(of(value.String)), text(`["a",null,"b\"c"]`), plain, `["a",null,"b\"c"]`)
	f(listOf(of(value.String)), text(`[]`), plain, `[]`)
	f(listOf(of(value.Int)), text(`["1",null,"-2"]`), plain, `[1,null,-2]`)
	f(listOf(of(value.BigInt)), text(`["9223372036854775807"]`), asText, `["9223372036854775807"]`)
	f(listOf(value.DecimalOf(5, 2)), text(`["1.5"]`), plain, `[1.50]`)
	f(listOf(of(value.Float)), text(`["1e21","-0"]`), plain, `[1e+21,0]`)
	f(listOf(of(value.Boolean)), text(`["true","f","t"]`), plain, `[true,false,true]`)
	f(listOf(of(value.Timestamp)), text(`["2026-11-21 22:19:20+00"]`), plain, `["2026-11-21T22:19:20Z"]`)
	f(listOf(of(value.Interval)), text(`["1 -3 0",null]`), plain, `["P1M-3D",null]`)
	f(listOf(mood), text(`["sad"]`), plain, `["sad"]`)
}

// TestOldOffsets: a zone that once was seconds off is written in whole minutes, and
// the moment is the same.
func TestOldOffsets(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Africa/Monrovia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := value.AppendText(nil, value.Of(value.Timestamp), text("1880-01-01 00:00:00+00"), value.Style{Zone: zone})
		if err != nil {
			t.Fatal(err)
		}
		back, err := value.Parse(value.Of(value.Timestamp), string(got))
		if err != nil || back.Text() != "1880-01-01 00:00:00+00" {
			t.Errorf("%s: %s is read as %s, %v", name, got, back.Text(), err)
		}
	}
}

func TestAppendJSONRefuses(t *testing.T) {
	t.Parallel()
	f := func(typ value.Type, c value.Cell, want error) {
		t.Helper()
		got, err := value.AppendJSON(nil, typ, c, value.Style{})
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s %s: %s, %v; want %v", typ.GraphQL(), value.WireText(c), got, err, want)
		}
		if typ.List {
			return
		}
		if got, err := value.AppendText(nil, typ, c, value.Style{}); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s %s as text: %s, %v; want %v", typ.GraphQL(), value.WireText(c), got, err, want)
		}
	}
	of := value.Of
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		f(of(value.Float), float(x), value.ErrNotFinite)
	}
	for _, x := range []string{"NaN", "Infinity", "-Infinity"} {
		f(of(value.Decimal), text(x), value.ErrNotFinite)
	}
	for _, x := range []int64{1 << 31, -1<<31 - 1, math.MaxInt64} {
		f(of(value.Int), value.Cell{Kind: value.KindInt, Int: x}, value.ErrInt)
	}
	for typ, x := range map[value.Scalar]string{ // columns that have become others
		value.LocalTimestamp: "2026-02-01 03:00:00+00", value.Timestamp: "2026-02-01 03:00:00", value.Date: "2026-02-01 03:00:00", value.UUID: "1", value.Time: "2026-02-01 03:00:00",
		value.Int: "7", value.BigInt: "7", value.Boolean: "t", value.Float: "x",
	} {
		f(of(typ), text(x), value.ErrDiffers)
	}
	size := value.Type{Scalar: value.Enum, EnumName: "Size", Labels: []string{"SMALL", "LARGE"}}
	f(size, text("HUGE"), value.ErrLabel)
	f(size, text("small"), value.ErrLabel)
	f(of(value.Decimal), text("1"+strings.Repeat("0", 38)), value.ErrTooLarge)
	f(value.DecimalOf(38, 2), text(strings.Repeat("9", 37)+".25"), value.ErrTooLarge)
	for _, typ := range []value.Scalar{value.Date, value.LocalTimestamp, value.Timestamp} {
		for _, x := range []string{
			"infinity", "-infinity", "0044-03-15 BC", "0044-03-15 00:00:00 BC", "0044-03-15 00:00:00+00 BC", "10000-01-01", "10000-01-01 00:00:00", "10000-01-01 00:00:00+00", "290309-12-22 (BC) 00:00:00+00",
			"0044-03-15 (BC)", "0044-03-15 (BC) 00:00:00", "0044-03-15 (BC) 00:00:00+00",
		} {
			f(of(typ), text(x), value.ErrYear)
		}
	}
	for _, x := range []string{`[["1","2"],["3","4"]]`, `[[null]]`} {
		f(listOf(of(value.Int)), text(x), value.ErrNested)
		f(listOf(of(value.String)), text(x), value.ErrNested)
	}
	f(listOf(of(value.Date)), text(`["infinity"]`), value.ErrYear)
	f(of(value.Interval), text("infinity"), value.ErrNotFinite)
	for _, x := range []string{"{", `{"a":NaN}`, "Infinity", "1 2", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)} {
		f(of(value.JSON), text(x), value.ErrNotJSON)
	}
	if got, err := value.AppendJSON(nil, of(value.Timestamp), text("9999-12-31 23:30:00+00"), value.Style{Zone: time.FixedZone("", 3600)}); !errors.Is(err, value.ErrYear) {
		t.Errorf("the year 10000 of a zone: %s, %v", got, err)
	}
	// Cells of another kind, and text that is no wire form.
	for s := value.Int; s <= value.Enum; s++ {
		wrong := text("x")
		if s > value.Boolean {
			wrong = value.Cell{Kind: value.KindBool}
		}
		f(of(s), wrong, nil)
		f(listOf(of(s)), value.Cell{Kind: value.KindBool}, nil)
		f(listOf(of(s)), text("{a,b}"), nil)
	}
	f(listOf(of(value.Int)), text(`["x"]`), nil)
	f(of(value.Interval), text("1 mon"), nil)
	f(of(value.Interval), text("a b c"), nil)
}

// TestRoundTrip answers a literal, and reads the answer as the same literal.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  value.Scalar
		text string
	}{
		{value.Timestamp, "2026-11-21T22:19:23.000001Z"},
		{value.LocalTimestamp, "2026-11-21T22:19:23.5"},
		{value.Interval, "P1Y2M-3DT-4H5M-6.5S"},
		{value.Interval, "PT-0.000001S"},
		{value.Decimal, "-12.345"},
		{value.JSON, `{"a":[1.50,null]}`},
		{value.Date, "0001-01-01"},
		{value.Time, "23:59:59.999999"},
		{value.Bytes, "AAH/"},
	} {
		typ := value.Of(c.typ)
		v, err := value.Parse(typ, c.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := value.AppendText(nil, typ, text(v.Text()), value.Style{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := value.Parse(typ, string(got))
		if err != nil || again.Text() != v.Text() {
			t.Errorf("%s %s: %q, then %s, then %q, %v", c.typ, c.text, v.Text(), got, again.Text(), err)
		}
	}
}

// FuzzQuoted writes any bytes as a JSON string that reads as the same text.
func FuzzQuoted(f *testing.F) {
	for _, seed := range []string{"", "a\"b\\", "\x00\x1f", "é😀", "\xff\xfe", "a\xc3", "\u2028"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		out := value.AppendQuoted(nil, raw)
		var back string
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatalf("%q gives %s: %v", raw, out, err)
		}
		if !utf8.Valid(out) || utf8.Valid(raw) && back != string(raw) {
			t.Fatalf("%q gives %s", raw, out)
		}
	})
}

// FuzzCanonicalJSON writes any JSON once and for all.
func FuzzCanonicalJSON(f *testing.F) {
	for _, seed := range []string{`{"b":1,"a":[1.50,{"c":null}]}`, `"\ud800"`, "1e400", "[[]]", "{} x", `{"a":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := value.CanonicalJSON(nil, raw)
		if err != nil {
			return
		}
		if !json.Valid(once) {
			t.Fatalf("%q gives %q", raw, once)
		}
		twice, err := value.CanonicalJSON(nil, once)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("%q gives %q, then %q, %v", raw, once, twice, err)
		}
	})
}

// FuzzSpan reads any duration, and its ISO form again.
func FuzzSpan(f *testing.F) {
	for _, seed := range []string{"P1Y2M3DT4H5M6.5S", "-P1M-3D", "PT0S", "P1W", "PT-0.000001S"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, iso string) {
		s, err := value.ParseSpan(iso)
		if err != nil {
			return
		}
		out, err := value.AppendText(nil, value.Of(value.Interval), text(s.Wire()), value.Style{})
		if err != nil {
			t.Fatalf("%q gives %q: %v", iso, s.Wire(), err)
		}
		if again, err := value.ParseSpan(string(out)); err == nil && again != s {
			t.Fatalf("%q is %v, answered as %s, which is %v", iso, s, out, again)
		}
	})
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	b := value.NewBuffer(2)
	long := strings.Repeat("y", 100_000)
	reused := []byte("x")
	for _, s := range []string{"x", long, "z"} {
		reused = append(reused[:0], s...)
		b.Append(value.Cell{Kind: value.KindText, Text: reused})
		b.Append(number(int64(len(s))))
	}
	b.Append(number(1)) // half a row is none
	if b.Len() != 3 || b.Width() != 2 || b.Bytes() != len(long)+2 {
		t.Errorf("%d rows of %d, %d bytes", b.Len(), b.Width(), b.Bytes())
	}
	for i, s := range []string{"x", long, "z"} {
		if row := b.Row(i); string(row.Cell(0).Text) != s || row.Cell(1).Int != int64(len(s)) {
			t.Errorf("row %d is %.20q %d", i, row.Cell(0).Text, row.Cell(1).Int)
		}
	}
}

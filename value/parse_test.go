package value_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"usher/value"
)

var mood = value.Type{Scalar: value.Enum, EnumName: "Mood", Labels: []string{"sad", "ok"}}

// TestParse reads literals of each scalar: what is accepted, and its canonical
// text.
func TestParse(t *testing.T) {
	t.Parallel()
	f := func(typ value.Type, text, want string) {
		t.Helper()
		v, err := value.Parse(typ, text)
		if err != nil || v.Text() != want || v.Null() || v.Type().Scalar != typ.Scalar {
			t.Errorf("%s %q: %q, %v; want %q", typ.GraphQL(), text, v.Text(), err, want)
			return
		}
		if typ.Scalar == value.Timestamp || typ.Scalar == value.LocalTimestamp || typ.Scalar == value.Interval {
			return // their canonical text is the wire form, not a literal
		}
		if again, err := value.Parse(typ, v.Text()); err != nil || again.Text() != want {
			t.Errorf("%s: the canonical %q is read as %q, %v", typ.GraphQL(), want, again.Text(), err)
		}
	}
	of := value.Of
	f(of(value.Int), "-2147483648", "-2147483648")
	f(of(value.Int), "-0", "0")
	f(of(value.Int), "0", "0")
	f(of(value.BigInt), "10", "10")
	f(of(value.BigInt), "-10", "-10")
	f(of(value.BigInt), "9223372036854775807", "9223372036854775807")
	f(of(value.BigInt), "-9223372036854775808", "-9223372036854775808")
	f(of(value.Time), "24:00:00", "24:00:00")
	f(of(value.Time), "24:00:00.000", "24:00:00")
	f(of(value.Decimal), "1.50", "1.5")
	f(of(value.Decimal), "-0.00", "0")
	f(of(value.Decimal), "0", "0")
	f(of(value.Decimal), "0.05", "0.05")
	f(of(value.Decimal), "10", "10")
	f(of(value.Decimal), "10.01", "10.01")
	f(of(value.Decimal), "-10.01", "-10.01")
	f(of(value.Decimal), "1.5e3", "1500")
	f(of(value.Decimal), "1.5E-3", "0.0015")
	f(of(value.Decimal), "-12e+1", "-120")
	f(of(value.Decimal), "-0", "0")
	f(of(value.Decimal), "-0.5E+1", "-5")
	f(of(value.Decimal), "0e99", "0")
	f(of(value.Decimal), strings.Repeat("9", 38), strings.Repeat("9", 38))
	f(of(value.Decimal), "0."+strings.Repeat("0", 37)+"1", "0."+strings.Repeat("0", 37)+"1")
	f(of(value.Decimal), "0."+strings.Repeat("0", 50), "0")
	f(of(value.JSON), `{"b": [1E+2, -0.50], "a": "\\\"1e9999\\\\"}`, `{"a":"\\\"1e9999\\\\","b":[1E+2,-0.50]}`)
	f(of(value.JSON), "1e999", "1e999")
	f(of(value.JSON), strings.Repeat("9", 1000), strings.Repeat("9", 1000))
	f(of(value.Float), "1.50", "1.5")
	f(of(value.Float), "-0.0", "0")
	f(of(value.Float), "-0.5e-1", "-0.05")
	f(of(value.Float), "1E+3", "1000")
	f(of(value.Float), "1e21", "1e+21")
	f(of(value.Float), "5e-324", "5e-324")
	f(of(value.Float), "0.1", "0.1")
	f(of(value.Boolean), "true", "true")
	f(of(value.String), "É 😀\n", "É 😀\n")
	f(of(value.String), "", "")
	f(of(value.ID), "007", "007")
	f(of(value.UUID), "123E4567-e89b-12d3-A456-426614174000", "123e4567-e89b-12d3-a456-426614174000")
	f(of(value.Date), "2028-02-29", "2028-02-29")
	f(of(value.Date), "0001-01-01", "0001-01-01")
	f(of(value.Time), "22:19:23.500000", "22:19:23.5")
	f(of(value.Time), "00:00:00.000", "00:00:00")
	f(of(value.Timestamp), "2026-11-21T22:19:23Z", "2026-11-21 22:19:23+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23.5Z", "2026-11-21 22:19:23.5+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23.123456Z", "2026-11-21 22:19:23.123456+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23.123456000Z", "2026-11-21 22:19:23.123456+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23.1234560000000Z", "2026-11-21 22:19:23.123456+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23+23:59", "2026-11-20 22:20:23+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23-14:00", "2026-11-22 12:19:23+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23-00:00", "2026-11-21 22:19:23+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23.500Z", "2026-11-21 22:19:23.5+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23.000Z", "2026-11-21 22:19:23+00")
	f(of(value.Timestamp), "2026-11-21T22:19:23.5-05:30", "2026-11-22 03:49:23.5+00")
	f(of(value.Timestamp), "9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999+00")
	f(of(value.LocalTimestamp), "2026-11-21T22:19:23", "2026-11-21 22:19:23")
	f(of(value.LocalTimestamp), "2026-11-21T22:19:23.000000000", "2026-11-21 22:19:23")
	f(of(value.LocalTimestamp), "2026-11-21T22:19:23.120", "2026-11-21 22:19:23.12")
	f(of(value.Interval), "P1Y2M3DT4H5M6.5S", "14 3 14706500000")
	f(of(value.Interval), "-P1M", "-1 0 0")
	f(of(value.Interval), "P1M-3D", "1 -3 0")
	f(of(value.Interval), "PT-0.5S", "0 0 -500000")
	f(of(value.Interval), "-PT-0.5S", "0 0 500000")
	f(of(value.Interval), "P2W", "0 14 0")
	f(of(value.Interval), "PT0S", "0 0 0")
	f(of(value.Interval), "PT100H", "0 0 360000000000")
	f(of(value.JSON), ` { "b": 1.50, "a": [null, true, "\u00e9"], "b": 2 } `, `{"a":[null,true,"é"],"b":2}`)
	f(of(value.JSON), "1e2", "1e2")
	f(of(value.JSON), "null", "null")
	f(of(value.Bytes), "AAH/", "AAH/")
	f(of(value.Bytes), "", "")
	f(mood, "sad", "sad")
	list := mood
	list.List = true
	f(list, "ok", "ok")
}

// TestParseRefuses reads literals that are not exactly values of their types.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ   value.Type
		texts []string
	}{
		{value.Of(value.Int), []string{"", " 1", "1 ", "2147483648", "-2147483649", "1.0", "1e3", "0x1", "1_000", "--1", "١", "+7", "007", "-07", "00", "-00", "+0", "-"}},
		{value.Of(value.BigInt), []string{"", "9223372036854775808", "1.0", "1e3", "0b1", "007", "+7", "-007", "00", "+0"}},
		{value.Of(value.Decimal), []string{
			"", ".5", "5.", "+1", "1,5", "NaN", "Infinity", "1e", "1e100", "1e-100", "e5", "-", "1.2.3", "--1",
			strings.Repeat("9", 39), "1e38", "0." + strings.Repeat("0", 38) + "1", "1e1e1", "0x10", "1_0",
			"00.5", "00", "-00", "007", "-007.5", "00e1",
		}},
		{value.Of(value.Float), []string{"", "NaN", "inf", "-Infinity", "1e309", "0x1p3", "1_0", "1,5", "+1", "007", "-00.5", ".5", "-.5", "5.", "5.e3"}},
		{value.Of(value.Boolean), []string{"", "TRUE", "1", "t", "yes"}},
		{value.Of(value.String), []string{"\x00", "a\x00b", "\xff", "\xed\xa0\x80"}},
		{value.Of(value.UUID), []string{"", "123e4567e89b12d3a456426614174000", "{123e4567-e89b-12d3-a456-426614174000}", "123e4567-e89b-12d3-a456-42661417400g", "123e4567-e89b-12d3-a456-42661417400"}},
		{value.Of(value.Date), []string{"", "2027-02-29", "0000-01-01", "10000-01-01", "2026-1-1", "2026-11-21T00:00:00Z", "infinity", "-001-01-01"}},
		{value.Of(value.Time), []string{"", "24:00:00.1", "24:00:01", "24:01:00", "22:19", "22:19:60", "22:19:23.", "22:19:23.1234567", "2:19:23", "22:19:23Z", "22:19:23.5a"}},
		{value.Of(value.Timestamp), []string{
			"", "2026-11-21", "2026-11-21T22:19:23", "2026-11-21 22:19:23Z", "2026-11-21T22:19:23.1234567Z", "0000-12-31T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:30:00-01:00", "infinity",
			"2026-11-21T22:19:23+24:00", "2026-11-21T22:19:23-24:00", "2026-11-21T22:19:23+23:60", "2026-11-21T22:19:23.5+24:00", "2026-11-21T22:19:23+1:00", "2026-11-21T22:19:23+0100", "2026-11-21T22:19:23,5Z", "2026-11-21T2:19:23.55Z",
			"2026-11-21T2:19:23Z", "2026-11-21T22:19:23.1234560001Z", "2026-11-21T22:19:23.1234560001+01:00", "2026-11-21t22:19:23Z", "2026-11-21T22:19:23z", "2026-11-21T22:19:60Z", "2026-11-21T24:00:00Z", "2026-11-21T22:19:23.Z",
		}},
		{value.Of(value.LocalTimestamp), []string{
			"", "2026-11-21T22:19:23Z", "2026-11-21", "2026-11-21T22:19:23.1234567", "0000-12-31T00:00:00",
			"2026-11-21T22:19:23,5", "2026-11-21T2:19:23", "2026-11-21T2:19:23.5", "2026-11-21T22:19:23.1234560001", "2026-11-21T22:19:23.", "2026-11-21 22:19:23", "2026-11-21T24:00:00",
		}},
		{value.Of(value.Interval), []string{
			"", "P", "PT", "P1", "1D", "P1DT", "P1H", "PT1D", "P1D1M", "PT1S1M", "P1.5D", "PT1.S", "PT1.1234567S", "P1D1D", "+P1D", "P--1D", "PT1ST1S", "P1M2M",
			"P999999999Y", "P9999999999D", "1 day", "P1é",
		}},
		{value.Of(value.JSON), []string{"", "{", "{} {}", "{a:1}", "nul", "[1,]", "NaN", "1]", "{}}", "[1], 2"}},
		{value.Of(value.Bytes), []string{"A", "AA", "AAH_", "AA H", "AAH/\n", "AB=="}},
		{mood, []string{"", "Sad", "angry"}},
		{value.Of(value.String), []string{strings.Repeat("x", 1<<20+1)}},
	} {
		for _, text := range c.texts {
			if v, err := value.Parse(c.typ, text); err == nil {
				t.Errorf("%s takes %.50q as %.50q", c.typ.GraphQL(), text, v.Text())
			} else if !v.Null() {
				t.Errorf("%s refuses %.50q and returns a value", c.typ.GraphQL(), text)
			}
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	if v := (value.Value{}); !v.Null() {
		t.Error("the zero value is not null")
	}
	if v := value.Bound(value.Of(value.Int), value.Cell{}); !v.Null() || v.Type().Scalar != value.Int {
		t.Errorf("a null cell is bound as %v", v)
	}
	for _, c := range []struct {
		cell value.Cell
		want string
	}{
		{value.Cell{Kind: value.KindInt, Int: -5}, "-5"},
		{value.Cell{Kind: value.KindBool, Bool: true}, "true"},
		{value.Cell{Kind: value.KindFloat, Float: 0.1}, "0.1"},
		{value.Cell{Kind: value.KindText, Text: []byte("x")}, "x"},
	} {
		if v := value.Bound(value.Of(value.String), c.cell); v.Text() != c.want || v.Null() {
			t.Errorf("%v is bound as %q", c.cell, v.Text())
		}
	}
	if whole, fraction := value.DecimalShape("-12.345"); whole != 2 || fraction != 3 {
		t.Errorf("-12.345 has %d and %d digits", whole, fraction)
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	for s := value.Int; s <= value.Enum; s++ {
		if found, ok := value.ScalarByName(s.String()); ok != (s != value.Enum) || ok && found != s {
			t.Errorf("%s is found as %v", s, found)
		}
	}
	if got := value.Scalar(99).String(); got != "Scalar(99)" {
		t.Error(got)
	}
	list := mood
	list.List = true
	if list.GraphQL() != "[Mood]" || list.Elem().GraphQL() != "Mood" || list.Sortable() || list.Groupable() || list.Ordered() {
		t.Errorf("a list of an enum is %+v", list)
	}
	for typ, want := range map[string]bool{"Int": true, "BigInt": true, "Float": false, "String": false} {
		s, _ := value.ScalarByName(typ)
		if value.Of(s).Squarable() != want {
			t.Errorf("%s squarable: %t", typ, !want)
		}
	}
	if !value.DecimalOf(18, 2).Squarable() || value.DecimalOf(19, 2).Squarable() || value.Of(value.Decimal).Squarable() {
		t.Error("decimals up to 18 digits are squarable, no others")
	}
}

// FuzzParse reads any text as any scalar. What is taken is text an engine
// takes as well, and is canonical: read again it stays the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1", "-1.5e3", "P1M-3DT1.5S", "2026-11-21T22:19:23.5+02:00", `{"a":[1]}`, "AAH/", "22:19:23.5", "sad", "\x00", "00.10"} {
		for s := value.Int; s <= value.Enum; s++ {
			f.Add(uint8(s), seed)
		}
	}
	f.Fuzz(func(t *testing.T, scalar uint8, text string) {
		typ := value.Of(value.Scalar(scalar%uint8(value.Enum)) + 1)
		if typ.Scalar == value.Enum {
			typ = mood
		}
		v, err := value.Parse(typ, text)
		if err != nil {
			return
		}
		if !utf8.ValidString(v.Text()) || strings.Contains(v.Text(), "\x00") {
			t.Fatalf("%s: %q gives %q", typ.GraphQL(), text, v.Text())
		}
		cell := value.Cell{Kind: value.KindText, Text: []byte(v.Text())}
		switch typ.Scalar {
		case value.Int, value.BigInt, value.Float, value.Boolean:
			return // these cells are no text
		default:
		}
		out, err := value.AppendJSON(nil, typ, cell, value.Style{})
		if err != nil {
			t.Fatalf("%s: %q gives %q, which is no cell: %v", typ.GraphQL(), text, v.Text(), err)
		}
		literal := string(out)
		if typ.Scalar == value.JSON || typ.Scalar == value.Decimal {
			if again, err := value.Parse(typ, literal); err != nil || again.Text() != v.Text() {
				t.Fatalf("%s: %q is answered as %s and read again as %q, %v", typ.GraphQL(), text, literal, again.Text(), err)
			}
		}
	})
}

package plan

import (
	"testing"

	"usher/value"
)

// TestAligned: the longest unit that begins at a time.
func TestAligned(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Unit{
		"2026-01-01T00:00:00Z":      Year,
		"2026-07-01T00:00:00Z":      Quarter,
		"2026-02-01T00:00:00Z":      Month,
		"2026-02-02T00:00:00Z":      Day,
		"2026-02-02T01:00:00Z":      Hour,
		"2026-02-02T00:01:00Z":      Minute,
		"2026-02-02T00:00:01Z":      Second,
		"2026-02-02T00:00:00.5Z":    raw,
		"2026-01-01T00:00:00+01:00": Hour, // 23:00 in UTC
	} {
		v, err := value.Parse(value.Of(value.Timestamp), text)
		if err != nil {
			t.Fatal(err)
		}
		if got := aligned(v); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestDimensions: a time is cut as fine as the finest use of it needs.
func TestDimensions(t *testing.T) {
	t.Parallel()
	at := Expr{op: Column, typ: value.Of(value.Timestamp), name: "at"}
	bound := func(text string) Expr {
		v, err := value.Parse(value.Of(value.Timestamp), text)
		if err != nil {
			t.Fatal(err)
		}
		return literal(v)
	}
	by := func(unit Unit, zone string) Expr {
		return Expr{op: Bucket, typ: at.typ, args: []Expr{at}, unit: unit, zone: zone}
	}
	for name, c := range map[string]struct {
		exprs []Expr
		want  Unit
	}{
		"months":              {[]Expr{by(Month, "UTC")}, Month},
		"weeks":               {[]Expr{by(Week, "UTC")}, Day},
		"weeks and months":    {[]Expr{by(Month, "UTC"), by(Week, "UTC")}, Day},
		"of another zone":     {[]Expr{by(Month, "Europe/Berlin")}, raw},
		"a unit of no list":   {[]Expr{by("millisecond", "UTC")}, raw},
		"from a day on":       {[]Expr{by(Month, "UTC"), predicate(Gte, at, bound("2026-02-02T00:00:00Z"))}, Day},
		"before a month":      {[]Expr{by(Year, "UTC"), predicate(Lt, at, bound("2026-02-01T00:00:00Z"))}, Month},
		"until a day":         {[]Expr{by(Month, "UTC"), predicate(Lte, at, bound("2026-02-02T00:00:00Z"))}, raw},
		"after a day":         {[]Expr{by(Month, "UTC"), predicate(Gt, at, bound("2026-02-02T00:00:00Z"))}, raw},
		"either of two years": {[]Expr{anyOf([]Expr{predicate(Lt, at, bound("2025-01-01T00:00:00Z")), predicate(Gte, at, bound("2026-01-01T00:00:00Z"))})}, Year},
		"none":                {[]Expr{not(among(IsNull, at, nil))}, raw},
	} {
		d := dimensions{}
		for _, e := range c.exprs {
			d.read(e)
		}
		if got, ok := d["at"]; !ok || got != c.want {
			t.Errorf("%s: %q %t, want %q", name, got, ok, c.want)
		}
	}
}

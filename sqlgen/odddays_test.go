package sqlgen_test

import (
	"fmt"
	"strings"
	"testing"
)

// compareTo moves each earlier row later by the period, by the calendar, and onto
// the last day of a month that is too short. So each row is compared once: what
// days say adds up to what their months say.
func TestOddDays(t *testing.T) {
	t.Parallel()
	for typ, day := range map[string]func(string) string{
		"date":        func(d string) string { return `"` + d + `"` },
		"timestamp":   func(d string) string { return `"` + d + `T00:00:00"` },
		"timestamptz": func(d string) string { return `"` + d + `T00:00:00Z"` },
	} {
		days := []string{
			"2023-02-28", "2024-02-28", "2024-02-29", "2024-03-01", "2024-12-30", "2025-02-28", "2025-03-01", "2025-03-28", "2025-03-31",
			"2026-01-28", "2026-01-31", "2026-02-28", "2026-03-31", "2026-12-30",
		}
		values := make([]string, len(days))
		for i, d := range days {
			values[i] = "'" + d + "'"
		}
		e := cells(t, typ, values, "'2024-02-29'", "'2023-02-28'")
		previous := func(unit, period, where string, want ...string) { // bucket now before
			t.Helper()
			var groups []string
			for _, w := range want {
				f := strings.Fields(w)
				before := "null"
				if f[2] != "-" {
					before = `{"count":` + f[2] + `}`
				}
				groups = append(groups, fmt.Sprintf(`{"key":{"x":%s},"count":%s,"previous":%s}`, day(f[0]), f[1], before))
			}
			e.same(`cellsAggregate(compareTo: {x: `+period+`}, where: {x: {`+where+`}}) { key { x(by: `+unit+`) } count previous { count } }`, "["+strings.Join(groups, ",")+"]")
		}
		between := func(from, to string) string { return "gte: " + day(from) + ", lt: " + day(to) }

		// The day after a leap year's end of February has two days before it; the leap day has none.
		previous("DAY", "{n: 1, unit: YEAR}", between("2025-02-01", "2025-03-02"), "2025-02-28 1 2", "2025-03-01 1 1")
		previous("DAY", "{n: 1, unit: YEAR}", between("2024-02-01", "2024-03-01"), "2024-02-28 1 1", "2024-02-29 1 -")
		previous("MONTH", "{n: 1, unit: YEAR}", between("2025-02-01", "2025-03-01"), "2025-02-01 1 2")
		previous("MONTH", "{n: 1, unit: YEAR}", between("2024-02-01", "2024-03-01"), "2024-02-01 2 1")
		previous("DAY", "{n: 4, unit: QUARTER}", between("2025-02-01", "2025-03-01"), "2025-02-28 1 2")
		previous("DAY", "{n: 2, unit: YEAR}", between("2026-02-01", "2026-03-01"), "2026-02-28 1 2")

		// The last day of a short month has the days beyond it of the month before.
		previous("DAY", "{n: 1, unit: MONTH}", between("2026-02-01", "2026-03-01"), "2026-02-28 1 2")
		previous("DAY", "{n: 1, unit: MONTH}", between("2026-03-01", "2026-04-01"), "2026-03-31 1 -")
		previous("MONTH", "{n: 1, unit: MONTH}", between("2026-03-01", "2026-04-01"), "2026-03-01 1 1")
		e.same(`cellsAggregate(compareTo: {x: {n: 1, unit: MONTH}}, where: {x: {`+between("2026-02-01", "2026-03-01")+`}}) { count previous { count } }`, `[{"count":1,"previous":{"count":2}}]`)

		// A year moves dates, not weeks: 30 December 2024 is a Monday, and a Tuesday a year later; weeks are compared by weeks,
		// of which a 53rd is one like any other.
		previous("WEEK", "{n: 1, unit: YEAR}", between("2026-12-28", "2027-01-04"), "2026-12-28 1 -")
		previous("WEEK", "{n: 2, unit: YEAR}", between("2026-12-28", "2027-01-04"), "2026-12-28 1 1")
		previous("WEEK", "{n: 104, unit: WEEK}", between("2026-12-28", "2027-01-04"), "2026-12-28 1 1")
		previous("WEEK", "{n: 52, unit: WEEK}", between("2026-03-30", "2026-04-06"), "2026-03-30 1 1")
	}
}

// first and last go by the order that is said once for the aggregate, or by their own.
func TestRowsBy(t *testing.T) {
	t.Parallel()
	e := start(t, `
		CREATE TABLE cells (tenant text NOT NULL, id int NOT NULL, kind text, at timestamptz, x int, PRIMARY KEY (tenant, id));
		INSERT INTO cells VALUES ('a', 1, 'p', '2026-03-01', 3), ('a', 2, 'p', '2026-01-01', 1), ('a', 3, 'q', NULL, 7), ('a', 4, 'q', '2026-02-01', 5), ('b', 1, 'p', '2020-01-01', 99);`, plain)
	e.same("cellsAggregate(rowsBy: at) { key { kind } x { first last id: first(by: \"id\") } }",
		`[{"key":{"kind":"p"},"x":{"first":1,"last":3,"id":3}},{"key":{"kind":"q"},"x":{"first":5,"last":5,"id":7}}]`)
	e.same("cellsAggregate(rowsBy: at, having: {x: {first: {gt: 1}}}) { key { kind } }", `[{"key":{"kind":"q"}}]`)
	e.same("cellsAggregate(rowsBy: at, orderBy: [{x: {first: {direction: DESC}}}]) { key { kind } }", `[{"key":{"kind":"q"}},{"key":{"kind":"p"}}]`)
	e.grant = `, having: {cells: {x: {first: {by: "id", eq: 3}}}}` // a token's condition goes by its own word, whatever is asked
	e.same("cellsAggregate(rowsBy: at) { key { kind } x { first } }", `[{"key":{"kind":"p"},"x":{"first":1}}]`)
}

// In UTC an instant is cut without its zone's calendar; the buckets are those of any
// other zone that has the same time.
func TestBucketsInUTC(t *testing.T) {
	t.Parallel()
	e := cells(t, "timestamptz", []string{
		"'0001-01-01T00:00:00Z'", "'0004-02-29T12:00:00Z'", "'1582-10-10T10:10:10.123456Z'", "'1969-12-31T23:59:59.999999Z'", "'1970-01-01T00:00:00Z'",
		"'2024-02-29T23:30:00.000001Z'", "'2024-12-30T00:00:00Z'", "'2026-03-29T01:30:00Z'", "'9999-12-31T23:59:59.999999Z'", "'infinity'", "'-infinity'", "NULL",
	})
	for _, unit := range []string{"MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"} {
		text := `cellsAggregate(timezone: "%s") { key { x(by: ` + unit + `) } count }`
		postgres, duckdb := e.both(fmt.Sprintf(text, "UTC"))
		_, other := e.both(fmt.Sprintf(text, "Etc/GMT"))
		other = strings.ReplaceAll(other, "+00:00", "Z")
		if postgres != duckdb || duckdb != other || strings.Count(duckdb, "count") < 6 {
			t.Errorf("%s: PostgreSQL answers\n%s\nDuckDB\n%s\nand in another zone of the same time\n%s", unit, postgres, duckdb, other)
		}
	}
}

package sqlgen_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
)

// operands are, for each type, values of its column in their order, and the
// literals that are written in a condition for them.
var operands = []struct{ typ, column, a, b, c string }{
	{"int", "i", "1", "2", "3"},
	{"bigint", "b", "1", "9007199254740993", "9007199254740994"},
	{"numeric(8,2)", "d", "1.10", "1.11", "2.00"},
	{"float8", "f", "-0.5", "0.25", "1e300"},
	{"text", "t", `"A"`, `"a"`, `"é"`},
	{"date", "day", `"2024-02-28"`, `"2024-02-29"`, `"2024-03-01"`},
	{"time", "clock", `"00:00:00"`, `"08:00:00.25"`, `"23:59:59"`},
	{"timestamptz", "at", `"2026-03-29T00:59:59Z"`, `"2026-03-29T01:00:00Z"`, `"2026-03-29T01:00:00.000001Z"`},
	{"timestamp", "wall", `"2026-03-29T02:30:00"`, `"2026-03-29T02:30:01"`, `"2026-10-25T02:30:00"`},
	{"interval", "span", `"PT1S"`, `"P1D"`, `"P31D"`},
	{"boolean", "ok", "false", "true", ""},
	{"uuid", "u", `"00000000-0000-0000-0000-000000000001"`, `"00000000-0000-0000-0000-000000000002"`, `"f0000000-0000-0000-0000-000000000003"`},
	{"bytea", "raw", `"AA=="`, `"AQ=="`, `"/w=="`},
}

// stored is a literal of a condition as SQL.
func stored(literal, typ string) string {
	text := strings.Trim(literal, `"`)
	if typ == "bytea" {
		return "decode('" + text + "', 'base64')"
	}
	return "'" + text + "'"
}

// Every operator of every type, over null cells, null operands and empty lists,
// means the same to both engines; its negation has all other rows.
func TestOperators(t *testing.T) {
	t.Parallel()
	var columns, rows []string
	for _, o := range operands {
		columns = append(columns, o.column+" "+o.typ)
	}
	for id, pick := range []func(a, b, c string) string{
		func(a, _, _ string) string { return a }, func(_, b, _ string) string { return b }, func(_, _, c string) string { return c },
	} {
		values := []string{"'a'", fmt.Sprint(id + 1)}
		for _, o := range operands {
			if v := pick(o.a, o.b, o.c); v == "" {
				values = append(values, "NULL")
			} else {
				values = append(values, stored(v, o.typ))
			}
		}
		rows = append(rows, "("+strings.Join(values, ", ")+")")
	}
	nothing := strings.Repeat(", NULL", len(operands))
	rows = append(rows, "('a', 4"+nothing+")", strings.Replace(rows[1], "('a', 2", "('b', 2", 1))
	e := start(t, "CREATE TABLE cells (tenant text NOT NULL, id int NOT NULL, "+strings.Join(columns, ", ")+", PRIMARY KEY (tenant, id));\n"+
		"INSERT INTO cells VALUES "+strings.Join(rows, ", ")+";", plain)
	all := []string{"1", "2", "3", "4"}
	check := func(where string, want ...string) {
		t.Helper()
		e.ids("cells", where, strings.Join(want, " "))
		var others []string
		for _, id := range all {
			if !strings.Contains(strings.Join(want, " "), id) {
				others = append(others, id)
			}
		}
		e.ids("cells", "not: {"+where+"}", strings.Join(others, " "))
	}
	for _, o := range operands {
		last := []string{"3"}
		if o.c == "" { // a type of two values: its third row is null
			last = nil
		}
		is := func(condition string) string { return o.column + ": {" + condition + "}" }
		check(is("eq: "+o.b), "2")
		check(is("neq: "+o.b), "1", "3", "4")
		check(is("in: ["+o.a+", "+o.b+", "+o.a+"]"), "1", "2")
		check(is("notIn: ["+o.a+", "+o.b+"]"), "3", "4")
		check(is("in: []"))
		check(is("notIn: []"), all...)
		check(is("isNull: false"), append([]string{"1", "2"}, last...)...)
		operators := []string{"eq", "neq", "in", "notIn", "isNull"}
		ordered := o.typ != "boolean" && o.typ != "uuid" && o.typ != "bytea"
		if ordered {
			check(is("gt: "+o.b), "3")
			check(is("gte: "+o.b), "2", "3")
			check(is("lt: "+o.b), "1")
			check(is("lte: "+o.b), "1", "2")
			check(is("between: [{from: "+o.a+", to: "+o.b+"}]"), "1", "2")
			check(is("between: {from: "+o.b+", to: "+o.b+"}"), "2")
			check(is("between: [{from: "+o.a+", to: "+o.a+"}, {from: "+o.c+", to: "+o.c+"}]"), "1", "3")
			check(is("between: [{from: " + o.c + ", to: " + o.a + "}]"))
			check(is("between: []"))
			operators = append(operators, "gt", "gte", "lt", "lte")
		}
		refused := []string{is("between: null"), is("between: [null]"), is("nothing: " + o.a)}
		for _, op := range operators {
			refused = append(refused, is(op+": null"), is(op+": {}"))
		}
		for _, list := range []string{"in", "notIn"} {
			refused = append(refused, is(list+": [null]"), is(list+": [["+o.a+"]]"))
		}
		if ordered {
			refused = append(refused, is("between: [{from: null, to: "+o.a+"}]"), is("between: [{from: "+o.a+"}]"),
				is("between: [{from: "+o.a+", to: null}]"), is("between: [{from: "+o.a+", to: "+o.a+", by: 1}]"), is("between: "+o.a), is("between: [[]]"))
		} else {
			refused = append(refused, is("between: [{from: "+o.a+", to: "+o.b+"}]"), is("gt: "+o.a))
		}
		for _, where := range refused {
			e.refused(where)
		}
	}
}

// refused asks what must not be answered.
func (e *engines) refused(where string) {
	e.Helper()
	_, err := plan.Build(plantest.Request(e, "cells(where: {"+where+"}) { id }"), e.cat, plantest.Principal(e, `tenant: "a"`), now)
	if code := fault.From(err); code == nil || code.Code != fault.BadUserInput {
		e.Errorf("%s: %v", where, err)
	}
}

// The operators of text and their negations.
func TestTextOperators(t *testing.T) {
	t.Parallel()
	e := cells(t, "text", []string{"'50% off'", "'50 OFF'", "'off 50_'", `E'a\\b'`, "NULL"}, "'50% off'")
	for _, c := range []struct{ operator, operand, want string }{
		{"Like", `"50%"`, "1 2"},
		{"Ilike", `"%OFF"`, "1 2"},
		{"Contains", `"0%"`, "1"},
		{"StartsWith", `"50"`, "1 2"},
		{"EndsWith", `"_"`, "3"},
		{"Icontains", `"OFF"`, "1 2 3"},
		{"IstartsWith", `"OFF"`, "3"},
		{"IendsWith", `"off"`, "1 2"},
		{"Contains", `"\\"`, "4"},
		{"StartsWith", `""`, "1 2 3 4"},
	} {
		plain := strings.ToLower(c.operator[:1]) + c.operator[1:]
		var others []string
		for _, id := range []string{"1", "2", "3", "4", "5"} {
			if !strings.Contains(c.want, id) {
				others = append(others, id)
			}
		}
		e.ids("cells", "x: {"+plain+": "+c.operand+"}", c.want)
		e.ids("cells", "x: {not"+c.operator+": "+c.operand+"}", strings.Join(others, " "))
		e.refused("x: {not" + c.operator + ": null}")
		e.refused("x: {" + plain + ": []}")
	}
	e.refused(`x: {notLike: "\\"}`)
	e.refused(`x: {not: "a"}`)
	e.refused(`x: {notEq: "a"}`)
	e.refused(`x: {notnotLike: "a"}`)
}

// Ranges of time around now, which is noon on Monday, 15 June 2026, in UTC; the
// rows of tenant a end on the 12th.
func TestRangesOfTime(t *testing.T) {
	t.Parallel()
	for typ, form := range map[string]string{"timestamptz": "%s+00", "timestamp": "%s", "date": "%.10s"} {
		var values []string
		for _, at := range []string{
			"2026-04-30 23:59:59", "2026-05-01 00:00:00", "2026-05-31 23:00:00", "2026-06-01 00:00:00", "2026-06-08 09:00:00",
			"2026-06-10 00:00:00", "2026-06-12 20:00:00",
		} {
			values = append(values, "'"+fmt.Sprintf(form, at)+"'")
		}
		e := cells(t, typ, append(values, "NULL"), "'"+fmt.Sprintf(form, "2026-06-14 12:00:00")+"'", "'"+fmt.Sprintf(form, "2027-01-01 00:00:00")+"'")
		for where, want := range map[string]string{
			"lastAvailable: {n: 1, unit: DAY}":               "7",
			"lastAvailable: {n: 3, unit: DAY}":               "6 7",
			"lastAvailable: {n: 1, unit: WEEK}":              "5 6 7",
			"lastAvailable: {n: 1, unit: MONTH}":             "4 5 6 7",
			"lastAvailable: {n: 2, unit: MONTH}":             "2 3 4 5 6 7",
			"lastAvailable: {n: 1, unit: QUARTER}":           "1 2 3 4 5 6 7",
			"lastAvailable: {n: 1, unit: DAY}, isNull: true": "",
			"ago: {n: 3, unit: DAY}":                         "7",
			"ago: {n: 2, unit: DAY}":                         "",
			"ago: {n: 1, unit: WEEK}":                        "5 6 7",
			"ago: {n: 1, unit: MONTH}":                       "2 3",
			"moreThanAgo: {n: 1, unit: MONTH}":               "1",
			"orMoreAgo: {n: 1, unit: MONTH}":                 "1 2 3",
			"moreThanAgo: {n: 3, unit: DAY}":                 "1 2 3 4 5 6",
			"orMoreAgo: {n: 3, unit: DAY}":                   "1 2 3 4 5 6 7",
			"nextFull: {n: 1, unit: DAY}":                    "",
			"previous: {n: 1, unit: MONTH}":                  "2 3",
			"previous: {n: 1, unit: WEEK}":                   "5 6 7",
			"toDate: MONTH":                                  "4 5 6 7",
			"toDate: QUARTER":                                "1 2 3 4 5 6 7",
		} {
			e.ids("cells", "x: {"+where+"}", want)
		}
		e.ids("cells", "not: {x: {lastAvailable: {n: 1, unit: DAY}}}", "1 2 3 4 5 6 8")
		e.same(`cellsAggregate(where: {x: {lastAvailable: {n: 1, unit: WEEK}}}) { count }`, `[{"count":3}]`)
		for _, where := range []string{"ago: {n: 0, unit: DAY}", "ago: {unit: DAY}", "ago: null", "ago: {n: null, unit: DAY}", "lastAvailable: {n: 1}", "orMoreAgo: {n: 1, unit: EON}", "ago: []"} {
			e.refused("x: {" + where + "}")
		}
	}
	e := cells(t, "timestamptz", []string{"'2026-06-16 00:00+00'", "'2026-06-17 23:00+00'", "'2026-06-18 00:00+00'", "'2026-06-15 13:00+00'"})
	e.ids("cells", "x: {nextFull: {n: 2, unit: DAY}}", "1 2")
	e.ids("cells", "x: {next: {n: 2, unit: DAY}}", "1 4")
	e.ids("cells", `x: {nextFull: {n: 2, unit: DAY, timezone: "Europe/Madrid"}}`, "1")
	e.ids("cells", `x: {lastAvailable: {n: 1, unit: DAY, timezone: "America/New_York"}}`, "2 3")
	e.ids("cells", `x: {lastAvailable: {n: 1, unit: HOUR}}`, "3")
}

// Milliseconds as buckets, in ranges and as periods.
func TestMilliseconds(t *testing.T) {
	t.Parallel()
	for typ, suffix := range map[string]string{"timestamptz": "+00", "timestamp": "", "time": ""} {
		day := "2026-06-15 "
		if typ == "time" {
			day = ""
		}
		var values []string
		for _, at := range []string{"11:59:59.9981", "11:59:59.9989", "11:59:59.999999", "12:00:00.000"} {
			values = append(values, "'"+day+at+suffix+"'")
		}
		e := cells(t, typ, values)
		bucket := func(at string) string {
			switch typ {
			case "timestamptz":
				return `"2026-06-15T` + at + `Z"`
			case "timestamp":
				return `"2026-06-15T` + at + `"`
			}
			return `"` + at + `"`
		}
		for _, zone := range []string{"UTC", "Asia/Kathmandu"} {
			want := fmt.Sprintf(`[{"key":{"x":%s},"count":2},{"key":{"x":%s},"count":1},{"key":{"x":%s},"count":1}]`,
				bucket("11:59:59.998"), bucket("11:59:59.999"), bucket("12:00:00"))
			if typ == "timestamptz" && zone != "UTC" {
				want = strings.NewReplacer("11:59:59.998Z", "17:44:59.998+05:45", "11:59:59.999Z", "17:44:59.999+05:45", "12:00:00Z", "17:45:00+05:45").Replace(want)
			}
			e.same(`cellsAggregate(timezone: "`+zone+`") { key { x(by: MILLISECOND) } count }`, want)
		}
		if typ == "time" {
			continue
		}
		e.ids("cells", "x: {last: {n: 1, unit: MILLISECOND}}", "3 4")
		e.ids("cells", "x: {previous: {n: 2, unit: MILLISECOND}}", "1 2 3")
		e.ids("cells", "x: {lastAvailable: {n: 2, unit: MILLISECOND}}", "3 4")
		e.same(`cellsAggregate(where: {x: {previous: {n: 3, unit: MILLISECOND}}}, fill: true) { key { x(by: MILLISECOND) } count }`,
			fmt.Sprintf(`[{"key":{"x":%s},"count":0},{"key":{"x":%s},"count":2},{"key":{"x":%s},"count":1}]`,
				bucket("11:59:59.997"), bucket("11:59:59.998"), bucket("11:59:59.999")))
		e.same(`cellsAggregate(compareTo: {x: {n: 1, unit: MILLISECOND}}) { key { x(by: MILLISECOND) } count previous { count } }`,
			fmt.Sprintf(`[{"key":{"x":%s},"count":2,"previous":null},{"key":{"x":%s},"count":1,"previous":{"count":2}},{"key":{"x":%s},"count":1,"previous":{"count":1}}]`,
				bucket("11:59:59.998"), bucket("11:59:59.999"), bucket("12:00:00")))
	}
}

// The latest row is the tenant's own, also where only its parent says so.
func TestLatestByParent(t *testing.T) {
	t.Parallel()
	e := start(t, `
		CREATE TABLE owners (tenant text NOT NULL, id int NOT NULL PRIMARY KEY);
		CREATE TABLE cells (id int NOT NULL PRIMARY KEY, owner int, at timestamptz);
		INSERT INTO owners VALUES ('a', 1), ('a', 2), ('b', 3);
		INSERT INTO cells VALUES (1, 1, '2026-03-01'), (2, 1, '2026-05-01'), (3, 2, '2026-05-02'), (4, 3, '2026-06-01'), (5, NULL, '2026-06-02');`, `
  owners: {tenant: tenant, key: id, relations: {cells: {to: cells, many: true, on: {id: owner}}}}
  cells: {tenant: {through: owner_}, key: id, relations: {owner_: {to: owners, on: {owner: id}}}}
`)
	e.ids("cells", "at: {lastAvailable: {n: 1, unit: MONTH}}", "2 3")
	e.same("owners { id cells(where: {at: {lastAvailable: {n: 1, unit: DAY}}}) { id } }", `[{"id":1,"cells":[]},{"id":2,"cells":[{"id":3}]}]`)
	e.grant = `, filters: {cells: {at: {lastAvailable: {n: 1, unit: MONTH}}}}`
	e.same("cellsAggregate(fill: true) { key { at(by: DAY) } count }", `[{"key":{"at":"2026-05-01T00:00:00Z"},"count":1},{"key":{"at":"2026-05-02T00:00:00Z"},"count":1}]`)
	e.grant = `, having: {cells: {count: {gte: 2}}}`
	e.same("owners { id cellsAggregate { count } }", `[{"id":1,"cellsAggregate":[{"count":2}]},{"id":2,"cellsAggregate":[]}]`)
}

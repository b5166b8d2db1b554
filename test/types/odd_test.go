package types

import (
	"strings"
	"testing"
)

// oddRows are values that an answer cannot hold, as both engines write them.
const oddRows = `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, "at" timestamptz NOT NULL, loc timestamp, day date, f float8);
INSERT INTO things VALUES (1, 't1', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00', '2026-01-01', 1.5),
	(2, 't1', 'infinity', '-infinity', 'infinity', 'NaN'), (3, 't1', '12000-01-01 00:00:00+00', '12000-01-01 00:00:00', '12000-01-01', '-Infinity'),
	(4, 't1', '2026-02-01 00:00:00+00', NULL, NULL, NULL);
`

// TestOddValues: one odd value costs one cell, and all of them are one group of
// nulls, on both engines alike.
func TestOddValues(t *testing.T) {
	t.Parallel()
	bc := map[string]string{
		"postgres": `INSERT INTO things VALUES (5, 't1', '0044-03-15 00:00:00+00 BC', '0044-03-15 00:00:00 BC', '0044-03-15 BC', 2);`,
		"duckdb":   `INSERT INTO things VALUES (5, 't1', '0044-03-15 (BC) 00:00:00+00', '0044-03-15 (BC) 00:00:00', '0044-03-15 (BC)', 2);`,
	}
	const why = `"extensions":{"code":"NOT_IMPLEMENTED"}}`
	year := func(path string) string {
		return `{"message":"the time is infinite, or of a year before 1 or after 9999","path":["things",` + path + `],` + why
	}
	finite := func(path string) string {
		return `{"message":"the value is not finite, which JSON cannot hold","path":["things",` + path + `],` + why
	}
	for _, e := range []engine{postgres, duckDB} {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			g := e.open(t, oddRows+bc[e.name], oneDataset)
			g.answers(t, `{things(orderBy: [{id: ASC}]) {id at loc day f}}`,
				`{"errors":[`+strings.Join([]string{
					year(`1,"at"`), year(`1,"loc"`), year(`1,"day"`), finite(`1,"f"`), year(`2,"at"`), year(`2,"loc"`), year(`2,"day"`), finite(`2,"f"`), year(`4,"at"`), year(`4,"loc"`), year(`4,"day"`),
				}, ",")+`],"data":{"things":[{"id":1,"at":"2026-01-01T00:00:00Z","loc":"2026-01-01T00:00:00","day":"2026-01-01","f":1.5},`+
					`{"id":2,"at":null,"loc":null,"day":null,"f":null},{"id":3,"at":null,"loc":null,"day":null,"f":null},{"id":4,"at":"2026-02-01T00:00:00Z","loc":null,"day":null,"f":null},{"id":5,"at":null,"loc":null,"day":null,"f":2}]}}`)
			for _, key := range []string{"at(by: MONTH)", "at(by: HOUR)", "at"} {
				g.answers(t, `{thingsAggregate(where: {id: {neq: 4}}) {key {`+key+`} count}}`,
					`{"data":{"thingsAggregate":[{"key":{"at":"2026-01-01T00:00:00Z"},"count":1},{"key":{"at":null},"count":3}]}}`)
			}
			g.answers(t, `{thingsAggregate(fill: true) {key {day(by: YEAR)} count}}`, `{"data":{"thingsAggregate":[{"key":{"day":"2026-01-01"},"count":1},{"key":{"day":null},"count":4}]}}`)
			g.answers(t, `{thingsAggregate(fill: true) {key {at(by: MONTH)} count}}`,
				`{"data":{"thingsAggregate":[{"key":{"at":"2026-01-01T00:00:00Z"},"count":1},{"key":{"at":"2026-02-01T00:00:00Z"},"count":1},{"key":{"at":null},"count":3}]}}`)
			g.answers(t, `{thingsAggregate {key {loc} count}}`, `{"data":{"thingsAggregate":[{"key":{"loc":"2026-01-01T00:00:00"},"count":1},{"key":{"loc":null},"count":4}]}}`)
			g.answers(t, `{thingsAggregate {key {f} count}}`, `{"data":{"thingsAggregate":[{"key":{"f":1.5},"count":1},{"key":{"f":2},"count":1},{"key":{"f":null},"count":3}]}}`)
			// A condition compares what is stored.
			g.answers(t, `{things(where: {at: {gt: "2026-01-15T00:00:00Z"}}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"things":[{"id":2},{"id":3},{"id":4}]}}`)
			// What the table alone says is not promised.
			g.answers(t, `{__type(name: "Things") {fields {name type {kind}}}}`, `{"data":{"__type":{"fields":[{"name":"id","type":{"kind":"NON_NULL"}},{"name":"at","type":{"kind":"SCALAR"}},`+
				`{"name":"loc","type":{"kind":"SCALAR"}},{"name":"day","type":{"kind":"SCALAR"}},{"name":"f","type":{"kind":"SCALAR"}}]}}}`)
		})
	}
}

// TestBrokenPromises: where the file promises a value, what holds the cell is null.
func TestBrokenPromises(t *testing.T) {
	t.Parallel()
	const config = `
datasets:
  things:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, at: Timestamp!, up: Int}
    relations: {above: {to: things, on: {up: id}}, below: {to: things, many: true, on: {id: up}}}
`
	const rows = `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, "at" timestamptz NOT NULL, up int);
INSERT INTO things VALUES (1, 't1', 'infinity', NULL), (2, 't1', '2026-01-01 00:00:00+00', 1), (3, 't1', '2026-01-01 00:00:00+00', 2);`
	for _, e := range []engine{postgres, duckDB} {
		g := e.open(t, rows, config)
		const why = `{"message":"the time is infinite, or of a year before 1 or after 9999","path":[`
		const code = `],"extensions":{"code":"NOT_IMPLEMENTED"}}`
		g.answers(t, `{things(orderBy: [{id: ASC}], limit: 1) {id at}}`, `{"errors":[`+why+`"things",0,"at"`+code+`],"data":{"things":null}}`)
		g.answers(t, `{things(where: {id: {eq: 2}}) {id above {id at}}}`, `{"errors":[`+why+`"things",0,"above","at"`+code+`],"data":{"things":[{"id":2,"above":null}]}}`)
		g.answers(t, `{thingsByPk(id: 3) {id above {id above {at}}}}`, `{"errors":[`+why+`"thingsByPk","above","above","at"`+code+`],"data":{"thingsByPk":{"id":3,"above":{"id":2,"above":null}}}}`)
	}
}

// TestOddNumbers: PostgreSQL's numbers have no bound, and its lists any number of
// dimensions.
func TestOddNumbers(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", 39)
	g := postgres.open(t, `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, n numeric, m numeric(10,2), li int[] NOT NULL, bs bytea[], js json);
INSERT INTO things VALUES (1, 't1', 0.`+strings.Repeat("0", 37)+`1, 'NaN', '{1,2}', NULL, NULL), (2, 't1', `+nines+`, 1, '{{1,2},{3,4}}', '{{"\\x00"}}', NULL), (3, 't1', 'NaN', 2, '{}', '{}', NULL),
	(4, 't1', 'Infinity', NULL, '[0:1]={7,NULL}', NULL, NULL), (5, 't1', `+strings.Repeat("9", 20)+`.`+strings.Repeat("9", 19)+`, 3, '{}', NULL, '`+strings.Repeat("[", 11_000)+strings.Repeat("]", 11_000)+`'), (6, 't1', 7, 4, '{}', NULL, '{"a": 1e400}');`, oneDataset)
	err := func(message, path string) string {
		return `{"message":"` + message + `","path":["things",` + path + `],"extensions":{"code":"NOT_IMPLEMENTED"}}`
	}
	const digits, finite, nested, noJSON = "the number has more than 38 digits", "the value is not finite, which JSON cannot hold", "the list has more than one dimension", "the value cannot be read as JSON"
	g.answers(t, `{things(orderBy: [{id: ASC}]) {n m li bs js}}`, `{"errors":[`+strings.Join([]string{
		err(finite, `0,"m"`), err(digits, `1,"n"`), err(nested, `1,"li"`), err(nested, `1,"bs"`), err(finite, `2,"n"`), err(finite, `3,"n"`), err(digits, `4,"n"`), err(noJSON, `4,"js"`),
	}, ",")+`],"data":{"things":[{"n":0.`+strings.Repeat("0", 37)+`1,"m":null,"li":[1,2],"bs":null,"js":null},{"n":null,"m":1.00,"li":null,"bs":null,"js":null},{"n":null,"m":2.00,"li":[],"bs":[],"js":null},`+
		`{"n":null,"m":null,"li":[7,null],"bs":null,"js":null},{"n":null,"m":3.00,"li":[],"bs":null,"js":null},{"n":7,"m":4.00,"li":[],"bs":null,"js":{"a":1e400}}]}}`)
	g.answers(t, `{thingsAggregate {key {n} count}}`, `{"data":{"thingsAggregate":[{"key":{"n":0.`+strings.Repeat("0", 37)+`1},"count":1},{"key":{"n":7},"count":1},{"key":{"n":null},"count":4}]}}`)
	g.answers(t, `{thingsAggregate {key {m} count}}`,
		`{"data":{"thingsAggregate":[{"key":{"m":1.00},"count":1},{"key":{"m":2.00},"count":1},{"key":{"m":3.00},"count":1},{"key":{"m":4.00},"count":1},{"key":{"m":null},"count":2}]}}`)
	// The list of errors is bounded.
	many := postgres.open(t, `CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, day date); INSERT INTO things SELECT n, 't1', 'infinity' FROM generate_series(1, 100) n;`, oneDataset)
	if got := many.ask(t, `{things {day}}`); strings.Count(got, "NOT_IMPLEMENTED") != 20 || strings.Count(got, `{"day":null}`) != 100 {
		t.Error(got)
	}
}

// TestOddAggregates: an aggregate that cannot be printed costs its own cell.
func TestOddAggregates(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, k text, n numeric);
INSERT INTO things VALUES (1, 't1', 'a', 1e100), (2, 't1', 'b', 1e-50), (3, 't1', 'c', 2), (4, 't1', 'c', 3);`, oneDataset)
	err := func(i, name string) string {
		return `{"message":"the number has more than 38 digits","path":["thingsAggregate",` + i + `,"n","` + name + `"],"extensions":{"code":"NOT_IMPLEMENTED"}}`
	}
	g.answers(t, `{thingsAggregate(orderBy: [{key: {k: ASC}}]) {key {k} n {min max sum avg}}}`, `{"errors":[`+
		strings.Join([]string{err("0", "min"), err("0", "max"), err("0", "sum"), err("1", "min"), err("1", "max"), err("1", "sum")}, ",")+
		`],"data":{"thingsAggregate":[{"key":{"k":"a"},"n":{"min":null,"max":null,"sum":null,"avg":1e+100}},{"key":{"k":"b"},"n":{"min":null,"max":null,"sum":null,"avg":1e-50}},`+
		`{"key":{"k":"c"},"n":{"min":2,"max":3,"sum":5,"avg":2.5}}]}}`)
}

// TestYearsInZones: a day that cannot be printed in its zone is in the group of nulls.
func TestYearsInZones(t *testing.T) {
	t.Parallel()
	const rows = `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, "at" timestamptz);
INSERT INTO things VALUES (1, 't1', '0001-01-01 00:00:00+00'), (2, 't1', '9999-12-31 20:00:00+00'), (3, 't1', 'infinity'), (4, 't1', '9999-12-31 02:00:00+00'), (5, 't1', '2026-01-01 20:00:00+00'), (6, 't1', '0001-01-02 00:00:00+00');`
	for _, e := range []engine{postgres, duckDB} {
		g := e.open(t, rows, oneDataset)
		g.answers(t, `{thingsAggregate(timezone: "Asia/Tokyo", orderBy: [{key: {at: {by: DAY}}}]) {key {at(by: DAY)} count}}`,
			`{"data":{"thingsAggregate":[{"key":{"at":"0001-01-01T23:59:01+09:18"},"count":1},{"key":{"at":"2026-01-02T00:00:00+09:00"},"count":1},{"key":{"at":"9999-12-31T00:00:00+09:00"},"count":1},{"key":{"at":null},"count":3}]}}`)
		g.answers(t, `{thingsAggregate(timezone: "America/New_York", orderBy: [{key: {at: {by: HOUR}}}]) {key {at(by: HOUR)} count}}`,
			`{"data":{"thingsAggregate":[{"key":{"at":"0001-01-01T19:00:02-04:56"},"count":1},{"key":{"at":"2026-01-01T15:00:00-05:00"},"count":1},{"key":{"at":"9999-12-30T21:00:00-05:00"},"count":1},`+
				`{"key":{"at":"9999-12-31T15:00:00-05:00"},"count":1},{"key":{"at":null},"count":2}]}}`)
	}
}

// TestLatestOfInfinite: what has no end is not the latest.
func TestLatestOfInfinite(t *testing.T) {
	t.Parallel()
	for _, e := range []engine{postgres, duckDB} {
		g := e.open(t, `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, "at" timestamptz, loc timestamp, day date);
INSERT INTO things VALUES (1, 't1', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00', '2026-01-01'), (2, 't1', '2026-02-02 00:00:00+00', '2026-02-02 00:00:00', '2026-02-02'),
	(3, 't1', 'infinity', 'infinity', 'infinity'), (4, 't1', '-infinity', '-infinity', '-infinity'), (5, 't1', NULL, NULL, NULL), (6, 't2', 'infinity', '-infinity', 'infinity');`, oneDataset)
		for _, column := range []string{"at", "loc", "day"} {
			g.answers(t, `{things(where: {`+column+`: {lastAvailable: {n: 1, unit: MONTH}}}) {id}}`, `{"data":{"things":[{"id":2}]}}`)
			g.answers(t, `{things(where: {`+column+`: {lastAvailable: {n: 2, unit: MONTH}}}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"things":[{"id":1},{"id":2}]}}`)
			g.answersTo(t, "t2", `{things(where: {`+column+`: {lastAvailable: {n: 1, unit: DAY}}}) {id}}`, `{"data":{"things":[]}}`)
		}
	}
}

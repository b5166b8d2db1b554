package sqlgen_test

import (
	"strings"
	"testing"
)

// Series of numbers have a group for each bin.
func TestFillBins(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"int", "bigint", "numeric(8,2)", "numeric(38,0)"} {
		e := cells(t, typ, []string{"-11", "-10", "3", "25", "NULL"}, "1000")
		x := func(text string) string { // as the type writes it
			if typ == "numeric(8,2)" {
				return strings.NewReplacer(`"x":-20`, `"x":-20.00`, `"x":-10`, `"x":-10.00`, `"x":0`, `"x":0.00`, `"x":10`, `"x":10.00`, `"x":20`, `"x":20.00`, `"x":30`, `"x":30.00`).Replace(text)
			}
			return text
		}
		e.same("cellsAggregate(fill: true) { key { x(bin: 10) } count }",
			x(`[{"key":{"x":-20},"count":1},{"key":{"x":-10},"count":1},{"key":{"x":0},"count":1},{"key":{"x":10},"count":0},{"key":{"x":20},"count":1},{"key":{"x":null},"count":1}]`))
		e.same("cellsAggregate(fill: true, where: {x: {gte: -5, lt: 30}}) { key { x(bin: 10) } count x { sum } }",
			""+
				sums(typ, `[{"key":{"x":-10},"count":0,"x":{"sum":null}},{"key":{"x":0},"count":1,"x":{"sum":3}},{"key":{"x":10},"count":0,"x":{"sum":null}},{"key":{"x":20},"count":1,"x":{"sum":25}}]`))
		e.same("cellsAggregate(fill: true, where: {x: {gt: 0, lte: 30}}) { key { x(bin: 10) } count }",
			x(`[{"key":{"x":0},"count":1},{"key":{"x":10},"count":0},{"key":{"x":20},"count":1},{"key":{"x":30},"count":0}]`))
		e.same("cellsAggregate(fill: true, having: {count: {eq: 0}}) { key { x(bin: 10) } }", x(`[{"key":{"x":10}}]`))
		e.same("cellsAggregate(fill: true, where: {x: {lt: -1000}}) { key { x(bin: 10) } count }", `[]`)
	}
	e := cells(t, "bigint", []string{"9223372036854775800", "9223372036854775807"})
	e.same("cellsAggregate(fill: true) { key { x(bin: 3) } count }", `[{"key":{"x":9223372036854775800},"count":1},{"key":{"x":9223372036854775803},"count":0},{"key":{"x":9223372036854775806},"count":1}]`)
	e = cells(t, "numeric(6,3)", []string{"0.1", "0.35"})
	e.same("cellsAggregate(fill: true) { key { x(bin: 0.05) } count }",
		`[{"key":{"x":0.100},"count":1},{"key":{"x":0.150},"count":0},{"key":{"x":0.200},"count":0},{"key":{"x":0.250},"count":0},{"key":{"x":0.300},"count":0},{"key":{"x":0.350},"count":1}]`)
}

// sums writes bins and sums of a type.
func sums(typ, text string) string {
	if typ != "numeric(8,2)" {
		return text
	}
	return strings.NewReplacer(`{"x":-10}`, `{"x":-10.00}`, `{"x":0}`, `{"x":0.00}`, `{"x":10}`, `{"x":10.00}`, `{"x":20}`, `{"x":20.00}`, `"sum":3}`, `"sum":3.00}`, `"sum":25}`, `"sum":25.00}`).Replace(text)
}

// Groups for values that no row of the tenant has: labels of enums, and what a
// common dataset holds. What other tenants have adds nothing.
func TestAllValues(t *testing.T) {
	t.Parallel()
	e := start(t, `
		CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
		CREATE SCHEMA main; -- where DuckDB has its tables
		CREATE TABLE main.kinds (id int NOT NULL PRIMARY KEY, name text, family text);
		CREATE TABLE owners (tenant text NOT NULL, id int NOT NULL, name text, PRIMARY KEY (tenant, id));
		CREATE TABLE cells (tenant text NOT NULL, id int NOT NULL, owner int, kind int, mood mood, region text, day date, x int, PRIMARY KEY (tenant, id));
		INSERT INTO main.kinds VALUES (1, 'tea', 'hot'), (2, 'juice', 'cold'), (3, 'water', 'cold'), (4, NULL, NULL);
		INSERT INTO owners VALUES ('a', 1, 'one'), ('a', 2, 'two'), ('a', 3, 'three'), ('b', 1, 'foreign');
		INSERT INTO cells VALUES
			('a', 1, 1, 1, 'ok', 'EU', '2026-01-05', 10), ('a', 2, 1, 2, 'ok', 'EU', '2026-03-01', 20), ('a', 3, 2, 1, 'glad', 'US', '2026-01-06', 30), ('a', 4, NULL, NULL, NULL, 'US', '2026-01-06', 40),
			('b', 1, 1, 3, 'sad', 'ASIA', '2026-02-01', 50);`, `
  kinds: {common: true, source: duck, bind: {duck: {schema: main}}, key: id, columns: {id: Int!, name: String, family: String}}
  owners: {tenant: tenant, key: id, relations: {cells: {to: cells, many: true, on: {id: owner}}}}
  cells: {tenant: tenant, key: id, relations: {kind_: {to: kinds, on: {kind: id}}, owner_: {to: owners, on: {owner: id}}}}
`)
	e.same("cellsAggregate { key { mood } count }", `[{"key":{"mood":"ok"},"count":2},{"key":{"mood":"glad"},"count":1},{"key":{"mood":null},"count":1}]`)
	e.same("cellsAggregate(allValues: true) { key { mood } count x { sum avg countDistinct } }",
		`[{"key":{"mood":"sad"},"count":0,"x":{"sum":null,"avg":null,"countDistinct":0}},{"key":{"mood":"ok"},"count":2,"x":{"sum":30,"avg":15,"countDistinct":2}},`+
			`{"key":{"mood":"glad"},"count":1,"x":{"sum":30,"avg":30,"countDistinct":1}},{"key":{"mood":null},"count":1,"x":{"sum":40,"avg":40,"countDistinct":1}}]`)
	e.same("cellsAggregate(allValues: true, orderBy: [{key: {mood: DESC}}]) { key { mood } count }",
		`[{"key":{"mood":"glad"},"count":1},{"key":{"mood":"ok"},"count":2},{"key":{"mood":"sad"},"count":0},{"key":{"mood":null},"count":1}]`)
	e.same("cellsAggregate(allValues: true) { key { kind_ { family } } count }",
		`[{"key":{"kind_":{"family":"cold"}},"count":1},{"key":{"kind_":{"family":"hot"}},"count":2},{"key":{"kind_":{"family":null}},"count":1}]`)
	// Columns of one dataset go together as its rows have them.
	e.same("cellsAggregate(allValues: true) { key { kind_ { family name } } count }",
		`[{"key":{"kind_":{"family":"cold","name":"juice"}},"count":1},{"key":{"kind_":{"family":"cold","name":"water"}},"count":0},`+
			`{"key":{"kind_":{"family":"hot","name":"tea"}},"count":2},{"key":{"kind_":{"family":null,"name":null}},"count":1}]`)
	// Other keys have the values of the tenant's own rows.
	e.same("cellsAggregate(allValues: true, where: {x: {lt: 40}}) { key { region mood } count }",
		`[{"key":{"region":"EU","mood":"sad"},"count":0},{"key":{"region":"EU","mood":"ok"},"count":2},{"key":{"region":"EU","mood":"glad"},"count":0},`+
			`{"key":{"region":"US","mood":"sad"},"count":0},{"key":{"region":"US","mood":"ok"},"count":0},{"key":{"region":"US","mood":"glad"},"count":1}]`)
	e.same("cellsAggregate(allValues: true, where: {x: {gt: 1000}}) { key { mood } count }",
		`[{"key":{"mood":"sad"},"count":0},{"key":{"mood":"ok"},"count":0},{"key":{"mood":"glad"},"count":0}]`)
	e.same("cellsAggregate(allValues: true, where: {x: {gt: 1000}}) { key { mood region } count }", `[]`)
	e.same("cellsAggregate(allValues: true, where: {x: {lt: 40}}, orderBy: [{count: DESC}], limit: 2) { key { mood kind_ { name } } count }",
		`[{"key":{"mood":"ok","kind_":{"name":"juice"}},"count":1},{"key":{"mood":"ok","kind_":{"name":"tea"}},"count":1}]`)
	// having holds for all of them, and so do shares and running totals.
	e.same("cellsAggregate(allValues: true, having: {count: {eq: 0}}) { key { kind_ { name } } count runningCount countShare }",
		`[{"key":{"kind_":{"name":"water"}},"count":0,"runningCount":0,"countShare":null}]`)
	// With the buckets of time between them.
	e.same("cellsAggregate(allValues: true, fill: true, where: {region: {eq: \"EU\"}}) { key { mood day(by: MONTH) } count }",
		`[{"key":{"mood":"sad","day":"2026-01-01"},"count":0},{"key":{"mood":"sad","day":"2026-02-01"},"count":0},{"key":{"mood":"sad","day":"2026-03-01"},"count":0},`+
			`{"key":{"mood":"ok","day":"2026-01-01"},"count":1},{"key":{"mood":"ok","day":"2026-02-01"},"count":0},{"key":{"mood":"ok","day":"2026-03-01"},"count":1},`+
			`{"key":{"mood":"glad","day":"2026-01-01"},"count":0},{"key":{"mood":"glad","day":"2026-02-01"},"count":0},{"key":{"mood":"glad","day":"2026-03-01"},"count":0}]`)
	// A value without rows now may have had some before.
	e.same("cellsAggregate(allValues: true, where: {day: {gte: \"2026-03-01\"}}, compareTo: {day: {n: 2, unit: MONTH}}) { key { mood } count previous { count } }",
		`[{"key":{"mood":"sad"},"count":0,"previous":null},{"key":{"mood":"ok"},"count":1,"previous":{"count":2}},{"key":{"mood":"glad"},"count":0,"previous":{"count":1}}]`)
	// Each parent's groups; a parent without rows has none.
	e.same("owners { id cellsAggregate(allValues: true) { key { mood } count } }",
		`[{"id":1,"cellsAggregate":[{"key":{"mood":"sad"},"count":0},{"key":{"mood":"ok"},"count":2},{"key":{"mood":"glad"},"count":0}]},`+
			`{"id":2,"cellsAggregate":[{"key":{"mood":"sad"},"count":0},{"key":{"mood":"ok"},"count":0},{"key":{"mood":"glad"},"count":1}]},{"id":3,"cellsAggregate":[]}]`)
	e.grant = `, filters: {kinds: {family: {eq: "cold"}}}`
	e.same("cellsAggregate(allValues: true) { key { kind_ { name } } count }",
		`[{"key":{"kind_":{"name":"juice"}},"count":1},{"key":{"kind_":{"name":"water"}},"count":0},{"key":{"kind_":{"name":null}},"count":3}]`)
	e.grant = `, having: {cells: {count: {gte: 2}}}`
	e.same("cellsAggregate(allValues: true) { key { mood } count }", `[{"key":{"mood":"ok"},"count":2}]`)
}

package sqlgen_test

import "testing"

// A token's condition on groups: each group of every answer satisfies it, and those
// that do not take no part in anything.
func TestGuardedGroups(t *testing.T) {
	t.Parallel()
	e := start(t, `
		CREATE TABLE owners (tenant text NOT NULL, id int NOT NULL, name text, PRIMARY KEY (tenant, id));
		CREATE TABLE cells (tenant text NOT NULL, id int NOT NULL, owner int, kind text, day date, x int, PRIMARY KEY (tenant, id));
		INSERT INTO owners VALUES ('a', 1, 'one'), ('a', 2, 'two'), ('b', 1, 'b');
		INSERT INTO cells VALUES
			('a', 1, 1, 'p', '2026-05-01', 1), ('a', 2, 1, 'p', '2026-06-01', 2), ('a', 3, 2, 'p', '2026-06-03', 3), ('a', 4, 1, 'q', '2026-06-01', 100),
			('a', 5, 2, 'r', '2026-04-01', 10), ('a', 6, 2, 'r', '2026-06-03', 20), ('a', 7, NULL, NULL, NULL, NULL),
			('b', 1, 1, 'q', '2026-06-01', 1), ('b', 2, 1, 'q', '2026-06-01', 1);`, `
  owners: {tenant: tenant, key: id, relations: {cells: {to: cells, many: true, on: {id: owner}}}}
  cells: {tenant: tenant, key: id, measures: {total: sum(x)}}
`)
	e.grant = `, having: {cells: {count: {gte: 2}}}`
	e.same("cellsAggregate { key { kind } count }", `[{"key":{"kind":"p"},"count":3},{"key":{"kind":"r"},"count":2}]`)
	e.same("cellsAggregate { count total }", `[{"count":7,"total":136}]`)
	e.same("cellsAggregate(where: {id: {eq: 1}}) { count total }", `[]`)
	e.same("cellsAggregate(where: {id: {eq: 1}}) { key { id } count }", `[]`)
	e.same("cellsAggregate(having: {or: [{count: {lt: 3}}, {count: {lt: 2}}]}) { key { kind } count }", `[{"key":{"kind":"r"},"count":2}]`)
	// Shares and totals are of what is there.
	e.same("cellsAggregate { key { kind } countShare runningCount x { sumShare } }",
		`[{"key":{"kind":"p"},"countShare":0.6,"runningCount":3,"x":{"sumShare":0.16666666666666666}},{"key":{"kind":"r"},"countShare":0.4,"runningCount":5,"x":{"sumShare":0.8333333333333334}}]`)
	// The largest group of one row is not ranked, and no row of it is among others.
	e.same("cellsAggregate(topN: {n: 1, by: {x: {sum: DESC}}}) { key { kind } count }", `[{"key":{"kind":"r"},"count":2}]`)
	e.same("cellsAggregate(topN: {n: 1, by: {x: {sum: DESC}}, others: true}) { key { kind } isOthers count }",
		`[{"key":{"kind":"r"},"isOthers":false,"count":2},{"key":{"kind":null},"isOthers":true,"count":3}]`)
	e.same("cellsAggregate(where: {kind: {neq: \"p\"}}, topN: {n: 1, by: {x: {sum: DESC}}, others: true}) { key { kind } count }",
		`[{"key":{"kind":"r"},"count":2}]`)
	e.same("cellsAggregate(topN: {n: 1, by: {count: DESC}, others: true}) { key { kind } isOthers count countShare runningCount total x { sumShare max median } kind { countDistinct } }",
		`[{"key":{"kind":"p"},"isOthers":false,"count":3,"countShare":0.6,"runningCount":3,"total":6,"x":{"sumShare":0.16666666666666666,"max":3,"median":2},"kind":{"countDistinct":1}},`+
			`{"key":{"kind":null},"isOthers":true,"count":2,"countShare":0.4,"runningCount":5,"total":30,"x":{"sumShare":0.8333333333333334,"max":20,"median":15},"kind":{"countDistinct":1}}]`)
	e.same("cellsAggregate(where: {or: [{id: {lte: 6}}, {id: {eq: 7}}]}, topN: {n: 1, by: {count: ASC}, others: true}) { key { day(by: MONTH) } isOthers count }",
		`[{"key":{"day":"2026-06-01"},"isOthers":false,"count":4}]`)
	e.same("cellsAggregate(topN: {n: 1, by: {count: DESC}, others: true}) { key { kind owner } isOthers count }",
		`[{"key":{"kind":"p","owner":1},"isOthers":false,"count":2},{"key":{"kind":null,"owner":null},"isOthers":true,"count":2}]`)
	e.same("cellsAggregate(topN: {n: 5, by: {count: DESC}, others: true}) { key { kind } count }", `[{"key":{"kind":"p"},"count":3},{"key":{"kind":"r"},"count":2}]`)
	e.same("cellsAggregate(where: {kind: {in: [\"q\", \"r\"]}}, topN: {n: 1, by: {x: {sum: DESC}}, others: true}) { key { kind } count }",
		`[{"key":{"kind":"r"},"count":2}]`)
	// A series has no group for what is held back, and an earlier period none either.
	e.same("cellsAggregate(fill: true) { key { day(by: MONTH) } count }", `[{"key":{"day":"2026-06-01"},"count":4}]`)
	e.same("cellsAggregate(compareTo: {day: {n: 1, unit: MONTH}}) { key { day(by: MONTH) } count previous { count } }",
		`[{"key":{"day":"2026-06-01"},"count":4,"previous":null}]`)
	e.same("cellsAggregate(compareTo: {day: {n: 2, unit: MONTH}}, where: {day: {gte: \"2026-06-01\", lt: \"2026-07-01\"}}) { count previous { count } }",
		`[{"count":4,"previous":null}]`)
	// Each owner's groups by themselves.
	e.same("owners { id cellsAggregate { key { kind } count } }", `[{"id":1,"cellsAggregate":[{"key":{"kind":"p"},"count":2}]},{"id":2,"cellsAggregate":[{"key":{"kind":"r"},"count":2}]}]`)
	e.same("owners { id cellsAggregate(where: {kind: {eq: \"q\"}}) { count } }", `[{"id":1,"cellsAggregate":[]},{"id":2,"cellsAggregate":[]}]`)
	e.same("owners { id cellsAggregate { kind { countDistinct } x { median } } }",
		`[{"id":1,"cellsAggregate":[{"kind":{"countDistinct":2},"x":{"median":2}}]},{"id":2,"cellsAggregate":[{"kind":{"countDistinct":2},"x":{"median":10}}]}]`)
	e.same("owners { id }", `[{"id":1},{"id":2}]`)

	e.grant = `, having: {cells: {total: {lt: 100}, x: {countDistinct: {gte: 2}}}}, filters: {cells: {owner: {eq: 1}}}`
	e.same("cellsAggregate { key { kind } count kind { countDistinct } }", `[{"key":{"kind":"p"},"count":2,"kind":{"countDistinct":1}}]`)
	e.same("cellsAggregate { key { day(by: YEAR) } count }", `[]`)
}

package sqlgen_test

import "testing"

// crates holds parents with many rows, with one, with none, and without a key;
// links that are there twice, that lead to nothing, and another tenant's.
const crates = `
CREATE TABLE crates (id int PRIMARY KEY, tenant text NOT NULL, code text);
INSERT INTO crates VALUES (1, 'a', 'x'), (2, 'a', 'y'), (3, 'a', 'none'), (4, 'a', NULL), (5, 'a', 'x'), (6, 'b', 'x');
CREATE TABLE fruit (id int PRIMARY KEY, tenant text NOT NULL, crate text, sort int, grams int, weight float8, picked date);
INSERT INTO fruit VALUES (1, 'a', 'x', 1, 10, 1.5, '2026-05-01'), (2, 'a', 'x', 1, 20, 2.5, '2026-06-01'), (3, 'a', 'x', 2, NULL, NULL, '2026-06-02'),
	(4, 'a', 'y', NULL, 40, 4.5, '2026-06-03'), (5, 'a', NULL, 1, 50, 5.5, '2026-06-04'), (6, 'b', 'x', 1, 60, 6.5, '2026-06-05');
CREATE TABLE sorts (id int PRIMARY KEY, tenant text NOT NULL, name text);
INSERT INTO sorts VALUES (1, 'a', 'apple'), (2, 'a', 'pear'), (3, 'b', 'plum');`

const cratesDatasets = `
  crates:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, code: String}
    relations:
      fruit: {to: fruit, many: true, on: {code: crate}}
      sorts: {to: sorts, many: true, through: fruit, on: {code: crate}, to_on: {sort: id}}
  fruit:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, crate: String, sort: Int, grams: Int, weight: Float, picked: Date}
    relations: {of: {to: sorts, on: {sort: id}}}
    measures:
      room: {expr: 10 - count()}
      half: {expr: count() / 2}
      filled: {expr: count() * 2 + sum(grams)}
      heavy: {expr: "-count()", filter: {grams: {gt: 15}}}
  sorts:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, name: String}
    relations: {fruit: {to: fruit, many: true, on: {id: sort}}}
`

// TestGroupsOfParents asks for what is computed of the rows of each parent. Parents
// with the same key have the same rows; those without rows have a group of none.
func TestGroupsOfParents(t *testing.T) {
	t.Parallel()
	e := start(t, crates, cratesDatasets)
	e.same(`crates { fruitAggregate { count grams { sum avg countDistinct max } weight { sum stddev } } }`,
		`[{"fruitAggregate":[{"count":3,"grams":{"sum":30,"avg":15,"countDistinct":2,"max":20},"weight":{"sum":4,"stddev":0.707106781187}}]},`+
			`{"fruitAggregate":[{"count":1,"grams":{"sum":40,"avg":40,"countDistinct":1,"max":40},"weight":{"sum":4.5,"stddev":null}}]},`+
			`{"fruitAggregate":[{"count":0,"grams":{"sum":null,"avg":null,"countDistinct":0,"max":null},"weight":{"sum":null,"stddev":null}}]},`+
			`{"fruitAggregate":[{"count":0,"grams":{"sum":null,"avg":null,"countDistinct":0,"max":null},"weight":{"sum":null,"stddev":null}}]},`+
			`{"fruitAggregate":[{"count":3,"grams":{"sum":30,"avg":15,"countDistinct":2,"max":20},"weight":{"sum":4,"stddev":0.707106781187}}]}]`)
	// What is computed of counts is there without rows; what is computed of others is not.
	e.same(`crates(limit: 3) { fruitAggregate { room half filled heavy } }`,
		`[{"fruitAggregate":[{"room":7,"half":1.5,"filled":36,"heavy":-1}]},{"fruitAggregate":[{"room":9,"half":0.5,"filled":42,"heavy":-1}]},`+
			`{"fruitAggregate":[{"room":10,"half":0,"filled":null,"heavy":0}]}]`)
	// Conditions on rows leave the parents, those on groups do not.
	e.same(`crates(limit: 3) { id fruitAggregate(where: {of: {name: {eq: "apple"}}}) { count grams { sum } } }`,
		`[{"id":1,"fruitAggregate":[{"count":2,"grams":{"sum":30}}]},{"id":2,"fruitAggregate":[{"count":0,"grams":{"sum":null}}]},{"id":3,"fruitAggregate":[{"count":0,"grams":{"sum":null}}]}]`)
	e.same(`crates(limit: 3) { id fruitAggregate(having: {count: {lt: 2}}) { count } }`,
		`[{"id":1,"fruitAggregate":[]},{"id":2,"fruitAggregate":[{"count":1}]},{"id":3,"fruitAggregate":[{"count":0}]}]`)
	e.same(`crates(limit: 3) { id fruitAggregate { key { of { name } } count grams { countDistinct } } }`,
		`[{"id":1,"fruitAggregate":[{"key":{"of":{"name":"apple"}},"count":2,"grams":{"countDistinct":2}},{"key":{"of":{"name":"pear"}},"count":1,"grams":{"countDistinct":0}}]},`+
			`{"id":2,"fruitAggregate":[{"key":{"of":{"name":null}},"count":1,"grams":{"countDistinct":1}}]},{"id":3,"fruitAggregate":[]}]`)
	e.same(`crates(limit: 3) { id fruitAggregate(offset: 1) { count } }`,
		`[{"id":1,"fruitAggregate":[]},{"id":2,"fruitAggregate":[]},{"id":3,"fruitAggregate":[]}]`)
	// The earlier period of a parent without rows is one of no rows.
	e.same(`crates(limit: 3) { fruitAggregate(where: {picked: {gte: "2026-06-01", lt: "2026-07-01"}}, compareTo: {picked: {n: 1, unit: MONTH}}) { count previous { count room grams { sum } } } }`,
		`[{"fruitAggregate":[{"count":2,"previous":{"count":1,"room":9,"grams":{"sum":10}}}]},{"fruitAggregate":[{"count":1,"previous":{"count":0,"room":10,"grams":{"sum":null}}}]},`+
			`{"fruitAggregate":[{"count":0,"previous":{"count":0,"room":10,"grams":{"sum":null}}}]}]`)
	// Groups of groups' parents.
	e.same(`sorts { name fruit(limit: 2) { id of { name } } fruitAggregate { count } }`,
		`[{"name":"apple","fruit":[{"id":1,"of":{"name":"apple"}},{"id":2,"of":{"name":"apple"}}],"fruitAggregate":[{"count":3}]},`+
			`{"name":"pear","fruit":[{"id":3,"of":{"name":"pear"}}],"fruitAggregate":[{"count":1}]}]`)
}

// TestManyToMany counts a pair once, however often it is linked, and for every
// parent of the key.
func TestManyToMany(t *testing.T) {
	t.Parallel()
	e := start(t, crates, cratesDatasets)
	e.same(`crates { id sorts { name } }`,
		`[{"id":1,"sorts":[{"name":"apple"},{"name":"pear"}]},{"id":2,"sorts":[]},{"id":3,"sorts":[]},{"id":4,"sorts":[]},{"id":5,"sorts":[{"name":"apple"},{"name":"pear"}]}]`)
	e.same(`crates { id sorts(orderBy: [{name: DESC}], limit: 1) { name fruitAggregate { count } } }`,
		`[{"id":1,"sorts":[{"name":"pear","fruitAggregate":[{"count":1}]}]},{"id":2,"sorts":[]},{"id":3,"sorts":[]},{"id":4,"sorts":[]},`+
			`{"id":5,"sorts":[{"name":"pear","fruitAggregate":[{"count":1}]}]}]`)
	e.same(`crates(limit: 3) { id sortsAggregate { count name { max } } }`,
		`[{"id":1,"sortsAggregate":[{"count":2,"name":{"max":"pear"}}]},{"id":2,"sortsAggregate":[{"count":0,"name":{"max":null}}]},{"id":3,"sortsAggregate":[{"count":0,"name":{"max":null}}]}]`)
	e.same(`crates(limit: 3) { id sortsAggregate(where: {name: {eq: "pear"}}) { key { name } count } }`,
		`[{"id":1,"sortsAggregate":[{"key":{"name":"pear"},"count":1}]},{"id":2,"sortsAggregate":[]},{"id":3,"sortsAggregate":[]}]`)
}

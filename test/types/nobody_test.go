package types

import (
	"path/filepath"
	"strings"
	"testing"

	"usher/principal"
)

// TestGroupsOfNobodysRows: whoever asks for all tenants has one group of each row's
// nested rows, also below rows that are no tenant's and those whose key is null.
func TestGroupsOfNobodysRows(t *testing.T) {
	t.Parallel()
	const rows = `
CREATE TABLE owners (id int PRIMARY KEY, tenant text);
CREATE TABLE things (id int PRIMARY KEY, owner int, other int);
CREATE TABLE parts (id int PRIMARY KEY, thing int, tenant text, x int);
INSERT INTO owners VALUES (1, 't1'), (2, NULL), (3, 't1');
INSERT INTO things VALUES (1, 1, 1), (2, 2, 2), (3, 99, NULL), (4, NULL, 1);
INSERT INTO parts VALUES (1, 1, 't1', 5), (2, 1, 't1', 6), (3, 3, 't1', 7), (4, 2, NULL, 8);`
	const config = `
datasets:
  owners: {tenant: tenant, key: id, relations: {things: {to: things, many: true, on: {id: owner}}}}
  things:
    tenant: {through: by}
    key: id
    relations: {by: {to: owners, on: {owner: id}}, parts: {to: parts, many: true, on: {id: thing}}, same: {to: parts, many: true, on: {other: id}}}
  parts: {tenant: tenant, key: id, columns: {id: Int!, thing: Int, tenant: String, x: Int}}
`
	all := principal.Principal{Subject: "ann", AllTenants: true, Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData}}
	for _, e := range []engine{postgres, duckDB} {
		g := e.open(t, rows, config)
		for question, want := range map[string]string{
			`{things(orderBy: [{id: ASC}]) {id partsAggregate {count x {sum}}}}`: `{"things":[{"id":1,"partsAggregate":[{"count":2,"x":{"sum":11}}]},{"id":2,"partsAggregate":[{"count":0,"x":{"sum":null}}]},` +
				`{"id":3,"partsAggregate":[{"count":0,"x":{"sum":null}}]},{"id":4,"partsAggregate":[{"count":0,"x":{"sum":null}}]}]}`,
			`{things(orderBy: [{id: ASC}]) {parts {id} partsAggregate {key {x} count}}}`: `{"things":[{"parts":[{"id":1},{"id":2}],"partsAggregate":[{"key":{"x":5},"count":1},{"key":{"x":6},"count":1}]},` +
				`{"parts":[],"partsAggregate":[]},{"parts":[],"partsAggregate":[]},{"parts":[],"partsAggregate":[]}]}`,
			`{owners(orderBy: [{id: ASC}]) {thingsAggregate {count} things {id partsAggregate {count}}}}`: `{"owners":[{"thingsAggregate":[{"count":1}],"things":[{"id":1,"partsAggregate":[{"count":2}]}]},` +
				`{"thingsAggregate":[{"count":1}],"things":[{"id":2,"partsAggregate":[{"count":0}]}]},{"thingsAggregate":[{"count":0}],"things":[]}]}`,
			`{things(where: {id: {gt: 2}}, orderBy: [{id: ASC}]) {sameAggregate(having: {count: {gt: 0}}) {count} partsAggregate(where: {x: {gt: 0}}) {count}}}`: `{"things":[{"sameAggregate":[],"partsAggregate":[{"count":0}]},` +
				`{"sameAggregate":[],"partsAggregate":[{"count":0}]}]}`,
		} {
			if got := string(g.Ask(t, all, question, "")); got != `{"data":`+want+`}` {
				t.Errorf("%s: %s\n got %s\nwant %s", e.name, question, got, want)
			}
		}
		// A key that is null has no rows, and one group of them, to a single tenant as well.
		got := g.askAs(t, "t1", `{things {id sameAggregate {count}}}`)
		if !strings.Contains(got, `{"data":{"things":[{"id":1,"sameAggregate":[{"count":1}]}]}}`) {
			t.Error(got)
		}
	}
}

// TestGroupsOfNullKeysElsewhere: the same where the nested rows are in another source.
func TestGroupsOfNullKeysElsewhere(t *testing.T) {
	t.Parallel()
	other := filepath.Join(t.TempDir(), "other.duckdb")
	fill(t, other, `CREATE TABLE parts (id int PRIMARY KEY, team int, x int); INSERT INTO parts VALUES (1, 1, 5), (2, 1, 6), (3, 2, 7), (4, NULL, 8);`)
	for _, e := range []engine{postgres, duckDB} {
		g := e.open(t, `CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, team int); INSERT INTO things VALUES (1, 't1', 1), (2, 't1', NULL), (3, 't1', 3), (4, 't2', NULL);`, `
datasets:
  things: {tenant: tenant, key: id, relations: {parts: {to: parts, many: true, on: {team: team}}}}
  parts: {common: true, source: other}
`, "other: {kind: duckdb, path: "+other+"}")
		g.answers(t, `{things(orderBy: [{id: ASC}]) {partsAggregate {count x {sum}} parts {id}}}`,
			`{"data":{"things":[{"partsAggregate":[{"count":2,"x":{"sum":11}}],"parts":[{"id":1},{"id":2}]},{"partsAggregate":[{"count":0,"x":{"sum":null}}],"parts":[]},`+
				`{"partsAggregate":[{"count":0,"x":{"sum":null}}],"parts":[]}]}}`)
		g.answersTo(t, "t2", `{things {partsAggregate {count}}}`, `{"data":{"things":[{"partsAggregate":[{"count":0}]}]}}`)
	}
}

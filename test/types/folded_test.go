package types

import (
	"path/filepath"
	"testing"
)

// TestFoldedKeys: text that is equal in upper and lower case identifies no row, and
// leads to none: to usher these are different texts, and to the source one.
func TestFoldedKeys(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
CREATE EXTENSION citext;
CREATE TABLE people (email citext PRIMARY KEY, tenant text NOT NULL, n int);
CREATE TABLE letters (id int PRIMARY KEY, tenant text NOT NULL, recipient citext REFERENCES people);
INSERT INTO people VALUES ('Ann', 't1', 1);
INSERT INTO letters VALUES (1, 't1', 'ANN');`, `
datasets: {people: {tenant: tenant}, letters: {tenant: tenant}}`)
	g.answers(t, `{people(where: {email: {eq: "aNN"}}) {email n} letters(where: {recipient: {eq: "ann"}}) {id recipient}}`,
		`{"data":{"people":[{"email":"Ann","n":1}],"letters":[{"id":1,"recipient":"ANN"}]}}`)
	g.answers(t, `{__type(name: "Letters") {fields {name}}}`, `{"data":{"__type":{"fields":[{"name":"id"},{"name":"recipient"}]}}}`)
	g.answers(t, `{dataset(name: "people") {key relations {name}}}`, `{"data":{"dataset":{"key":[],"relations":[]}}}`)
	// A tenant's column is none of these in the scope of a filter, either.
	g.answersTo(t, "T1", `{people {n} peopleAggregate {count}}`, `{"data":{"people":[],"peopleAggregate":[{"count":0}]}}`)
}

// TestFoldedInPolicies: a dataset's own filter compares as the column does.
func TestFoldedInPolicies(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, people, `
datasets:
  people: {tenant: tenant, filter: {email: {neq: "BOB"}}}`)
	g.answers(t, `{people(orderBy: [{id: ASC}]) {id}}`, `{"data":{"people":[{"id":1},{"id":2},{"id":4}]}}`)
	g.answers(t, `{peopleAggregate(orderBy: [{count: DESC}]) {key {email} count}}`, `{"data":{"peopleAggregate":[{"key":{"email":"ann@x"},"count":2},{"key":{"email":null},"count":1}]}}`)
	g.answers(t, `{people(where: {tags: {hasAny: ["RED", "none"]}}) {tags}}`, `{"data":{"people":[{"tags":["Red"]}]}}`)
	g.answers(t, `{people(where: {or: [{email: {in: ["ann@X", "x"]}}, {email: {isNull: true}}]}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"people":[{"id":1},{"id":2},{"id":4}]}}`)
}

// TestFoldedLists: a list of any length that text is compared with is one argument, whatever stands in it.
func TestFoldedLists(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, people+`
INSERT INTO people VALUES (5, 't1', 'a"b\\,{c', NULL, 2, NULL, NULL, NULL, NULL, NULL);`, `
datasets:
  people: {tenant: tenant}`)
	for list, want := range map[string]string{
		`["none"]`:                     `[]`,
		`["bob"]`:                      `[{"id":3}]`,
		`["ann@X", "BOB", "x", "BOB"]`: `[{"id":1},{"id":2},{"id":3}]`,
		`["A\"B\\\\,{C", "", "NULL"]`:  `[{"id":5}]`,
		`[]`:                           `[]`,
	} {
		g.answers(t, `{people(where: {email: {in: `+list+`}}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"people":`+want+`}}`)
	}
	g.answers(t, `{people(where: {email: {notIn: ["ann@X", "BOB"]}}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"people":[{"id":4},{"id":5}]}}`)
	g.answers(t, `{people(where: {email: {notIn: []}}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"people":[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}]}}`)
}

const people = `
CREATE EXTENSION citext;
CREATE TYPE grade AS ENUM ('A', 'B-plus');
CREATE TABLE people (id int PRIMARY KEY, tenant text NOT NULL, email citext, tags citext[], team int, born date, grade grade, ip inet, worth numeric, pay money);
INSERT INTO people VALUES (1, 't1', 'Ann@X', '{Red}', 1, '2000-01-01', 'B-plus', '10.0.0.1', 1.5, 2), (2, 't1', 'ANN@x', NULL, 1, 'infinity', 'A', NULL, 'NaN', NULL),
	(3, 't1', 'bob', '{blue}', 2, '0044-03-15 BC', NULL, '10.0.0.1', 'Infinity', NULL), (4, 't1', NULL, NULL, 2, NULL, NULL, NULL, NULL, NULL);`

// TestTypesOfSeveralSources: where rows of two sources are put together, columns
// mean what they mean in theirs.
func TestTypesOfSeveralSources(t *testing.T) {
	t.Parallel()
	teams := filepath.Join(t.TempDir(), "teams.duckdb")
	fill(t, teams, `CREATE TABLE teams (id int PRIMARY KEY, name text); INSERT INTO teams VALUES (1, 'one'), (2, 'two');`)
	g := postgres.open(t, people, `
datasets:
  people:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, email: {}, team: {}, born: {}, grade: {}, ip: {}, worth: {}, pay: {}}
    relations: {of: {to: teams, on: {team: id}}}
  teams: {common: true, source: other}
`, "other: {kind: duckdb, path: "+teams+"}")
	g.answers(t, `{peopleAggregate(where: {email: {in: ["ANN@X", "Bob"]}}) {key {of {name} email} count}}`,
		`{"data":{"peopleAggregate":[{"key":{"of":{"name":"one"},"email":"ann@x"},"count":2},{"key":{"of":{"name":"two"},"email":"bob"},"count":1}]}}`)
	g.answers(t, `{people(where: {of: {name: {eq: "two"}}, email: {neq: "ANN@x"}}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"people":[{"id":3},{"id":4}]}}`)
	g.answers(t, `{people(where: {of: {name: {eq: "one"}}, grade: {eq: "B-plus"}, ip: {eq: "10.0.0.1"}}) {id grade ip pay of {name}}}`,
		`{"data":{"people":[{"id":1,"grade":"B-plus","ip":"10.0.0.1","pay":2.00,"of":{"name":"one"}}]}}`)
	g.answers(t, `{peopleAggregate {key {of {name} born(by: YEAR)} count worth {max}}}`,
		`{"data":{"peopleAggregate":[{"key":{"of":{"name":"one"},"born":"2000-01-01"},"count":1,"worth":{"max":1.5}},{"key":{"of":{"name":"one"},"born":null},"count":1,"worth":{"max":null}},`+
			`{"key":{"of":{"name":"two"},"born":null},"count":2,"worth":{"max":null}}]}}`)
}

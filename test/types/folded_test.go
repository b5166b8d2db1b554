package types

import "testing"

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

// TestFoldedElsewhere: rows of several sources are compared by the same rule.
func TestFoldedElsewhere(t *testing.T) {
	t.Parallel()
	pg := postgres.open(t, `
CREATE EXTENSION citext;
CREATE TABLE people (id int PRIMARY KEY, tenant text NOT NULL, email citext, tags citext[]);
INSERT INTO people VALUES (1, 't1', 'Ann@X', '{Red}'), (2, 't1', 'ANN@x', NULL), (3, 't1', 'bob', '{blue}'), (4, 't1', NULL, NULL);`, `
datasets:
  people: {tenant: tenant, filter: {email: {neq: "BOB"}}}`)
	pg.answers(t, `{people(orderBy: [{id: ASC}]) {id}}`, `{"data":{"people":[{"id":1},{"id":2},{"id":4}]}}`)
	pg.answers(t, `{peopleAggregate(orderBy: [{count: DESC}]) {key {email} count}}`, `{"data":{"peopleAggregate":[{"key":{"email":"ann@x"},"count":2},{"key":{"email":null},"count":1}]}}`)
	pg.answers(t, `{people(where: {tags: {hasAny: ["RED", "none"]}}) {tags}}`, `{"data":{"people":[{"tags":["Red"]}]}}`)
	pg.answers(t, `{people(where: {or: [{email: {in: ["ann@X", "x"]}}, {email: {isNull: true}}]}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"people":[{"id":1},{"id":2},{"id":4}]}}`)
}

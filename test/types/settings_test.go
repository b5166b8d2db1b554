package types

import (
	"strings"
	"testing"
)

// TestPromisesOfJSON: JSON's null is null in an answer, so nothing is promised of JSON.
func TestPromisesOfJSON(t *testing.T) {
	t.Parallel()
	rows := map[string]string{
		"postgres": `CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, js json NOT NULL, jb jsonb NOT NULL); INSERT INTO things VALUES (1, 't1', ' null ', 'null');`,
		"duckdb":   `CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, js json NOT NULL, jb json NOT NULL); INSERT INTO things VALUES (1, 't1', ' null ', 'null');`,
	}
	for _, e := range []engine{postgres, duckDB} {
		g := e.open(t, rows[e.name], oneDataset)
		g.answers(t, `{things {js jb} __type(name: "Things") {fields {name type {kind}}}}`, `{"data":{"things":[{"js":null,"jb":null}],"__type":{"fields":[{"name":"id","type":{"kind":"NON_NULL"}},`+
			`{"name":"js","type":{"kind":"SCALAR"}},{"name":"jb","type":{"kind":"SCALAR"}}]}}}`)
		g = e.open(t, rows[e.name], `
datasets: {things: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, js: JSON!}}}`)
		if got := g.ask(t, `{things {id js}}`); !strings.Contains(got, `"path":["things",0,"js"]`) || !strings.HasSuffix(got, `"data":{"things":null}}`) {
			t.Error(got)
		}
	}
}

// TestListsOfJSON: what is refused is not offered.
func TestListsOfJSON(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, js jsonb[]);
INSERT INTO things VALUES (1, 't1', '{"1",NULL}'), (2, 't1', NULL);`, oneDataset)
	g.answers(t, `{__type(name: "JSONListWhere") {inputFields {name}} things(where: {js: {isNull: false}}) {js}}`,
		`{"data":{"__type":{"inputFields":[{"name":"isNull"}]},"things":[{"js":[1,null]}]}}`)
}

// TestSettingsOfTheDatabase: what its owner has set does not change answers.
func TestSettingsOfTheDatabase(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET array_nulls = off', current_database()); EXECUTE format('ALTER DATABASE %I SET bytea_output = escape', current_database());
	EXECUTE format('ALTER DATABASE %I SET quote_all_identifiers = on', current_database()); END $$;
CREATE TYPE pair AS (b bytea);
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, ns int[], bs bytea[], p pair, c regclass);
INSERT INTO things VALUES (1, 't1', '{1,NULL}', '{"\\x01",NULL}', '("\\x01")', 'things');`, oneDataset)
	g.answers(t, `{things {ns bs p c}}`, `{"data":{"things":[{"ns":[1,null],"bs":["AQ==",null],"p":{"b":"\\x01"},"c":"public.things"}]}}`)
	g.answers(t, `{things(where: {ns: {has: 1}}) {id}}`, `{"data":{"things":[{"id":1}]}}`)
}

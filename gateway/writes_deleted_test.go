package gateway_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// keeping is a dataset whose deleted rows are kept.
const keeping = `
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {shop: {%s}}
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
roles:
  user: {datasets: {notes: {filter: {text: {neq: hidden}}, insert: {}, update: {}, delete: {}}, authors: {insert: {}, delete: {}}}}
  keeper: {datasets: {notes: {filter: {text: {neq: sealed}}, update: {}, aggregate: true, include_deleted: true}, authors: {}}}
  looker: {datasets: {notes: {include_deleted: true}, authors: {}}}
  mender: {datasets: {notes: {update: {columns: [text]}, include_deleted: true}, authors: {}}}
datasets:
  notes:
    tenant: tenant
    key: id
    writable: true
    version: version
    cache: 1h
    deleted: {at: gone_at, by: gone_by}
    columns: {tenant: String!, id: Int!, text: String, author_id: Int, version: Int!, gone_at: Timestamp, gone_by: String, slug: String}
    relations: {author: {to: authors, on: {author_id: id}}}
  authors:
    tenant: tenant
    key: id
    writable: true
    columns: {tenant: String!, id: Int!, name: String}
    relations: {notes: {to: notes, many: true, on: {id: author_id}}}
`

const kept = `
CREATE TABLE authors (tenant text NOT NULL, id int NOT NULL, name text, PRIMARY KEY (tenant, id));
CREATE TABLE notes (tenant text NOT NULL, id int NOT NULL, text text, author_id int, version int NOT NULL, gone_at timestamptz, gone_by text, slug text, PRIMARY KEY (tenant, id));
INSERT INTO authors VALUES ('a', 1, 'Ann'), ('b', 1, 'Bob');
INSERT INTO notes (tenant, id, text, author_id, version, gone_at, gone_by) VALUES ('a', 1, 'one', 1, 1, NULL, NULL), ('a', 2, 'two', 1, 1, '2024-01-01 00:00:00+00', 'ann'), ('a', 3, 'hidden', 1, 1, '2024-01-01 00:00:00+00', 'ann'),
	('a', 4, 'sealed', 1, 1, '2024-01-01 00:00:00+00', 'ann'), ('b', 2, 'theirs', 1, 1, '2024-01-01 00:00:00+00', 'bob'), ('b', 5, 'shown', 1, 1, NULL, NULL);
`

// Rows that were deleted are shown to whom a role shows them, and restored by whom it lets update
// them; in either engine, and nobody else's.
func TestDeletedRows(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"postgres", "duckdb"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var db pgtest.DB
			source, env := "kind: duckdb, path: shop.duckdb", controlledEnv(db)
			if engine == "postgres" {
				db = pgtest.Start(t).Database(t)
				db.Exec(t, kept+`CREATE UNIQUE INDEX ON notes (tenant, slug) WHERE gone_at IS NULL;
					CREATE TABLE pins (tenant text NOT NULL, note_id int, FOREIGN KEY (tenant, note_id) REFERENCES notes ON DELETE CASCADE); INSERT INTO pins VALUES ('a', 2)`)
				source = fmt.Sprintf("kind: postgres, host: 127.0.0.1, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable", db.Port, db.Name, db.User)
				env = controlledEnv(db)
			} else {
				program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), kept)
			}
			cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, keeping, filepath.Join(dir, "store.duckdb"), source), env)
			if err != nil {
				t.Fatal(err)
			}
			made, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = made.Close() })
			g := writing{gate{made}, gate{made}.bootstrap(t)}
			for _, tenant := range []string{"a", "b"} {
				g.check(t, g.root, `mutation { admin { createTenant(input: {id: "`+tenant+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"`+tenant+`"}}}}`)
			}
			key := func(name, whose string, roles ...string) string {
				return g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "`+name+`", `+whose+`, scopes: [READ_DATA, WRITE_DATA], roles: ["`+strings.Join(roles, `", "`)+`"]}) { token } } }`, "token")
			}
			user, keeper, both := key("user", `tenant: "a"`, "user"), key("keeper", `tenant: "a"`, "keeper"), key("both", `tenant: "a"`, "user", "keeper")
			looker, mender, operator := key("looker", `tenant: "a"`, "looker"), key("mender", `tenant: "a"`, "mender"), key("operator", `allTenants: true`, "keeper")
			apart := key("apart", `tenant: "a"`, "user", "looker")
			const every = `{ notes(includeDeleted: true, orderBy: [{id: ASC}]) { id text } }`
			for _, line := range []struct{ token, text, want string }{
				{user, `{ notes(orderBy: [{id: ASC}]) { id } }`, `{"notes":[{"id":1}]}`},
				{keeper, `{ notes { id } notesByPk(id: 2) { id } }`, `{"notes":[{"id":1}],"notesByPk":null}`},
				{keeper, `{ notes(includeDeleted: false) { id } }`, `{"notes":[{"id":1}]}`},
				{keeper, every, `{"notes":[{"id":1,"text":"one"},{"id":2,"text":"two"},{"id":3,"text":"hidden"}]}`},
				{looker, every, `{"notes":[{"id":1,"text":"one"},{"id":2,"text":"two"},{"id":3,"text":"hidden"},{"id":4,"text":"sealed"}]}`},
				{both, every, `{"notes":[{"id":1,"text":"one"},{"id":2,"text":"two"},{"id":3,"text":"hidden"}]}`}, // of what the one shows, the other shows none that were deleted
				{keeper, `{ notesByPk(id: 2, includeDeleted: true) { id gone_by } none: notesByPk(id: 4, includeDeleted: true) { id } }`, `{"notesByPk":{"id":2,"gone_by":"ann"},"none":null}`},
				{keeper, `{ notesConnection(includeDeleted: true, first: 2, orderBy: [{id: DESC}]) { totalCount nodes { id } } notesAggregate { count } }`, `{"notesConnection":{"totalCount":3,"nodes":[{"id":3},{"id":2}]},"notesAggregate":[{"count":1}]}`},
				{keeper, `{ authors { notes { id } } notes(includeDeleted: true, where: {id: {eq: 2}}) { author { notes { id } } } }`, `{"authors":[{"notes":[{"id":1}]}],"notes":[{"author":{"notes":[{"id":1}]}}]}`},
				{keeper, `{ notesAggregate(includeDeleted: true) { count } }`, `{"notesAggregate":[{"count":3}]}`},
				{keeper, `{ notesAggregate(includeDeleted: false) { count } }`, `{"notesAggregate":[{"count":1}]}`},
				{keeper, `{ notesAggregate(includeDeleted: true, where: {gone_by: {eq: "ann"}}, orderBy: [{count: DESC}]) { key { gone_by } count } }`, `{"notesAggregate":[{"key":{"gone_by":"ann"},"count":2}]}`},
				{keeper, `{ authors { notesAggregate(includeDeleted: true) { count } } }`, ` GRAPHQL_VALIDATION_FAILED`},
				{both, `{ notesAggregate(includeDeleted: true) { count } }`, `{"notesAggregate":[{"count":3}]}`},
				{operator, `{ notesAggregate(includeDeleted: true) { count } }`, `{"notesAggregate":[{"count":5}]}`},
				{operator, `{ notes(includeDeleted: true, orderBy: [{id: ASC}]) { tenant id } }`, `{"notes":[{"tenant":"a","id":1},{"tenant":"a","id":2},{"tenant":"b","id":2},{"tenant":"a","id":3},{"tenant":"b","id":5}]}`},
				{looker, `query ($d: Boolean) { notes(includeDeleted: $d) { id } }`, `{"notes":[{"id":1}]}`},
				// A row that was deleted is there for nobody who updates.
				{keeper, `mutation { updateNotesByPk(id: 2, set: {text: "x"}) { id } }`, `{"updateNotesByPk":null}`},
				{keeper, `mutation { deleteNotesByPk(id: 2) { id } }`, ` GRAPHQL_VALIDATION_FAILED`},
				{user, `mutation { updateNotesByPk(id: 2, set: {gone_at: null}) { id } }`, ` GRAPHQL_VALIDATION_FAILED`},
				{looker, `mutation { updateNotesByPk(id: 2, set: {gone_at: null}) { id } }`, ` GRAPHQL_VALIDATION_FAILED`},
				{mender, `mutation { updateNotesByPk(id: 2, set: {gone_at: null}) { id } }`, ` GRAPHQL_VALIDATION_FAILED`},
				{apart, `mutation { updateNotesByPk(id: 2, set: {gone_at: null}) { id } }`, `null FORBIDDEN: no role of yours writes these columns of notes together`}, // the one shows it, the other writes
				{keeper, `mutation { updateNotesByPk(id: 1, set: {gone_at: "2024-01-01T00:00:00Z"}) { id } }`, `null BAD_USER_INPUT: gone_at says when the row was deleted`},
				{keeper, `mutation { updateNotesByPk(id: 4, set: {gone_at: null}) { id } }`, `{"updateNotesByPk":null}`},
				{keeper, `mutation { updateNotesByPk(id: 5, set: {gone_at: null}) { id } }`, `{"updateNotesByPk":null}`},
				{keeper, `mutation { updateNotesByPk(id: 2, version: 9, set: {gone_at: null}) { id } }`, `null CONFLICT: the row of notes has changed meanwhile`},
				{keeper, `mutation { updateNotesByPk(id: 2, set: {gone_at: null, text: "back"}) { id text version gone_at gone_by } }`, `{"updateNotesByPk":{"id":2,"text":"back","version":2,"gone_at":null,"gone_by":null}}`},
				{user, `{ notes(orderBy: [{id: ASC}]) { id text } }`, `{"notes":[{"id":1,"text":"one"},{"id":2,"text":"back"}]}`},
				{user, `mutation { deleteNotesByPk(id: 2) { id } }`, `{"deleteNotesByPk":{"id":2}}`},
				{user, `mutation { insertNotesOne(row: {id: 2}) { id } }`, `null CONFLICT: there is a row of notes with the same id (insertNotesOne.row.id)`},
				{user, `mutation { insertNotes(rows: [{id: 2, text: "new"}], onConflict: {key: id, update: [text]}) { affected } }`, `null CONFLICT: a row of notes with the key of one of these is there, and cannot be changed`},
				{both, `mutation { updateNotes(where: {gone_at: {isNull: false}}, set: {gone_at: null}) { affected rows { id } } }`, `{"updateNotes":{"affected":2,"rows":[{"id":2},{"id":3}]}}`},
				{operator, `mutation { updateNotesByPk(tenant: "b", id: 2, set: {gone_at: null}) { tenant id } }`, `{"updateNotesByPk":{"tenant":"b","id":2}}`},
				// What a row leads to has to be there when it is restored, and it collides with what was written meanwhile.
				{user, `mutation { insertAuthorsOne(row: {id: 7}) { id } }`, `{"insertAuthorsOne":{"id":7}}`},
				{user, `mutation { insertNotes(rows: [{id: 70, author_id: 7}, {id: 71, author_id: 7, slug: "s"}, {id: 72}]) { affected } }`, `{"insertNotes":{"affected":3}}`},
				{user, `mutation { deleteNotes(where: {id: {gte: 70}}) { affected } }`, `{"deleteNotes":{"affected":3}}`},
				{user, `mutation { deleteAuthorsByPk(id: 7) { id } }`, `{"deleteAuthorsByPk":{"id":7}}`},
				{keeper, `mutation { updateNotesByPk(id: 70, set: {gone_at: null}) { id } }`, `null NOT_FOUND: author_id leads to no row of authors`},
				{keeper, `mutation { updateNotes(where: {id: {in: [70, 72]}}, set: {gone_at: null}) { affected } }`, `null NOT_FOUND: author_id leads to no row of authors`},
				{keeper, `mutation { updateNotesByPk(id: 72, set: {gone_at: null}) { id } }`, `{"updateNotesByPk":{"id":72}}`},
				{keeper, `mutation { updateNotesByPk(id: 70, set: {gone_at: null, author_id: 1}) { id author { name } } }`, `{"updateNotesByPk":{"id":70,"author":{"name":"Ann"}}}`},
			} {
				if got := short(t, g.query(t, line.token, line.text)); got != line.want && (!strings.Contains(line.want, "GRAPHQL") && !strings.Contains(line.want, "gone_at says") || !strings.HasPrefix(got, line.want)) {
					t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
				}
			}
			for _, line := range []struct{ token, text, want string }{
				{user, `mutation { insertNotesOne(row: {id: 73, slug: "s"}) { id } }`, `{"insertNotesOne":{"id":73}}`},
				{keeper, `mutation { updateNotesByPk(id: 71, set: {gone_at: null, author_id: null}) { id } }`, `null CONFLICT: there is a row of notes with the same slug (updateNotesByPk.set)`},
				{keeper, `mutation { updateNotesByPk(id: 72, set: {slug: "s"}) { id } }`, `null CONFLICT: there is a row of notes with the same slug (updateNotesByPk.set.slug)`},
			} {
				if got := short(t, g.query(t, line.token, line.text)); engine == "postgres" && got != line.want { // which has such keys
					t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
				}
			}
			for _, text := range []string{every, `{ notesByPk(id: 2, includeDeleted: true) { id } }`, `{ notesAggregate(includeDeleted: true) { count } }`, `{ authors { notes(includeDeleted: true) { id } } }`} {
				if got := g.query(t, user, text); !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
					t.Errorf("%s: %s", text, got)
				}
			}
			if engine == "postgres" { // what refers to a row that is stamped stays, whatever would become of it with one that is gone
				db.Exec(t, `DO $$ BEGIN ASSERT (SELECT count(*) FROM pins) = 1; END $$`)
			}
		})
	}
}

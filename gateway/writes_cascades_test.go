package gateway_test

import (
	"strings"
	"testing"

	"usher/pgtest"
)

const cascadesTables = `
CREATE TABLE people (tenant text NOT NULL, id int NOT NULL, name text, PRIMARY KEY (tenant, id));
CREATE TABLE visits (tenant text NOT NULL, id int NOT NULL, person_id int, PRIMARY KEY (tenant, id), CONSTRAINT fk FOREIGN KEY (tenant, person_id) REFERENCES people ON DELETE ACTION);
INSERT INTO people VALUES ('a', 1, 'x'), ('a', 2, 'y'), ('a', 3, 'z');
INSERT INTO visits VALUES ('a', 1, 1), ('a', 2, 2), ('a', 3, 3);
`

func openCascades(t *testing.T, db pgtest.DB, strategy, onDelete string) writing {
	t.Helper()
	g := openWritingOf(t, db, `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources:
  told: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
  apart: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable, schema: "of_{tenant}", template: true}
strategies:
  all: {kind: shared, source: told}
  own: {kind: database, source: apart}
default_strategy: all
datasets:
  people:
    tenant: tenant
    key: id
    writable: true
    columns: {tenant: String!, id: Int!, name: String}
    relations: {visits: {to: visits, many: true, on: {id: person_id}`+onDelete+`}}
  visits: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: Int!, person_id: Int}, relations: {person: {to: people, on: {person_id: id}}}}
`)
	g.check(t, g.root, `mutation { admin { createTenant(input: {id: "a", strategy: "`+strategy+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"a"}}}}`)
	return g
}

// What a foreign key did when usher read it, usher does itself: where the key does it no more, nobody's rows go along.
func TestACascadeThatIsGoneTakesNothingAlong(t *testing.T) {
	t.Parallel()
	for _, was := range []string{"CASCADE", "SET NULL (person_id)"} {
		for _, is := range []string{`ALTER TABLE visits DROP CONSTRAINT fk, ADD FOREIGN KEY (tenant, person_id) REFERENCES people ON DELETE RESTRICT`, `ALTER TABLE visits DROP CONSTRAINT fk`} {
			t.Run(was+", "+is[len("ALTER TABLE visits DROP CONSTRAINT fk"):], func(t *testing.T) {
				t.Parallel()
				db := pgtest.Start(t).Database(t)
				db.Exec(t, strings.ReplaceAll(cascadesTables, "ACTION", was))
				g := openCascades(t, db, "all", "")
				ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
				if got := short(t, g.query(t, ann, `mutation { deletePeopleByPk(id: 1) { id } }`)); got != `{"deletePeopleByPk":{"id":1}}` {
					t.Fatal(got)
				}
				db.Exec(t, is)
				before := one(t, db.Open(t), `SELECT string_agg(v::text, ';' ORDER BY id) FROM visits v`)
				for range 2 {
					if got := short(t, g.query(t, ann, `mutation { deletePeopleByPk(id: 2) { id } }`)); !strings.HasPrefix(got, "null UNAVAILABLE: the keys, triggers or rules of the table of people have changed") {
						t.Error(got)
					}
				}
				if after := one(t, db.Open(t), `SELECT string_agg(v::text, ';' ORDER BY id) FROM visits v`); after != before {
					t.Errorf("there is %s, and was %s", after, before)
				}
			})
		}
	}
}

// Another table of the same name is none of which the file says anything.
func TestOwnDatabasesDoNoMoreThanTheFileSays(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	made := strings.ReplaceAll(cascadesTables, "ACTION", "CASCADE")
	db.Exec(t, strings.ReplaceAll(made, "ON DELETE CASCADE", "")+`CREATE SCHEMA of_a; SET search_path = of_a; `+made+`CREATE SCHEMA other;
		CREATE TABLE other.visits (tenant text, id int, person_id int, FOREIGN KEY (tenant, person_id) REFERENCES people ON DELETE CASCADE); INSERT INTO other.visits VALUES ('a', 1, 1)`)
	g := openCascades(t, db, "own", ", on_delete: cascade")
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	if got := short(t, g.query(t, ann, `mutation { deletePeopleByPk(id: 1) { id } }`)); !strings.HasPrefix(got, "null UNAVAILABLE") {
		t.Error(got)
	}
	if left := one(t, db.Open(t), `SELECT count(*)::text FROM other.visits`); left != "1" {
		t.Errorf("%s rows are left", left)
	}
}

// A tenant's own database, which nobody has looked into, may do with rows what the file says that usher does with them.
func TestOwnDatabasesMayDoWhatTheFileSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ action, says, want, left string }{
		{"CASCADE", ", on_delete: cascade", `{"deletePeopleByPk":{"id":1}}`, "(a,2,2);(a,3,3)"},
		{"SET NULL (person_id)", ", on_delete: unlink", `{"deletePeopleByPk":{"id":1}}`, "(a,1,);(a,2,2);(a,3,3)"},
		{"CASCADE", ", on_delete: unlink", "null UNAVAILABLE", "(a,1,1);(a,2,2);(a,3,3)"},
		{"CASCADE", "", "null UNAVAILABLE", "(a,1,1);(a,2,2);(a,3,3)"},
		{"RESTRICT", "", "null CONFLICT", "(a,1,1);(a,2,2);(a,3,3)"},
	} {
		t.Run(c.action+c.says, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Start(t).Database(t)
			made := strings.ReplaceAll(cascadesTables, "ACTION", c.action)
			db.Exec(t, strings.ReplaceAll(made, "ON DELETE "+c.action, "")+`CREATE SCHEMA of_a; SET search_path = of_a; `+made)
			g := openCascades(t, db, "own", c.says)
			ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
			if got := short(t, g.query(t, ann, `mutation { deletePeopleByPk(id: 1) { id } }`)); !strings.HasPrefix(got, c.want) {
				t.Error(got)
			}
			if left := one(t, db.Open(t), `SELECT string_agg(v::text, ';' ORDER BY id) FROM of_a.visits v`); left != c.left {
				t.Errorf("there is left %s, want %s", left, c.left)
			}
		})
	}
}

package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const membersTables = `
	CREATE TABLE users (id text PRIMARY KEY, name text);
	CREATE TABLE members (org text NOT NULL, user_id text NOT NULL REFERENCES users, PRIMARY KEY (org, user_id));
	CREATE TABLE tickets (org text NOT NULL, id int NOT NULL, owner_id text NOT NULL REFERENCES users, helper_id text REFERENCES users (id), PRIMARY KEY (org, id));
	CREATE VIEW people AS SELECT m.org, u.id, u.name FROM members m JOIN users u ON u.id = m.user_id;
	INSERT INTO users VALUES ('ann', 'Ann'), ('bob', 'Bob'), ('cyd', 'Cyd');
	INSERT INTO members VALUES ('a', 'ann'), ('a', 'bob'), ('b', 'bob'), ('b', 'cyd');
`

const membersRows = `
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {shop: %s}
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
datasets:
  tickets: {tenant: org, key: id, writable: true, presets: {insert: {owner_id: $subject}}, relations: {owner: {to: people, on: {owner_id: id}}, helper: {to: people, on: {helper_id: id}}}}
  people: {tenant: org, key: id, columns: {org: String, id: String!, name: String}}
  members: {tenant: org, key: user_id, writable: [delete]}
`

// People may be of several tenants, and their table is no dataset. A preset leads to a member of the tenant where a view of the members
// is what it leads to; everybody gives a column whose foreign key pairs the tenants. As docs/writes.md says.
func TestPeopleOfSeveralTenants(t *testing.T) {
	t.Parallel()
	type line struct{ key, text, want string }
	check := func(t *testing.T, g writing, lines ...line) {
		t.Helper()
		for _, line := range lines {
			if got := short(t, g.query(t, g.keyOf(t, line.key, "a", "READ_DATA, WRITE_DATA"), line.text)); !strings.HasPrefix(got, line.want) {
				t.Errorf("%s: %s\n got %s\nwant %s", line.key, line.text, got, line.want)
			}
		}
	}
	preset := []line{
		{"ann", `mutation { insertTicketsOne(row: {id: 1}) { owner_id owner { name } } }`, `{"insertTicketsOne":{"owner_id":"ann","owner":{"name":"Ann"}}}`},
		{"cyd", `mutation { insertTicketsOne(row: {id: 2}) { id } }`, `null NOT_FOUND: owner_id leads to no row of people`}, // of b only
		{"dan", `mutation { insertTicketsOne(row: {id: 3}) { id } }`, `null NOT_FOUND: owner_id leads to no row of people`}, // nobody
		{"ann", `mutation { updateTicketsByPk(id: 1, set: {helper_id: "bob"}) { id } }`, ` GRAPHQL_VALIDATION_FAILED`},
	}
	paired := []line{
		{"ann", `mutation { updateTicketsByPk(id: 1, set: {helper_id: "bob"}) { helper { user_id } } }`, `{"updateTicketsByPk":{"helper":{"user_id":"bob"}}}`},
		{"ann", `mutation { updateTicketsByPk(id: 1, set: {helper_id: "cyd"}) { id } }`, `null NOT_FOUND: helper_id leads to no row of members (updateTicketsByPk.set.helper_id)`},
		{"ann", `mutation { updateTicketsByPk(id: 1, set: {helper_id: "dan"}) { id } }`, `null NOT_FOUND: helper_id leads to no row of members (updateTicketsByPk.set.helper_id)`},
		{"ann", `mutation { insertTicketsOne(row: {id: 4, helper_id: "cyd"}) { id } }`, `null NOT_FOUND: helper_id leads to no row of members (insertTicketsOne.row.helper_id)`},
		{"ann", `mutation { deleteMembersByPk(user_id: "bob") { user_id } }`, `null CONFLICT`},
	}
	ofMembers := func(text string) string {
		return strings.Replace(text, "helper: {to: people, on: {helper_id: id}}", "helper: {to: members, on: {helper_id: user_id}}", 1)
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := pgtest.Start(t).Database(t)
		db.Exec(t, membersTables)
		open := func(edit func(string) string) writing {
			text := fmt.Sprintf(membersRows, "%[4]s", "{kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}")
			g := openWritingOf(t, db, edit(text))
			g.query(t, g.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`)
			return g
		}
		check(t, open(func(text string) string { return text }), preset...)
		db.Exec(t, "ALTER TABLE tickets ADD FOREIGN KEY (org, helper_id) REFERENCES members (org, user_id)")
		check(t, open(ofMembers), line{"ann", `mutation { updateTicketsByPk(id: 1, set: {helper_id: "bob"}) { id } }`, ` GRAPHQL_VALIDATION_FAILED`}) // users are led to all the same
		db.Exec(t, "ALTER TABLE tickets DROP CONSTRAINT tickets_helper_id_fkey")
		check(t, open(ofMembers), paired...)
	})
	t.Run("duckdb", func(t *testing.T) {
		t.Parallel()
		for tables, lines := range map[string][]line{membersTables: preset, strings.Replace(membersTables, "helper_id text REFERENCES users (id)", "helper_id text, FOREIGN KEY (org, helper_id) REFERENCES members (org, user_id)", 1): paired} {
			dir, edit := t.TempDir(), ofMembers
			if len(lines) == len(preset) {
				edit = func(text string) string { return text }
			} else {
				tables += "INSERT INTO tickets VALUES ('a', 1, 'ann', NULL);"
			}
			program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), tables)
			check(t, openFiles(t, dir, edit(fmt.Sprintf(membersRows, filepath.Join(dir, "store.duckdb"), "{kind: duckdb, path: shop.duckdb}"))), lines...)
		}
	})
}

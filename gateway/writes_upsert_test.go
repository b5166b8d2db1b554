package gateway_test

import (
	"strings"
	"testing"
)

// Of several roles that update rows, one has to let a row be changed as it was and allow what it
// becomes: never the filter of one with the check of another, of rows that are there already too.
func TestUpsertsByRoles(t *testing.T) {
	t.Parallel()
	g, db := openNested(t, `roles:
  north: {datasets: {shelves: {insert: {}, update: {filter: {name: {eq: north}}, check: {name: {in: [north, northern]}}}}}}
  south: {datasets: {shelves: {update: {filter: {name: {eq: south}}, check: {name: {in: [south, southern]}}}}}}
`)
	db.Exec(t, `INSERT INTO shelves VALUES (11, 'a', 'north'), (12, 'a', 'south'), (13, 'a', 'west'), (14, 'b', 'north')`)
	both := g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "both", tenant: "a", scopes: [READ_DATA, WRITE_DATA], roles: ["north", "south"]}) { token } } }`, "token")
	for _, line := range []struct{ text, want string }{
		{`[{id: 11, name: "northern"}, {id: 12, name: "southern"}, {id: 21, name: "north"}]`, `{"insertShelves":{"affected":3,"rows":[{"id":11,"name":"northern"},{"id":12,"name":"southern"},{"id":21,"name":"north"}]}}`},
		{`[{id: 21, name: "south"}]`, `null FORBIDDEN: what would be written to shelves is not what you may write there`}, // the filter of the one, the check of the other
		{`[{id: 21, name: "southern"}]`, `null FORBIDDEN: what would be written to shelves is not what you may write there`},
		{`[{id: 21, name: "northern"}, {id: 22, name: "south"}]`, `{"insertShelves":{"affected":2,"rows":[{"id":21,"name":"northern"},{"id":22,"name":"south"}]}}`},
		{`[{id: 13, name: "north"}]`, `null CONFLICT: a row of shelves with the key of one of these is there, and cannot be changed`},
		{`[{id: 22, name: "southern"}, {id: 13, name: "north"}]`, `null CONFLICT: a row of shelves with the key of one of these is there, and cannot be changed`},
		{`[{id: 31, name: "east"}]`, `null FORBIDDEN: what would be written to shelves is not what you may write there`},
	} {
		text := `mutation { insertShelves(rows: ` + line.text + `, onConflict: {key: id, update: [name]}) { affected rows { id name } } }`
		if got := short(t, g.query(t, both, text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", text, got, line.want)
		}
	}
	if got := one(t, db.Open(t), `SELECT string_agg(concat_ws(' ', id, name), ';' ORDER BY id) FROM shelves WHERE id > 10`); got != "11 northern;12 southern;13 west;14 north;21 northern;22 south" {
		t.Errorf("there are %s", got)
	}
}

// Rows of one insert do not lead to each other: which is there first is nobody's to say.
func TestRowsOfOneInsertLeadNowhereBeside(t *testing.T) {
	t.Parallel()
	g := openWrittenTree(t)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	const beside = `null BAD_USER_INPUT: manager_id leads to a row of the same insert (insertStaff.rows.1)`
	for _, line := range []struct{ text, want string }{
		{`mutation { insertStaff(rows: [{id: 1}, {id: 2, manager_id: 1}]) { affected } }`, beside},
		{`mutation { insertStaff(rows: [{id: 2}, {id: 3, manager: {link: {id: 2}}}]) { affected } }`, beside},
		{`mutation { insertStaffOne(row: {id: 1, manager_id: 1}) { id } }`, `null BAD_USER_INPUT: manager_id leads to a row of the same insert (insertStaffOne.row)`},
		{`mutation { insertStaffOne(row: {id: 1, manager_id: 9}) { id } }`, `null NOT_FOUND: manager_id leads to no row of staff (insertStaffOne.row.manager_id)`},
		{`mutation { boss: insertStaffOne(row: {id: 1}) { id } others: insertStaff(rows: [{id: 2, manager_id: 1}, {id: 3, manager_id: 1}]) { affected } }`, `{"boss":{"id":1},"others":{"affected":2}}`},
		{`mutation { insertStaffOne(row: {id: 4, manager_id: 1, reports: [{id: 5}, {id: 6}]}) { reports(orderBy: [{id: ASC}]) { id } } }`, `{"insertStaffOne":{"reports":[{"id":5},{"id":6}]}}`},
		{`mutation { insertStaff(rows: [{id: 1}, {id: 2, manager_id: 1}], onConflict: {key: id, update: [manager_id]}) { affected } }`, `{"insertStaff":{"affected":2}}`},
		{`mutation { insertStaffOne(row: {id: 10, reports: [{id: 11, reports: [{id: 12, reports: [{id: 13, reports: [{id: 14, reports: [{id: 15, reports: [{id: 16, reports: [{id: 17, reports: [{id: 18}]}]}]}]}]}]}]}]}) { id } }`, `{"insertStaffOne":{"id":10}}`},
		{`mutation { insertStaffOne(row: {id: 20, reports: [{id: 21, reports: [{id: 22, reports: [{id: 23, reports: [{id: 24, reports: [{id: 25, reports: [{id: 26, reports: [{id: 27, reports: [{id: 28, reports: [{id: 29}]}]}]}]}]}]}]}]}]}) { id } }`, `null TOO_COMPLEX: rows are nested more than 8 deep`},
	} {
		if got := short(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
}

// openWrittenTree has people who have people for managers.
func openWrittenTree(t *testing.T) writing {
	t.Helper()
	g, _ := openWrittenWith(t, `
CREATE TABLE staff (tenant text NOT NULL, id int NOT NULL, manager_id int, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, manager_id) REFERENCES staff);
`, func(text string) string {
		return strings.Replace(text, "  products: {", "  staff: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: Int!, manager_id: Int}, relations: {manager: {to: staff, on: {manager_id: id}}, reports: {to: staff, many: true, on: {id: manager_id}}}}\n  products: {", 1)
	})
	return g
}

// A row that is there is found as the source compares its key: text in other letters is the same to citext.
func TestUpsertsByFoldedKeys(t *testing.T) {
	t.Parallel()
	g, db := openWrittenWith(t, `
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE labels (tenant text NOT NULL, id int NOT NULL, label citext NOT NULL, color text, PRIMARY KEY (tenant, id), UNIQUE (tenant, label));
INSERT INTO labels VALUES ('a', 1, 'Bug', 'red'), ('b', 1, 'Theirs', 'red');
`, func(text string) string {
		return strings.Replace(text, "  products: {", "  labels: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: Int!, label: String!, color: String}}\n  products: {", 1)
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ rows, update, want string }{
		{`[{id: 2, label: "BUG"}]`, ``, `{"insertLabels":{"affected":0,"rows":[{"id":1,"label":"Bug","color":"red"}]}}`},
		{`[{id: 2, label: "bug", color: "blue"}]`, `color`, `{"insertLabels":{"affected":1,"rows":[{"id":1,"label":"Bug","color":"blue"}]}}`},
		{`[{id: 2, label: "THEIRS"}]`, ``, `{"insertLabels":{"affected":1,"rows":[{"id":2,"label":"THEIRS","color":null}]}}`},
		{`[{id: 3, label: "y"}, {id: 4, label: "Y"}, {id: 5, label: "z"}]`, ``, `{"insertLabels":{"affected":2,"rows":[{"id":3,"label":"y","color":null},{"id":3,"label":"y","color":null},{"id":5,"label":"z","color":null}]}}`},
	} {
		text := `mutation { insertLabels(rows: ` + line.rows + `, onConflict: {key: label, update: [` + line.update + `]}) { affected rows { id label color } } }`
		if got := short(t, g.query(t, ann, text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", text, got, line.want)
		}
	}
	if got := one(t, db.Open(t), `SELECT string_agg(concat_ws(' ', tenant, id, label), ';' ORDER BY tenant, id) FROM labels`); got != "a 1 Bug;a 2 THEIRS;a 3 y;a 5 z;b 1 Theirs" {
		t.Errorf("there are %s", got)
	}
}

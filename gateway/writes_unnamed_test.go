package gateway_test

import (
	"strings"
	"testing"

	"usher/pgtest"
)

// What a foreign key leads to is looked at where the dataset has no relation over it: a row of another tenant's is not there, as
// one that nobody has is not.
func TestForeignKeysWithoutARelationLeadToTheTenantsRows(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+`
		CREATE TABLE clients (tenant text NOT NULL, id int PRIMARY KEY, name text);
		CREATE TABLE sites (id int PRIMARY KEY, client_id int NOT NULL REFERENCES clients, name text);
		CREATE TABLE tickets (tenant text NOT NULL, id int NOT NULL, client_id int REFERENCES clients, site_id int REFERENCES sites, product_id int REFERENCES products, note text, PRIMARY KEY (tenant, id));
		CREATE TABLE details (tenant text NOT NULL, client_id int PRIMARY KEY REFERENCES clients, note text);
		INSERT INTO clients VALUES ('a', 1, 'mine'), ('a', 2, 'hidden'), ('b', 21, 'theirs');
		INSERT INTO sites VALUES (1, 1, 'mine'), (21, 21, 'theirs');
		INSERT INTO tickets VALUES ('a', 1, NULL, NULL, NULL, 'x'), ('a', 2, 1, 1, 1, 'y');`)
	of := openWrittenAs(t, db, func(text string) string {
		return text + `
  clients: {tenant: tenant, key: [id], filter: {name: {neq: hidden}}, columns: {tenant: String!, id: Int!, name: String}}
  sites: {tenant: {through: client}, key: [id], columns: {id: Int!, client_id: Int!, name: String}, relations: {client: {to: clients, on: {client_id: id}}}}
  tickets: {tenant: tenant, key: [id], writable: true, columns: {tenant: String!, id: Int!, client_id: Int, site_id: Int, product_id: Int, note: String}, relations: {}}
  details: {tenant: tenant, key: [client_id], writable: true, global_keys: true, columns: {tenant: String!, client_id: Int!, note: String}, relations: {}}
`
	})
	ann := of.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, text := range []string{
		`insertTicketsOne(row: {id: 9, client_id: ID}) { id }`,
		`insertTicketsOne(row: {id: 9, site_id: ID}) { id }`,
		`insertTickets(rows: [{id: 9, client_id: 1}, {id: 10, client_id: ID}]) { affected }`,
		`insertTickets(rows: [{id: 1, client_id: ID}], onConflict: {key: id, update: [client_id]}) { affected }`,
		`updateTicketsByPk(id: 1, set: {client_id: ID}) { id }`,
		`updateTickets(all: true, set: {site_id: ID}) { affected }`,
		`insertDetailsOne(row: {client_id: ID, note: "x"}) { client_id }`,
	} {
		var answers []string
		for _, id := range []string{"21", "999"} {
			answers = append(answers, of.query(t, ann, "mutation { "+strings.ReplaceAll(text, "ID", id)+" }"))
		}
		if got := short(t, answers[0]); !strings.HasPrefix(got, "null NOT_FOUND: ") || answers[0] != answers[1] {
			t.Errorf("%s\nof another tenant's %s\nof nobody's        %s", text, answers[0], answers[1])
		}
	}
	for _, column := range []string{"client_id", "site_id"} {
		theirs, nobodys := of.imported(t, ann, "tickets", "id,"+column+"\n9,21\n"), of.imported(t, ann, "tickets", "id,"+column+"\n9,999\n")
		if !strings.HasPrefix(theirs, "404 ") || theirs != nobodys {
			t.Errorf("%s\nof another tenant's %s\nof nobody's        %s", column, theirs, nobodys)
		}
	}
	of.check(t, ann, `mutation { insertTicketsOne(row: {id: 9, client_id: 2}) { id } }`,
		`200 {"data":null,"errors":[{"message":"client_id leads to no row of clients","path":["insertTicketsOne"],"locations":[{"line":1,"column":12}],"extensions":{"at":"insertTicketsOne.row.client_id","code":"NOT_FOUND"}}]}`)
	of.check(t, ann, `mutation { insertTickets(rows: [{id: 9, client_id: 1, site_id: 1, product_id: 1}, {id: 10}]) { affected } updateTicketsByPk(id: 1, set: {client_id: 1}) { id } insertDetailsOne(row: {client_id: 1}) { client_id } }`,
		`200 {"data":{"insertTickets":{"affected":2},"updateTicketsByPk":{"id":1},"insertDetailsOne":{"client_id":1}}}`)
	if got := of.imported(t, ann, "tickets", "id,client_id,site_id\n11,1,1\n12,,\n"); !strings.HasPrefix(got, "200 ") {
		t.Error(got)
	}
}

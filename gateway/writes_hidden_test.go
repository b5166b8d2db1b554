package gateway_test

import (
	"encoding/json"
	"strings"
	"testing"

	"usher/pgtest"
)

// secretive is a shop of which a clerk sees little: whatever is hidden has q7 in its name.
const secretive = `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
  other: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
  apart: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable, schema: "of_{tenant}", template: true}
strategies:
  all: {kind: shared, source: shop, datasets: {farq7: other}}
  split: {kind: shared, source: shop, datasets: {farq7: other, vaultq7: other, billq7: other, petq7: other, boxq7: other}}
default_strategy: all
roles:
  clerk:
    datasets:
      orders: {columns: [id, vault_id, far_id, note, amount], insert: {}, update: {}, delete: {}}
      customers: {insert: {}, update: {}, delete: {}}
      parents: {insert: {}, update: {}, delete: {}}
      lines: {columns: [line, sku], insert: {}, update: {}, delete: {}}
      forms: {columns: [id], insert: {}, update: {}, delete: {}}
      guarded: {filter: {vault: {nameq7: {eq: gold}}}, insert: {check: {vault: {nameq7: {eq: gold}}}}, update: {}, delete: {}}
      reaching: {insert: {check: {far: {id: {gt: 0}}}}, update: {}, delete: {}}
      noted: {columns: [id, text], insert: {}, update: {}, delete: {}}
datasets:
  orders:
    tenant: tenant
    key: id
    writable: true
    version: versionq7
    columns: {id: Int!, tenant: String!, vault_id: Int, far_id: Int, note: {type: String}, amount: Int, codeq7: String, leadq7: Int, versionq7: Int!}
    relations: {vault: {to: vaultq7, on: {vault_id: id}}, far: {to: farq7, on: {far_id: id}}, lead: {to: vaultq7, on: {leadq7: id}}}
  customers:
    tenant: tenant
    key: id
    writable: true
    columns: {id: Int!, tenant: String!, name: String}
    relations: {bills: {to: billq7, many: true, on: {id: customer_id}, on_delete: restrict}}
  parents:
    tenant: tenant
    key: id
    writable: true
    columns: {id: Int!, tenant: String!, name: String}
    relations: {pets: {to: petq7, many: true, on: {id: parent_id}, on_delete: cascade}}
  lines:
    tenant: {through: box}
    key: [boxq7_id, line]
    writable: true
    columns: {boxq7_id: Int!, line: Int!, sku: String}
    relations: {box: {to: boxq7, on: {boxq7_id: id}}}
  forms: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, mustq7: String!}}
  guarded: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, vault_id: Int}, relations: {vault: {to: vaultq7, on: {vault_id: id}}}}
  reaching: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, far_id: Int}, relations: {far: {to: farq7, on: {far_id: id}}}}
  noted: {tenant: tenant, key: id, writable: true, deleted: {at: goneq7, by: byq7}, columns: {id: Int!, tenant: String!, text: String, goneq7: Timestamp, byq7: UUID}}
  vaultq7: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, nameq7: String}}
  farq7: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!}}
  billq7: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, customer_id: Int}}
  petq7: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, parent_id: Int}}
  boxq7: {tenant: tenant, key: id, writable: true, global_keys: true, columns: {id: Int!, tenant: String!}}
`

const secretiveTables = `
CREATE TABLE vaultq7 (tenant text NOT NULL, id int NOT NULL, nameq7 text, PRIMARY KEY (tenant, id));
CREATE TABLE farq7 (tenant text NOT NULL, id int NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE orders (tenant text NOT NULL, id int NOT NULL, vault_id int, far_id int, note varchar(5), amount int, codeq7 text DEFAULT 'same', leadq7 int DEFAULT 9, versionq7 int NOT NULL,
	PRIMARY KEY (tenant, id), CONSTRAINT uniqueq7 UNIQUE (tenant, codeq7), CONSTRAINT refq7 FOREIGN KEY (tenant, leadq7) REFERENCES vaultq7, CONSTRAINT checkq7 CHECK (codeq7 <> 'same' OR amount IS DISTINCT FROM 7));
CREATE TABLE customers (tenant text NOT NULL, id int NOT NULL, name text, PRIMARY KEY (tenant, id));
CREATE TABLE hiddenq7 (tenant text NOT NULL, customer_id int, CONSTRAINT alsoq7 FOREIGN KEY (tenant, customer_id) REFERENCES customers);
CREATE TABLE billq7 (tenant text NOT NULL, id int NOT NULL, customer_id int, PRIMARY KEY (tenant, id));
CREATE TABLE parents (tenant text NOT NULL, id int NOT NULL, name text, PRIMARY KEY (tenant, id));
CREATE TABLE petq7 (tenant text NOT NULL, id int NOT NULL, parent_id int, PRIMARY KEY (tenant, id));
CREATE TABLE boxq7 (id int PRIMARY KEY, tenant text NOT NULL);
CREATE TABLE lines (boxq7_id int NOT NULL DEFAULT 1 REFERENCES boxq7, line int NOT NULL, sku text, PRIMARY KEY (boxq7_id, line));
CREATE TABLE forms (tenant text NOT NULL, id int NOT NULL, mustq7 text NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE guarded (tenant text NOT NULL, id int NOT NULL, vault_id int, PRIMARY KEY (tenant, id));
CREATE TABLE reaching (tenant text NOT NULL, id int NOT NULL, far_id int, PRIMARY KEY (tenant, id));
CREATE TABLE noted (tenant text NOT NULL, id int NOT NULL, text text, goneq7 timestamptz, byq7 uuid, PRIMARY KEY (tenant, id));
INSERT INTO vaultq7 VALUES ('a', 9, 'iron'), ('b', 1, 'gold');
INSERT INTO farq7 VALUES ('a', 1);
INSERT INTO orders (tenant, id, versionq7) VALUES ('a', 1, 3);
INSERT INTO customers VALUES ('a', 1, 'Ann'), ('a', 2, 'Ben');
INSERT INTO hiddenq7 VALUES ('a', 2);
INSERT INTO billq7 VALUES ('a', 1, 1);
INSERT INTO parents VALUES ('a', 1, 'p');
INSERT INTO petq7 VALUES ('a', 1, 1);
INSERT INTO boxq7 VALUES (1, 'a'), (2, 'b');
INSERT INTO lines VALUES (1, 1, 'x');
INSERT INTO forms VALUES ('a', 1, 'x');
INSERT INTO guarded VALUES ('a', 1, 9);
INSERT INTO reaching VALUES ('a', 1, 1);
INSERT INTO noted VALUES ('a', 1, 'x', NULL, NULL), ('a', 2, 'x', now(), NULL);
`

// No error of a mutation names what its sender does not see: neither usher's own nor one of
// what the database says, whichever way the rows are reached.
func TestWritesNameNothingHidden(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, secretiveTables)
	g := openWritingOf(t, db, secretive)
	g.check(t, g.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"a"}}}}`)
	g.check(t, g.root, `mutation { admin { createTenant(input: {id: "b", strategy: "split"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"b"}}}}`)
	key := func(name, whose string) string {
		return g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "`+name+`", `+whose+`, scopes: [READ_DATA, WRITE_DATA], roles: ["clerk"]}) { token } } }`, "token")
	}
	tokens := map[string]string{"a": key("a", `tenant: "a"`), "b": key("b", `tenant: "b"`), "all": key("all", "allTenants: true")}
	texts := []string{
		`insertOrdersOne(TENANT row: {id: 2, vault_id: 9}) { id }`,
		`insertOrdersOne(TENANT row: {id: 2, vault_id: 77}) { id }`,
		`insertOrdersOne(TENANT row: {id: 2, far_id: 1}) { id }`,
		`insertOrdersOne(TENANT row: {id: 2}) { id }`,
		`insertOrdersOne(TENANT row: {id: 1}) { id }`,
		`insertOrdersOne(TENANT row: {id: 2, amount: 7}) { id }`,
		`insertOrdersOne(TENANT row: {id: 2, note: "too long"}) { id }`,
		`insertOrdersOne(TENANT row: {id: 2, amount: 99999999999}) { id }`,
		`insertOrders(TENANT rows: [{id: 2}, {id: 3}]) { affected }`,
		`insertOrders(TENANT rows: [{id: 1, note: "x"}, {id: 3}], onConflict: {key: id, update: [note]}) { affected }`,
		`insertOrders(TENANT rows: [{id: 9, vault_id: 9}], onConflict: {key: id, update: [vault_id]}) { affected }`,
		`updateOrders(ALL where: {id: {eq: 1}}, set: {vault_id: 9}) { affected }`,
		`updateOrders(ALL where: {id: {eq: 1}}, set: {far_id: 1}) { affected }`,
		`updateOrdersByPk(TENANT id: 1, set: {note: "x"}, version: 1) { id }`,
		`updateOrdersByPk(TENANT id: 1, set: {note: null}, increment: {amount: 1}) { id }`,
		`updateOrders(ALL all: true, set: {amount: 7}) { affected }`,
		`deleteOrdersByPk(TENANT id: 1, version: 1) { id }`,
		`deleteCustomersByPk(TENANT id: 1) { id }`,
		`deleteCustomersByPk(TENANT id: 2) { id }`,
		`deleteCustomers(ALL all: true) { affected }`,
		`deleteParentsByPk(TENANT id: 1) { id }`,
		`deleteParents(ALL all: true) { affected }`,
		`insertLinesOne(TENANT row: {line: 1}) { line }`,
		`insertLinesOne(TENANT row: {line: 5}) { line }`,
		`insertLines(TENANT rows: [{line: 1}, {line: 1}]) { affected }`,
		`updateLines(ALL all: true, set: {sku: "y"}) { affected }`,
		`deleteLines(ALL all: true) { affected }`,
		`insertFormsOne(TENANT row: {id: 2}) { id }`,
		`deleteForms(ALL where: {id: {gt: 0}}) { affected }`,
		`insertGuardedOne(TENANT row: {id: 2, vault_id: 9}) { id }`,
		`insertGuardedOne(TENANT row: {id: 2, vault_id: 1}) { id }`,
		`insertGuardedOne(TENANT row: {id: 2}) { id }`,
		`updateGuarded(ALL all: true, set: {vault_id: 9}) { affected }`,
		`deleteGuarded(ALL all: true) { affected }`,
		`insertReachingOne(TENANT row: {id: 2}) { id }`,
		`insertReachingOne(TENANT row: {id: 2, far_id: 1}) { id }`,
		`updateReaching(ALL all: true, set: {far_id: 1}) { affected }`,
		`insertNotedOne(TENANT row: {id: 2, text: "x"}) { id }`,
		`insertNoted(TENANT rows: [{id: 2, text: "x"}], onConflict: {key: id, update: [text]}) { affected }`,
		`deleteNotedByPk(TENANT id: 1) { id }`,
	}
	asked, refused := 0, 0
	for who, token := range tokens {
		whose := map[string][2]string{"all": {`tenant: "a",`, ""}}[who]
		for _, text := range texts {
			text = "mutation { " + strings.NewReplacer("TENANT", whose[0], "ALL", whose[1]).Replace(text) + " }"
			answer := g.query(t, token, text)
			_, body, _ := strings.Cut(answer, " ")
			var got struct{ Errors []struct{ Message string } }
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			asked++
			if len(got.Errors) > 0 {
				refused++
				if strings.Contains(answer, "GRAPHQL_VALIDATION_FAILED") {
					t.Logf("%s: %s: %s", who, text, answer)
				}
			}
			for _, hidden := range []string{"q7", "iron", "gold"} {
				if strings.Contains(answer, hidden) {
					t.Errorf("%s: %s\nis told of %s: %s", who, text, hidden, answer)
				}
			}
			t.Logf("%s %s: %s", who, text, short(t, answer))
		}
	}
	if refused < asked/2 {
		t.Errorf("of %d mutations %d were refused: there is nothing to prove", asked, refused)
	}
}

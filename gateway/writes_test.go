package gateway_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
)

// written is a shop whose tenants write. An order's customer is the tenant's own, its
// product is common to all; an item is whose its order is.
const written = `
control:
  path: %[4]q
  key: {id: a, secret: {env: KEY}}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
datasets:
  orders:
    tenant: tenant
    key: id
    writable: true
    cache: 1h
    version: version
    presets: {insert: {created_by: $subject}}
    columns: {id: BigInt!, tenant: String!, customer_id: BigInt, product_id: Int, status: String!, note: String, amount: {type: Decimal, precision: 12, scale: 2}, version: Int!, created_by: String, doc: JSON, tags: "[String]"}
    relations:
      customer: {to: customers, on: {customer_id: id}}
      product: {to: products, on: {product_id: id}}
  customers:
    tenant: tenant
    key: id
    writable: true
    columns: {id: BigInt!, tenant: String!, name: String}
    filter: {name: {neq: hidden}}
  items:
    tenant: {through: box}
    key: [box_id, line]
    writable: true
    columns: {box_id: BigInt!, line: Int!, sku: String}
    relations: {box: {to: boxes, on: {box_id: id}}}
  boxes:
    tenant: tenant
    key: id
    writable: true
    global_keys: true
    columns: {id: BigInt!, tenant: String!}
    relations: {items: {to: items, many: true, on: {id: box_id}}}
  products: {common: true, source: shop, key: id, columns: {id: Int!, name: String}}
`

const writtenTables = `
CREATE TABLE customers (tenant text NOT NULL, id bigint NOT NULL, name varchar(20), PRIMARY KEY (tenant, id));
CREATE TABLE products (id int PRIMARY KEY, name text);
CREATE TABLE orders (tenant text NOT NULL, id bigint NOT NULL, customer_id bigint, product_id int REFERENCES products, status text NOT NULL DEFAULT 'open', note text,
	amount numeric(12,2), version int NOT NULL, created_by text, doc jsonb, tags text[], PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, customer_id) REFERENCES customers, CHECK (status <> 'bad'));
CREATE UNIQUE INDEX ON orders (tenant, note);
CREATE TABLE boxes (id bigint PRIMARY KEY, tenant text NOT NULL);
CREATE TABLE items (box_id bigint NOT NULL, line int NOT NULL, sku text, PRIMARY KEY (box_id, line));
INSERT INTO customers VALUES ('a', 1, 'Ann'), ('a', 2, 'hidden'), ('b', 3, 'Bob');
INSERT INTO products VALUES (1, 'tea');
INSERT INTO orders (tenant, id, customer_id, note, version) VALUES ('a', 1, 1, 'first', 1), ('b', 2, 3, 'theirs', 1);
INSERT INTO boxes VALUES (1, 'a'), (2, 'b');
INSERT INTO items VALUES (1, 1, 'x'), (2, 1, 'y');
`

// writing is a gateway whose tenants write.
type writing struct {
	gate
	root string
}

func openWritten(t *testing.T) (writing, pgtest.DB) {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	return openWrittenAs(t, db, func(text string) string { return text }), db
}

// openWrittenAs serves a database that is there with another configuration.
func openWrittenAs(t *testing.T, db pgtest.DB, edit func(string) string) writing {
	t.Helper()
	g := serveWritten(t, db, edit)
	w := writing{g, g.bootstrap(t)}
	for _, tenant := range []string{"a", "b"} {
		w.check(t, w.root, `mutation { admin { createTenant(input: {id: "`+tenant+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"`+tenant+`"}}}}`)
	}
	return w
}

// openWritingOf serves a configuration whose %[1]q, %[2]q, %[3]d and %[4]q are a database's name, user and
// port and the control store's file. It has no tenant yet.
func openWritingOf(t *testing.T, db pgtest.DB, text string) writing {
	t.Helper()
	dir := t.TempDir()
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, text, db.Name, db.User, db.Port, filepath.Join(dir, "store.duckdb")), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	made, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return writing{gate{made}, gate{made}.bootstrap(t)}
}

func writtenText(db pgtest.DB, dir string) string {
	return fmt.Sprintf(written, db.Name, db.User, db.Port, filepath.Join(dir, "store.duckdb"))
}

func serveWritten(t *testing.T, db pgtest.DB, edit func(string) string) gate {
	t.Helper()
	dir := t.TempDir()
	text := edit(writtenText(db, dir))
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return gate{g}
}

// short is the answer's data, or the codes, messages and places of its errors.
func short(t *testing.T, answer string) string {
	t.Helper()
	_, body, _ := strings.Cut(answer, " ")
	var got struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Path       []any
			Extensions map[string]any
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	text := string(got.Data)
	for _, e := range got.Errors {
		text += fmt.Sprintf(" %v: %s", e.Extensions["code"], e.Message)
		if at := e.Extensions["at"]; at != nil {
			text += fmt.Sprintf(" (%v)", at)
		}
	}
	return text
}

// keyOf is a key of a tenant with some scopes.
func (g writing) keyOf(t *testing.T, name, tenant, scopes string) string {
	t.Helper()
	return g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "`+name+`", tenant: "`+tenant+`", scopes: [`+scopes+`]}) { token } } }`, "token")
}

func TestWrites(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ text, want string }{
		{`{ orders { id status note } }`, `{"orders":[{"id":1,"status":"open","note":"first"}]}`},
		{
			`mutation { insertOrdersOne(row: {id: 10, customer_id: 1, product_id: 1, amount: 1.5, doc: {a: [1, null]}, tags: ["x", null, "y,\"z"]}) { id status amount version created_by doc tags customer { name } product { name } } }`,
			`{"insertOrdersOne":{"id":10,"status":"open","amount":1.50,"version":1,"created_by":"ann","doc":{"a":[1,null]},"tags":["x",null,"y,\"z"],"customer":{"name":"Ann"},"product":{"name":"tea"}}}`,
		},
		{`{ orders { id } }`, `{"orders":[{"id":1},{"id":10}]}`}, // kept for an hour, and gone all the same
		{
			`mutation { insertOrders(rows: [{id: 12, note: "l"}, {id: 11}, {id: 13, note: null}]) { affected rows { id note } last: rows(orderBy: [{id: DESC}], limit: 1) { id } __typename } }`,
			`{"insertOrders":{"affected":3,"rows":[{"id":12,"note":"l"},{"id":11,"note":null},{"id":13,"note":null}],"last":[{"id":13}],"__typename":"OrdersChange"}}`,
		},
		{`mutation { insertItemsOne(row: {box_id: 1, line: 2, sku: ""}) { line sku box { id items { line } } } }`, `{"insertItemsOne":{"line":2,"sku":"","box":{"id":1,"items":[{"line":1},{"line":2}]}}}`},
		// What is another's, what is missing and what is not shown is all the same.
		{`mutation { insertOrdersOne(row: {id: 20, customer_id: 3}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`},
		{`mutation { insertOrdersOne(row: {id: 20, customer_id: 4}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`},
		{`mutation { insertOrdersOne(row: {id: 20, customer_id: 2}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`},
		{`mutation { insertOrdersOne(row: {id: 20, product_id: 2}) { id } }`, `null NOT_FOUND: product_id leads to no row of products (insertOrdersOne.row.product_id)`},
		{`mutation { insertItemsOne(row: {box_id: 2, line: 9}) { line } }`, `null NOT_FOUND: box_id leads to no row of boxes (insertItemsOne.row.box_id)`},
		{`mutation { insertItemsOne(row: {box_id: 99, line: 9}) { line } }`, `null NOT_FOUND: box_id leads to no row of boxes (insertItemsOne.row.box_id)`},
		{`mutation { updateOrdersByPk(id: 2, set: {note: "mine"}) { id } }`, `{"updateOrdersByPk":null}`},
		{`mutation { updateOrdersByPk(id: 99, set: {note: "mine"}) { id } }`, `{"updateOrdersByPk":null}`},
		{`mutation { deleteOrdersByPk(id: 2) { id } }`, `{"deleteOrdersByPk":null}`},
		{`mutation { updateItemsByPk(box_id: 2, line: 1, set: {sku: "mine"}) { line } }`, `{"updateItemsByPk":null}`},
		{`mutation { deleteItems(all: true) { affected rows { box_id line } } }`, `{"deleteItems":{"affected":2,"rows":[{"box_id":1,"line":1},{"box_id":1,"line":2}]}}`},
		{`mutation { insertOrdersOne(row: {id: 2}) { id } }`, `{"insertOrdersOne":{"id":2}}`}, // another tenant's has the same id
		{`mutation { updateOrdersByPk(id: 10, set: {note: "new"}, increment: {amount: 2}, version: 1) { note amount version } }`, `{"updateOrdersByPk":{"note":"new","amount":3.50,"version":2}}`},
		{`mutation { updateOrdersByPk(id: 10, set: {note: "newer"}, version: 1) { note } }`, `null CONFLICT: the row of orders has changed meanwhile`},
		{`mutation { updateOrdersByPk(id: 10, set: {customer_id: 3}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (updateOrdersByPk.set.customer_id)`},
		{`mutation { updateOrdersByPk(id: 10, set: {customer_id: null}) { customer_id } }`, `{"updateOrdersByPk":{"customer_id":null}}`},
		{`mutation { updateOrders(where: {id: {in: [11, 12, 2, 1]}}, set: {status: "paid"}, limit: 2) { affected rows { id status } } }`, `{"updateOrders":{"affected":2,"rows":[{"id":1,"status":"paid"},{"id":2,"status":"paid"}]}}`},
		{`mutation { updateOrders(where: {id: {eq: 12345}}, set: {status: "paid"}) { affected rows { id } } }`, `{"updateOrders":{"affected":0,"rows":[]}}`},
		{`mutation { updateCustomersByPk(id: 1, set: {name: "hidden"}) { id } }`, `null FORBIDDEN: what would be written to customers is not what you may write there`},
		{`mutation { deleteCustomersByPk(id: 1) { id } }`, `null CONFLICT: rows of customers are referred to`},
		// Errors name columns, and no values.
		{`mutation { insertOrdersOne(row: {id: 10}) { id } }`, `null CONFLICT: there is a row of orders with the same id (insertOrdersOne.row.id)`},
		{`mutation { insertOrdersOne(row: {id: 30, note: "first"}) { id } }`, `null CONFLICT: there is a row of orders with the same note (insertOrdersOne.row.note)`},
		{`mutation { insertOrdersOne(row: {id: 30, note: "theirs"}) { id note } }`, `{"insertOrdersOne":{"id":30,"note":"theirs"}}`},
		{`mutation { insertOrdersOne(row: {id: 31, status: "bad"}) { id } }`, `null BAD_USER_INPUT: status of orders may not have such a value (insertOrdersOne.row.status)`},
		{`mutation { insertOrdersOne(row: {id: 31, amount: 1.234}) { id } }`, `null BAD_USER_INPUT: amount: the number has more digits than are kept: 12 in all, 2 of them after the point (insertOrdersOne.row.amount)`},
		{`mutation { updateCustomersByPk(id: 1, set: {name: "a name of more than twenty letters"}) { id } }`, `null BAD_USER_INPUT: a text is too long for its column in customers (updateCustomersByPk.set.name)`},
		// One transaction.
		{`mutation { a: insertOrdersOne(row: {id: 40}) { id } b: insertOrdersOne(row: {id: 40}) { id } }`, `null CONFLICT: there is a row of orders with the same id (b.row.id)`},
		{
			`mutation { a: insertOrdersOne(row: {id: 40}) { id } b: updateOrdersByPk(id: 40, set: {note: "forty"}) { note } c: deleteOrdersByPk(id: 40) { note version } }`,
			`{"a":{"id":40},"b":{"note":"forty"},"c":{"note":"forty","version":2}}`,
		},
		// Rows that are there already, where that is asked for.
		{
			`mutation { insertOrders(rows: [{id: 30, note: "again", status: "new"}, {id: 50, note: "fifty"}], onConflict: {key: id, update: [note]}) { affected rows { id note status version } } }`,
			`{"insertOrders":{"affected":2,"rows":[{"id":30,"note":"again","status":"open","version":2},{"id":50,"note":"fifty","status":"open","version":1}]}}`,
		},
		{`mutation { insertOrders(rows: [{id: 2, note: "b's has this id, too"}], onConflict: {key: id, update: [note]}) { rows { id note } } }`, `{"insertOrders":{"rows":[{"id":2,"note":"b's has this id, too"}]}}`},
		{ // or stay as they are
			`mutation { insertOrders(rows: [{id: 51, note: "51st"}, {id: 30, note: "not written"}], onConflict: {key: id, update: []}) { affected rows { id note version } } }`,
			`{"insertOrders":{"affected":1,"rows":[{"id":51,"note":"51st","version":1},{"id":30,"note":"again","version":2}]}}`,
		},
		{`mutation { insertOrders(rows: [{id: 30}], onConflict: {key: id, update: []}) { affected rows { id } } }`, `{"insertOrders":{"affected":0,"rows":[{"id":30}]}}`},
		{`mutation { insertOrders(rows: [{id: 52, note: "again"}], onConflict: {key: id, update: []}) { affected } }`, `null CONFLICT: there is a row of orders with the same note (insertOrders.rows.0.note)`},
		{`mutation { insertOrders(rows: [{id: 30}, {id: 30}], onConflict: {key: id, update: []}) { affected } }`, `null BAD_USER_INPUT: two rows have the same key (insertOrders.rows.1)`},
		{`mutation { insertOrders(rows: [{id: 53}], onConflict: {key: note, update: []}) { affected } }`, `null BAD_USER_INPUT: note is missing, by which a row is found that is there already (insertOrders.rows.0)`},
		{`mutation { insertCustomers(rows: [{id: 2, name: "shown"}], onConflict: {key: id, update: []}) { affected } }`, `null CONFLICT: a row of customers with the key of one of these is there, and is not shown`},
		{`mutation { insertCustomers(rows: [{id: 3, name: "ours"}], onConflict: {key: id, update: []}) { affected rows { id name } } }`, `{"insertCustomers":{"affected":1,"rows":[{"id":3,"name":"ours"}]}}`}, // another tenant's has the same id
		{`mutation { deleteCustomersByPk(id: 3) { id } }`, `{"deleteCustomersByPk":{"id":3}}`},
		{`mutation { deleteOrdersByPk(id: 51) { id } }`, `{"deleteOrdersByPk":{"id":51}}`},
		{`mutation { insertOrders(rows: [{id: 50}, {id: 50}], onConflict: {key: id, update: [note]}) { affected } }`, `null BAD_USER_INPUT: two rows have the same key (insertOrders.rows.1)`},
		{`mutation { insertCustomers(rows: [{id: 2, name: "shown"}], onConflict: {key: id, update: [name]}) { affected } }`, `null CONFLICT: a row of customers with the key of one of these is there, and cannot be changed`},
		{`mutation { deleteOrders(where: {id: {gt: 1}}) { affected } }`, `{"deleteOrders":{"affected":7}}`},
		{`{ orders { id version } }`, `{"orders":[{"id":1,"version":2}]}`},
	} {
		if got := short(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	var theirs string
	if err := db.Open(t).QueryRowContext(t.Context(), `SELECT string_agg(o::text, ';') || (SELECT string_agg(i::text, ';') FROM items i) FROM orders o WHERE tenant = 'b'`).Scan(&theirs); err != nil || theirs != "(b,2,3,,open,theirs,,1,,,)(2,1,y)" {
		t.Errorf("the other tenant's rows are %s, %v", theirs, err)
	}
}

// A mutation that is not meant is refused before anything runs.
func TestWritesRefused(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ token, text, want string }{
		{ann, `mutation { updateOrders(set: {note: "x"}) { affected } }`, "exactly one of where and all"},
		{ann, `mutation { updateOrders(where: {id: {eq: 1}}, all: true, set: {note: "x"}) { affected } }`, "exactly one of where and all"},
		{ann, `mutation { updateOrders(all: false, set: {note: "x"}) { affected } }`, "all is true or is left out"},
		{ann, `mutation { deleteOrders(where: {}) { affected } }`, "where has no condition that a row could fail"},
		{ann, `mutation { deleteOrders(where: {and: []}) { affected } }`, "where has no condition that a row could fail"},
		{ann, `mutation { deleteOrders(where: {not: {}}) { affected } }`, "where has no condition that a row could fail"},
		{ann, `mutation { deleteOrders(where: {not: {or: [{}]}}) { affected } }`, "where has no condition that a row could fail"},
		{ann, `mutation { deleteOrders(where: null) { affected } }`, "BAD_USER_INPUT"},
		{ann, `mutation { deleteOrders(where: {id: null}) { affected } }`, "BAD_USER_INPUT"},
		{ann, `mutation { deleteOrders(where: {id: {eq: null}}) { affected } }`, "BAD_USER_INPUT"},
		{ann, `mutation ($w: OrdersWhere) { deleteOrders(where: $w) { affected } }`, "has no value"},
		{ann, `mutation { updateOrdersByPk(id: 1, set: {}) { id } }`, "nothing is set"},
		{ann, `mutation { updateOrdersByPk(id: 1, set: {status: null}) { id } }`, "never null"},
		{ann, `mutation { updateOrdersByPk(id: 1, set: {id: 5}) { id } }`, "GRAPHQL_VALIDATION_FAILED"},
		{ann, `mutation { updateOrdersByPk(id: 1, set: {tenant: "b"}) { id } }`, "GRAPHQL_VALIDATION_FAILED"},
		{ann, `mutation { insertOrdersOne(row: {id: 50, tenant: "b"}) { id } }`, "GRAPHQL_VALIDATION_FAILED"},
		{ann, `mutation { insertOrdersOne(row: {id: 50, created_by: "eve"}) { id } }`, "GRAPHQL_VALIDATION_FAILED"},
		{ann, `mutation { insertOrdersOne(row: {note: "x"}) { id } }`, "GRAPHQL_VALIDATION_FAILED"},
		{ann, `mutation { insertProductsOne(row: {id: 50}) { id } }`, "GRAPHQL_VALIDATION_FAILED"},
		{ann, `mutation { insertOrders(rows: []) { affected } }`, "rows is empty"},
		{g.keyOf(t, "eve", "a", "READ_DATA"), `mutation { deleteOrders(all: true) { affected } }`, "GRAPHQL_VALIDATION_FAILED"},
	} {
		if got := g.query(t, line.token, line.text); !strings.Contains(got, line.want) || strings.Contains(got, `"affected"`) {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	var rows int
	if err := db.Open(t).QueryRowContext(t.Context(), `SELECT count(*) FROM orders WHERE version = 1`).Scan(&rows); err != nil || rows != 2 {
		t.Errorf("%d orders are as they were, %v", rows, err)
	}
}

// openWrittenWith is openWritten with more tables, and another configuration.
func openWrittenWith(t *testing.T, tables string, edit func(string) string) (writing, pgtest.DB) {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	db.Exec(t, tables)
	return openWrittenAs(t, db, edit), db
}

package gateway_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
)

// nestedWritten is a depot whose rows refer to each other: a pallet is whose its box is, and a
// box whose its shelf is.
const nestedWritten = `
control:
  path: %[4]q
  key: {id: a, secret: {env: KEY}}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
%[5]s
datasets:
  shelves:
    tenant: tenant
    key: id
    writable: true
    global_keys: true
    columns: {id: BigInt!, tenant: String!, name: String}
    relations:
      boxes: {to: boxes, many: true, on: {id: shelf_id}, on_delete: cascade}
      labels: {to: labels, many: true, on: {id: shelf_id}, on_delete: unlink}
      seals: {to: seals, many: true, on: {id: shelf_id}, on_delete: restrict}
  boxes:
    tenant: {through: shelf}
    key: id
    writable: true
    global_keys: true
    cache: 1h
    columns: {id: BigInt!, shelf_id: BigInt!, name: String}
    relations:
      shelf: {to: shelves, on: {shelf_id: id}}
      lines: {to: lines, many: true, on: {id: box_id}}
  lines:
    tenant: {through: box}
    key: [box_id, line]
    writable: true
    columns: {box_id: BigInt!, line: Int!, sku: String}
    relations: {box: {to: boxes, on: {box_id: id}}}
  labels:
    tenant: tenant
    key: id
    writable: true
    version: version
    columns: {tenant: String!, id: String!, shelf_id: BigInt, version: Int!}
    relations: {shelf: {to: shelves, on: {shelf_id: id}}}
  seals: {tenant: tenant, key: id, writable: true, columns: {tenant: String!, id: Int!, shelf_id: BigInt}, relations: {shelf: {to: shelves, on: {shelf_id: id}}}}
  customers:
    tenant: tenant
    key: id
    writable: true
    filter: {name: {neq: hidden}}
    columns: {id: UUID!, tenant: String!, name: String}
    relations: {orders: {to: orders, many: true, on: {id: customer_id}}}
  orders:
    tenant: tenant
    key: id
    writable: true
    columns: {id: UUID!, tenant: String!, customer_id: UUID, note: String}
    relations: {customer: {to: customers, on: {customer_id: id}}}
`

const nestedTables = `
CREATE TABLE shelves (id bigint PRIMARY KEY, tenant text NOT NULL, name text, UNIQUE (tenant, id));
CREATE TABLE boxes (id bigint PRIMARY KEY, shelf_id bigint NOT NULL REFERENCES shelves, name text);
CREATE TABLE lines (box_id bigint NOT NULL REFERENCES boxes ON DELETE CASCADE, line int NOT NULL, sku text, PRIMARY KEY (box_id, line));
CREATE TABLE labels (tenant text NOT NULL, id text NOT NULL, shelf_id bigint, version int NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE seals (tenant text NOT NULL, id int NOT NULL, shelf_id bigint, PRIMARY KEY (tenant, id));
CREATE TABLE customers (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant text NOT NULL, name text, UNIQUE (tenant, id));
CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant text NOT NULL, customer_id uuid, note text, FOREIGN KEY (tenant, customer_id) REFERENCES customers (tenant, id));
INSERT INTO shelves VALUES (1, 'a', 'one'), (2, 'b', 'theirs'), (3, 'a', 'sealed'), (5, 'b', 'of b');
INSERT INTO boxes VALUES (1, 1, 'one'), (2, 2, 'theirs');
INSERT INTO lines VALUES (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'theirs');
INSERT INTO labels VALUES ('a', 'l', 1, 1), ('b', 'l', 2, 1);
INSERT INTO seals VALUES ('a', 1, 3), ('b', 1, 2);
`

func openNested(t *testing.T, roles string) (writing, pgtest.DB) {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, nestedTables)
	dir := t.TempDir()
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, nestedWritten, db.Name, db.User, db.Port, filepath.Join(dir, "store.duckdb"), roles), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	w := writing{gate{g}, gate{g}.bootstrap(t)}
	for _, tenant := range []string{"a", "b"} {
		w.check(t, w.root, `mutation { admin { createTenant(input: {id: "`+tenant+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"`+tenant+`"}}}}`)
	}
	return w, db
}

// one is a text that a statement answers.
func one(t *testing.T, db *sql.DB, text string) string {
	t.Helper()
	var out sql.NullString
	if err := db.QueryRowContext(t.Context(), text).Scan(&out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out.String
}

const theirRows = `SELECT concat_ws(';', (SELECT string_agg(s::text, ',' ORDER BY id) FROM shelves s WHERE tenant = 'b'), (SELECT b::text FROM boxes b WHERE id = 2),
	(SELECT l::text FROM lines l WHERE box_id = 2), (SELECT l::text FROM labels l WHERE tenant = 'b'), (SELECT s::text FROM seals s WHERE tenant = 'b'))`

// Rows are inserted with those that they lead to and those that lead to them, linked and
// unlinked; and what refers to rows that are deleted goes with them, as the file says.
func TestWritesNested(t *testing.T) {
	t.Parallel()
	g, db := openNested(t, "")
	rows := db.Open(t)
	theirs := one(t, rows, theirRows)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ text, want string }{
		{
			`mutation { insertShelvesOne(row: {id: 10, name: "ten", boxes: [{id: 11, lines: [{line: 1, sku: "p"}, {line: 2}]}, {id: 12}], labels: {id: "ten"}}) { id boxes(orderBy: [{id: ASC}]) { id lines(orderBy: [{line: ASC}]) { line sku } } labels { id version } } }`,
			`{"insertShelvesOne":{"id":10,"boxes":[{"id":11,"lines":[{"line":1,"sku":"p"},{"line":2,"sku":null}]},{"id":12,"lines":[]}],"labels":[{"id":"ten","version":1}]}}`,
		},
		{ // keys that the database makes are carried
			`mutation { insertOrders(rows: [{note: "1", customer: {insert: {name: "Ann"}}}, {note: "2"}, {note: "3", customer: {insert: {name: "Bob", orders: [{note: "4"}]}}}, {note: "5", customer: null}]) { affected rows { note customer { name orders(orderBy: [{note: ASC}]) { note } } } } }`,
			`{"insertOrders":{"affected":4,"rows":[{"note":"1","customer":{"name":"Ann","orders":[{"note":"1"}]}},{"note":"2","customer":null},{"note":"3","customer":{"name":"Bob","orders":[{"note":"3"},{"note":"4"}]}},{"note":"5","customer":null}]}}`,
		},
		{`mutation { insertLabelsOne(row: {id: "x", shelf: {link: {id: 10}}}) { shelf { name } } }`, `{"insertLabelsOne":{"shelf":{"name":"ten"}}}`},
		{`mutation { updateLabelsByPk(id: "x", set: {shelf: {unlink: true}}) { shelf { name } version } }`, `{"updateLabelsByPk":{"shelf":null,"version":2}}`},
		{`mutation { updateLabelsByPk(id: "x", set: {shelf: {link: {id: 1}}}) { shelf { name } } }`, `{"updateLabelsByPk":{"shelf":{"name":"one"}}}`},
		// Nothing of another's is linked, and all is undone that was inserted before.
		{`mutation { updateLabelsByPk(id: "x", set: {shelf: {link: {id: 2}}}) { id } }`, `null NOT_FOUND: shelf_id leads to no row of shelves (updateLabelsByPk.set.shelf.link.id)`},
		{`mutation { insertLabelsOne(row: {id: "y", shelf: {link: {id: 2}}}) { id } }`, `null NOT_FOUND: shelf_id leads to no row of shelves (insertLabelsOne.row.shelf.link.id)`},
		{`mutation { insertLabelsOne(row: {id: "y", shelf: {link: {id: 99}}}) { id } }`, `null NOT_FOUND: shelf_id leads to no row of shelves (insertLabelsOne.row.shelf.link.id)`},
		{`mutation { insertLabels(rows: [{id: "y"}, {id: "z", shelf: {link: {id: 2}}}]) { affected } }`, `null NOT_FOUND: shelf_id leads to no row of shelves (insertLabels.rows.1.shelf.link.id)`},
		{`mutation { insertShelvesOne(row: {id: 13, boxes: [{id: 14}, {id: 11}]}) { id } }`, `null CONFLICT: there is a row of boxes with the same id (insertShelvesOne.row.boxes.1.id)`},
		{`mutation { insertOrdersOne(row: {note: "6", customer: {insert: {name: "hidden"}}}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers`},
		{`mutation { insertCustomersOne(row: {name: "hidden", orders: [{note: "6"}]}) { id } }`, `null FORBIDDEN: what would be written to customers is not what you may write there`},
		{`mutation { insertShelvesOne(row: {id: 13, boxes: [{id: 14, shelf_id: 1}]}) { id } }`, `null BAD_USER_INPUT: shelf_id is given twice (insertShelvesOne.row.boxes.0.shelf_id)`},
		{`mutation { insertBoxesOne(row: {id: 14}) { id } }`, `null BAD_USER_INPUT: shelf_id is missing (insertBoxesOne.row.shelf_id)`},
		{`mutation { insertShelves(rows: [{id: 13, boxes: [{id: 14}]}], onConflict: {key: id, update: [name]}) { affected } }`, `null BAD_USER_INPUT: onConflict does not go with rows that are nested`},
		{`{ shelves(where: {id: {eq: 13}}) { id } boxes(where: {id: {eq: 14}}) { id } orders(where: {note: {eq: "6"}}) { id } }`, `{"shelves":[],"boxes":[],"orders":[]}`},
		// A row that is there under another's parent is not told from one that is not.
		{`mutation { insertLinesOne(row: {box_id: 2, line: 1}) { line } }`, `null NOT_FOUND: box_id leads to no row of boxes (insertLinesOne.row.box_id)`},
		{`mutation { insertLinesOne(row: {box_id: 2, line: 7}) { line } }`, `null NOT_FOUND: box_id leads to no row of boxes (insertLinesOne.row.box_id)`},
		{`mutation { insertBoxesOne(row: {id: 2, shelf_id: 2}) { id } }`, `null NOT_FOUND: shelf_id leads to no row of shelves (insertBoxesOne.row.shelf_id)`},
		{`mutation { updateBoxesByPk(id: 1, set: {shelf: {link: {id: 5}}}) { id } }`, `null NOT_FOUND: shelf_id leads to no row of shelves (updateBoxesByPk.set.shelf.link.id)`},
		{`mutation { updateLinesByPk(box_id: 1, line: 1, set: {sku: "z"}) { sku } }`, `{"updateLinesByPk":{"sku":"z"}}`},
		// What refers to what is deleted.
		{`mutation { deleteShelvesByPk(id: 3) { id } }`, `null CONFLICT: rows of shelves are referred to by rows of seals`},
		{`mutation { deleteShelves(all: true) { affected } }`, `null CONFLICT: rows of shelves are referred to by rows of seals`},
		{`{ boxes(where: {id: {eq: 1}}) { id lines(orderBy: [{line: ASC}]) { line } } }`, `{"boxes":[{"id":1,"lines":[{"line":1},{"line":2}]}]}`},
		{`mutation { deleteShelvesByPk(id: 1) { name boxes { id lines(orderBy: [{line: ASC}]) { line } } labels(orderBy: [{id: ASC}]) { id } } }`, `{"deleteShelvesByPk":{"name":"one","boxes":[{"id":1,"lines":[{"line":1},{"line":2}]}],"labels":[{"id":"l"},{"id":"x"}]}}`},
		{`{ boxes(where: {id: {eq: 1}}) { id } lines(where: {box_id: {eq: 1}}) { line } labels(where: {id: {in: ["l", "x"]}}) { id shelf_id version } }`, `{"boxes":[],"lines":[],"labels":[{"id":"l","shelf_id":null,"version":2},{"id":"x","shelf_id":null,"version":4}]}`},
	} {
		if got := short(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	if now := one(t, rows, theirRows); now != theirs {
		t.Errorf("the other tenant's rows are %s, and were %s", now, theirs)
	}
}

// What goes with rows that are deleted needs the rights of each dataset, whether usher does it or
// the database would.
func TestWritesNestedRights(t *testing.T) {
	t.Parallel()
	g, db := openNested(t, `roles:
  all: {datasets: {shelves: {insert: {}, delete: {}}, boxes: {insert: {}, delete: {}}, lines: {insert: {check: {line: {lt: 5}}}, delete: {filter: {sku: {eq: x}}}}, labels: {insert: {columns: [id]}, update: {columns: [shelf_id]}}, seals: {}}}
  some: {datasets: {shelves: {insert: {}, delete: {}}, boxes: {insert: {}, delete: {}}, lines: {}, labels: {}, seals: {}}}
`)
	rows := db.Open(t)
	db.Exec(t, `INSERT INTO shelves VALUES (20, 'a', 'twenty'); INSERT INTO boxes VALUES (20, 20, ''); INSERT INTO lines VALUES (20, 1, 'x'); INSERT INTO labels VALUES ('a', 'twenty', 20, 1)`)
	key := func(role string) string {
		return g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "`+role+`", tenant: "a", scopes: [READ_DATA, WRITE_DATA], roles: ["`+role+`"]}) { token } } }`, "token")
	}
	all, some := key("all"), key("some")
	for _, line := range []struct{ token, text, want string }{
		{some, `mutation { deleteBoxesByPk(id: 20) { id } }`, `null FORBIDDEN: nothing that you hold deletes rows of lines`},
		{some, `mutation { deleteShelvesByPk(id: 20) { id } }`, `null FORBIDDEN: nothing that you hold deletes rows of lines`},
		{all, `mutation { deleteShelvesByPk(id: 1) { id } }`, `null CONFLICT: rows of boxes are referred to by rows of lines that you may not change`}, // of which one is y
		{all, `mutation { deleteShelvesByPk(id: 20) { id } }`, `{"deleteShelvesByPk":{"id":20}}`},
		{all, `mutation { insertShelvesOne(row: {id: 21, boxes: [{id: 21, lines: [{line: 9}]}]}) { id } }`, `null FORBIDDEN: what would be written to lines is not what you may write there`},
		{all, `mutation { insertShelvesOne(row: {id: 21, boxes: [{id: 21, lines: [{line: 4}]}]}) { id } }`, `{"insertShelvesOne":{"id":21}}`},
	} {
		if got := short(t, g.query(t, line.token, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	for token, text := range map[string]string{
		some: `mutation { insertShelvesOne(row: {id: 22, boxes: [{id: 22, lines: [{line: 4}]}]}) { id } }`,
		all:  `mutation { insertShelvesOne(row: {id: 22, labels: [{id: "n"}]}) { id } }`, // it may not link them
	} {
		if got := g.query(t, token, text); !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := one(t, rows, `SELECT concat_ws(';', (SELECT count(*) FROM lines WHERE box_id = 1), (SELECT l::text FROM labels l WHERE id = 'twenty'), (SELECT count(*) FROM boxes WHERE id = 20))`); got != "2;(a,twenty,,2);0" {
		t.Errorf("there is %s", got)
	}
}

// A parent that becomes another tenant's while its child is changed: the change waits for that,
// and finds no row of the tenant's any more. The other way round the parent waits.
func TestWritesWhileParentsMove(t *testing.T) {
	t.Parallel()
	g, db := openNested(t, "")
	rows := db.Open(t)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for i, text := range []string{
		`mutation { updateLinesByPk(box_id: 1, line: 1, set: {sku: "mine"}) { sku } }`,
		`mutation { deleteLinesByPk(box_id: 1, line: 1) { sku } }`,
		`mutation { insertLinesOne(row: {box_id: 1, line: 9}) { sku } }`,
		`mutation { insertLines(rows: [{box_id: 1, line: 1, sku: "mine"}], onConflict: {key: box_id_line, update: [sku]}) { affected } }`,
	} {
		db.Exec(t, `UPDATE shelves SET tenant = 'a' WHERE id = 1`)
		tx, err := rows.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `UPDATE shelves SET tenant = 'b' WHERE id = 1`); err != nil {
			t.Fatal(err)
		}
		answer := make(chan string, 1)
		go func() { answer <- g.query(t, ann, text) }()
		for tries := 0; one(t, rows, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == "0"; tries++ {
			one(t, rows, `SELECT pg_sleep(0.01)::text`)
			if tries > 1000 {
				t.Fatalf("%s waits for nobody: %s", text, <-answer)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		got := short(t, <-answer)
		if want := []string{`{"updateLinesByPk":null}`, `{"deleteLinesByPk":null}`, `null NOT_FOUND: box_id leads to no row of boxes (insertLinesOne.row.box_id)`, `null NOT_FOUND: box_id leads to no row of boxes (insertLines.rows.0.box_id)`}[i]; got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
		if lines := one(t, rows, `SELECT string_agg(l::text, ';' ORDER BY line) FROM lines l WHERE box_id = 1`); lines != "(1,1,x);(1,2,y)" {
			t.Errorf("after %s the other tenant's lines are %s", text, lines)
		}
	}
}

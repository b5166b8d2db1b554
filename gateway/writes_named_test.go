package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/test/program"
)

// operator is a key of all tenants that writes.
func (g writing) operator(t *testing.T) string {
	t.Helper()
	return g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "operator", allTenants: true, scopes: [READ_DATA, WRITE_DATA]}) { token } } }`, "token")
}

// Whoever is of all tenants names the tenant whose rows are written, and neither sets nor
// implies another.
func TestWritesOfAllTenants(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	rows := db.Open(t)
	operator := g.operator(t)
	for _, line := range []struct{ text, want string }{
		{`mutation { insertOrdersOne(tenant: "a", row: {id: 10, customer_id: 1}) { id tenant customer { name tenant } } }`, `{"insertOrdersOne":{"id":10,"tenant":"a","customer":{"name":"Ann","tenant":"a"}}}`},
		{`mutation { insertOrdersOne(tenant: "b", row: {id: 10}) { id tenant } }`, `{"insertOrdersOne":{"id":10,"tenant":"b"}}`},
		// What a row leads to is the named tenant's.
		{`mutation { insertOrdersOne(tenant: "a", row: {id: 11, customer_id: 3}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`},
		{`mutation { insertOrdersOne(tenant: "a", row: {id: 11, customer_id: 99}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`},
		{`mutation { insertItemsOne(tenant: "a", row: {box_id: 2, line: 9}) { line } }`, `null NOT_FOUND: box_id leads to no row of boxes (insertItemsOne.row.box_id)`},
		{`mutation { insertItemsOne(tenant: "b", row: {box_id: 2, line: 9}) { line box { tenant } } }`, `{"insertItemsOne":{"line":9,"box":{"tenant":"b"}}}`},
		{`mutation { insertBoxesOne(tenant: "b", row: {id: 7, items: [{line: 1}]}) { tenant items { line } } }`, `{"insertBoxesOne":{"tenant":"b","items":[{"line":1}]}}`},
		// A row of the same key that is another tenant's is not updated.
		{`mutation { insertOrders(tenant: "a", rows: [{id: 2, note: "of a"}], onConflict: {key: id, update: [note]}) { affected rows { tenant id note } } }`, `{"insertOrders":{"affected":1,"rows":[{"tenant":"a","id":2,"note":"of a"}]}}`},
		{`mutation { updateOrdersByPk(tenant: "a", id: 2, set: {note: "still of a"}) { tenant note } }`, `{"updateOrdersByPk":{"tenant":"a","note":"still of a"}}`},
		{`mutation { updateOrdersByPk(tenant: "b", id: 1, set: {note: "x"}) { tenant note } }`, `{"updateOrdersByPk":null}`},
		{`mutation { updateOrdersByPk(tenant: "a", id: 10, set: {customer_id: 3}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (updateOrdersByPk.set.customer_id)`},
		{`mutation { updateOrders(tenant: "b", all: true, set: {status: "seen"}) { affected rows { tenant id } } }`, `{"updateOrders":{"affected":2,"rows":[{"tenant":"b","id":2},{"tenant":"b","id":10}]}}`},
		// Without a name rows of all are told apart by their tenants.
		{`mutation { updateOrders(where: {id: {eq: 10}}, set: {note: "both"}) { affected rows(orderBy: [{tenant: DESC}]) { tenant id note } } }`, `{"updateOrders":{"affected":2,"rows":[{"tenant":"b","id":10,"note":"both"},{"tenant":"a","id":10,"note":"both"}]}}`},
		{`mutation { updateOrders(where: {tenant: {eq: "b"}, id: {eq: 10}}, set: {note: null}) { affected rows { tenant id note } } }`, `{"updateOrders":{"affected":1,"rows":[{"tenant":"b","id":10,"note":null}]}}`},
		{`mutation { updateOrders(where: {id: {eq: 10}}, set: {product_id: 1}) { affected } }`, `{"updateOrders":{"affected":2}}`}, // common to all
		{`mutation { updateOrders(where: {id: {eq: 10}}, set: {customer_id: 1}) { affected } }`, `null FORBIDDEN: rows of orders are written as one tenant`},
		{`mutation { updateOrders(where: {id: {eq: 10}}, set: {customer_id: null}) { affected } }`, `{"updateOrders":{"affected":2}}`},
		{`mutation { updateItems(where: {line: {eq: 9}}, set: {sku: "z"}) { affected } }`, `null FORBIDDEN: rows of items are written as one tenant`},
		{`mutation { updateItems(tenant: "b", where: {line: {eq: 9}}, set: {sku: "z"}) { affected rows { box_id line sku } } }`, `{"updateItems":{"affected":1,"rows":[{"box_id":2,"line":9,"sku":"z"}]}}`},
		{`mutation { deleteOrders(where: {id: {eq: 10}}) { affected rows { tenant id } } }`, `{"deleteOrders":{"affected":2,"rows":[{"tenant":"a","id":10},{"tenant":"b","id":10}]}}`},
		{`mutation { deleteOrdersByPk(tenant: "a", id: 2) { tenant id } }`, `{"deleteOrdersByPk":{"tenant":"a","id":2}}`},
		{`mutation { a: insertOrdersOne(tenant: "a", row: {id: 20}) { tenant } b: insertOrdersOne(tenant: "b", row: {id: 20}) { tenant } }`, `{"a":{"tenant":"a"},"b":{"tenant":"b"}}`},
		// A name that is nobody's, and one that is no name.
		{`mutation { insertOrdersOne(tenant: "c", row: {id: 12}) { id } }`, `null NOT_FOUND: there is no such tenant`},
		{`mutation { insertOrdersOne(tenant: "", row: {id: 12}) { id } }`, `null NOT_FOUND: there is no such tenant`},
		{`mutation { updateOrders(tenant: "", all: true, set: {note: null}) { affected } }`, ` BAD_USER_INPUT: tenant is empty`},
	} {
		if got := short(t, g.query(t, operator, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	for _, text := range []string{
		`mutation { insertOrdersOne(row: {id: 12}) { id } }`,
		`mutation { insertOrdersOne(tenant: null, row: {id: 12}) { id } }`,
		`mutation { insertOrdersOne(tenant: "a", row: {id: 12, tenant: "b"}) { id } }`,
		`mutation { updateOrders(tenant: null, all: true, set: {note: null}) { affected } }`,
		`mutation ($t: String) { updateOrders(tenant: $t, all: true, set: {note: null}) { affected } }`,
		`mutation { updateOrders(all: true, set: {tenant: "b"}) { affected } }`,
		`mutation { updateOrdersByPk(id: 1, set: {note: "x"}) { id } }`,
		`mutation { insertProductsOne(tenant: "a", row: {id: 7}) { id } }`,
	} {
		if got := g.query(t, operator, text); strings.Contains(got, `"affected"`) || strings.Contains(got, `"id"`) || !strings.Contains(got, `"errors"`) {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := one(t, rows, `SELECT string_agg(concat_ws(' ', tenant, id, note, status), ';' ORDER BY tenant, id) FROM orders`); got != "a 1 first open;a 20 open;b 2 theirs seen;b 20 open" {
		t.Errorf("there are %s", got)
	}
	// One tenant names none.
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	if got := g.query(t, ann, `mutation { insertOrdersOne(tenant: "b", row: {id: 12}) { id } }`); !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
		t.Errorf("a tenant names another: %s", got)
	}
	// A tenant that is suspended is not written for.
	g.check(t, g.root, `mutation { admin { suspendTenant(id: "b") { id } } }`, `200 {"data":{"admin":{"suspendTenant":{"id":"b"}}}}`)
	if got := short(t, g.query(t, operator, `mutation { insertOrdersOne(tenant: "b", row: {id: 30}) { id } }`)); got != `null FORBIDDEN: the tenant is suspended, and nothing of it is written` {
		t.Errorf("of a suspended tenant: %s", got)
	}
}

// The log says of which tenant's rows it was, and names all datasets that were written to.
func TestMutationsOfSeveralDatasetsAreAudited(t *testing.T) {
	t.Parallel()
	g, _ := openNested(t, "")
	operator, ann := g.operator(t), g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, text := range []string{
		`mutation nested { insertShelvesOne(tenant: "a", row: {id: 10, boxes: [{id: 11, lines: [{line: 1}, {line: 2}]}, {id: 12, lines: [{line: 1}]}], labels: [{id: "ten"}]}) { id } }`,
		`mutation both { a: insertSealsOne(tenant: "a", row: {id: 9}) { id } b: insertSealsOne(tenant: "b", row: {id: 9}) { id } }`,
		`mutation all { updateSeals(where: {id: {eq: 9}}, set: {shelf_id: null}) { affected } }`,
	} {
		g.query(t, operator, text)
	}
	g.query(t, ann, `mutation gone { deleteShelvesByPk(id: 10) { id } }`)
	var answer string
	program.Soon(t, program.Patience, "the entries are written", func() bool {
		answer = g.query(t, g.root, changesLogged)
		return strings.Count(answer, `"operation"`) == 4
	})
	for _, part := range []string{
		`{"subject":"operator","tenant":"a","actedBy":null,"operation":"nested","datasets":["boxes","labels","lines","shelves"],"source":"shop","rows":7,"outcome":"done",` +
			`"detail":"insert shelves of a: 1 with insert boxes: 2 with insert lines: 3 with insert labels: 1"}`,
		`{"subject":"operator","tenant":null,"actedBy":null,"operation":"both","datasets":["seals"],"source":"shop","rows":2,"outcome":"done","detail":"insert seals of a: 1, insert seals of b: 1"}`,
		`{"subject":"operator","tenant":null,"actedBy":null,"operation":"all","datasets":["seals"],"source":"shop","rows":2,"outcome":"done","detail":"update seals: 2"}`,
		`{"subject":"ann","tenant":"a","actedBy":null,"operation":"gone","datasets":["boxes","labels","lines","shelves"],"source":"shop","rows":7,"outcome":"done",` +
			`"detail":"delete shelves: 1 with delete boxes: 2 with delete lines: 3 with update labels: 1"}`,
	} {
		if !strings.Contains(answer, part) {
			t.Errorf("%s\nlacks %s", answer, part)
		}
	}
}

// The tenant that is named decides on the source: a file of its own, or an API that is told it.
func TestWritesOfAllTenantsElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tenant := range []string{"a", "b"} {
		program.MakeDuckDB(t, filepath.Join(dir, "of_"+tenant+".duckdb"), "CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR UNIQUE); INSERT INTO notes VALUES (1, 'of "+tenant+"')")
	}
	g := openFiles(t, dir, fmt.Sprintf(`
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {silo: {kind: duckdb, path: "of_{tenant}.duckdb", template: true}}
strategies: {own: {kind: database, source: silo}}
default_strategy: own
datasets:
  notes: {tenant: tenant, key: id, writable: true, cache: 1h, columns: {id: BigInt!, tenant: String!, text: String}, bind: {silo: {columns: {tenant: ~}}}}
`, filepath.Join(dir, "store.duckdb")))
	operator, ann := g.operator(t), g.keyOf(t, "ann", "b", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ text, want string }{
		{`mutation { insertNotesOne(tenant: "b", row: {id: 2, text: "more"}) { id text } }`, `{"insertNotesOne":{"id":2,"text":"more"}}`},
		{`mutation { insertNotesOne(tenant: "b", row: {id: 3}) { id tenant } }`, `{"insertNotesOne":{"id":3,"tenant":"b"}}`},
		{`mutation { updateNotes(tenant: "b", where: {id: {eq: 1}}, set: {text: "new"}) { affected } }`, `{"updateNotes":{"affected":1}}`},
		{`mutation { updateNotes(where: {id: {eq: 1}}, set: {text: "new"}) { affected } }`, `null FORBIDDEN: rows of notes are written as one tenant`},
		{`mutation { a: insertNotesOne(tenant: "a", row: {id: 5}) { id } b: insertNotesOne(tenant: "b", row: {id: 5}) { id } }`, `null BAD_USER_INPUT: the changes of one mutation are made in one source, and notes is in another than notes`},
	} {
		if got := short(t, g.query(t, operator, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	if got := short(t, g.query(t, ann, `{ notes(orderBy: [{id: ASC}]) { id text } }`)); got != `{"notes":[{"id":1,"text":"new"},{"id":2,"text":"more"},{"id":3,"text":null}]}` {
		t.Errorf("b has %s", got)
	}
	if got := short(t, g.query(t, g.keyOf(t, "bob", "a", "READ_DATA"), `{ notes { id text } }`)); got != `{"notes":[{"id":1,"text":"of a"}]}` {
		t.Errorf("a has %s", got)
	}

	for isolation, tenant := range map[string]string{"upstream": "~", "gateway": "/tenant"} {
		p := newPartner(t)
		if isolation == "upstream" {
			p.rows = map[string]map[string]any{"1": {"id": "1", "status": "open"}}
		}
		called := openCalled(t, p, isolation, tenant, nil)
		operator := called.operator(t)
		for _, line := range []struct{ text, want, calls string }{
			{`mutation { insertOrdersOne(tenant: "a", row: {id: "7"}) { id } }`, `{"insertOrdersOne":{"id":"7"}}`, `POST /orders a `},
			{`mutation { updateOrdersByPk(tenant: "a", id: "1", set: {status: "x"}) { status } }`, `{"updateOrdersByPk":{"status":"x"}}`, `PATCH /orders/1 a `},
			{`mutation { updateOrders(all: true, set: {status: "x"}) { affected } }`, `null FORBIDDEN: rows of orders are written as one tenant`, ""},
			{`mutation { deleteOrdersByPk(tenant: "b", id: "1") { status } }`, map[string]string{"upstream": `{"deleteOrdersByPk":{"status":"x"}}`, "gateway": `{"deleteOrdersByPk":null}`}[isolation], map[string]string{"upstream": `DELETE /orders/1 b`}[isolation]},
		} {
			if got := short(t, called.query(t, operator, line.text)); got != line.want {
				t.Errorf("%s: %s\n got %s\nwant %s", isolation, line.text, got, line.want)
			}
			if got := p.said(); !strings.HasPrefix(got, line.calls) || line.calls == "" && got != "" {
				t.Errorf("%s: %s\ncalls %s\n want %s", isolation, line.text, got, line.calls)
			}
		}
	}
}

// Nothing of a suspended tenant is written, whether it is named or not.
func TestSuspendedTenantsAreNotWritten(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	operator := g.operator(t)
	db.Exec(t, `INSERT INTO orders (tenant, id, version) VALUES ('a', 30, 1), ('b', 30, 1), ('nobody', 30, 1)`)
	g.check(t, g.root, `mutation { admin { suspendTenant(id: "a") { id } } }`, `200 {"data":{"admin":{"suspendTenant":{"id":"a"}}}}`)
	for _, line := range []struct{ text, want string }{
		{`mutation { updateOrdersByPk(tenant: "a", id: 30, set: {note: "x"}) { id } }`, `null FORBIDDEN: the tenant is suspended, and nothing of it is written`},
		{`mutation { updateOrders(where: {id: {eq: 30}}, set: {note: "x"}) { affected rows(orderBy: [{tenant: ASC}]) { tenant } } }`, `{"updateOrders":{"affected":2,"rows":[{"tenant":"b"},{"tenant":"nobody"}]}}`},
		{`mutation { updateOrders(where: {tenant: {eq: "a"}}, set: {note: null}) { affected } }`, `{"updateOrders":{"affected":0}}`},
		{`mutation { updateOrders(all: true, limit: 1, set: {note: "y"}) { affected rows { tenant id } } }`, `{"updateOrders":{"affected":1,"rows":[{"tenant":"b","id":2}]}}`},
		{`mutation { deleteOrders(where: {tenant: {eq: "a"}}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteOrders(where: {id: {eq: 30}}) { affected } }`, `{"deleteOrders":{"affected":2}}`},
	} {
		if got := short(t, g.query(t, operator, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	g.check(t, g.root, `mutation { admin { resumeTenant(id: "a") { id } } }`, `200 {"data":{"admin":{"resumeTenant":{"id":"a"}}}}`)
	if got := short(t, g.query(t, operator, `mutation { deleteOrders(where: {id: {eq: 30}}) { affected rows { tenant note } } }`)); got != `{"deleteOrders":{"affected":1,"rows":[{"tenant":"a","note":null}]}}` {
		t.Error(got)
	}
}

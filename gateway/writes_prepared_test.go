package gateway_test

import (
	"strings"
	"testing"
)

// TestWritesPrepared: mutations of one shape are planned once, for whoever of any tenant sends
// them. Each writes its own values into rows of its own tenant, in its own name, and is refused by
// its own values.
func TestWritesPrepared(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	keys := map[string]string{"a": g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), "b": g.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")}
	const (
		insert   = `mutation Insert($r: OrdersInsert!) { insertOrdersOne(row: $r) { id note amount version created_by } }`
		update   = `mutation Update($id: BigInt!, $s: OrdersSet!) { updateOrdersByPk(id: $id, set: $s) { id note amount } }`
		add      = `mutation Add($id: BigInt!, $i: OrdersIncrement!) { updateOrdersByPk(id: $id, set: {}, increment: $i) { id note amount } }`
		some     = `mutation Some($w: OrdersWhere!, $n: String) { updateOrders(where: $w, set: {note: $n}) { affected rows { id note } } }`
		remove   = `mutation Remove($id: BigInt!) { deleteOrdersByPk(id: $id) { id note customer { name } } }`
		removes  = `mutation Removes($ids: [BigInt!], $n: Int) { deleteOrders(where: {id: {in: $ids}}, limit: $n) { affected rows { id } } }`
		stale    = `mutation Stale($id: BigInt!, $n: String, $v: Int) { updateOrdersByPk(id: $id, set: {note: $n}, version: $v) { id note version } }`
		upsert   = `mutation Upsert($r: [OrdersInsert!]!) { insertOrders(rows: $r, onConflict: {key: id, update: [note, tags, doc]}) { affected rows { id note tags doc customer { name } } } }`
		led      = `mutation Led($id: BigInt!, $c: BigInt) { insertOrdersOne(row: {id: $id, customer_id: $c}) { id customer { name } created_by } }`
		box      = `mutation Box($id: BigInt!, $lines: [ItemsInsert!]) { insertBoxesOne(row: {id: $id, items: $lines}) { id items(orderBy: [{line: ASC}]) { line sku } } }`
		search   = `mutation Search($s: String!) { updateOrders(where: {status: {icontains: $s}}, set: {note: "all"}) { affected } }`
		customer = `mutation Customer($r: CustomersInsert!) { insertCustomersOne(row: $r) { id name } }`
	)
	for _, line := range []struct{ tenant, text, variables, want string }{
		{"a", insert, `{"r":{"id":10,"note":"one","amount":1.5}}`, `{"insertOrdersOne":{"id":10,"note":"one","amount":1.50,"version":1,"created_by":"ann"}}`},
		{"b", insert, `{"r":{"id":10,"note":"one","amount":2}}`, `{"insertOrdersOne":{"id":10,"note":"one","amount":2.00,"version":1,"created_by":"bob"}}`},
		{"a", insert, `{"r":{"id":11,"note":"","amount":"3.25"}}`, `{"insertOrdersOne":{"id":11,"note":"","amount":3.25,"version":1,"created_by":"ann"}}`},
		{"a", insert, `{"r":{"id":12,"note":"\\\"{},NULL","amount":4}}`, `{"insertOrdersOne":{"id":12,"note":"\\\"{},NULL","amount":4.00,"version":1,"created_by":"ann"}}`},
		{"a", insert, `{"r":{"id":13,"note":"NULL","amount":4}}`, `{"insertOrdersOne":{"id":13,"note":"NULL","amount":4.00,"version":1,"created_by":"ann"}}`},
		{"a", insert, `{"r":{"id":14,"note":null,"amount":5}}`, `{"insertOrdersOne":{"id":14,"note":null,"amount":5.00,"version":1,"created_by":"ann"}}`},
		{"b", insert, `{"r":{"id":15}}`, `{"insertOrdersOne":{"id":15,"note":null,"amount":null,"version":1,"created_by":"bob"}}`},
		{"a", insert, `{"r":{"id":16,"note":"x","amount":1.234}}`, `null BAD_USER_INPUT: amount: the number has more digits than are kept: 12 in all, 2 of them after the point (insertOrdersOne.row.amount)`},
		{"a", insert, `{"r":{"id":"no","note":"x","amount":1}}`, `null BAD_USER_INPUT: id: expected BigInt: a whole number from -9223372036854775808 to 9223372036854775807 (insertOrdersOne.row.id)`},
		{"a", insert, `{"r":{"id":null,"note":"x","amount":1}}`, `null BAD_USER_INPUT: `},
		{"a", insert, `{"r":{"id":10,"note":"again","amount":1}}`, `null CONFLICT: there is a row of orders with the same id (insertOrdersOne.row.id)`},
		{"a", insert, `{"r":{"id":17,"note":"one","amount":1}}`, `null CONFLICT: there is a row of orders with the same note (insertOrdersOne.row.note)`},
		{"a", insert, `{"r":{"id":18,"customer_id":3}}`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`},
		{"b", insert, `{"r":{"id":18,"customer_id":3}}`, `{"insertOrdersOne":{"id":18,"note":null,"amount":null,"version":1,"created_by":"bob"}}`},
		{"a", customer, `{"r":{"id":5,"name":"Eve"}}`, `{"insertCustomersOne":{"id":5,"name":"Eve"}}`},
		{"b", customer, `{"r":{"id":5,"name":"hidden"}}`, `null FORBIDDEN: what would be written to customers is not what you may write there`},
		{"b", customer, `{"r":{"id":5,"name":"Ed"}}`, `{"insertCustomersOne":{"id":5,"name":"Ed"}}`},
		{"b", customer, `{"r":{"id":6,"name":"a name of more than twenty letters"}}`, `null BAD_USER_INPUT: a text is too long for its column in customers (insertCustomersOne.row.name)`},
		{"a", update, `{"id":10,"s":{"note":"ten"}}`, `{"updateOrdersByPk":{"id":10,"note":"ten","amount":1.50}}`},
		{"b", update, `{"id":11,"s":{"note":"mine"}}`, `{"updateOrdersByPk":null}`},
		{"b", update, `{"id":10,"s":{"note":"mine"}}`, `{"updateOrdersByPk":{"id":10,"note":"mine","amount":2.00}}`},
		{"b", update, `{"id":10,"s":{"note":null}}`, `{"updateOrdersByPk":{"id":10,"note":null,"amount":2.00}}`},
		{"a", add, `{"id":10,"i":{"amount":1.25}}`, `{"updateOrdersByPk":{"id":10,"note":"ten","amount":2.75}}`},
		{"a", add, `{"id":10,"i":{"amount":-2}}`, `{"updateOrdersByPk":{"id":10,"note":"ten","amount":0.75}}`},
		{"a", update, `{"id":10,"s":{}}`, `null BAD_USER_INPUT: nothing is set`},
		{"a", some, `{"w":{"id":{"gte":13}},"n":null}`, `{"updateOrders":{"affected":2,"rows":[{"id":13,"note":null},{"id":14,"note":null}]}}`},
		{"b", some, `{"w":{"id":{"gte":18}},"n":"eighteen"}`, `{"updateOrders":{"affected":1,"rows":[{"id":18,"note":"eighteen"}]}}`},
		{"a", some, `{"w":{"id":{"gte":18}},"n":"eighteen"}`, `{"updateOrders":{"affected":0,"rows":[]}}`},
		{"a", some, `{"w":{"status":{"contains":"nothing"}},"n":"all"}`, `{"updateOrders":{"affected":0,"rows":[]}}`},
		{"a", some, `{"w":{"status":{"contains":""}},"n":"all"}`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{"a", search, `{"s":"nothing"}`, `{"updateOrders":{"affected":0}}`},
		{"a", search, `{"s":""}`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{"a", some, `{"w":{},"n":"all"}`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{"a", stale, `{"id":10,"n":"v","v":1}`, `null CONFLICT: the row of orders has changed meanwhile`},
		{"a", stale, `{"id":10,"n":"v","v":4}`, `{"updateOrdersByPk":{"id":10,"note":"v","version":5}}`},
		{"b", stale, `{"id":10,"n":"w","v":3}`, `{"updateOrdersByPk":{"id":10,"note":"w","version":4}}`},
		{"a", stale, `{"id":10,"n":"x","v":4}`, `null CONFLICT: the row of orders has changed meanwhile`},
		{"a", upsert, `{"r":[{"id":20,"note":"up","tags":["a",null],"doc":{"a":"b"}}]}`, `{"insertOrders":{"affected":1,"rows":[{"id":20,"note":"up","tags":["a",null],"doc":{"a":"b"},"customer":null}]}}`},
		{"a", upsert, `{"r":[{"id":20,"note":"up2","tags":["\"{,}",null],"doc":{"a":"\"c"}}]}`, `{"insertOrders":{"affected":1,"rows":[{"id":20,"note":"up2","tags":["\"{,}",null],"doc":{"a":"\"c"},"customer":null}]}}`},
		{"b", upsert, `{"r":[{"id":20,"note":"up","tags":["b",null],"doc":{"a":"d"}}]}`, `{"insertOrders":{"affected":1,"rows":[{"id":20,"note":"up","tags":["b",null],"doc":{"a":"d"},"customer":null}]}}`},
		{"b", upsert, `{"r":[{"id":20,"note":"w","tags":["b",null],"doc":{"a":"d"}}]}`, `null CONFLICT: there is a row of orders with the same note (insertOrders.rows.0.note)`},
		{"a", upsert, `{"r":[{"id":21,"tags":["x","y"]}]}`, `{"insertOrders":{"affected":1,"rows":[{"id":21,"note":null,"tags":["x","y"],"doc":null,"customer":null}]}}`},
		{"a", upsert, `{"r":[{"id":22,"tags":["x","y","z"]}]}`, `{"insertOrders":{"affected":1,"rows":[{"id":22,"note":null,"tags":["x","y","z"],"doc":null,"customer":null}]}}`},
		{"a", led, `{"id":23,"c":1}`, `{"insertOrdersOne":{"id":23,"customer":{"name":"Ann"},"created_by":"ann"}}`},
		{"a", led, `{"id":24,"c":3}`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`},
		{"a", led, `{"id":24,"c":2}`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`},
		{"b", led, `{"id":24,"c":3}`, `{"insertOrdersOne":{"id":24,"customer":{"name":"Bob"},"created_by":"bob"}}`},
		{"a", led, `{"id":24,"c":null}`, `{"insertOrdersOne":{"id":24,"customer":null,"created_by":"ann"}}`},
		{"a", box, `{"id":30,"lines":[{"line":1,"sku":"one"},{"line":2,"sku":"two"}]}`, `{"insertBoxesOne":{"id":30,"items":[{"line":1,"sku":"one"},{"line":2,"sku":"two"}]}}`},
		{"b", box, `{"id":31,"lines":[{"line":3,"sku":"x"},{"line":4,"sku":"y"}]}`, `{"insertBoxesOne":{"id":31,"items":[{"line":3,"sku":"x"},{"line":4,"sku":"y"}]}}`},
		{"b", box, `{"id":30,"lines":[{"line":3,"sku":"x"},{"line":4,"sku":"y"}]}`, `null CONFLICT: there is a row of boxes with the same id (insertBoxesOne.row.id)`},
		{"b", box, `{"id":32,"lines":[{"line":3,"sku":"x"},{"line":3,"sku":"y"}]}`, `null CONFLICT: there is a row of items with the same box_id, line (insertBoxesOne.row.items.1)`},
		{"a", remove, `{"id":23}`, `{"deleteOrdersByPk":{"id":23,"note":null,"customer":{"name":"Ann"}}}`},
		{"b", remove, `{"id":23}`, `{"deleteOrdersByPk":null}`},
		{"b", remove, `{"id":24}`, `{"deleteOrdersByPk":{"id":24,"note":null,"customer":{"name":"Bob"}}}`},
		{"b", removes, `{"ids":[20,21,22],"n":5}`, `{"deleteOrders":{"affected":1,"rows":[{"id":20}]}}`},
		{"a", removes, `{"ids":[20,21],"n":1}`, `{"deleteOrders":{"affected":1,"rows":[{"id":20}]}}`},
		{"a", removes, `{"ids":[21,22,24],"n":5}`, `{"deleteOrders":{"affected":3,"rows":[{"id":21},{"id":22},{"id":24}]}}`},
	} {
		if got := short(t, g.withVariables(t, keys[line.tenant], line.text, line.variables)); got != line.want && (!strings.HasSuffix(line.want, ": ") || !strings.Contains(got, line.want[5:])) {
			t.Errorf("%s sends %s with %s\n got %s\nwant %s", line.tenant, line.text, line.variables, got, line.want)
		}
	}
	// What is there of whom, by whom.
	var got string
	if err := db.Open(t).QueryRowContext(t.Context(), `SELECT string_agg(tenant || id || coalesce(created_by, '-'), ' ' ORDER BY tenant, id) FROM orders`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if want := "a1- a10ann a11ann a12ann a13ann a14ann b2- b10bob b15bob b18bob"; got != want {
		t.Errorf("there are %s, not %s", got, want)
	}
}

package gateway_test

import (
	"strings"
	"testing"
)

// What null, nothing and empty mean in each input of each mutation.
func TestWritesOfNothing(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	nested, _ := openNested(t, "")
	ann, ben := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), nested.keyOf(t, "ben", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ text, want string }{
		{`mutation { insertOrders(rows: []) { affected } }`, `null BAD_USER_INPUT: rows is empty`},
		{`mutation { insertOrders(rows: null) { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "[OrdersInsert!]!", found null.`},
		{`mutation { insertOrders { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Field "insertOrders" argument "rows" of type "[OrdersInsert!]!" is required, but it was not provided.`},
		{`mutation { insertOrders(rows: [null]) { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "OrdersInsert!", found null.`},
		{`mutation { insertOrders(rows: [{}]) { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Field "OrdersInsert.id" of required type "BigInt!" was not provided.`},
		{`mutation { insertOrdersOne(row: null) { id } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "OrdersInsert!", found null.`},
		{`mutation { insertOrdersOne(row: {}) { id } }`, ` GRAPHQL_VALIDATION_FAILED: Field "OrdersInsert.id" of required type "BigInt!" was not provided.`},
		{`mutation { insertOrdersOne(row: {id: null}) { id } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "BigInt!", found null.`},
		{`mutation { insertOrders(rows: {id: 1}, onConflict: null) { affected } }`, ` BAD_USER_INPUT: onConflict is null`},
		{`mutation { insertOrders(rows: {id: 1}, onConflict: {}) { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Field "OrdersOnConflict.key" of required type "OrdersUniqueKey!" was not provided. GRAPHQL_VALIDATION_FAILED: Field "OrdersOnConflict.update" of required type "[OrdersSetColumn!]!" was not provided.`},
		{`mutation { insertOrders(rows: {id: 1}, onConflict: {key: null, update: []}) { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "OrdersUniqueKey!", found null.`},
		{`mutation { insertOrders(rows: {id: 1}, onConflict: {key: id, update: null}) { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "[OrdersSetColumn!]!", found null.`},
		{`mutation { insertOrders(rows: {id: 1}, onConflict: {key: id, update: [null]}) { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "OrdersSetColumn!", found null.`},
		{`mutation { updateOrders(where: null, set: {note: "x"}) { affected } }`, ` BAD_USER_INPUT: where is null`},
		{`mutation { updateOrders(all: null, set: {note: "x"}) { affected } }`, ` BAD_USER_INPUT: all is null`},
		{`mutation { updateOrders(all: true, set: null) { affected } }`, ` BAD_USER_INPUT: set is null`},
		{`mutation { updateOrders(all: true, set: {}) { affected } }`, `null BAD_USER_INPUT: nothing is set`},
		{`mutation { updateOrders(all: true) { affected } }`, `null BAD_USER_INPUT: nothing is set`},
		{`mutation { updateOrders(all: true, set: {status: null}) { affected } }`, `null BAD_USER_INPUT: status: it is never null (updateOrders.set.status)`},
		{`mutation { updateOrders(all: true, set: {note: "x"}, increment: null) { affected } }`, ` BAD_USER_INPUT: increment is null`},
		{`mutation { updateOrders(all: true, set: {}, increment: {}) { affected } }`, `null BAD_USER_INPUT: nothing is set`},
		{`mutation { updateOrders(all: true, set: {}, increment: {amount: null}) { affected } }`, `null BAD_USER_INPUT: amount is incremented by a number, not by null (updateOrders.increment.amount)`},
		{`mutation { updateOrders(all: true, set: {note: "x"}, limit: null) { affected } }`, ` BAD_USER_INPUT: limit is null`},
		{`mutation { updateOrdersByPk(id: null, set: {note: "x"}) { id } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "BigInt!", found null.`},
		{`mutation { updateOrdersByPk(id: 1, set: {note: "x"}, version: null) { id } }`, ` BAD_USER_INPUT: version is null`},
		{`mutation ($v: Int) { updateOrdersByPk(id: 1, set: {note: "x"}, version: $v) { id } }`, ` BAD_USER_INPUT: version is $v, which has no value`},
		{`mutation { deleteOrders(where: null, all: null) { affected } }`, ` BAD_USER_INPUT: where is null`},
		{`mutation { deleteOrders(where: {id: {}}) { affected } }`, `null BAD_USER_INPUT: the comparison of id is empty`},
		{`mutation { deleteOrders(where: {id: null}) { affected } }`, ` BAD_USER_INPUT: where.id is null`},
		{`mutation { deleteOrders(where: {id: {eq: null}}) { affected } }`, ` BAD_USER_INPUT: where.id.eq is null`},
		{`mutation { deleteOrders(where: {note: {isNull: null}}) { affected } }`, ` BAD_USER_INPUT: where.note.isNull is null`},
		{`mutation { deleteOrders(where: {and: null}) { affected } }`, ` BAD_USER_INPUT: where.and is null`},
		{`mutation { deleteOrders(where: {and: [null]}) { affected } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "OrdersWhere!", found null.`},
		{`mutation { deleteOrders(where: {id: {in: null}}) { affected } }`, ` BAD_USER_INPUT: where.id.in is null`},
		{`mutation { deleteOrders(where: {not: null}) { affected } }`, ` BAD_USER_INPUT: where.not is null`},
		{`mutation { deleteOrders(where: {or: []}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {customer: {}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {customer: null}) { affected } }`, ` BAD_USER_INPUT: where.customer is null`},
		{`mutation { deleteOrders(where: {id: {notIn: []}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {not: {id: {in: []}}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {id: {isNull: false}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {or: [{id: {eq: 1}}, {id: {isNull: false}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {or: [{id: {gte: 5}}, {id: {lt: 5}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {or: [{status: {eq: "x"}}, {id: {gt: 5}}, {id: {lte: 5}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {or: [{id: {eq: 0}}, {id: {neq: 0}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {or: [{note: {eq: "x"}}, {note: {neq: "x"}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {not: {and: [{id: {gte: 5}}, {id: {lt: 5}}]}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteBoxes(where: {items: {every: {}}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteBoxes(where: {and: [{items: {every: {and: [{}]}}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteBoxes(where: {items: {}}) { affected } }`, `null BAD_USER_INPUT: the condition on items is empty`},
		{`mutation { deleteBoxes(where: {items: {some: null}}) { affected } }`, ` BAD_USER_INPUT: where.items.some is null`},
		{`mutation { deleteBoxes(where: {not: {items: {some: {not: {}}}}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteBoxes(where: {items: {none: {not: {}}}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {contains: ""}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {startsWith: ""}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {endsWith: ""}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {icontains: ""}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {istartsWith: ""}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {iendsWith: ""}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {like: "%"}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {ilike: "%%"}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {note: {contains: ""}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {status: {gte: ""}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {not: {status: {lt: ""}}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {not: {status: {notContains: ""}}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {and: [{status: {contains: ""}}, {note: {ilike: "%"}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {or: [{id: {eq: 1}}, {status: {contains: ""}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {or: [{id: {eq: 1}}, {not: {id: {eq: 1}}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {or: [{status: {eq: "x"}}, {status: {notIn: []}}]}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {tags: {hasAll: []}}) { affected } }`, `null BAD_USER_INPUT: where has no condition that a row could fail`},
		{`mutation { deleteOrders(where: {and: [{id: {eq: 99}}, {status: {contains: ""}}]}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteOrders(where: {and: [{id: {eq: 99}}, {status: {like: "_%"}}]}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteOrders(where: {note: {notContains: ""}}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteOrders(where: {status: {like: ""}}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteOrders(where: {status: {contains: "%"}}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteOrders(where: {id: {in: []}}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteBoxes(where: {items: {none: {}}}) { affected } }`, `{"deleteBoxes":{"affected":0}}`},
		{`mutation { deleteOrders(where: {note: {eq: ""}}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteOrders(where: {note: {isNull: true}}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteOrders(where: {not: {note: {in: ["first"]}}}) { affected } }`, `{"deleteOrders":{"affected":0}}`},
		{`mutation { deleteItems(where: {box: {items: {some: {line: {eq: 7}}}}}) { affected } }`, `{"deleteItems":{"affected":0}}`},
	} {
		if got := short(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	for _, line := range []struct{ text, want string }{
		{`mutation { insertLabelsOne(row: {id: "n", shelf: null}) { shelf_id } }`, `{"insertLabelsOne":{"shelf_id":null}}`},
		{`mutation { insertLabelsOne(row: {id: "n", shelf: {}}) { shelf_id } }`, ` GRAPHQL_VALIDATION_FAILED: Exactly one field of type "LabelsShelfReference" must be given, and not null.`},
		{`mutation { insertLabelsOne(row: {id: "n", shelf: {link: null}}) { shelf_id } }`, ` GRAPHQL_VALIDATION_FAILED: Exactly one field of type "LabelsShelfReference" must be given, and not null.`},
		{`mutation { insertLabelsOne(row: {id: "n", shelf: {link: {}}}) { shelf_id } }`, ` GRAPHQL_VALIDATION_FAILED: Field "LabelsShelfLink.id" of required type "BigInt!" was not provided.`},
		{`mutation { insertLabelsOne(row: {id: "n", shelf: {link: {id: null}}}) { shelf_id } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "BigInt!", found null.`},
		{`mutation { insertLabelsOne(row: {id: "n", shelf: {insert: null}}) { shelf_id } }`, ` GRAPHQL_VALIDATION_FAILED: Exactly one field of type "LabelsShelfReference" must be given, and not null.`},
		{`mutation { insertLabelsOne(row: {id: "n", shelf: {insert: {}}}) { shelf_id } }`, ` GRAPHQL_VALIDATION_FAILED: Field "ShelvesInsert.id" of required type "BigInt!" was not provided.`},
		{`mutation { updateLabelsByPk(id: "l", set: {shelf: null}) { shelf_id } }`, `null BAD_USER_INPUT: shelf is null: unlink: true is for a row that leads to none (updateLabelsByPk.set.shelf)`},
		{`mutation { updateLabelsByPk(id: "l", set: {shelf: {}}) { shelf_id } }`, ` GRAPHQL_VALIDATION_FAILED: Exactly one field of type "LabelsShelfRelink" must be given, and not null.`},
		{`mutation { updateLabelsByPk(id: "l", set: {shelf: {unlink: null}}) { shelf_id } }`, ` GRAPHQL_VALIDATION_FAILED: Exactly one field of type "LabelsShelfRelink" must be given, and not null.`},
		{`mutation { updateLabelsByPk(id: "l", set: {shelf: {unlink: false}}) { shelf_id } }`, `null BAD_USER_INPUT: unlink is true; leave shelf out for a row that stays as it is (updateLabelsByPk.set.shelf)`},
		{`mutation { insertShelvesOne(row: {id: 30, labels: null}) { id } }`, `{"insertShelvesOne":{"id":30}}`},
		{`mutation { insertShelvesOne(row: {id: 31, labels: []}) { id } }`, `{"insertShelvesOne":{"id":31}}`},
		{`mutation { insertShelvesOne(row: {id: 32, labels: [null]}) { id } }`, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "LabelsInsert!", found null.`},
		{`mutation { insertShelvesOne(row: {id: 32, labels: [{}]}) { id } }`, ` GRAPHQL_VALIDATION_FAILED: Field "LabelsInsert.id" of required type "String!" was not provided.`},
		{`mutation { insertLabelsOne(row: {id: ""}) { id } }`, `{"insertLabelsOne":{"id":""}}`},
	} {
		if got := short(t, nested.query(t, ben, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	if got := one(t, db.Open(t), `SELECT string_agg(o::text, ';' ORDER BY tenant) FROM orders o`); !strings.HasPrefix(got, "(a,1,1,,open,first,") {
		t.Errorf("there is %s", got)
	}
}

package graph_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/graph"
	"usher/query"
)

// requested asks one root field and returns what the resolver was asked.
func requested(t *testing.T, text, variables string) query.Request {
	t.Helper()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	got := s.ask(t, tenant(), text, variables)
	if strings.Contains(got, "errors") || len(s.resolver.asked) != 1 {
		t.Fatalf("asked %d times, answered %s", len(s.resolver.asked), got)
	}
	return s.resolver.asked[0]
}

func object(members ...any) query.Object {
	out := query.Object{}
	for pair := range slices.Chunk(members, 2) {
		out = append(out, query.Member{Name: pair[0].(string), Value: pair[1].(query.Value)})
	}
	return out
}

func leaf(name string) query.Field { return query.Field{Key: name, Name: name} }

func TestShapes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]query.Request{
		`{ orders { id } }`: {
			Dataset: "orders", Shape: query.Many,
			Field: query.Field{Key: "orders", Name: "orders", Fields: []query.Field{leaf("id")}},
		},
		`{ one: ordersByPk(id: 12345678901234567890123) { id } }`: {
			Dataset: "orders", Shape: query.ByKey,
			Field: query.Field{
				Key: "one", Name: "ordersByPk", Args: object("id", query.Number("12345678901234567890123")),
				Fields: []query.Field{leaf("id")},
			},
		},
		// A name for the caches of clients is nothing that is asked.
		`{ byNone: itemsAggregate(as: "byNone", limit: 5) { count } }`: {
			Dataset: "items", Shape: query.Groups,
			Field: query.Field{
				Key: "byNone", Name: "itemsAggregate", Args: object("limit", query.Number("5")), Fields: []query.Field{leaf("count")},
			},
		},
		`{ itemsAggregate(timezone: "Europe/Berlin", limit: 5) { count } }`: {
			Dataset: "items", Shape: query.Groups,
			Field: query.Field{
				Key: "itemsAggregate", Name: "itemsAggregate",
				Args:   object("timezone", query.Text("Europe/Berlin"), "limit", query.Number("5")),
				Fields: []query.Field{leaf("count")},
			},
		},
	} {
		if diff := cmp.Diff(want, requested(t, text, "")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestSelectionsAreMerged(t *testing.T) {
	t.Parallel()
	got := requested(t, `query($yes: Boolean = true, $no: Boolean!) {
		orders { ...A again: region ... on Orders { customer { name } } ... @include(if: $no) { code }
			items(limit: 2) { price } region @skip(if: $yes) amount @include(if: $yes) __typename }
		...B
	}
	fragment A on Orders { id customer { id ...C } }
	fragment B on Query { orders { items(limit: 2) { order_id __typename } } }
	fragment C on Customers { name key: id }`, `{"no": false}`)
	want := []query.Field{
		leaf("id"),
		{Key: "customer", Name: "customer", Fields: []query.Field{leaf("id"), leaf("name"), {Key: "key", Name: "id"}}},
		{Key: "again", Name: "region"},
		{Key: "items", Name: "items", Args: object("limit", query.Number("2")), Fields: []query.Field{leaf("price"), leaf("order_id"), leaf("__typename")}},
		leaf("amount"),
		leaf("__typename"),
	}
	if diff := cmp.Diff(want, got.Field.Fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestKeysWithArguments(t *testing.T) {
	t.Parallel()
	got := requested(t, `{ ordersAggregate(orderBy: {key: {ordered_at: {by: MONTH, direction: DESC}}}) {
		key { month: ordered_at(by: MONTH) day: ordered_at(by: DAY) customer { name } } amount { sum } } }`, "")
	want := query.Field{
		Key: "ordersAggregate", Name: "ordersAggregate",
		Args: object("orderBy", query.List{object("key", object("ordered_at", object("by", query.Enum("MONTH"), "direction", query.Enum("DESC"))))}),
		Fields: []query.Field{
			{Key: "key", Name: "key", Fields: []query.Field{
				{Key: "month", Name: "ordered_at", Args: object("by", query.Enum("MONTH"))},
				{Key: "day", Name: "ordered_at", Args: object("by", query.Enum("DAY"))},
				{Key: "customer", Name: "customer", Fields: []query.Field{leaf("name")}},
			}},
			{Key: "amount", Name: "amount", Fields: []query.Field{leaf("sum")}},
		},
	}
	if diff := cmp.Diff(want, got.Field); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, variables string
		want                  query.Object
	}{
		{
			"literals keep their digits",
			`{ orders(where: {amount: {in: [1.10, 123456789012345678901234567890.000001]}, weight: {eq: 1e3}, id: {eq: "7"}}) { id } }`, "",
			object("where", object(
				"amount", object("in", query.List{query.Number("1.10"), query.Number("123456789012345678901234567890.000001")}),
				"weight", object("eq", query.Number("1e3")),
				"id", object("eq", query.Text("7")))),
		},
		{
			"variables keep their digits",
			`query($w: OrdersWhere, $n: Int) { orders(where: $w, limit: $n) { id } }`,
			`{"w": {"status": {"in": ["OPEN"]}, "amount": {"eq": 0.10000000000000000001}, "or": {"code": {"eq": 5}}}, "n": 3.0}`,
			object("where", object(
				"amount", object("eq", query.Number("0.10000000000000000001")),
				"or", query.List{object("code", object("eq", query.Text("5")))},
				"status", object("in", query.List{query.Enum("OPEN")})), "limit", query.Number("3")),
		},
		{
			"absent variables leave nothing, null is null",
			`query($a: [OrdersOrderBy!], $b: Int, $c: String, $d: String) { orders(where: {and: [{region: {eq: $c}}, {region: {eq: $d}}]}, orderBy: $a, limit: $b) { id } }`,
			`{"d": null}`,
			object("where", object("and", query.List{object("region", object()), object("region", object("eq", query.Null{}))})),
		},
		{
			"variables inside lists and objects",
			`query($s: [Status!], $r: String = "north", $one: BigInt!) { orders(where: {status: {in: $s}, region: {eq: $r}, id: {in: [1, $one]}, not: {status: {eq: OPEN}}}) { id } }`,
			`{"s": "PAID", "one": "9223372036854775807"}`,
			object("where", object(
				"status", object("in", query.List{query.Enum("PAID")}),
				"region", object("eq", query.Text("north")),
				"id", object("in", query.List{query.Number("1"), query.Text("9223372036854775807")}),
				"not", object("status", object("eq", query.Enum("OPEN"))))),
		},
		{
			"defaults come from the document",
			`query($o: [OrdersOrderBy!] = {amount: DESC}, $w: OrdersWhere = {amount: {gt: 99999999999999999999.5}}) { orders(orderBy: $o, where: $w) { id } }`, "",
			object("orderBy", query.List{object("amount", query.Enum("DESC"))},
				"where", object("amount", object("gt", query.Number("99999999999999999999.5")))),
		},
		{
			"a null is what clients send for what they do not use",
			`query($n: Int, $o: [OrdersOrderBy!]) { orders(limit: $n, offset: null, orderBy: $o) { id } }`, `{"n": null, "o": null}`,
			nil,
		},
		{
			"a null that could ask for more is not nothing",
			`query($w: OrdersWhere) { orders(where: $w) { id } }`, `{"w": null}`,
			object("where", query.Null{}),
		},
		{
			"a null inside is what is compared",
			`{ orders(where: {region: {eq: null}}) { id } }`, "",
			object("where", object("region", object("eq", query.Null{}))),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, requested(t, c.text, c.variables).Field.Args); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestVariablesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	for _, c := range []struct{ definition, use, variables, want string }{
		{"$n: Int", "limit: $n", `{"n": 4294967297}`, `Variable \"$n\" cannot be used: it is no value of the type \"Int\".`},
		{"$n: Int", "limit: $n", `{"n": 1.5}`, `Variable \"$n\" cannot be used: it is no value of the type \"Int\".`},
		{"$n: Int", "limit: $n", `{"n": 1e400}`, `Variable \"$n\" cannot be used: it is no value of the type \"Int\".`},
		{"$n: Int", "limit: $n", `{"n": "5"}`, `Variable \"$n\" cannot be used: it is no value of the type \"Int\".`},
		{"$n: Int", "limit: $n", `{"n": true}`, `Variable \"$n\" cannot be used: it is no value of the type \"Int\".`},
		{"$n: Int", "limit: $n", `{"n": [1]}`, `Variable \"$n\" cannot be used: it is no value of the type \"Int\".`},
		{"$n: Int!", "limit: $n", `{}`, `Variable \"$n\" cannot be used: it is missing.`},
		{"$n: Int!", "limit: $n", `{"n": null}`, `Variable \"$n\" cannot be used: it is null, and the type is \"Int!\".`},
		{"$s: String", "where: {region: {eq: $s}}", `{"s": 5}`, `Variable \"$s\" cannot be used: it is no value of the type \"String\".`},
		{"$f: Float", "where: {weight: {eq: $f}}", `{"f": 1e999}`, `Variable \"$f\" cannot be used: it is no value of the type \"Float\".`},
		{"$b: Boolean", "where: {region: {isNull: $b}}", `{"b": "true"}`, `Variable \"$b\" cannot be used: it is no value of the type \"Boolean\".`},
		{"$e: Status", "where: {status: {eq: $e}}", `{"e": "open"}`, `Variable \"$e\" cannot be used: it is no value of the type \"Status\".`},
		{"$w: OrdersWhere", "where: $w", `{"w": []}`, `Variable \"$w\" cannot be used: it is no object of the type \"OrdersWhere\".`},
		{"$w: OrdersWhere", "where: $w", `{"w": {"and": [{}, {"regoin": {}}]}}`, `Variable \"$w.and[1]\" cannot be used: the field \"regoin\" is not defined by the type \"OrdersWhere\".`},
		{"$w: OrdersWhere", "where: $w", `{"w": {"__proto__": {}}}`, `Variable \"$w\" cannot be used: the field \"__proto__\" is not defined by the type \"OrdersWhere\".`},
		{"$w: OrdersWhere", "where: $w", `{"w": {"and": [null]}}`, `Variable \"$w.and[0]\" cannot be used: it is null, and the type is \"OrdersWhere!\".`},
		{"$l: [String!]", "where: {region: {in: $l}}", `{"l": ["a", null]}`, `Variable \"$l[1]\" cannot be used: it is null, and the type is \"String!\".`},
	} {
		got := s.ask(t, tenant(), "query("+c.definition+") { orders("+c.use+") { id } }", c.variables)
		check(t, got, `{"errors":[{"message":"`+c.want+`","locations":[{"line":1,"column":7}],"extensions":{"code":"BAD_USER_INPUT","requestId":"r-1"}}]}`)
	}
	// A null of a nullable variable where nothing is null, in arguments and
	// directives, of the document and of its fragments.
	for _, c := range []struct{ text, variables, want string }{
		{`query($b: Boolean = true) { orders { id } __typename @skip(if: $b) }`, `{"b": null}`, `Variable \"$b\" cannot be used: it is null where the type is \"Boolean!\".`},
		{`query($s: String = "EU") { orders(where: {region: {in: [$s]}}) { id } }`, `{"s": null}`, `Variable \"$s\" cannot be used: it is null where the type is \"String!\".`},
		{`query($b: Boolean = true) { ...f ...f } fragment f on Query { orders { id @include(if: $b) } }`, `{"b": null}`, `Variable \"$b\" cannot be used: it is null where the type is \"Boolean!\".`},
	} {
		check(t, s.ask(t, tenant(), c.text, c.variables), `{"errors":[{"message":"`+c.want+`","locations":[{"line":1,"column":7}],"extensions":{"code":"BAD_USER_INPUT","requestId":"r-1"}}]}`)
	}
	for _, fine := range []string{
		`query($n: Int) { orders(limit: $n) { id } }`,
		`query($w: OrdersWhere) { orders(where: $w) { id } }`,
	} {
		for _, variables := range []string{`{}`, `{"n": null}`, `{"w": null}`} {
			check(t, s.ask(t, tenant(), fine, variables), `{"data":{"orders":[]}}`)
		}
	}
}

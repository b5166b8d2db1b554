package graph_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"usher/graph"
	"usher/principal"
)

// Of an input that is @oneOf exactly one member is set, however it is given.
func TestOneOf(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	const literal, variable = `must be given, and not null`, `exactly one field of the type`
	for _, c := range []struct{ text, variables, want string }{
		{`{ orders(orderBy: [{region: ASC}, {id: DESC}]) { id } }`, `{}`, ""},
		{`{ orders(orderBy: {customer: {name: ASC}}) { id } }`, `{}`, ""},
		{`{ orders(orderBy: [{}]) { id } }`, `{}`, literal},
		{`{ orders(orderBy: [{region: ASC, id: DESC}]) { id } }`, `{}`, literal},
		{`{ orders(orderBy: [{region: null}]) { id } }`, `{}`, literal},
		{`{ orders(orderBy: [{region: ASC, id: null}]) { id } }`, `{}`, literal},
		{`{ orders(orderBy: [{customer: {}}]) { id } }`, `{}`, literal},
		{`{ ordersAggregate(orderBy: [{amount: {sum: ASC, avg: ASC}}]) { count } }`, `{}`, literal},
		{`{ ordersAggregate(orderBy: [{key: {region: ASC, id: ASC}}]) { count } }`, `{}`, literal},
		{`{ ordersAggregate(topN: {n: 1, by: {}}) { count } }`, `{}`, literal},
		{`{ ordersAggregate(compareTo: {}) { count } }`, `{}`, literal},
		{`query($o: [OrdersOrderBy!] = [{}]) { orders(orderBy: $o) { id } }`, `{}`, literal},
		{`query($d: Direction!) { orders(orderBy: [{region: $d}]) { id } }`, `{"d": "ASC"}`, ""},
		{`query($d: Direction) { orders(orderBy: [{region: $d}]) { id } }`, `{"d": "ASC"}`, "must be non-nullable to be used for OneOf Input Object"},
		{`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o": [{"region": "ASC"}, {"id": "DESC"}]}`, ""},
		{`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o": {"region": "ASC"}}`, ""},
		{`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o": null}`, ""},
		{`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o": [{}]}`, variable},
		{`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o": [{"region": "ASC", "id": "DESC"}]}`, variable},
		{`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o": [{"region": null}]}`, variable},
		{`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o": [{"region": "ASC", "id": null}]}`, variable},
		{`query($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o": [{"customer": {"name": "ASC", "id": "ASC"}}]}`, variable},
		{`query($o: OrdersAggregateOrderBy!) { ordersAggregate(orderBy: [$o]) { count } }`, `{"o": {"amount": {}}}`, variable},
		{`query($t: OrdersTopN) { ordersAggregate(topN: $t) { count } }`, `{"t": {"n": 3, "by": {"count": "ASC", "key": {"region": "ASC"}}}}`, variable},
		{`query($c: OrdersCompareTo) { ordersAggregate(compareTo: $c) { count } }`, `{"c": {"ordered_at": null}}`, variable},
		// What may have several members may have several.
		{`query($w: OrdersWhere) { orders(where: $w) { id } }`, `{"w": {"region": {"eq": "a", "neq": "b"}, "id": {"gt": 1}}}`, ""},
	} {
		var variables map[string]any
		if err := json.Unmarshal([]byte(c.variables), &variables); err != nil {
			t.Fatal(err)
		}
		got := answerOf(principal.With(t.Context(), tenant()), s.Engine, &graphql.RawParams{Query: c.text, Variables: variables})
		if (c.want == "") != !strings.HasPrefix(got, "none") || !strings.Contains(got, c.want) {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.text, c.variables, got, c.want)
		}
	}
	got := s.ask(t, tenant(), `{ a: __type(name: "OrdersOrderBy") { isOneOf } b: __type(name: "OrdersWhere") { isOneOf }}`)
	check(t, got, `{"data":{"a":{"isOneOf":true},"b":{"isOneOf":false}}}`)
}

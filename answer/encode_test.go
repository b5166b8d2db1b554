package answer_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/answer"
	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/value"
)

const encoded = `
sources: {main: {kind: duckdb, path: main.duckdb}}
strategies: {shared: {kind: shared, source: main}}
datasets:
  orders:
    tenant: tenant_id
    key: id
    limit: 3
    columns:
      {id: BigInt!, tenant_id: String!, customer_id: BigInt, amount: {type: Decimal, precision: 12, scale: 2}, weight: Float, at: Timestamp, sizes: "[Float]"}
    relations:
      customer: {to: customers, on: {customer_id: id}}
      items: {to: items, many: true, on: {id: order_id}}
  customers:
    tenant: tenant_id
    key: id
    columns: {id: BigInt!, tenant_id: String!, name: String, code: String!}
  items:
    tenant: tenant_id
    key: line
    limit: 2
    columns: {line: Int!, tenant_id: String!, order_id: BigInt!, price: Float}
    relations:
      parts: {to: parts, many: true, on: {line: line}}
  parts:
    tenant: tenant_id
    limit: 1
    columns: {tenant_id: String!, line: Int!, name: String}
`

var tenant = principal.Principal{
	Subject: "ann", Tenant: "acme", TenantKey: "acme", Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData},
}

// planned is the plan of a field.
func planned(t *testing.T, field string) plan.Query {
	t.Helper()
	q, err := plan.Build(plantest.Request(t, field), catalogOf(t), tenant, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func catalogOf(t *testing.T) *catalog.Catalog { return plantest.Catalog(t, encoded, nil) }

// rows makes a result: one row for each list of cells.
func rows(width int, lists ...[]any) *value.Result {
	b := value.NewBuffer(width)
	for _, cells := range lists {
		if len(cells) != width {
			panic(fmt.Sprintf("a row of %d cells in a result of %d", len(cells), width))
		}
		for _, cell := range cells {
			switch v := cell.(type) {
			case nil:
				b.Append(value.Cell{})
			case int:
				b.Append(value.Cell{Kind: value.KindInt, Int: int64(v)})
			case float64:
				b.Append(value.Cell{Kind: value.KindFloat, Float: v})
			case bool:
				b.Append(value.Cell{Kind: value.KindBool, Bool: v})
			case string:
				b.Append(value.Cell{Kind: value.KindText, Text: []byte(v)})
			}
		}
	}
	return &value.Result{Rows: b}
}

// nest hangs a nested level's rows below a result: start is where each
// parent's rows begin, and where the last one's end.
func nest(parent, child *value.Result, start ...int) *value.Result {
	parent.Children = append(parent.Children, value.Child{Result: child, Start: start})
	return parent
}

// told is an answer with what is said beside it.
func told(a answer.Answer) string {
	var b strings.Builder
	b.Write(a.JSON())
	for _, e := range a.Errors {
		f := fault.From(e)
		fmt.Fprintf(&b, "\n%s %s: %s", e.Path, f.Code, f.Message)
	}
	for _, path := range a.Truncated {
		fmt.Fprintf(&b, "\ntruncated %s", path)
	}
	return b.String()
}

func seal(position []byte) string { return "sealed" + string(position) }

func encode(t *testing.T, field string, r *value.Result, want ...string) {
	t.Helper()
	q := planned(t, field)
	if r.Rows.Width() < q.Root().Columns() {
		t.Fatalf("%s has %d cells, not %d", field, q.Root().Columns(), r.Rows.Width())
	}
	key := plantest.Request(t, field).Field.Key
	got, err := answer.Encode(q, r, answer.Writing{Key: key, Seals: answer.Seals{Cursor: seal}})
	if err != nil {
		t.Errorf("%s: %v", field, err)
		return
	}
	if !json.Valid(got.JSON()) {
		t.Errorf("%s: no JSON: %s", field, got.JSON())
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), told(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", field, diff)
	}
}

func TestEncodeRows(t *testing.T) {
	t.Parallel()
	encode(t, `orders { id }`, rows(1), `[]`)
	encode(t, `orders { __typename number: id amount at sizes }`, rows(4,
		[]any{1, "12.5", "2026-01-01 10:00:00+00", `["1.5",null]`}, []any{2, nil, nil, nil}),
		`[{"__typename":"Orders","number":1,"amount":12.50,"at":"2026-01-01T10:00:00Z","sizes":[1.5,null]},`+
			`{"__typename":"Orders","number":2,"amount":null,"at":null,"sizes":null}]`)
	// A relation to one row is null as a whole where its key is.
	encode(t, `orders { id customer { __typename name } }`, rows(3, []any{1, 7, `"quoted"`}, []any{2, 7, nil}, []any{3, nil, nil}),
		`[{"id":1,"customer":{"__typename":"Customers","name":"\"quoted\""}},{"id":2,"customer":{"__typename":"Customers","name":null}},{"id":3,"customer":null}]`)
	encode(t, `ordersByPk(id: 1) { id }`, rows(1), `null`)
	encode(t, `ordersByPk(id: 1) { id weight }`, rows(2, []any{1, 1e21}), `{"id":1,"weight":1e+21}`)
	encode(t, `ordersAggregate { key { customer { name } } count }`, rows(2, []any{nil, 2}), `[{"key":{"customer":{"name":null}},"count":2}]`)
}

func TestEncodeNestedLists(t *testing.T) {
	t.Parallel()
	// The first parent has two items, the second none, the third one.
	items := rows(2, []any{1, 10}, []any{1, 11}, []any{2, 30})
	encode(t, `orders { id items { line } }`, nest(rows(1, []any{1}, []any{2}, []any{3}), items, 0, 2, 2, 3),
		`[{"id":1,"items":[{"line":10},{"line":11}]},{"id":2,"items":[]},{"id":3,"items":[{"line":30}]}]`)
	encode(t, `orders { items { line parts { name } } }`,
		nest(rows(1, []any{1}, []any{2}),
			nest(rows(2, []any{1, 10}, []any{2, 20}, []any{2, 21}), rows(2, []any{1, "a"}, []any{3, "c"}), 0, 1, 1, 2), 0, 1, 3),
		`[{"items":[{"line":10,"parts":[{"name":"a"}]}]},{"items":[{"line":20,"parts":[]},{"line":21,"parts":[{"name":"c"}]}]}]`)
}

// A list that the default limit cut says so with its path; one that was
// limited by its argument does not, nor one that just reaches the limit.
func TestEncodeTruncated(t *testing.T) {
	t.Parallel()
	encode(t, `all: orders { id }`, rows(1, []any{1}, []any{2}, []any{3}, []any{4}), `[{"id":1},{"id":2},{"id":3}]`, `truncated all`)
	encode(t, `orders { id }`, rows(1, []any{1}, []any{2}, []any{3}), `[{"id":1},{"id":2},{"id":3}]`)
	encode(t, `orders(limit: 2) { id }`, rows(1, []any{1}, []any{2}), `[{"id":1},{"id":2}]`)
	parts := rows(2, []any{1, "a"}, []any{2, "b"}, []any{2, "c"}, []any{3, "d"}, []any{3, "e"})
	encode(t, `o: orders { i: items { p: parts { name } } }`,
		nest(rows(1, []any{1}, []any{2}), nest(rows(2, []any{1, 10}, []any{2, 20}, []any{2, 21}, []any{2, 22}), parts, 0, 1, 3, 5, 5), 0, 1, 4),
		`[{"i":[{"p":[{"name":"a"}]}]},{"i":[{"p":[{"name":"b"}]},{"p":[{"name":"d"}]}]}]`,
		`truncated o[1].i`, `truncated o[1].i[0].p`, `truncated o[1].i[1].p`)
}

func TestEncodeNotFinite(t *testing.T) {
	t.Parallel()
	const why = ` NOT_IMPLEMENTED: the value is not finite, which JSON cannot hold`
	encode(t, `orders { id w: weight at sizes customer { name } }`, rows(6,
		[]any{1, math.NaN(), nil, nil, nil, nil}, []any{2, 1.5, "infinity", `["1","NaN"]`, nil, nil}, []any{3, math.Inf(-1), nil, nil, nil, nil}),
		`[{"id":1,"w":null,"at":null,"sizes":null,"customer":null},{"id":2,"w":1.5,"at":null,"sizes":null,"customer":null},{"id":3,"w":null,"at":null,"sizes":null,"customer":null}]`,
		`orders[0].w`+why, `orders[1].at NOT_IMPLEMENTED: the time is infinite, or of a year before 1 or after 9999`, `orders[1].sizes`+why, `orders[2].w`+why)
	encode(t, `ordersByPk(id: 1) { weight items { price } }`,
		nest(rows(2, []any{math.Inf(1), 1}), rows(2, []any{1, 1.5}, []any{1, math.NaN()}), 0, 2),
		`{"weight":null,"items":[{"price":1.5},{"price":null}]}`,
		`ordersByPk.weight`+why, `ordersByPk.items[1].price`+why)
}

// A value that cannot be printed costs its own cell, of whatever type it is.
func TestEncodeOddCells(t *testing.T) {
	t.Parallel()
	encode(t, `orders { amount at sizes }`, rows(3,
		[]any{strings.Repeat("9", 39), "2026-01-01 10:00:00+00", `[["1","2"],["3","4"]]`}, []any{"NaN", "10000-01-01 00:00:00+00", `["1"]`}, []any{"1", "0044-03-15 00:00:00+00 BC", nil}),
		`[{"amount":null,"at":"2026-01-01T10:00:00Z","sizes":null},{"amount":null,"at":null,"sizes":[1]},{"amount":1.00,"at":null,"sizes":null}]`,
		`orders[0].amount NOT_IMPLEMENTED: the number has more than 38 digits`,
		`orders[0].sizes NOT_IMPLEMENTED: the list has more than one dimension`,
		`orders[1].amount NOT_IMPLEMENTED: the value is not finite, which JSON cannot hold`,
		`orders[1].at NOT_IMPLEMENTED: the time is infinite, or of a year before 1 or after 9999`,
		`orders[2].at NOT_IMPLEMENTED: the time is infinite, or of a year before 1 or after 9999`)
	// Where the schema promises a value, what holds the cell is null instead.
	encode(t, `orders { id customer { name code } }`, rows(4, []any{1, 7, "Ann", nil}, []any{2, 8, "Bob", "b"}),
		`[{"id":1,"customer":null},{"id":2,"customer":{"name":"Bob","code":"b"}}]`,
		`orders[0].customer.code INTERNAL: the source has no value here, and the catalog says that there always is one`)
}

// The list of errors is bounded, the answer is not.
func TestEncodeManyNotFinite(t *testing.T) {
	t.Parallel()
	lists := make([][]any, 50)
	for i := range lists {
		lists[i] = []any{math.NaN()}
	}
	got, err := answer.Encode(planned(t, `orders(limit: 50) { weight }`), rows(1, lists...), answer.Writing{Key: "orders"})
	if err != nil || len(got.Errors) != 20 || strings.Count(string(got.JSON()), "null") != 50 {
		t.Errorf("%d errors beside %s, %v", len(got.Errors), got.JSON(), err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	f := func(field string, r *value.Result, code fault.Code, message string) {
		t.Helper()
		_, err := answer.Encode(planned(t, field), r, answer.Writing{Key: "orders"})
		if got := fault.From(err); got == nil || got.Code != code || got.Message != message {
			t.Errorf("%s: got %v, want %s: %s", field, err, code, message)
		}
	}
	digits := strings.Repeat("9", 39)
	got, err := answer.Encode(planned(t, `ordersAggregate { amount { sum } }`), rows(1, []any{digits}), answer.Writing{Key: "orders"}) // costs its own cell
	if err != nil || len(got.Errors) != 1 || !strings.Contains(string(got.JSON()), "null") {
		t.Errorf("%v, %v", got, err)
	}
	// A cell of another kind than its column's: that has become another one.
	f(`orders { id }`, rows(1, []any{"1"}), fault.Unavailable, "the source's table differs from the catalog")
	f(`orders { weight }`, rows(1, []any{true}), fault.Unavailable, "the source's table differs from the catalog")
}

func TestEncodeNumbersAsText(t *testing.T) {
	t.Parallel()
	got, err := answer.Encode(planned(t, `orders { id amount weight items { line } }`),
		nest(rows(3, []any{9007199254740993, "1.10", 0.5}), rows(2, []any{1, 10}), 0, 1), answer.Writing{Key: "orders", NumbersAsText: true})
	want := `[{"id":"9007199254740993","amount":"1.10","weight":0.5,"items":[{"line":10}]}]`
	if err != nil || string(got.JSON()) != want {
		t.Errorf("got %s, %v, want %s", got.JSON(), err, want)
	}
}

func TestEncodeConnection(t *testing.T) {
	t.Parallel()
	f := func(args, selection string, r *value.Result, want ...string) {
		t.Helper()
		q, err := plan.Build(plantest.Request(t, `ordersConnection`+args+` { `+selection+` }`), catalogOf(t), tenant, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		got, err := answer.Encode(q, r, answer.Writing{Key: "c", Seals: answer.Seals{Cursor: seal}})
		if err != nil || !json.Valid(got.JSON()) {
			t.Fatalf("%s: %s, %v", args, got.JSON(), err)
		}
		if diff := cmp.Diff(strings.Join(want, "\n"), told(got)); diff != "" {
			t.Errorf("%s { %s } (-want +got):\n%s", args, selection, diff)
		}
	}
	const info = `pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`
	one, two, three := []any{1}, []any{2}, []any{3}

	// Forward: one row more than the page says that there is a next one.
	f(`(first: 2)`, `nodes { id } `+info, rows(1, one, two, three),
		`{"nodes":[{"id":1},{"id":2}],"pageInfo":{"hasNextPage":true,"hasPreviousPage":false,"startCursor":"sealed[\"1\"]","endCursor":"sealed[\"2\"]"}}`)
	f(`(first: 2, after: ["0"])`, `nodes { id } `+info, rows(1, one, two),
		`{"nodes":[{"id":1},{"id":2}],"pageInfo":{"hasNextPage":false,"hasPreviousPage":true,"startCursor":"sealed[\"1\"]","endCursor":"sealed[\"2\"]"}}`)
	f(`(first: 2)`, `nodes { id } `+info, rows(1),
		`{"nodes":[],"pageInfo":{"hasNextPage":false,"hasPreviousPage":false,"startCursor":null,"endCursor":null}}`)
	f(`(first: 0)`, info, rows(1, one), `{"pageInfo":{"hasNextPage":true,"hasPreviousPage":false,"startCursor":null,"endCursor":null}}`)

	// Backward: rows come in reverse and are written in order.
	f(`(last: 2)`, `nodes { id } `+info, rows(1, three, two, one),
		`{"nodes":[{"id":2},{"id":3}],"pageInfo":{"hasNextPage":false,"hasPreviousPage":true,"startCursor":"sealed[\"2\"]","endCursor":"sealed[\"3\"]"}}`)
	f(`(last: 2, before: ["4"])`, `nodes { id } `+info, rows(1, three, two),
		`{"nodes":[{"id":2},{"id":3}],"pageInfo":{"hasNextPage":true,"hasPreviousPage":false,"startCursor":"sealed[\"2\"]","endCursor":"sealed[\"3\"]"}}`)

	// The default page is cut by its next one, not by truncation.
	f(``, `nodes { id }`, rows(1, one, two, three, []any{4}), `{"nodes":[{"id":1},{"id":2},{"id":3}]}`)

	// Edges have a cursor each: the texts of the order's terms.
	f(`(first: 2, orderBy: [{amount: DESC}])`, `e: edges { __typename cursor node { id } } __typename`, rows(2, []any{1, "2.50"}, []any{2, nil}),
		`{"e":[{"__typename":"OrdersEdge","cursor":"sealed[\"2.50\",\"1\"]","node":{"id":1}},`+
			`{"__typename":"OrdersEdge","cursor":"sealed[null,\"2\"]","node":{"id":2}}],"__typename":"OrdersConnection"}`)

	// Errors and nested lists have the paths of the page, in its order.
	f(`(last: 2)`, `nodes { weight }`, rows(2, []any{math.NaN(), 2}, []any{1.5, 1}),
		`{"nodes":[{"weight":1.5},{"weight":null}]}`, `c.nodes[1].weight NOT_IMPLEMENTED: the value is not finite, which JSON cannot hold`)
	f(`(last: 2)`, `edges { node { id items { line } } }`,
		nest(rows(1, two, one), rows(2, []any{1, 20}, []any{1, 21}, []any{1, 22}, []any{2, 10}), 0, 3, 4),
		`{"edges":[{"node":{"id":1,"items":[{"line":10}]}},{"node":{"id":2,"items":[{"line":20},{"line":21}]}}]}`,
		`truncated c.edges[1].node.items`)

	// The count is of all pages.
	counted := rows(1, one)
	counted.Total = rows(1, []any{41})
	f(`(first: 1)`, `n: totalCount nodes { id }`, counted, `{"n":41,"nodes":[{"id":1}]}`)
}

func TestEncodeTable(t *testing.T) {
	t.Parallel()
	q := planned(t, `orders { weight customer { name } id }`)
	var names []string
	for _, o := range answer.TableCells(q) {
		names = append(names, o.Key()+" "+o.Type().GraphQL())
	}
	if got := strings.Join(names, ", "); got != "weight Float, name String, id BigInt" {
		t.Errorf("the table has the columns %s", got)
	}
	r := rows(4, []any{1.5, 7, "ann", 1}, []any{math.NaN(), nil, nil, 2}, []any{nil, 7, nil, 3}, []any{2.5, 7, "bob", 4})
	got, err := answer.EncodeTable(nil, q, r, answer.Writing{Key: "t", NumbersAsText: true}, "data")
	want := `[[1.5,"ann","1"],[null,null,"2"],[null,null,"3"]]` + "\n" +
		`t.data[1][0] NOT_IMPLEMENTED: the value is not finite, which JSON cannot hold` + "\n" + `truncated t.data`
	if err != nil || told(got) != want {
		t.Errorf("got\n%s, %v\nwant\n%s", told(got), err, want)
	}
	if got, err := answer.EncodeTable(nil, q, rows(4), answer.Writing{Key: "t"}, "rows"); err != nil || told(got) != "[]" {
		t.Errorf("no rows are %s, %v", told(got), err)
	}
	if _, err := answer.EncodeTable(nil, q, rows(4, []any{1, 7, "ann", 1}), answer.Writing{Key: "t"}, "rows"); fault.From(err) == nil {
		t.Error("a cell of another kind was written")
	}
}

// TestEncodeNullWhereNoneIs: a null that the type rules out is an error, and the
// nearest value around it that may be null is null.
func TestEncodeNullWhereNoneIs(t *testing.T) {
	t.Parallel()
	const why = ` INTERNAL: the source has no value here, and the catalog says that there always is one`
	encode(t, `orders { id at }`, rows(2, []any{1, nil}, []any{nil, nil}, []any{nil, nil}), `null`, `orders[1].id`+why)
	encode(t, `ordersByPk(id: 1) { weight id }`, rows(2, []any{1.5, nil}), `null`, `ordersByPk.id`+why)
	encode(t, `orders { id items { price line } }`,
		nest(rows(1, []any{1}, []any{2}), rows(3, []any{1, 1.5, 1}, []any{1, 2.5, 1}, []any{1, 2.5, 1}, []any{2, nil, nil}), 0, 3, 4),
		`null`, `orders[1].items[0].line`+why)
	// A relation to one row may be null: the rest of the row stays.
	encode(t, `orders { customer { name code } id }`, rows(4, []any{7, "a", "x", 1}, []any{8, "b", nil, 2}, []any{nil, nil, nil, 3}),
		`[{"customer":{"name":"a","code":"x"},"id":1},{"customer":null,"id":2},{"customer":null,"id":3}]`, `orders[1].customer.code`+why)
	p, err := plan.Build(plantest.Request(t, `ordersConnection(first: 1) { edges { node { id at } } }`), catalogOf(t), tenant, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	got, err := answer.Encode(p, rows(2, []any{nil, nil}), answer.Writing{Key: "c", Seals: answer.Seals{Cursor: seal}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("null\nc.edges[0].node.id"+why, told(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestEncodePieces: a large answer is written in pieces that are one text, also
// where one of them ends beside an object that becomes null.
func TestEncodePieces(t *testing.T) {
	t.Parallel()
	const n, why = 12_000, ` INTERNAL: the source has no value here, and the catalog says that there always is one`
	var want strings.Builder
	var lists [][]any
	for i := range n {
		name := strings.Repeat("é\"", i%60)
		quoted, _ := json.Marshal(name)
		code := any("c")
		customer := fmt.Sprintf(`{"name":%s,"code":"c"}`, quoted)
		if i == n/2 {
			code, customer = nil, "null"
		}
		lists = append(lists, []any{i, name, code, i})
		fmt.Fprintf(&want, `,{"customer":%s,"id":%d}`, customer, i)
	}
	if want.Len() < 1<<20 {
		t.Fatalf("%d bytes are not many", want.Len())
	}
	field := fmt.Sprintf(`orders(limit: %d) { customer { name code } id }`, 10_000)
	got, err := answer.Encode(planned(t, field), rows(4, lists[n-10_000:]...), answer.Writing{Key: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.SplitAfterN(want.String(), "},{\"customer\"", n-10_000+1)
	rest := `[{"customer"` + all[len(all)-1] + `]`
	if told(got) != rest+fmt.Sprintf("\norders[%d].customer.code", n/2-(n-10_000))+why {
		t.Errorf("%d bytes, want %d, errors %v", len(got.JSON()), len(rest), got.Errors)
	}
}

package graph_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/graph"
	"usher/plan/plantest"
	"usher/principal"
)

// list writes so many items as JSON.
func list(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

func TestLoads(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), inMemory(shop(t, nil), rowsOf(0)), graph.Options{Limits: graph.Limits{Items: 6, Conditions: 4, Bytes: 60}})
	const ids = `query ($ids: [BigInt!]) { `
	const fragment = ` fragment F on Query { a: orders(where: {id: {in: $ids}}) { id } b: orders(where: {id: {in: $ids}}) { id } }`
	for name, c := range map[string]struct{ text, variables, what string }{
		"items of a literal":           {`{ orders(where: {id: {in: [1,2,3,4,5,6]}}) { id } }`, ``, ``},
		"too many items of a literal":  {`{ orders(where: {id: {in: [1,2,3,4,5,6,7]}}) { id } }`, ``, "6 items"},
		"items of two fields":          {`{ a: orders(where: {id: {in: [1,2,3]}}) { id } b: orders(where: {id: {in: [1,2,3,4]}}) { id } }`, ``, "6 items"},
		"items of a nested field":      {`{ orders { items(where: {order_id: {in: [1,2,3,4,5,6,7]}}) { price } } }`, ``, "6 items"},
		"equal items":                  {ids + `orders(where: {id: {in: $ids}}) { id } }`, `{"ids": [1,1,1,1,1,1,1]}`, "6 items"},
		"items of a variable":          {ids + `orders(where: {id: {in: $ids}}) { id } }`, `{"ids": [1,2,3,4,5,6]}`, ``},
		"a variable in two fields":     {ids + `a: orders(where: {id: {in: $ids}}) { id } b: orders(where: {id: {in: $ids}}) { id } }`, `{"ids": [1,2,3]}`, ``},
		"too much in two fields":       {ids + `a: orders(where: {id: {in: $ids}}) { id } b: orders(where: {id: {in: $ids}}) { id } }`, `{"ids": [1,2,3,4]}`, "6 items"},
		"a variable in a fragment":     {ids + `...F }` + fragment, `{"ids": [1,2,3,4]}`, "6 items"},
		"a default":                    {`query ($ids: [BigInt!] = [1,2,3,4]) { ...F }` + fragment, `{}`, "6 items"},
		"a default that is not used":   {`query ($ids: [BigInt!] = [1,2,3,4]) { ...F }` + fragment, `{"ids": [1]}`, ``},
		"a variable in a literal":      {`query ($id: BigInt!) { orders(where: {id: {in: [$id,$id,$id,$id,$id,$id,$id]}}) { id } }`, `{"id": 1}`, "6 items"},
		"comparisons":                  {`{ orders(where: {id: {gt: 1, lt: 5}, region: {eq: "n", neq: "s"}}) { id } }`, ``, ``},
		"too many comparisons":         {`{ orders(where: {id: {gt: 1, lt: 5}, region: {eq: "n", neq: "s", like: "o"}}) { id } }`, ``, "4 conditions"},
		"conditions that ask nothing":  {`query ($w: OrdersWhere) { orders(where: $w) { id } }`, `{"w": {"and": [{"and": []}, {"and": []}, {"and": []}, {"and": []}, {"and": []}]}}`, "4 conditions"},
		"conditions in a list":         {`query ($w: [OrdersWhere!]) { orders(where: {or: $w}) { id } }`, `{"w": [{"id": {"eq": 1}}, {"id": {"eq": 1}}, {"id": {"eq": 1}}, {"id": {"eq": 1}}]}`, ``},
		"too many conditions in lists": {`query ($w: [OrdersWhere!]) { a: orders(where: {or: $w}) { id } b: orders(where: {and: $w}) { id } }`, `{"w": [{"id": {"eq": 1}}, {"id": {"eq": 1}}, {"id": {"eq": 1}}]}`, "4 conditions"},
		"an order of many":             {`{ orders(orderBy: [{id: ASC}, {region: ASC}, {amount: ASC}, {weight: ASC}, {code: ASC}]) { id } }`, ``, "4 conditions"},
		"JSON":                         {`query ($j: JSON) { orders(where: {extra: {contains: $j}}) { id } }`, `{"j": {"a": {"b": [1, 2, [3, 4, 5, 6]]}}}`, "6 items"},
		"text":                         {`query ($t: String) { a: orders(where: {region: {eq: $t}}) { id } }`, `{"t": "` + strings.Repeat("a", 40) + `"}`, ``},
		"text in two fields":           {`query ($t: String) { a: orders(where: {region: {eq: $t}}) { id } b: orders(where: {region: {eq: $t}}) { id } }`, `{"t": "` + strings.Repeat("a", 40) + `"}`, "60 bytes"},
		"arguments of the control":     {`query ($w: JSON) { table(query: {dataset: "orders", columns: [], where: $w}) { rows } }`, `{"w": {"id": {"in": [1,2,3,4,5,6,7]}}}`, "6 items"},
		"what nobody uses":             {`{ orders { id } }`, `{"ids": [1,2,3,4,5,6,7]}`, ``},
	} {
		got := s.ask(t, tenant(), c.text, c.variables)
		switch {
		case c.what == "" && strings.Contains(got, `"errors"`):
			t.Errorf("%s is within the limits, got %s", name, got)
		case c.what != "" && (!strings.Contains(got, "has more than "+c.what) || !strings.Contains(got, `"code":"TOO_COMPLEX"`)):
			t.Errorf("%s: want a refusal of more than %s, got %s", name, c.what, got)
		}
	}
}

// shapes are operations whose variables, or literals, grow with n: all ways to
// make a small request a large one that come to mind.
func shapes() map[string]func(n int) (text, variables string) {
	where := func(w string) string { return `{"w":` + w + `}` }
	const asks = `query ($w: OrdersWhere) { orders(where: $w) { id } }`
	id := func(i int) string { return fmt.Sprint(i) }
	lists := func(n int, w func(ids string) string) string { // of a thousand, which one operator takes
		return list(max(n/1000, 1), func(i int) string {
			return w(list(min(n, 1000), func(j int) string { return fmt.Sprint(1000*i + j) }))
		})
	}
	return map[string]func(n int) (string, string){
		"lists of ids": func(n int) (string, string) {
			return asks, where(`{"or":` + lists(n, func(ids string) string { return `{"id":{"in":` + ids + `}}` }) + `}`)
		},
		"one list of ids": func(n int) (string, string) { return asks, where(`{"id":{"in":` + list(n, id) + `}}`) },
		"equal ids": func(n int) (string, string) {
			return asks, where(`{"id":{"in":` + list(n, func(int) string { return "7" }) + `}}`)
		},
		"a list of lists": func(n int) (string, string) {
			return asks, where(`{"extra":{"contains":` + list(n/10, func(int) string { return list(10, id) }) + `}}`)
		},
		"a wide object":   func(n int) (string, string) { return asks, where(`{"extra":{"contains":{"a":1` + wide(n) + `}}}`) },
		"unknown members": func(n int) (string, string) { return asks, where(`{"id":{"eq":1}` + wide(n) + `}`) },
		"conjuncts": func(n int) (string, string) {
			return asks, where(`{"and":` + list(n/10, func(i int) string { return `{"id":{"neq":` + id(i) + `}}` }) + `}`)
		},
		"disjuncts": func(n int) (string, string) {
			return asks, where(`{"or":` + list(n/10, func(i int) string { return `{"id":{"eq":` + id(i) + `}}` }) + `}`)
		},
		"empty conditions": func(n int) (string, string) {
			return asks, where(`{"or":` + list(n, func(int) string { return "{}" }) + `}`)
		},
		"trees": func(n int) (string, string) { return asks, where(tree(n / 10)) },
		"a long text": func(n int) (string, string) {
			return asks, where(`{"region":{"contains":"` + strings.Repeat("%", 10*n) + `"}}`)
		},
		"long digits": func(n int) (string, string) {
			return asks, where(`{"amount":{"eq":` + strings.Repeat("9", 10*n) + `}}`)
		},
		"JSON paths": func(n int) (string, string) {
			return asks, where(`{"extra":{"path":` + list(n/20, func(i int) string { return `{"at":"a[` + id(i) + `]","number":{"eq":1}}` }) + `}}`)
		},
		"orders": func(n int) (string, string) {
			return `query ($o: [OrdersOrderBy!]) { orders(orderBy: $o) { id } }`, `{"o":` + list(n/2, func(int) string { return `{"id":"ASC"}` }) + `}`
		},
		"one variable in many fields": func(n int) (string, string) {
			var b strings.Builder
			for i := range 40 {
				fmt.Fprintf(&b, "f%d: ordersAggregate(where: $w) { count } ", i)
			}
			return `query ($w: OrdersWhere) { ` + b.String() + `}`, where(`{"and":` + list(n/40, func(i int) string { return `{"id":{"neq":` + id(i) + `}}` }) + `}`)
		},
		"a text in many fields": func(n int) (string, string) {
			var b strings.Builder
			for i := range 40 {
				fmt.Fprintf(&b, "f%d: orders(where: {region: {eq: $t}}) { id } ", i)
			}
			return `query ($t: String) { ` + b.String() + `}`, `{"t":"` + strings.Repeat("a", n/4) + `"}`
		},
		"many variables": func(n int) (string, string) {
			var definitions, uses, values []string
			for i := range n / 50 {
				definitions = append(definitions, fmt.Sprintf("$v%d: BigInt", i))
				uses = append(uses, fmt.Sprintf("{id: {eq: $v%d}}", i))
				values = append(values, fmt.Sprintf(`"v%d":%d`, i, i))
			}
			return "query (" + strings.Join(definitions, " ") + ") { orders(where: {or: [" + strings.Join(uses, " ") + "]}) { id } }", "{" + strings.Join(values, ",") + "}"
		},
		"unused variables": func(n int) (string, string) { return `{ orders { id } }`, `{"a":` + list(n, id) + wide(n) + `}` },
		"literals": func(n int) (string, string) {
			return `{ orders(where: {id: {in: ` + list(n/20, id) + `}}) { id } }`, ``
		},
		"cursors": func(n int) (string, string) {
			return `query ($c: String) { ordersConnection(after: $c) { nodes { id } } }`, `{"c":"` + strings.Repeat("a", 10*n) + `"}`
		},
		"having": func(n int) (string, string) {
			return `query ($h: OrdersHaving) { ordersAggregate(having: $h) { count } }`, `{"h":{"and":` + list(n/20, func(i int) string { return `{"count":{"gt":` + id(i) + `}}` }) + `}}`
		},
	}
}

func wide(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":%d`, i, i)
	}
	return b.String()
}

// tree is a condition of so many leaves, twelve levels deep at most.
func tree(leaves int) string {
	if leaves <= 4 {
		return `{"id":{"neq":` + fmt.Sprint(leaves) + `}}`
	}
	half := tree(leaves / 4)
	return `{"and":[` + half + `,{"or":[` + half + `,` + half + `]},{"not":` + half + `}]}`
}

func params(tb testing.TB, shape func(n int) (text, variables string), n int) *graphql.RawParams {
	tb.Helper()
	text, variables := shape(n)
	out := &graphql.RawParams{Query: text}
	if variables != "" {
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if err := d.Decode(&out.Variables); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

func TestLargeVariablesAreCheap(t *testing.T) {
	t.Parallel()
	cat := shop(t, nil)
	s := serve(t, cat, inMemory(cat, rowsOf(0)), graph.Options{})
	for name, shape := range shapes() {
		params := params(t, shape, 200_000)
		began := time.Now()
		got := answerOf(principal.With(t.Context(), tenant()), s.Engine, params)
		// Milliseconds, on a machine that does nothing else.
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		if len(got) > 2000 {
			t.Errorf("%s: the answer has %d bytes", name, len(got))
		}
	}
}

// What the limits let through is planned in time that grows with it, however
// far an operator moves them.
func TestPlanningIsLinear(t *testing.T) {
	cat := shop(t, nil)
	s := serve(t, cat, inMemory(cat, rowsOf(0)), graph.Options{Limits: graph.Limits{
		Tokens: 1 << 30, Items: 1 << 30, Conditions: 1 << 30, Bytes: 1 << 30, Aliases: 1 << 30,
	}})
	for name, shape := range shapes() {
		plantest.Linear(t, name, 1000, func(n int) func() {
			params := params(t, shape, n)
			return func() { answerOf(principal.With(t.Context(), tenant()), s.Engine, params) }
		})
	}
}

// Documents that are kept take no more memory than they are charged with.
func TestDocumentsAreCharged(t *testing.T) {
	for name, text := range map[string]func(i int) string{
		"fields": func(i int) string { return fmt.Sprintf("{ orders { %s} } # %d", strings.Repeat("id ", 400), i) },
		"values": func(i int) string {
			return fmt.Sprintf("{ orders(where: {id: {in: [%s]}}) { id } } # %d", strings.Repeat("1 ", 400), i)
		},
		"comments": func(i int) string { return fmt.Sprintf("{ orders { id } } # %d%s", i, strings.Repeat("a", 50_000)) },
		"directives": func(i int) string {
			return fmt.Sprintf("{ orders { %s} } # %d", strings.Repeat("id @skip(if: true) ", 200), i)
		},
		"fragments": func(i int) string {
			return fmt.Sprintf("{ orders { id ...F } } fragment F on Orders { %s} # %d", strings.Repeat("... on Orders { id } ", 200), i)
		},
	} {
		const cache = 1 << 20
		s := serve(t, shop(t, nil), empty, graph.Options{CacheBytes: cache})
		s.ask(t, tenant(), "{ orders { id } }")
		before := heap()
		for i := range 60 {
			if _, _, errs := s.create(tenant(), text(i), ""); errs != nil {
				t.Fatal(name, errs)
			}
		}
		if takes := heap() - before; takes > cache+cache/2 {
			t.Errorf("%s: a cache of %d bytes takes %d", name, cache, takes)
		}
		runtime.KeepAlive(s)
	}
}

// heap is how many bytes are reachable.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

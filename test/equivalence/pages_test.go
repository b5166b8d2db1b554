package equivalence

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pages: the pages of a connection, walked either way, are the list, and a
// cursor leads on by whichever way the tenant's rows are reached.
func pages(t *testing.T, w *world, ways []way) {
	t.Helper()
	walked := 0
	rapid.Check(t, func(t *rapid.T) {
		tenant := rapid.SampledFrom(tenants).Draw(t, "tenant")
		g := newGenerator(t, ways[0].gateway.schema, w, tenant)
		over := w.table(pick(g, []string{"orders", "orders", "items", "stores", "products", "stops"}, "dataset"))
		arguments := "where: {}"
		if g.chance(2, "where") {
			arguments = "where: " + g.drawWhere(over)
		}
		if !g.chance(4, "no order") {
			arguments += ", orderBy: " + written(g.orders(g.schema.Types[typeName(over)+"OrderBy"], nil))
		}
		key := strings.Join(over.key, " ")
		ask := func(text string) map[string]any {
			by := pick(g, ways, "way")
			op := g.operation(text)
			if !by.answers(op) {
				by = ways[0]
			}
			answer := by.ask(t.Context(), tenant, op)
			broken(t, by, op, answer)
			data := answered(t, op, answer)
			if data == nil {
				t.Fatalf("refused by %s: %s\n%s", by.name, answer, op)
			}
			return data
		}
		var want []string
		for _, row := range ask(fmt.Sprintf("{ %s(%s, limit: 2000) { %s } }", over.name, arguments, key))[over.name].([]any) {
			want = append(want, fmt.Sprint(row))
		}
		size := max(1, len(want)/g.upTo(1, 5, "pages"))
		first, after, start, more := "first", "after", "endCursor", "hasNextPage"
		backward := g.chance(2, "backward")
		if backward {
			first, after, start, more = "last", "before", "startCursor", "hasPreviousPage"
		}
		var got []string
		cursor := ""
		for {
			walked++
			page := ask(fmt.Sprintf("{ %sConnection(%s, %s: %d%s) { nodes { %s } totalCount pageInfo { %s %s } } }",
				over.name, arguments, first, size, cursor, key, start, more))[over.name+"Connection"].(map[string]any)
			var nodes []string
			for _, row := range page["nodes"].([]any) {
				nodes = append(nodes, fmt.Sprint(row))
			}
			if fmt.Sprint(page["totalCount"]) != fmt.Sprint(len(want)) {
				t.Fatalf("totalCount is %v of %d rows: %s(%s)", page["totalCount"], len(want), over.name, arguments)
			}
			if backward {
				got = slices.Concat(nodes, got)
			} else {
				got = slices.Concat(got, nodes)
			}
			info := page["pageInfo"].(map[string]any)
			if info[more] != true || len(got) > len(want) {
				break
			}
			cursor = fmt.Sprintf(", %s: %s", after, quotedGraphQL(info[start].(string)))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("the pages of %d, %s, are not the list: %s(%s)\npages: %v\nlist:  %v", size, first, over.name, arguments, got, want)
		}
	})
	t.Logf("%d pages", walked)
}

package resolvers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestCursorsInDocuments: a cursor that stands in the document opens for the tenant and for the list that it was made
// for, whoever asked the same document before.
func TestCursorsInDocuments(t *testing.T) {
	t.Parallel()
	r := openRelay(t)
	acme := of("acme", "all")
	refused := func(who, text string, variables map[string]any) {
		t.Helper()
		for range 4 { // it is found planned by the second
			if got := r.ask(of(who, "all"), text, variables); !strings.Contains(got, `the cursor does not belong to this list`) || !strings.Contains(got, `"at":"list.after"`) && !strings.Contains(got, `"at":"list.before"`) {
				t.Errorf("%q, %v: a cursor of another list is taken: %s", who, variables, got)
			}
		}
	}
	for _, c := range []struct{ operation, where, page string }{
		{"query", "", "first: 5, after"},
		{"query", "", "last: 5, before"},
		{"query", `where: {region: {in: ["EU", "US"]}}, `, "first: 5, after"},
		{"query($least: BigInt!)", `where: {id: {gte: $least}}, `, "first: 5, after"},
	} {
		var variables, others map[string]any
		if strings.Contains(c.operation, "$least") {
			variables, others = map[string]any{"least": json.Number("0")}, map[string]any{"least": json.Number("1")}
		}
		list := c.operation + " { list: ordersConnection(" + c.where + "orderBy: [{region: DESC}], %s) { nodes { id_ } pageInfo { endCursor } } }"
		_, after, found := strings.Cut(r.ask(acme, fmt.Sprintf(list, "first: 1"), variables), `endCursor":"`)
		if !found {
			t.Fatal(c)
		}
		cursor, _, _ := strings.Cut(after, `"`)
		text := fmt.Sprintf(list, fmt.Sprintf("%s: %q", c.page, cursor))
		refused("rival", text, variables) // before anybody
		own := r.ask(acme, text, variables)
		for range 4 {
			if again := r.ask(acme, text, variables); strings.Contains(again, "errors") || again != own {
				t.Errorf("%v: first %s, then %s", c, own, again)
			}
		}
		refused("rival", text, variables)
		refused("", text, variables)
		if others != nil {
			refused("acme", text, others)
		}
	}
}

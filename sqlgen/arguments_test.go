package sqlgen_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"usher/plan"
	"usher/plan/plantest"
	"usher/sqlgen"
)

// idsIn is a list with conditions on so many ids, a thousand in each operator.
func idsIn(n int) string {
	var b strings.Builder
	for i := 0; i < n; i += 1000 {
		b.WriteString("{id: {in: [")
		for j := range min(1000, n-i) {
			fmt.Fprintf(&b, "%d ", i+j)
		}
		b.WriteString("]}} ")
	}
	return "orders(where: {or: [" + b.String() + "]}) { id }"
}

func TestArguments(t *testing.T) {
	text, err := os.ReadFile("../plan/testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat, who := plantest.Catalog(t, string(text), nil), plantest.Principal(t, `tenant: "acme"`)
	planned := func(question string) plan.Query {
		q, err := plan.Build(plantest.Request(t, question), cat, who, now)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	// A value is bound once, whether a few or many are.
	for _, ids := range []string{"1 2 1 2 3", strings.Repeat("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 ", 3)} {
		q := planned("orders(where: {or: [{id: {in: [" + ids + "]}} {id: {in: [" + ids + "]}} {amount: {eq: 1}}]}) { id }")
		s, err := sqlgen.Render(q.Root(), sqlgen.Postgres)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]int)
		for _, field := range strings.Fields(ids) {
			seen[field] = 1
		}
		if want := len(seen) + 2; s.Args.Len() != want { // the tenant, and 1 as an amount
			t.Errorf("%d arguments, want %d: %v", s.Args.Len(), want, s.Args.Bind(nil))
		}
	}
	for name, d := range map[string]sqlgen.Dialect{"postgres": sqlgen.Postgres, "duckdb": sqlgen.DuckDB} {
		plantest.Linear(t, "writing ids for "+name, 1000, func(n int) func() {
			q := planned(idsIn(n))
			return func() {
				if _, err := sqlgen.Render(q.Root(), d); err != nil {
					t.Error(err)
				}
				if _, err := sqlgen.Together(q.Root(), d); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

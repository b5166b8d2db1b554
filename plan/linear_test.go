package plan_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/query"
)

// What a token filters by stands in every field and every reference: it is
// bounded where it is minted, and where it is used.
func TestGrantsAreBounded(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/accounts.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	filtered := func(values int) string {
		var b strings.Builder
		for i := 0; i < values; i += 500 {
			fmt.Fprintf(&b, "{region: {in: [%s]}} ", strings.Repeat(fmt.Sprintf("%q ", fmt.Sprint(i)), min(500, values-i)))
		}
		return `tenant: "acme", filters: {orders: {or: [` + b.String() + `]}}`
	}
	for values, refused := range map[int]bool{9000: false, 10_000: true} {
		who := plantest.Principal(t, filtered(values))
		_, built := plan.Build(plantest.Request(t, "orders { id }"), cat, who, now)
		for code, err := range map[fault.Code]error{fault.BadUserInput: plan.CheckGrant(who, cat, now), fault.Forbidden: built} {
			if refused != (err != nil) || err != nil && fault.From(err).Code != code {
				t.Errorf("%d values: %v, want %s", values, err, code)
			}
		}
	}
}

// A plan compares with so many values, policies included.
func TestPlansAreBounded(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	ids := strings.Repeat("{id: {in: ["+numbers(1000)+"]}} ", 66)
	_, err = plan.Build(plantest.Request(t, "orders(where: {or: ["+ids+"]}) { id }"), plantest.Catalog(t, string(text), nil), plantest.Principal(t, `tenant: "acme"`), now)
	if err == nil || fault.From(err).Code != fault.TooComplex {
		t.Error(err)
	}
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d ", i)
	}
	return b.String()
}

func TestPlanningIsLinear(t *testing.T) {
	text, err := os.ReadFile("testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat, who := plantest.Catalog(t, string(text), nil), plantest.Principal(t, `tenant: "acme"`)
	build := func(r query.Request) plan.Query {
		q, err := plan.Build(r, cat, who, now)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	// conditions are of a thousand at most under one operator.
	conditions := func(n int) string {
		var b strings.Builder
		b.WriteString("{and: [")
		for i := 0; i < n; i += 1000 {
			b.WriteString("{and: [")
			for j := range min(1000, n-i) {
				fmt.Fprintf(&b, "{id: {neq: %d}} ", i+j)
			}
			b.WriteString("]} ")
		}
		b.WriteString("]}")
		return b.String()
	}
	plantest.Linear(t, "tiles of many conditions", 500, func(n int) func() {
		var tiles []plan.Query
		for i := range 4 {
			where := conditions(n)
			if i > 0 {
				where = strings.Replace(where, "{and: [", fmt.Sprintf(`{and: [{region: {eq: "%d"}} `, i), 1)
			}
			tiles = append(tiles, build(plantest.Request(t, "ordersAggregate(where: "+where+") { count }")))
		}
		return func() {
			if found := plan.SharedScans(tiles); len(found) != 1 || found[0].Len() != 4 {
				t.Errorf("%d passes", len(found))
			}
		}
	})
	for name, question := range map[string]func(n int) string{
		"conditions": func(n int) string { return "orders(where: " + conditions(n) + ") { id }" },
		"equal items": func(n int) string {
			return "orders(where: {or: [" + strings.Repeat("{id: {in: ["+strings.Repeat("7 ", 500)+"]}} ", max(n/500, 1)) + "]}) { id }"
		},
		"columns": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "f%d: id ", i)
			}
			return "orders { " + b.String() + "}"
		},
		"aggregates": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "p%d: percentile(p: 0.%05d1) ", i, i)
			}
			return "ordersAggregate { amount { " + b.String() + "} }"
		},
	} {
		plantest.Linear(t, name, 500, func(n int) func() {
			r := plantest.Request(t, question(n))
			return func() { build(r) }
		})
	}
}

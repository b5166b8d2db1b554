package sqlgen_test

import (
	"os"
	"testing"

	"usher/plan"
	"usher/plan/plantest"
	"usher/sqlgen"
)

func BenchmarkRender(b *testing.B) {
	text, err := os.ReadFile("../plan/testdata/shop.yml")
	if err != nil {
		b.Fatal(err)
	}
	cat := plantest.Catalog(b, string(text), nil)
	who := plantest.Principal(b, `tenant: "acme"`)
	for _, q := range []struct{ name, text string }{
		{"list", `orders(orderBy: [{ordered_at: DESC}], limit: 20) { id region amount quantity ordered_at }`},
		{"relations", `orders(orderBy: [{ordered_at: DESC}], limit: 20) { id amount product { name } customer { name } }`},
		{"where", `orders(where: {region: {in: ["north", "south"]}, amount: {gte: 10}, customer: {name: {startsWith: "A"}}}) { id }`},
		{"aggregate", `ordersAggregate(orderBy: [{key: {ordered_at: {by: MONTH}}}]) { key { ordered_at(by: MONTH) region } count amount { sum avg } }`},
	} {
		planned, err := plan.Build(plantest.Request(b, q.text), cat, who, now)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sqlgen.Render(planned.Root(), sqlgen.Postgres); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package plan_test

import (
	"os"
	"testing"

	"usher/plan"
	"usher/plan/plantest"
)

// questions are root fields of the shop's catalog, from a list to an aggregate.
var questions = []struct{ name, text string }{
	{"list", `orders(orderBy: [{ordered_at: DESC}], limit: 20) { id region amount quantity ordered_at }`},
	{"relations", `orders(orderBy: [{ordered_at: DESC}], limit: 20) { id amount product { name } customer { name } items { line quantity } }`},
	{"where", `orders(where: {region: {in: ["north", "south"]}, amount: {gte: 10}, customer: {name: {startsWith: "A"}}}) { id }`},
	{"aggregate", `ordersAggregate(orderBy: [{key: {ordered_at: {by: MONTH}}}]) { key { ordered_at(by: MONTH) region } count amount { sum avg } }`},
}

func BenchmarkBuild(b *testing.B) {
	text, err := os.ReadFile("testdata/shop.yml")
	if err != nil {
		b.Fatal(err)
	}
	cat := plantest.Catalog(b, string(text), nil)
	who := plantest.Principal(b, `tenant: "acme"`)
	for _, q := range questions {
		request := plantest.Request(b, q.text)
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.Build(request, cat, who, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

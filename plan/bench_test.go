package plan_test

import (
	"os"
	"testing"

	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/slot"
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

// changes are fields of mutations, of several statements each.
var changes = []struct{ name, text string }{
	{"references", `insertOrdersOne(row: {id: 1, customer_id: 7, note: "x", amount: 2.5}) { id note customer { name } }`},
	{"upsert", `insertCustomers(rows: [{id: 1, name: "b"}], onConflict: {key: id, update: [name]}) { affected rows { id name } }`},
	{"delete", `deleteOrdersByPk(id: 1) { id note }`},
	{"where", `updateOrders(where: {status: {eq: "open"}}, set: {note: "x"}) { affected rows { id note } }`},
}

// BenchmarkChange compares a change that is built with one that was prepared and is bound, and gives out the
// same levels.
func BenchmarkChange(b *testing.B) {
	cat := plantest.Changes(b, "testdata/changes/shop.yml")
	who := plantest.Principal(b, `tenant: "acme", subject: "ana", roles: ["all"]`)
	who.Scopes = []principal.Scope{principal.ReadData, principal.WriteData}
	given := func(c plan.Change) int {
		n := c.Chosen().Refs() + c.Update().Level().Refs() + c.Remove().Refs() + c.Answering(0).Root().Refs()
		for i := range c.Checks() {
			n += c.Check(i).Level().Refs()
		}
		for i := range c.References() {
			n += c.Reference(i).Level().Refs()
		}
		return n
	}
	for _, one := range changes {
		asked := plantest.Change(b, one.text)
		b.Run(one.name+"/built", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := plan.BuildChange(asked, cat, who, now)
				if err != nil || given(c) == 0 {
					b.Fatal(err)
				}
			}
		})
		b.Run(one.name+"/bound", func(b *testing.B) {
			in := append(plantest.InputsOfChange(asked, who), plan.Now(now))
			slots := slot.New(in)
			r, slotted := plantest.SlottedChange(asked, who, slots)
			made, err := plan.PrepareChange(r, cat, slotted, now, slots.At(len(in)-1))
			if err != nil {
				b.Fatal(err)
			}
			slots.Seal()
			b.ReportAllocs()
			for b.Loop() {
				texts, ok := slots.Bind(in)
				if !ok || given(made.Bind(who, texts)) == 0 {
					b.Fatal("it is not bound")
				}
			}
		})
	}
}

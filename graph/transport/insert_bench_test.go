package transport

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"usher/answer"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/query"
	"usher/sqlgen"
)

const entries = `
sources: {shop: {kind: postgres, host: db.example, database: shop, user: usher, password: {env: PASSWORD}}}
strategies: {shared: {kind: shared, source: shop}}
default_strategy: shared
datasets:
  entries:
    tenant: tenantId
    key: reference
    writable: true
    columns:
      tenantId: {type: String!, column: tenant_id}
      reference: String!
      customer: String!
      amount: {type: Decimal!, precision: 12, scale: 2}
      quantity: Int!
`

// writer writes the statements of changes and makes none.
type writer struct {
	graph.DatasetResolver
	plan  func(graph.AskedChanges) (plan.Change, error)
	bytes int
}

func (w *writer) Change(_ context.Context, asked graph.AskedChanges) []graph.Outcome {
	c, err := w.plan(asked)
	if err != nil {
		return []graph.Outcome{{Err: err}}
	}
	statement, err := sqlgen.WriteWhole(c, sqlgen.PostgresChange)
	if err != nil {
		return []graph.Outcome{{Err: err}}
	}
	w.bytes = 0
	for _, arg := range statement.Bind(c) {
		w.bytes += len(arg)
	}
	return []graph.Outcome{{Answer: answer.Of([]byte(`{"affected":1000}`))}}
}

// BenchmarkInsert is a mutation of many rows from the bytes of its body to the arguments of its statement.
func BenchmarkInsert(b *testing.B) {
	tables := plantest.Tables(b, "shop", "entries tenant_id reference: tenant_id text!; reference text!; customer text!; amount numeric(12,2)!; quantity integer!")
	cat := plantest.Catalog(b, entries, tables)
	who := plantest.Principal(b, `tenant: "acme", subject: "ana"`)
	who.Scopes = []principal.Scope{principal.ReadData, principal.WriteData}
	now := time.Now()
	w := &writer{plan: func(asked graph.AskedChanges) (plan.Change, error) {
		return plan.BuildChange(asked.Requests(nil)[0], cat, who, now)
	}}
	engine, err := graph.NewEngine(cat, nil, w, graph.Options{})
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"query":"mutation Insert_1000($rows: [EntriesInsert!]!) { insertEntries(rows: $rows) { affected } }","variables":{"rows":[`)
	for i := range 1000 {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"reference":"new%d","customer":"Customer %d","amount":%d.%02d,"quantity":%d}`, 1000000+i, i%300, 1+i%500, i%100, 1+i%10)
	}
	body = append(body, `]}}`...)
	ctx := principal.With(b.Context(), who)
	b.ReportAllocs()
	for b.Loop() {
		v, err := decodeStrict(body)
		if err != nil {
			b.Fatal(err)
		}
		params, refused := envelopeOf(v.(query.Object)).read()
		if refused != nil {
			b.Fatal(refused)
		}
		op, errs := engine.CreateOperationContext(ctx, params)
		if errs != nil {
			b.Fatal(errs, fault.From(errs[0]))
		}
		responses, ctx := engine.DispatchOperation(ctx, op)
		response := responses(ctx)
		if len(response.Errors) > 0 || !bytes.Contains(response.Data, []byte("1000")) || w.bytes < 30000 {
			b.Fatal(response.Errors, string(response.Data), w.bytes)
		}
	}
}

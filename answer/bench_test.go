package answer_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"usher/answer"
	"usher/plan"
	"usher/plan/plantest"
	"usher/value"
)

// benchmarked is what BenchmarkEncode reads.
const benchmarked = `
sources: {main: {kind: duckdb, path: main.duckdb}}
strategies: {shared: {kind: shared, source: main}}
datasets:
  orders:
    tenant: tenant_id
    key: id
    columns: {id: BigInt!, tenant_id: String!, region: String, amount: Decimal, ordered_at: Timestamp!}
`

// rowsOf makes so many rows of a list of orders: id, region, amount, ordered_at.
func rowsOf(n int) *value.Result {
	text := func(s string) value.Cell { return value.Cell{Kind: value.KindText, Text: []byte(s)} }
	buffer := value.NewBuffer(4)
	for i := range n {
		buffer.Append(value.Cell{Kind: value.KindInt, Int: int64(1_000_000 + i)})
		buffer.Append(text("north"))
		buffer.Append(text(strconv.Itoa(i) + ".25"))
		buffer.Append(text("2026-06-15 12:00:00.25+00"))
	}
	return &value.Result{Rows: buffer}
}

func BenchmarkEncode(b *testing.B) {
	cat := plantest.Catalog(b, benchmarked, nil)
	planned, err := plan.Build(plantest.Request(b, `orders { id region amount ordered_at }`), cat, tenant, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{20, 1000} {
		rows := rowsOf(n)
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := answer.Encode(planned, rows, answer.Writing{Key: "orders"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

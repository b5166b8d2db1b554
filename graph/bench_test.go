package graph_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"usher/answer"
	"usher/catalog"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/value"
)

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

// inMemory plans every request and answers it with rows that are there already.
func inMemory(cat *catalog.Catalog, rows *value.Result) func(context.Context, query.Request) (graph.Outcome, error) {
	return func(ctx context.Context, r query.Request) (graph.Outcome, error) {
		who, err := principal.From(ctx)
		if err != nil {
			return graph.Outcome{}, err
		}
		planned, err := plan.Build(r, cat, who, graph.Started(ctx))
		if err != nil {
			return graph.Outcome{}, err
		}
		got, err := answer.Encode(planned, rows, answer.Writing{Key: r.Field.Key})
		return graph.Outcome{Answer: got}, err
	}
}

// BenchmarkEngine is an operation from its text to its answer, without HTTP
// and without a source.
func BenchmarkEngine(b *testing.B) {
	cat := shop(b, nil)
	for _, n := range []int{20, 1000} {
		s := serve(b, cat, inMemory(cat, rowsOf(n)), graph.Options{})
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			ctx := principal.With(b.Context(), tenant())
			for b.Loop() {
				op, errs := s.CreateOperationContext(ctx, &graphql.RawParams{Query: `{ orders(orderBy: [{ordered_at: DESC}], limit: 1000) { id region amount ordered_at } }`})
				if errs != nil {
					b.Fatal(errs)
				}
				responses, ctx := s.DispatchOperation(ctx, op)
				if response := responses(ctx); len(response.Errors) > 0 {
					b.Fatal(response.Errors)
				}
			}
		})
	}
}

package graph_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"usher/graph"
)

// FuzzDocument looks for documents and variables that make the engine panic:
// whatever is sent, the answer is no internal error.
func FuzzDocument(f *testing.F) {
	for _, text := range hideouts {
		document, variables, _ := strings.Cut(text, "\n")
		f.Add(document, variables)
	}
	f.Add(`query($a: Boolean = true, $w: OrdersWhere) { ...F viewer { subject } } fragment F on Query { orders(where: $w) @skip(if: $a) { id customer { name } } }`, `{"a": false, "w": {"and": []}}`)
	f.Add(`{ orders { id @skip } a: ordersByPk(id: [1]) { ... { id } } __schema { types { name } } }`, `null`)
	s := serve(f, shop(f, nil), empty, graph.Options{})
	f.Fuzz(func(t *testing.T, document, variables string) {
		var params map[string]any
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if err := d.Decode(&params); err != nil {
			params = nil
		}
		ctx, _, _ := s.create(tenant(), "", "")
		op, errs := s.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: params})
		response := (*graphql.Response)(nil)
		if errs != nil {
			response = s.DispatchError(ctx, errs)
		} else {
			responses, ctx := s.DispatchOperation(ctx, op)
			response = responses(ctx)
			if !json.Valid(response.Data) {
				t.Errorf("the data is no JSON: %s", response.Data)
			}
		}
		for _, err := range response.Errors {
			if err.Extensions["code"] == "INTERNAL" {
				t.Errorf("%q\n%s", document, err.Message)
			}
		}
	})
}

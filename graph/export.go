package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
	"usher/query"
)

// Exporting is what an operation asks for that is not answered but exported: one
// field of the dataset. The context is what such an operation is run in.
func (e *Engine) Exporting(ctx context.Context, op *graphql.OperationContext, dataset string) (context.Context, query.Request, error) {
	o, ok := op.Stats.GetExtension(operationKey).(*operation)
	if !ok {
		return ctx, query.Request{}, fault.Broken("an operation of another executor")
	}
	s := o.scope.executor.schema
	if op.Operation.Operation != ast.Query {
		return ctx, query.Request{}, fault.New(fault.BadUserInput, "an export is a query")
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{s.AST.Query.Name})
	if len(fields) != 1 {
		return ctx, query.Request{}, fault.New(fault.BadUserInput, "an export has one root field, not %d", len(fields)).
			WithHint("Export each in a request of its own.")
	}
	root, isDataset := s.Roots[fields[0].Name]
	if !isDataset {
		return ctx, query.Request{}, fault.New(fault.BadUserInput, "%s is no dataset: there is nothing to export", fields[0].Name)
	}
	if dataset != root.Dataset && dataset != fields[0].Name {
		return ctx, query.Request{}, fault.New(fault.BadUserInput, "the query asks for %s, and the path names another dataset", fields[0].Name)
	}
	return withScope(graphql.WithOperationContext(ctx, op), o.scope), query.Request{
		Dataset: root.Dataset, Shape: root.Shape,
		Field: selection{operation: op, literals: o.values(s.AST), schema: s}.field(fields[0], s.AST.Query.Name),
	}, nil
}

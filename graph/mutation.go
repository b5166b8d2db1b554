package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
)

// mutation answers the fields of a mutation one after another, and none after
// one that failed where null is not allowed: the answer as a whole is null
// then. That holds for the fields below admin as well.
func (x *executable) mutation(ctx context.Context, op *graphql.OperationContext) *graphql.Response {
	root := x.schema.AST.Mutation.Name
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{root})
	changes, err := x.changes(fields)
	if err == nil && !changes && op.Extensions[idempotencyExtension] != nil {
		err = fault.New(fault.BadUserInput, "an idempotency key is for mutations of datasets").WithHint("Send this one without a key.")
	}
	if err != nil {
		ctx = graphql.WithFreshResponseContext(ctx)
		graphql.AddError(ctx, err)
		return &graphql.Response{Errors: graphql.GetErrors(ctx)}
	}
	if changes {
		return x.change(ctx, op, fields)
	}
	answers := make([]rootAnswer, len(fields))
	tried := answers
	for i, f := range fields {
		switch {
		case f.Name == "__typename":
			answers[i] = typename(root)
			continue
		case isAdmin(f):
			admin := x.admin(op, f)
			for n := range admin.fields {
				if admin.run(ctx, x, op, n); admin.answers[n].failed {
					break
				}
			}
			answers[i] = admin.answer(ctx)
		default:
			answers[i] = x.controlField(ctx, op, f, nil)
		}
		if answers[i].failed {
			tried = answers[:i+1]
			break
		}
	}
	later := refusedForNow(tried)
	response := x.response(ctx, fields, answers) // takes the answers apart
	if later {
		response.Data = nil
	}
	return response
}

package graph

import (
	"context"

	"usher/answer"

	"github.com/99designs/gqlgen/graphql"
)

// mutation answers the fields of a mutation one after another, and none after
// one that failed where null is not allowed: the answer as a whole is null
// then.
func (x *executable) mutation(ctx context.Context, op *graphql.OperationContext) *graphql.Response {
	root := x.schema.AST.Mutation.Name
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{root})
	answers := make([]rootAnswer, len(fields))
	tried := answers
	for i, f := range fields {
		if f.Name == "__typename" {
			answers[i].Answer = answer.Of([]byte(`"` + root + `"`))
			continue
		}
		if answers[i] = x.controlField(ctx, op, f); answers[i].failed {
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

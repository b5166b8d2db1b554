package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
	"usher/principal"
)

// explainKey is the member of a request's extensions that asks how its answer
// came to be, and of the answer's that tells.
const explainKey = "explain"

// explains tells whether a request asks for explanations. One that may not is
// refused, so that nobody takes an answer without them for one that has
// nothing to explain.
func explains(ctx context.Context, extensions map[string]any) (bool, error) {
	switch asked := extensions[explainKey].(type) {
	case nil:
		return false, nil
	case bool:
		if !asked {
			return false, nil
		}
	default:
		return false, fault.New(fault.BadUserInput, "extensions.explain must be true or false")
	}
	who, err := principal.From(ctx)
	if err != nil {
		return false, err
	}
	if !slices.Contains(who.Scopes, principal.Explain) && !slices.Contains(who.Scopes, principal.Administer) {
		return false, fault.New(fault.Forbidden, "this token may not ask for explanations").
			WithHint("Leave extensions.explain out, or ask with a token of the scope explain or admin.")
	}
	return true, nil
}

// Explaining tells whether the context's operation asks for explanations, and
// may.
func Explaining(ctx context.Context) bool {
	if !graphql.HasOperationContext(ctx) {
		return false
	}
	o, _ := graphql.GetOperationContext(ctx).Stats.GetExtension(operationKey).(*operation)
	return o != nil && o.explain
}

// setExplainExtension puts the explanations of the fields together, in their order.
func setExplainExtension(ctx context.Context, answers []rootAnswer) {
	var all []any
	for _, a := range answers {
		if a.Explanation != nil {
			all = append(all, a.Explanation)
		}
	}
	if all != nil {
		graphql.RegisterExtension(ctx, explainKey, all)
	}
}

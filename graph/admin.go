package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/answer"
	"usher/held"
)

// AdminQuery and AdminMutation are what admin is in a query and in a mutation:
// nothing but the place of their fields.
type (
	AdminQuery    struct{}
	AdminMutation struct{}
)

// isAdmin tells the field of a root below which administration is.
func isAdmin(f graphql.CollectedField) bool {
	name := f.Definition.Type.Name()
	return name == "AdminQuery" || name == "AdminMutation"
}

// administration is one field admin of an operation: each of the fields below
// it runs as an operation of its own, like a field of the root. So those of a
// mutation have an order, and one that fails leaves the others their answers.
type administration struct {
	at      graphql.CollectedField
	fields  []graphql.CollectedField
	answers []rootAnswer
}

func (x *executable) admin(op *graphql.OperationContext, f graphql.CollectedField) *administration {
	fields := graphql.CollectFields(op, f.Selections, []string{f.Definition.Type.Name()})
	return &administration{at: f, fields: fields, answers: make([]rootAnswer, len(fields))}
}

// run answers one of the fields.
func (a *administration) run(ctx context.Context, x *executable, op *graphql.OperationContext, i int) {
	if f := a.fields[i]; f.Name == "__typename" {
		a.answers[i] = typename(f.ObjectDefinition.Name)
	} else {
		a.answers[i] = x.controlField(ctx, op, f, &a.at)
	}
}

// answer puts the answers of the fields together. It takes them apart.
func (a *administration) answer(ctx context.Context) (all rootAnswer) {
	for _, one := range a.answers {
		all.told = append(all.told, one.told...)
	}
	all.later = refusedForNow(a.answers)
	text, err := data(held.From(ctx), a.fields, a.answers)
	if err != nil {
		at := graphql.WithFreshResponseContext(ctx)
		graphql.AddError(at, err)
		all.told, text = append(all.told, graphql.GetErrors(at)...), null
	}
	all.Answer = answer.Of(text)
	all.failed = all.IsNull() && a.at.Definition.Type.NonNull
	return all
}

// typename is the answer to __typename.
func typename(object string) rootAnswer {
	return rootAnswer{Outcome: Outcome{Answer: answer.Of([]byte(`"` + object + `"`))}}
}

// below puts a field's selection where the generated code finds it: at the
// root, or in the field admin it is below of.
func below(parent *graphql.CollectedField, f *ast.Field) ast.SelectionSet {
	if parent == nil {
		return ast.SelectionSet{f}
	}
	admin := *parent.Field
	admin.SelectionSet = ast.SelectionSet{f}
	admin.Directives = nil
	return ast.SelectionSet{&admin}
}

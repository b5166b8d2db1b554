package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/held"
)

// rootAnswer is what has become of one root field.
type rootAnswer struct {
	Outcome
	told   gqlerror.List // its errors, as the caller is told of them
	failed bool          // it is null, and may not be
	later  bool          // nothing below it was answered for now
}

var null = []byte("null")

// response puts the answers of the fields together, in their order.
func (x *executable) response(ctx context.Context, fields []graphql.CollectedField, answers []rootAnswer) *graphql.Response {
	all, err := data(held.From(ctx), fields, answers)
	if err != nil {
		ctx = graphql.WithFreshResponseContext(ctx)
		graphql.AddError(ctx, err)
		return &graphql.Response{Errors: graphql.GetErrors(ctx)}
	}
	response := &graphql.Response{Data: all}
	var truncated []ast.Path
	for _, a := range answers {
		response.Errors = append(response.Errors, a.told...)
		truncated = append(truncated, a.Truncated...)
	}
	setTruncatedExtension(ctx, truncated)
	setCacheExtension(ctx, fields, answers)
	setStaleExtension(ctx, fields, answers)
	setExplainExtension(ctx, answers)
	return response
}

// data is null as a whole when a field failed that may not be null. It takes
// the place of the answers, which are not read any more.
func data(share *held.Share, fields []graphql.CollectedField, answers []rootAnswer) ([]byte, error) {
	size := len("{}")
	for i := range answers {
		if answers[i].failed {
			return null, nil
		}
		size += len(fields[i].Alias) + len(`"":,`) + answers[i].Len()
	}
	if err := share.Take(int64(size)); err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, size), '{') // not one that was used before: a connection may hold what it sends for longer than the request
	for i := range answers {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, member(fields[i].Alias)...)
		out = answers[i].AppendTo(out)
		answers[i].Release()
	}
	return append(out, '}'), nil
}

// member begins a member of an object. Names of GraphQL need no escaping.
func member(name string) string { return `"` + name + `":` }

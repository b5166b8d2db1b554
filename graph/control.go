package graph

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/admit"
	"usher/answer"
	"usher/fault"
	"usher/query"
)

// controlField answers a field of the control plane with errors of its own, so
// that their order does not depend on which field was faster. It is a field of
// the root or, with a parent, one below that.
func (x *executable) controlField(
	ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField, parent *graphql.CollectedField,
) (a rootAnswer) {
	defer admit.Away(ctx).Back() // it mostly waits for the control store
	ctx = graphql.WithFreshResponseContext(ctx)
	defer func() {
		if p := recover(); p != nil {
			at := x.at(ctx, f, parent)
			graphql.AddError(at, graphql.AddFieldLocationToError(at, op.RecoverFunc(at, p)))
			a.Answer, a.failed = answer.Null(), f.Definition.Type.NonNull
		}
		a.told = graphql.GetErrors(ctx)
	}()
	if name := x.unstorable(op, f); name != "" {
		at := x.at(ctx, f, parent)
		err := fault.New(fault.BadUserInput, "%s: text must be UTF-8 without NUL", name)
		graphql.AddError(at, graphql.AddFieldLocationToError(at, err))
		a.Answer, a.failed = answer.Null(), f.Definition.Type.NonNull
		return a
	}
	text, failed := x.generated(ctx, op, f, parent)
	a.Answer, a.failed = answer.Of(text), failed
	a.Truncated, _ = graphql.GetExtension(ctx, truncatedKey).([]ast.Path)
	a.AsOf, _ = graphql.GetExtension(ctx, staleKey).(time.Time)
	a.Explanation = graphql.GetExtension(ctx, explainKey)
	return a
}

// generated runs one field through the generated code, as an operation that
// selects nothing else. Its directives were decided when it was collected.
func (x *executable) generated(
	ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField, parent *graphql.CollectedField,
) (json []byte, failed bool) {
	only := *f.Field
	only.SelectionSet = f.Selections
	only.Directives = nil
	arguments, variables := x.argsAsVariables(op, f)
	only.Arguments = arguments
	definition := *op.Operation
	definition.SelectionSet = below(parent, &only)
	sub := &graphql.OperationContext{
		RawQuery:               op.RawQuery,
		Variables:              variables,
		OperationName:          op.OperationName,
		Doc:                    op.Doc,
		Extensions:             op.Extensions,
		Headers:                op.Headers,
		Operation:              &definition,
		RecoverFunc:            op.RecoverFunc,
		ResolverMiddleware:     op.ResolverMiddleware,
		RootResolverMiddleware: op.RootResolverMiddleware,
		Stats:                  op.Stats,
	}
	ctx = graphql.WithOperationContext(ctx, sub)
	all := x.control.Exec(ctx)(ctx).Data
	if bytes.Equal(all, null) {
		return null, true
	}
	before, after := "{"+member(f.Alias), "}"
	if parent != nil {
		before, after = "{"+member(parent.Alias)+before, "}}"
	}
	value, ok := bytes.CutPrefix(all, []byte(before))
	if !ok {
		panic(fmt.Sprintf("the generated code answered the field %s with something else", f.Name))
	}
	return bytes.TrimSuffix(value, []byte(after)), false
}

// unstorable names an argument of a field with a text that no store keeps and
// no store can be asked for. Package value sees to those of datasets.
func (x *executable) unstorable(op *graphql.OperationContext, f graphql.CollectedField) string {
	l := x.literals(op)
	for _, arg := range f.Arguments {
		if v, ok := l.value(arg.Value, nil); ok && query.HoldsNUL(v) {
			return arg.Name
		}
	}
	return ""
}

// argsAsVariables puts the values of a field's arguments into variables, beside those
// the operation has: gqlgen reads the numbers of a document in 64 bits. A dot
// is in no name of a document.
func (x *executable) argsAsVariables(op *graphql.OperationContext, f graphql.CollectedField) (ast.ArgumentList, map[string]any) {
	if len(f.Arguments) == 0 {
		return nil, op.Variables
	}
	l, args, variables := x.literals(op), ast.ArgumentList{}, maps.Clone(op.Variables)
	for _, arg := range f.Arguments {
		if v, ok := l.value(arg.Value, f.Definition.Arguments.ForName(arg.Name).Type); ok {
			name := "." + arg.Name
			variables[name] = query.Plain(v)
			args = append(args, &ast.Argument{Name: arg.Name, Value: &ast.Value{Kind: ast.Variable, Raw: name}})
		}
	}
	return args, variables
}

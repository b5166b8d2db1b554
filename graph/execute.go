package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/errgroup"

	"usher/query"
	"usher/schema"
)

// executable joins the two kinds of fields of one view: it runs fields of the
// control plane through the generated code and fields of datasets through the
// resolver, all at once within a bound, and writes them in the order asked.
type executable struct {
	schema      *schema.Schema
	control     graphql.ExecutableSchema
	datasets    DatasetResolver
	concurrency int
}

var _ graphql.ExecutableSchema = (*executable)(nil)

// Schema is the merged schema of the view.
func (x *executable) Schema() *ast.Schema { return x.schema.AST }

// Complexity knows of none: limits are checked on the document.
func (x *executable) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

// Exec answers one operation once.
func (x *executable) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if op.Operation.Operation != ast.Query {
		return graphql.OneShot(graphql.ErrorResponse(ctx, "only queries are answered here"))
	}
	done := false
	return func(ctx context.Context) *graphql.Response {
		if done {
			return nil
		}
		done = true
		return x.query(ctx, op)
	}
}

// answer is the value of one root field; failed says that it is null where
// null is not allowed.
type answer struct {
	json      []byte
	failed    bool
	errors    gqlerror.List
	truncated []ast.Path
}

var null = []byte("null")

func (x *executable) query(ctx context.Context, op *graphql.OperationContext) *graphql.Response {
	root := x.schema.AST.Query.Name
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{root})
	answers := make([]answer, len(fields))
	var group errgroup.Group
	group.SetLimit(x.concurrency)
	for i, f := range fields {
		if f.Name == "__typename" {
			answers[i].json = []byte(`"` + root + `"`)
			continue
		}
		if i == len(fields)-1 { // the last field needs no goroutine of its own
			answers[i] = x.field(ctx, op, f)
			break
		}
		group.Go(func() error {
			answers[i] = x.field(ctx, op, f)
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors: each field has its own

	response := &graphql.Response{Data: data(fields, answers)}
	var truncated []ast.Path
	for _, a := range answers {
		response.Errors = append(response.Errors, a.errors...)
		truncated = append(truncated, a.truncated...)
	}
	sayTruncated(ctx, truncated)
	return response
}

const truncatedKey = "truncated"

func sayTruncated(ctx context.Context, paths []ast.Path) {
	if len(paths) > 0 {
		graphql.RegisterExtension(ctx, truncatedKey, paths)
	}
}

// Accompany says beside the value of a field of the control plane what a
// dataset's answer says beside its own.
func (a Answer) Accompany(ctx context.Context) {
	for _, e := range a.Errors {
		graphql.AddError(ctx, e)
	}
	sayTruncated(ctx, a.Truncated)
}

// data is null as a whole when a field failed that may not be null.
func data(fields []graphql.CollectedField, answers []answer) []byte {
	size := len("{}")
	for i, a := range answers {
		if a.failed {
			return null
		}
		size += len(fields[i].Alias) + len(`"":,`) + len(a.json)
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	out.WriteByte('{')
	for i, a := range answers {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(member(fields[i].Alias))
		out.Write(a.json)
	}
	out.WriteByte('}')
	return out.Bytes()
}

// member begins a member of an object. Names of GraphQL need no escaping.
func member(name string) string { return `"` + name + `":` }

// field answers one root field with errors of its own, so that their order
// does not depend on which field was faster.
func (x *executable) field(ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField) (a answer) {
	ctx = graphql.WithFreshResponseContext(ctx)
	at := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: x.schema.AST.Query.Name, Field: f})
	fail := func(err error) {
		graphql.AddError(at, graphql.AddFieldLocationToError(at, err))
		a.json, a.failed = null, f.Definition.Type.NonNull
	}
	defer func() {
		if p := recover(); p != nil {
			fail(op.RecoverFunc(at, p))
		}
		a.errors = graphql.GetErrors(ctx)
	}()
	root, ok := x.schema.Roots[f.Name]
	if !ok {
		a.json, a.failed = x.generated(ctx, op, f)
		a.truncated, _ = graphql.GetExtension(ctx, truncatedKey).([]ast.Path)
		return a
	}
	got, err := x.datasets.Resolve(at, x.request(op, f, root))
	switch {
	case err != nil:
		fail(err)
		return a
	case len(got.JSON) == 0:
		fail(errors.New("the dataset resolver gave neither an answer nor an error"))
		return a
	}
	for _, e := range got.Errors {
		graphql.AddError(at, e)
	}
	a.json, a.truncated = got.JSON, got.Truncated
	return a
}

func (x *executable) request(op *graphql.OperationContext, f graphql.CollectedField, root schema.Root) query.Request {
	s := selection{operation: op, literals: x.literals(op)}
	return query.Request{Dataset: root.Dataset, Shape: root.Shape, Field: s.field(f)}
}

func (x *executable) literals(op *graphql.OperationContext) literals {
	o, _ := op.Stats.GetExtension(operationKey).(*operation)
	return literals{schema: x.schema.AST, variables: o.variables}
}

// generated runs one field through the generated code, as an operation that
// selects nothing else. Its directives were decided when it was collected.
func (x *executable) generated(ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField) (json []byte, failed bool) {
	only := *f.Field
	only.SelectionSet = f.Selections
	only.Directives = nil
	arguments, variables := x.lifted(op, f)
	only.Arguments = arguments
	definition := *op.Operation
	definition.SelectionSet = ast.SelectionSet{&only}
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
	value, ok := bytes.CutPrefix(all, []byte("{"+member(f.Alias)))
	if !ok {
		panic(fmt.Sprintf("the generated code answered the field %s with something else", f.Name))
	}
	return bytes.TrimSuffix(value, []byte("}")), false
}

// lifted puts the values of a field's arguments into variables, beside those
// the operation has: gqlgen reads the numbers of a document in 64 bits. A dot
// is in no name of a document.
func (x *executable) lifted(op *graphql.OperationContext, f graphql.CollectedField) (ast.ArgumentList, map[string]any) {
	if len(f.Arguments) == 0 {
		return nil, op.Variables
	}
	l, args, variables := x.literals(op), ast.ArgumentList{}, maps.Clone(op.Variables)
	for _, arg := range f.Arguments {
		if v, ok := l.value(arg.Value, f.Definition.Arguments.ForName(arg.Name).Type); ok {
			name := "." + arg.Name
			variables[name] = plain(v)
			args = append(args, &ast.Argument{Name: arg.Name, Value: &ast.Value{Kind: ast.Variable, Raw: name}})
		}
	}
	return args, variables
}

package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/errgroup"

	"usher/fault"
	"usher/held"
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

	view           uint64 // no other view has
	introspections introspections
	turn           chan struct{} // of those who make an answer about this view's schema
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
	answer := x.query
	switch op.Operation.Operation {
	case ast.Query:
	case ast.Mutation:
		answer = x.mutation
	default:
		return graphql.OneShot(graphql.ErrorResponse(ctx, "only queries and mutations are answered here"))
	}
	done := false
	return func(ctx context.Context) *graphql.Response {
		if done {
			return nil
		}
		done = true
		return answer(ctx, op)
	}
}

// answer is the value of one root field; failed says that it is null where
// null is not allowed.
type answer struct {
	json      []byte
	failed    bool
	errors    gqlerror.List
	truncated []ast.Path
	age       time.Duration
	maxAge    time.Duration
	asOf      time.Time

	explanation any
	before      [][]byte // what comes before json
	taken       int64    // of the request's share
	pooled      bool
}

var null = []byte("null")

func (x *executable) query(ctx context.Context, op *graphql.OperationContext) *graphql.Response {
	root := x.schema.AST.Query.Name
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{root})
	answers := make([]answer, len(fields))
	var work []func()
	var datasets []int
	for i, f := range fields {
		switch _, isDataset := x.schema.Roots[f.Name]; {
		case f.Name == "__typename":
			answers[i].json = []byte(`"` + root + `"`)
		case isDataset:
			datasets = append(datasets, i)
		case introspects(f.Name):
			work = append(work, func() { answers[i] = x.introspection(ctx, op, f) })
		default:
			work = append(work, func() { answers[i] = x.controlField(ctx, op, f) })
		}
	}
	if len(datasets) > 0 {
		work = append(work, x.tasks(ctx, op, fields, datasets, answers)...)
	}
	x.all(work)
	later := refusedForNow(answers)
	response := x.response(ctx, fields, answers) // takes the answers apart
	if later {
		response.Data = nil
	}
	return response
}

// response puts the answers of the fields together, in their order.
func (x *executable) response(ctx context.Context, fields []graphql.CollectedField, answers []answer) *graphql.Response {
	all, err := data(held.From(ctx), fields, answers)
	if err != nil {
		ctx = graphql.WithFreshResponseContext(ctx)
		graphql.AddError(ctx, err)
		return &graphql.Response{Errors: graphql.GetErrors(ctx)}
	}
	response := &graphql.Response{Data: all}
	var truncated []ast.Path
	for _, a := range answers {
		response.Errors = append(response.Errors, a.errors...)
		truncated = append(truncated, a.truncated...)
	}
	sayTruncated(ctx, truncated)
	sayKept(ctx, fields, answers)
	sayStale(ctx, fields, answers)
	sayExplained(ctx, answers)
	return response
}

const cacheKey = "cache"

// sayKept says how old answers are that may have been kept, in seconds.
func sayKept(ctx context.Context, fields []graphql.CollectedField, answers []answer) {
	type freshness struct {
		Path   ast.Path `json:"path"`
		Age    int64    `json:"age"`
		MaxAge int64    `json:"maxAge"`
	}
	var kept []freshness
	for i, a := range answers {
		if a.maxAge > 0 {
			kept = append(kept, freshness{ast.Path{ast.PathName(fields[i].Alias)}, int64(a.age / time.Second), int64(a.maxAge / time.Second)})
		}
	}
	if len(kept) > 0 {
		graphql.RegisterExtension(ctx, cacheKey, kept)
	}
}

const staleKey = "stale"

// sayStale says of which moment answers are in which an older reply stood in
// for a source that failed.
func sayStale(ctx context.Context, fields []graphql.CollectedField, answers []answer) {
	type moment struct {
		Path ast.Path  `json:"path"`
		AsOf time.Time `json:"asOf"`
	}
	var stale []moment
	for i, a := range answers {
		if !a.asOf.IsZero() {
			stale = append(stale, moment{ast.Path{ast.PathName(fields[i].Alias)}, a.asOf.UTC().Truncate(time.Millisecond)})
		}
	}
	if len(stale) > 0 {
		graphql.RegisterExtension(ctx, staleKey, stale)
	}
}

// all runs functions side by side within the bound, the last of them here.
func (x *executable) all(work []func()) {
	var group errgroup.Group
	group.SetLimit(x.concurrency)
	for i, run := range work {
		if i == len(work)-1 {
			run()
			break
		}
		group.Go(func() error {
			run()
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors: each field has its own
}

// tasks asks the resolver how the dataset fields are answered, and returns what
// puts their answers in place.
func (x *executable) tasks(ctx context.Context, op *graphql.OperationContext, fields []graphql.CollectedField, datasets []int, answers []answer) []func() {
	asked := Asked{Key: x.key(op), Explain: Explaining(ctx), Requests: func() []query.Request {
		s := selection{operation: op, literals: x.literals(op)}
		requests := make([]query.Request, len(datasets))
		for i, at := range datasets {
			root := x.schema.Roots[fields[at].Name]
			requests[i] = query.Request{Dataset: root.Dataset, Shape: root.Shape, Field: s.field(fields[at])}
		}
		return requests
	}}
	tasks, err := recovering(ctx, op, func() []Task { return x.datasets.Resolve(ctx, asked) })
	if err != nil {
		for _, at := range datasets {
			answers[at] = x.datasetField(ctx, fields[at], Outcome{Err: err})
		}
	}
	work := make([]func(), len(tasks))
	for t, task := range tasks {
		work[t] = func() {
			got, err := recovering(ctx, op, func() []Outcome { return task.Run(ctx) })
			for i, field := range task.Fields {
				outcome := Outcome{Err: err}
				if i < len(got) {
					outcome = got[i]
				}
				at := datasets[field]
				answers[at] = x.datasetField(ctx, fields[at], outcome)
			}
		}
	}
	return work
}

// recovering turns a panic into an error.
func recovering[T any](ctx context.Context, op *graphql.OperationContext, run func() T) (got T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = op.RecoverFunc(ctx, p)
		}
	}()
	return run(), nil
}

// key is what tells the operation from others in its view.
func (x *executable) key(op *graphql.OperationContext) AskedKey {
	o, _ := op.Stats.GetExtension(operationKey).(*operation)
	k := AskedKey{document: o.document.number, operation: op.Operation.Name, text: len(o.document.text)}
	if variables := x.literals(op).variables; len(variables) > 0 {
		var text []byte
		for _, name := range slices.Sorted(maps.Keys(variables)) {
			text = query.AppendKey(append(append(text, name...), '='), variables[name])
		}
		k.variables = string(text)
	}
	return k
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
	if !a.AsOf.IsZero() {
		graphql.RegisterExtension(ctx, staleKey, a.AsOf)
	}
	if a.Explanation != nil {
		graphql.RegisterExtension(ctx, explainKey, a.Explanation)
	}
}

// data is null as a whole when a field failed that may not be null. It takes
// the place of the answers, which are not read any more.
func data(share *held.Share, fields []graphql.CollectedField, answers []answer) ([]byte, error) {
	size := len("{}")
	for i, a := range answers {
		if a.failed {
			return null, nil
		}
		size += len(fields[i].Alias) + len(`"":,`) + len(a.json)
		for _, piece := range a.before {
			size += len(piece)
		}
	}
	if err := share.Take(int64(size)); err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	out.WriteByte('{')
	for i, a := range answers {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(member(fields[i].Alias))
		for _, piece := range a.before {
			out.Write(piece)
		}
		out.Write(a.json)
		if a.pooled {
			recycle(a.json)
		}
		answers[i].before, answers[i].json = nil, nil
		share.Give(a.taken)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// member begins a member of an object. Names of GraphQL need no escaping.
func member(name string) string { return `"` + name + `":` }

// controlField answers a field of the control plane with errors of its own, so
// that their order does not depend on which field was faster.
func (x *executable) controlField(ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField) (a answer) {
	ctx = graphql.WithFreshResponseContext(ctx)
	defer func() {
		if p := recover(); p != nil {
			at := x.at(ctx, f)
			graphql.AddError(at, graphql.AddFieldLocationToError(at, op.RecoverFunc(at, p)))
			a.json, a.failed = null, f.Definition.Type.NonNull
		}
		a.errors = graphql.GetErrors(ctx)
	}()
	if name := x.unstorable(op, f); name != "" {
		at := x.at(ctx, f)
		err := fault.New(fault.BadUserInput, "%s: text must be UTF-8 without NUL", name)
		graphql.AddError(at, graphql.AddFieldLocationToError(at, err))
		a.json, a.failed = null, f.Definition.Type.NonNull
		return a
	}
	a.json, a.failed = x.generated(ctx, op, f)
	a.truncated, _ = graphql.GetExtension(ctx, truncatedKey).([]ast.Path)
	a.asOf, _ = graphql.GetExtension(ctx, staleKey).(time.Time)
	a.explanation = graphql.GetExtension(ctx, explainKey)
	return a
}

func (x *executable) at(ctx context.Context, f graphql.CollectedField) context.Context {
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: f.ObjectDefinition.Name, Field: f})
}

// datasetField is the answer of a dataset field, or null with what is wrong.
func (x *executable) datasetField(ctx context.Context, f graphql.CollectedField, got Outcome) (a answer) {
	err := got.Err
	if err == nil && len(got.JSON) == 0 {
		err = errors.New("the dataset resolver gave neither an answer nor an error")
	}
	if err == nil && len(got.Errors) == 0 {
		return answer{json: got.JSON, truncated: got.Truncated, age: got.Age, maxAge: got.MaxAge, asOf: got.AsOf, explanation: got.Explanation, before: got.before, taken: got.taken, pooled: got.pooled}
	}
	ctx = graphql.WithFreshResponseContext(ctx)
	at := x.at(ctx, f)
	if err != nil {
		graphql.AddError(at, graphql.AddFieldLocationToError(at, err))
		a = answer{json: null, failed: f.Definition.Type.NonNull, explanation: got.Explanation}
	} else {
		for _, e := range got.Errors {
			graphql.AddError(at, e)
		}
		a = answer{
			json: got.JSON, truncated: got.Truncated, age: got.Age, maxAge: got.MaxAge, asOf: got.AsOf, explanation: got.Explanation,
			before: got.before, taken: got.taken,
		}
	}
	a.errors = graphql.GetErrors(ctx)
	return a
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

// unstorable names an argument of a field with a text that no store keeps and
// no store can be asked for. Package value sees to those of datasets.
func (x *executable) unstorable(op *graphql.OperationContext, f graphql.CollectedField) string {
	l := x.literals(op)
	for _, arg := range f.Arguments {
		if v, ok := l.value(arg.Value, nil); ok && holdsNUL(v) {
			return arg.Name
		}
	}
	return ""
}

func holdsNUL(v query.Value) bool {
	switch v := v.(type) {
	case query.Text:
		return strings.IndexByte(string(v), 0) >= 0
	case query.List:
		return slices.ContainsFunc(v, holdsNUL)
	case query.Object:
		return slices.ContainsFunc(v, func(m query.Member) bool { return strings.IndexByte(m.Name, 0) >= 0 || holdsNUL(m.Value) })
	}
	return false
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

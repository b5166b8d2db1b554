package graph

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/sync/errgroup"

	"usher/answer"
	"usher/fault"
	"usher/query"
	"usher/schema"
	"usher/slot"
)

// executable joins the two kinds of fields of one view: it runs fields of the
// control plane through the generated code and fields of datasets through the
// resolver, all at once within a bound, and writes them in the order asked.
type executable struct {
	schema      *schema.Schema
	control     graphql.ExecutableSchema
	datasets    DatasetResolver
	openID      OpenID
	concurrency int

	view           uint64 // no other view has
	introspections introspections
	turn           chan struct{} // of those who make an answer about this view's schema
}

// operation answers one operation.
func (x *executable) operation(ctx context.Context, op *graphql.OperationContext) *graphql.Response {
	switch op.Operation.Operation {
	case ast.Query:
		return x.query(ctx, op)
	case ast.Mutation:
		return x.mutation(ctx, op)
	}
	return graphql.ErrorResponse(ctx, "only queries and mutations are answered here")
}

func (x *executable) query(ctx context.Context, op *graphql.OperationContext) *graphql.Response {
	p := x.piece(op)
	x.answer(ctx, op, []*piece{p})
	later := refusedForNow(p.answers)
	response := x.response(ctx, p.fields, p.answers) // takes the answers apart
	if later {
		response.Data = nil
	}
	return response
}

// piece is what one text asks: a whole operation, or a tile of a page, whose pieces
// are answered as one operation.
type piece struct {
	op      *graphql.OperationContext
	fields  []graphql.CollectedField
	answers []rootAnswer
}

func (x *executable) piece(op *graphql.OperationContext) *piece {
	_, o := x.document(op)
	fields := o.document.roots[op.Operation]
	if fields == nil {
		fields = graphql.CollectFields(op, op.Operation.SelectionSet, []string{x.schema.AST.Query.Name})
	}
	return &piece{op: op, fields: fields, answers: make([]rootAnswer, len(fields))}
}

// place is a field of a piece.
type place struct {
	*piece
	at int
}

func (p place) field() graphql.CollectedField { return p.fields[p.at] }

// answer answers all fields of the pieces of one operation.
func (x *executable) answer(ctx context.Context, op *graphql.OperationContext, pieces []*piece) {
	var work []func()
	var datasets []place
	var admins []func()
	for _, p := range pieces {
		for i, f := range p.fields {
			switch _, isDataset := x.schema.Roots[f.Name]; {
			case f.Name == "__typename":
				p.answers[i] = typename(x.schema.AST.Query.Name)
			case isDataset:
				datasets = append(datasets, place{p, i})
			case introspects(f.Name):
				work = append(work, func() { p.answers[i] = x.introspection(ctx, p.op, f) })
			case x.schema.IsNode(f.Name):
				work = append(work, func() { p.answers[i] = x.nodeField(ctx, p.op, f) })
			case isAdmin(f):
				admin := x.admin(p.op, f)
				for n := range admin.fields {
					work = append(work, func() { admin.run(ctx, x, p.op, n) })
				}
				admins = append(admins, func() { p.answers[i] = admin.answer(ctx) })
			default:
				work = append(work, func() { p.answers[i] = x.controlField(ctx, p.op, f, nil) })
			}
		}
	}
	if len(datasets) > 0 {
		work = append(work, x.tasks(ctx, op, pieces, datasets)...)
	}
	x.all(work)
	for _, gather := range admins {
		gather()
	}
}

// all runs functions side by side within the bound, the last of them here.
func (x *executable) all(work []func()) {
	if len(work) == 1 {
		work[0]()
		return
	}
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
func (x *executable) tasks(ctx context.Context, op *graphql.OperationContext, pieces []*piece, datasets []place) []func() {
	key, inputs := x.prepared(op, pieces)
	asked := Asked{Key: key, Inputs: inputs, Explain: Explaining(ctx), Requests: func(slots *slot.Slots) []query.Request {
		var s selection
		var of *piece
		rest, next := pieces, 0
		requests := make([]query.Request, len(datasets))
		for i, at := range datasets {
			for ; of != at.piece; rest = rest[1:] { // in the order of prepared, those without datasets too
				of = rest[0]
				s = selection{operation: of.op, schema: x.schema}
				s.literals, next = x.literals(of.op).later(slots, next)
			}
			root := x.schema.Roots[at.field().Name]
			requests[i] = query.Request{Dataset: root.Dataset, Shape: root.Shape, Field: s.field(at.field(), x.schema.AST.Query.Name)}
		}
		return requests
	}}
	tasks, err := recovering(ctx, op, func() []Task { return x.datasets.Resolve(ctx, asked) })
	if err != nil {
		for _, at := range datasets {
			at.answers[at.at] = x.datasetField(ctx, at.field(), Outcome{Err: err})
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
				at.answers[at.at] = x.datasetField(ctx, at.field(), outcome)
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

// prepared is what tells the operation from others in its view but for the values
// of its slots, and those values.
func (x *executable) prepared(op *graphql.OperationContext, pieces []*piece) (AskedKey, slot.Inputs) {
	k, _ := x.document(op)
	var in slot.Inputs
	var text []byte
	for i, p := range pieces {
		if i > 0 {
			text = append(text, '|')
		}
		_, o := x.document(p.op)
		if len(o.variables)+len(o.literals) > 0 && in == nil {
			in = make(slot.Inputs, 0, 8+len(o.literals))
		}
		in = append(in, o.literals...)
		for _, name := range sortedNames(o.variables) {
			text, in = query.AppendShape(append(append(text, name...), '='), o.variables[name], in)
		}
	}
	k.variables = string(text)
	return k, in
}

// later are the literals with slots in the places of those that are lifted and of the
// variables' values, as prepared counts them, from a number on; and the number after them.
func (l literals) later(slots *slot.Slots, next int) (literals, int) {
	out := literals{schema: l.schema, variables: make(map[string]query.Value, len(l.variables)), lifted: l.lifted, slots: slots, first: next}
	next += len(l.lifted)
	for _, name := range sortedNames(l.variables) {
		out.variables[name], next = query.Slotted(l.variables[name], slots, next)
	}
	return out, next
}

// sortedNames are the names of variables.
func sortedNames(of map[string]query.Value) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// key is what tells the operation from others in its view, with all values.
func (x *executable) key(op *graphql.OperationContext) AskedKey {
	k, o := x.document(op)
	var text []byte
	for _, written := range o.literals {
		text = query.AppendKey(text, query.Text(written))
	}
	for _, name := range sortedNames(o.variables) {
		text = query.AppendKey(append(append(text, name...), '='), o.variables[name])
	}
	k.variables = string(text)
	return k
}

// document is what tells the operation from those that are written otherwise, and
// what it was given.
func (x *executable) document(op *graphql.OperationContext) (AskedKey, *operation) {
	o, _ := op.Stats.GetExtension(operationKey).(*operation)
	return AskedKey{numbers: o.numbers, document: o.document.number, operation: op.Operation.Name, text: len(o.document.text)}, o
}

// at is the context of a field of the root, or of one below a field of it.
func (x *executable) at(ctx context.Context, f graphql.CollectedField, parent *graphql.CollectedField) context.Context {
	if parent != nil {
		ctx = x.at(ctx, *parent, nil)
	}
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: f.ObjectDefinition.Name, Field: f})
}

// datasetField is the answer of a dataset field, or null with what is wrong.
func (x *executable) datasetField(ctx context.Context, f graphql.CollectedField, got Outcome) rootAnswer {
	err := got.Err
	if err == nil && got.Len() == 0 {
		err = errors.New("the dataset resolver gave neither an answer nor an error")
	}
	a := rootAnswer{Outcome: got}
	if err == nil && len(got.Errors) == 0 {
		return a
	}
	op := graphql.GetOperationContext(ctx)
	if _, o := x.document(op); o.literals != nil {
		f.Field = o.document.placed(f.Field, op.RawQuery)
	}
	ctx = graphql.WithFreshResponseContext(ctx)
	at := x.at(ctx, f, nil)
	if err != nil {
		graphql.AddError(at, graphql.AddFieldLocationToError(at, err))
		for _, also := range fault.From(err).Also {
			graphql.AddError(at, graphql.AddFieldLocationToError(at, also))
		}
		a = rootAnswer{Outcome: Outcome{Answer: answer.Null(), Explanation: got.Explanation}, failed: f.Definition.Type.NonNull}
	}
	for _, e := range a.Errors {
		graphql.AddError(at, e)
	}
	a.told = graphql.GetErrors(ctx)
	return a
}

func (x *executable) literals(op *graphql.OperationContext) literals {
	o, _ := op.Stats.GetExtension(operationKey).(*operation)
	return o.values(x.schema.AST)
}

// values are those that stand in the document, and the operation's variables.
func (o *operation) values(s *ast.Schema) literals {
	return literals{schema: s, variables: o.variables, lifted: o.document.lifted, given: o.literals}
}

package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/answer"
	"usher/fault"
	"usher/query"
	"usher/slot"
)

// OpenID reads the id of a row for whoever the context is of: its dataset and
// what it is told by. It is false for what is no id of theirs, which is like one
// of a row that is not there.
type OpenID func(ctx context.Context, id string) (dataset string, values query.List, ok bool)

// mostNodes is how many ids one field may name: each is a question of its own.
const mostNodes = 100

// nodeField answers node and nodes: each id is asked for as a row by its key,
// with the rights of who asks. What is not theirs, not there, or no id at all is
// null.
func (x *executable) nodeField(ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField) rootAnswer {
	ids, err := x.idsOf(op, f)
	if err != nil {
		return x.datasetField(ctx, f, Outcome{Err: err})
	}
	var requests []query.Request
	var empty []bool
	which := make([]int, len(ids)) // 1 + the request
	for i, id := range ids {
		if r, ok := x.nodeRequest(ctx, op, f, id); ok {
			empty = append(empty, len(r.Field.Fields) == 0)
			if len(r.Field.Fields) == 0 { // no fragment is of the type: there is a row or not
				r.Field.Fields = []query.Field{{Key: "__typename", Name: "__typename"}}
			}
			requests = append(requests, r)
			which[i] = len(requests)
		}
	}
	outcomes := make([]Outcome, len(requests))
	if len(requests) > 0 {
		x.ask(ctx, op, f, requests, outcomes)
	}
	each := make([]rootAnswer, len(ids))
	for i, r := range which {
		if r == 0 {
			each[i].Answer = answer.Null()
			continue
		}
		got := outcomes[r-1]
		if got.Err == nil && empty[r-1] && !got.IsNull() {
			got.Answer = answer.Of([]byte("{}"))
		}
		each[i] = x.nodeAnswer(ctx, f, got, i)
	}
	if f.Name == "node" {
		return each[0]
	}
	return listOf(each)
}

func (x *executable) idsOf(op *graphql.OperationContext, f graphql.CollectedField) ([]string, error) {
	arg := f.Arguments[0] // the schema has one, and it must be given
	v, _ := x.literals(op).value(arg.Value, f.Definition.Arguments.ForName(arg.Name).Type)
	list, many := v.(query.List)
	if !many {
		list = query.List{v}
	}
	if len(list) > mostNodes {
		return nil, fault.New(fault.TooComplex, "%s names more than %d ids", f.Name, mostNodes).WithHint("Ask in several operations.")
	}
	ids := make([]string, len(list))
	for i, item := range list {
		text, _ := item.(query.Text)
		ids[i] = string(text)
	}
	return ids, nil
}

func (x *executable) nodeRequest(ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField, id string) (query.Request, bool) {
	dataset, values, ok := x.openID(ctx, id)
	object := x.schema.TypeOf(dataset)
	identity := x.schema.Identity(object)
	if !ok || identity == nil || len(values) != len(identity) || slices.Contains(values, query.Value(query.Null{})) {
		return query.Request{}, false
	}
	s := selection{operation: op, literals: x.literals(op), schema: x.schema}
	return query.Request{Dataset: dataset, Shape: query.ByKey, Field: query.Field{
		Key: f.Alias, Name: f.Name, ID: identity, Fields: s.fields(f.Selections, object),
		Args: query.Object{{Name: query.Identity, Value: values}},
	}}, true
}

// ask has requests answered as those of an operation of their own.
func (x *executable) ask(ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField, requests []query.Request, outcomes []Outcome) {
	key := x.key(op)
	key.operation += "\x00" + f.Alias // no name of an operation has it
	asked := Asked{Key: key, Explain: Explaining(ctx), Requests: func(*slot.Slots) []query.Request { return requests }}
	tasks, err := recovering(ctx, op, func() []Task { return x.datasets.Resolve(ctx, asked) })
	if err != nil {
		for i := range outcomes {
			outcomes[i].Err = err
		}
		return
	}
	work := make([]func(), len(tasks))
	for t, task := range tasks {
		work[t] = func() {
			got, err := recovering(ctx, op, func() []Outcome { return task.Run(ctx) })
			for i, at := range task.Fields {
				outcomes[at] = Outcome{Err: err}
				if i < len(got) {
					outcomes[at] = got[i]
				}
			}
		}
	}
	x.all(work)
}

// nodeAnswer is the answer of one id, with its place in the list.
func (x *executable) nodeAnswer(ctx context.Context, f graphql.CollectedField, got Outcome, i int) rootAnswer {
	a := x.datasetField(ctx, f, got)
	if f.Name == "node" {
		return a
	}
	a.failed = false // items may be null
	place := func(path ast.Path) ast.Path {
		if len(path) == 0 {
			return path
		}
		return slices.Insert(slices.Clone(path), 1, ast.PathElement(ast.PathIndex(i)))
	}
	told := make(gqlerror.List, len(a.told))
	for n, e := range a.told {
		placed := *e
		placed.Path = place(e.Path)
		told[n] = &placed
	}
	a.told = told
	for n, path := range a.Truncated {
		a.Truncated[n] = place(path)
	}
	return a
}

// listOf makes one answer of those of items. It takes them apart.
func listOf(each []rootAnswer) (all rootAnswer) {
	text := []byte{'['}
	for i := range each {
		if i > 0 {
			text = append(text, ',')
		}
		text = each[i].AppendTo(text)
		each[i].Release()
		all.told = append(all.told, each[i].told...)
		all.Truncated = append(all.Truncated, each[i].Truncated...)
		all.Rows += each[i].Rows
		if each[i].MaxAge > 0 && (all.MaxAge == 0 || each[i].Age > all.Age) {
			all.Age, all.MaxAge = each[i].Age, each[i].MaxAge
		}
		if at := each[i].AsOf; !at.IsZero() && (all.AsOf.IsZero() || at.Before(all.AsOf)) {
			all.AsOf = at
		}
	}
	all.Answer = answer.Of(append(text, ']'))
	return all
}

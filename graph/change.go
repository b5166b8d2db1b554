package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/answer"
	"usher/fault"
	"usher/query"
	"usher/slot"
)

// changes tells whether a mutation changes datasets. It does that, or something of the
// control plane, which is kept elsewhere: what one undoes the other could not.
func (x *executable) changes(fields []graphql.CollectedField) (bool, error) {
	datasets, others := 0, 0
	for _, f := range fields {
		switch _, dataset := x.schema.Changes[f.Name]; {
		case f.Name == "__typename":
		case dataset:
			datasets++
		default:
			others++
		}
	}
	if datasets > 0 && others > 0 {
		return false, fault.New(fault.BadUserInput, "rows of datasets and what usher keeps itself cannot be changed in one mutation").
			WithHint("Send two.")
	}
	return datasets > 0, nil
}

// fewRows is how many rows an insert may have that is asked for again with other values. Of more, no two
// mutations have as many with nulls in the same places: what is kept of them would only drive out others.
const fewRows = 5

// rowsOf is how many rows a field inserts, but for those that are nested in them.
func rowsOf(variables map[string]query.Value, f graphql.CollectedField) int {
	rows := f.Arguments.ForName("rows")
	if rows == nil {
		return 1
	}
	if list, ok := variables[rows.Value.Raw].(query.List); ok && rows.Value.Kind == ast.Variable {
		return len(list)
	}
	return len(rows.Value.Children)
}

// change answers a mutation of datasets: all its fields are one transaction, and one that
// fails leaves none of them an answer.
func (x *executable) change(ctx context.Context, op *graphql.OperationContext, fields []graphql.CollectedField) *graphql.Response {
	root := x.schema.AST.Mutation.Name
	answers := make([]rootAnswer, len(fields))
	var which []int
	var asked []query.Change
	few := true
	key, of := x.document(op)
	for i, f := range fields {
		at, ok := x.schema.Changes[f.Name]
		if !ok {
			answers[i] = typename(root)
			continue
		}
		which = append(which, i)
		asked = append(asked, query.Change{Dataset: at.Dataset, Kind: at.Kind})
		few = few && rowsOf(of.variables, f) <= fewRows
	}
	all := AskedChanges{Changes: asked, Numbers: key.numbers, Requests: func(slots *slot.Slots) []query.Change {
		s := selection{operation: op, literals: x.literals(op), schema: x.schema}
		if slots != nil {
			s.literals, _ = s.literals.later(slots, 0)
		}
		requests := slices.Clone(asked)
		for n, i := range which {
			requests[n].Field = s.field(fields[i], root)
		}
		return requests
	}}
	if few {
		all.Shape, all.Inputs = x.prepared(op, []*piece{{op: op}})
	}
	var outcomes []Outcome
	var err error
	if all.Key, err = idempotencyKey(op.Extensions); err == nil {
		if all.Key != "" {
			all.Text = x.told(op)
		}
		outcomes, err = recovering(ctx, op, func() []Outcome { return x.datasets.Change(ctx, all) })
	}
	failed := err != nil
	for n, i := range which {
		outcome := Outcome{Err: err}
		if err == nil && n < len(outcomes) {
			outcome = outcomes[n]
		}
		if outcome.Err == nil && outcome.Len() == 0 { // it failed for another
			failed = true
			answers[i] = rootAnswer{Outcome: Outcome{Answer: answer.Null()}}
			continue
		}
		failed = failed || outcome.Err != nil && !outcome.Applied
		answers[i] = x.datasetField(ctx, fields[i], outcome)
	}
	later := failed && refusedForNow(answers)
	response := x.response(ctx, fields, answers) // takes the answers apart
	switch {
	case later:
		response.Data = nil
	case failed:
		response.Data = null
	}
	return response
}

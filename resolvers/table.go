package resolvers

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/answer"
	"usher/datasource/receipt"
	"usher/fault"
	"usher/graph"
	"usher/held"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/stage"
)

// table answers a table query: what it asks becomes the request that a field
// of the dataset would have become, and goes the same way from there.
func (d *Datasets) table(ctx context.Context, q graph.TableQuery) (_ *graph.Table, err error) {
	who, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	read := 0
	access := d.begin(ctx, who, trail{datasets: []string{q.Dataset}}, 1)
	if access != nil {
		defer func() { access.done(read, err) }()
	}
	cat, view, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	key := graphql.GetFieldContext(ctx).Field.Alias
	if refusal := cat.Unreached.AwaitsDataset(q.Dataset); refusal != nil && view.Dataset(q.Dataset) == nil { // as documents that speak of it are refused
		return nil, refusal
	}
	asked, columns, err := tableRequest(view, q)
	if err != nil {
		return nil, within(key, err)
	}
	began := time.Now()
	planned, err := plan.Build(asked, cat, who, graph.Started(ctx))
	d.Stages.Took(ctx, stage.Plan, began)
	if err != nil {
		return nil, within(key, err)
	}
	if access != nil {
		access.say(trailOf([]query.Request{asked}, []plan.Query{planned}))
	}
	cells := answer.TableCells(planned)
	if len(cells) != len(columns) {
		return nil, fault.New(fault.Internal, "a table of %d columns was planned with %d cells", len(columns), len(cells))
	}
	for i, cell := range cells {
		columns[i].Type = cell.Type().GraphQL()
	}
	table := &graph.Table{Columns: columns}
	rows, selected := responseKey(ctx, "rows")
	if !selected {
		return table, nil // columns alone need no rows
	}
	asking, notes := ctx, (*receipt.Notes)(nil)
	if graph.Explaining(ctx) {
		asking, notes = receipt.With(ctx)
	}
	began = time.Now()
	result, err := d.Sources.Answer(asking, planned)
	took := d.Stages.Took(ctx, stage.Source, began)
	if err != nil {
		return nil, err
	}
	read = result.Rows.Len()
	began = time.Now()
	told := graph.Outcome{AsOf: result.AsOf}
	told.Answer, err = answer.EncodeTable(held.From(ctx), planned, result, answer.Writing{Key: key, NumbersAsText: graph.NumbersOf(ctx).AsText(d.NumbersAsText)}, rows)
	d.Stages.Took(ctx, stage.Encode, began)
	if err != nil {
		return nil, err
	}
	if notes != nil {
		covered := coverOf(view)
		covered.reads(planned)
		e := explain(planned, notes, covered)
		e.Path, e.Rows, e.AsOf = []string{key}, result.Rows.Len(), moment(result.AsOf)
		e.Timings.Source = milliseconds(took)
		told.Explanation = e
	}
	told.Accompany(ctx)
	table.Rows.Encoded = told.JSON()
	return table, nil
}

// within is an error about an argument of a field, with the field's key before its place.
func within(key string, err error) error {
	f := *fault.From(err)
	if f.At == "" {
		return err
	}
	f.At = key + "." + f.At
	return &f
}

// responseKey is the key under which the answer has a field of the object
// being resolved.
func responseKey(ctx context.Context, name string) (key string, selected bool) {
	for _, f := range graphql.CollectFieldsCtx(ctx, nil) {
		if f.Name == name {
			return f.Alias, true
		}
	}
	return "", false
}

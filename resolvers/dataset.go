package resolvers

import (
	"context"

	"usher/cursor"
	"usher/datasource"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// Datasets answers the root fields of datasets. It is the way of a request
// from its principal to its bytes, one line for each stage.
type Datasets struct {
	Sources       *datasource.Sources
	Cursors       *cursor.Sealer
	NumbersAsText bool
}

// Resolve implements graph.DatasetResolver.
func (d *Datasets) Resolve(ctx context.Context, asked query.Request) (graph.Answer, error) {
	who, err := principal.From(ctx)
	if err != nil {
		return graph.Answer{}, err
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return graph.Answer{}, err
	}
	asked, seal, err := d.openCursors(asked, who)
	if err != nil {
		return graph.Answer{}, err
	}
	planned, err := plan.Build(asked, cat, who, graph.Started(ctx)) // resolved, typed, scoped; or refused
	if err != nil {
		return graph.Answer{}, err
	}
	rows, err := d.Sources.Answer(ctx, planned) // by the strategy the plan was made for
	if err != nil {
		return graph.Answer{}, err
	}
	return graph.Encode(planned, rows, graph.Writing{Key: asked.Field.Key, NumbersAsText: d.NumbersAsText, Cursor: seal})
}

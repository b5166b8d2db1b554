package resolvers

import (
	"context"
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/answer"
	"usher/answer/sheet"
	"usher/audit"
	"usher/datasource"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// Export is a file that is about to be written: planned, and not yet asked for.
type Export struct {
	data   *Datasets
	export *datasource.Export
	sheet  sheet.Sheet
	to     late
	began  time.Time
	entry  audit.Entry
}

// late is a writer that is known when the file is.
type late struct{ io.Writer }

// Export plans the export of a field, in the context of its operation, or refuses
// it. Either is in the audit log.
func (d *Datasets) Export(ctx context.Context, asked query.Request, format sheet.Format) (*Export, error) {
	who, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	x := &Export{data: d, began: time.Now(), entry: audit.Of(who, audit.DataAccess)}
	x.entry.Operation, x.entry.Detail = graphql.GetOperationContext(ctx).Operation.Name, "export as "+string(format)
	planned, err := plan.BuildExport(asked, cat, who, graph.Started(ctx)) // resolved, typed, scoped; or refused
	trail := trailOf([]query.Request{asked}, []plan.Query{planned.Query()})
	x.entry.Hash, x.entry.Datasets, x.entry.Strategy = hashOf(ctx), trail.datasets, trail.strategy
	if err == nil {
		x.export, err = d.Sources.PrepareExport(planned)
	}
	if err == nil {
		x.sheet, err = sheet.New(format, &x.to, planned.Query(), answer.Writing{
			Key: asked.Field.Key, NumbersAsText: graph.NumbersOf(ctx).AsText(d.NumbersAsText), Seals: answer.Seals{ID: d.idsOf(who.Tenant)},
		})
	}
	if err != nil {
		x.ended(err)
		return nil, err
	}
	return x, nil
}

// Write writes the file, in the context of a request with its share of the memory.
// After an error what was written is no file. It is called once.
func (x *Export) Write(ctx context.Context, to io.Writer) (rows, nulls int64, err error) {
	err = fault.New(fault.Internal, "internal error") // stays, if it panics
	defer func() {
		x.entry.Rows = rows
		x.ended(err)
	}()
	x.to.Writer = to
	rows, err = x.export.Run(ctx, x.sheet.Rows) // question ─▶ rows ─▶ bytes, a portion at a time
	if err == nil {
		err = x.sheet.Close()
	}
	return rows, x.sheet.Nulls(), err
}

// ended writes the entry of the audit log.
func (x *Export) ended(err error) {
	if x.data.Audit == nil {
		return
	}
	x.entry.Outcome, x.entry.Duration = audit.Done, time.Since(x.began)
	if err != nil {
		x.entry.Outcome = string(fault.From(err).Code)
	}
	x.data.Audit(x.entry)
}

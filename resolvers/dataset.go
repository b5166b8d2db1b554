package resolvers

import (
	"context"
	"time"

	"usher/admit"
	"usher/audit"
	"usher/cursor"
	"usher/datasource"
	"usher/fault"
	"usher/graph"
	"usher/held"
	"usher/plan"
	"usher/principal"
	"usher/stage"
	"usher/traffic"
)

// Datasets answers the root fields of datasets. It is the way of a request
// from its principal to its bytes.
type Datasets struct {
	Sources       *datasource.Sources
	Cursors       *cursor.Sealer
	NumbersAsText bool              // where a request does not say how it wants them
	Audit         func(audit.Entry) // takes what was asked, without waiting; nil: nothing does
	ReadsUnnoted  bool              // it takes no questions but those of whoever acts as a tenant
	Stages        *stage.Times      // nil: nobody looks

	// AuditStrictly writes an entry of what is changed before it returns; nil: nobody
	// waits for those either.
	AuditStrictly func(context.Context, audit.Entry) error
	// Tenant finds a tenant that a principal of all tenants names, to write its rows; nil: it
	// names none.
	Tenant func(ctx context.Context, id string) (plan.Tenant, error)
	// Closed are the keys of tenants that nobody can name so, though there are some; nil: there are none.
	Closed func(ctx context.Context) ([]string, error)
	// Told hears of each dataset that was changed in a source, and whose rows of it, everybody's
	// without an owner; nil: there is nobody else who reads it.
	Told func(ctx context.Context, source, dataset, owner string)

	// Seen is told when sources answer and fail; nil: nobody looks.
	Seen *traffic.Sources

	plans planCache
}

// NewDatasets makes the resolver of datasets, which counts what it finds planned.
func NewDatasets(sources *datasource.Sources, cursors *cursor.Sealer, numbersAsText bool, planned *Planned) *Datasets {
	return &Datasets{Sources: sources, Cursors: cursors, NumbersAsText: numbersAsText, plans: newPlanCache(planned)}
}

// Resolve implements graph.DatasetResolver, for the first half of the way: what
// an operation asks becomes plans, and those become questions to the sources.
// Both are made the first time and kept ready for the next.
func (d *Datasets) Resolve(ctx context.Context, asked graph.Asked) []graph.Task {
	who, err := principal.From(ctx)
	if err != nil {
		return refused(asked, err)
	}
	cat, view, err := graph.ViewFrom(ctx)
	if err != nil {
		return refused(asked, err)
	}
	alike := cat.Needed(who) // what is planned for one is planned for all of them
	key, in := planKeyOf(cat, view, alike, asked, graph.Started(ctx))
	began := time.Now()
	op, texts, kept := d.plans.get(key, in)
	if !kept {
		op = d.plan(ctx, asked, cat, alike, in) // requests ─▶ plans ─▶ questions, or refusals
		d.plans.add(key, op)
		texts, _ = op.slots.Bind(in) // which it was made for
	}
	planning := d.Stages.Took(ctx, stage.Plan, began)
	tasks := d.audited(ctx, who, op.trail, d.tasks(op, bound{in, plan.BindingOf(alike, texts)}))
	if asked.Explain {
		return explained(op, tasks, keysOf(asked), planning, view)
	}
	return tasks
}

// run is the second half: a part's question becomes rows, and those become the
// bytes of its fields.
func (d *Datasets) run(ctx context.Context, p *part, b bound) []graph.Outcome {
	watch, share := watchFrom(ctx), held.From(ctx)
	began := time.Now()
	turn := admit.Away(ctx)
	answered, err := p.question.Bind(b.binding).Answer(ctx) // question ─▶ rows
	turn.Back()
	watch.asked(d.Stages.Took(ctx, stage.Source, began))
	d.saw(ctx, p.source, err)
	if err != nil {
		return d.withoutRows(ctx, p, b, err)
	}
	out := make([]graph.Outcome, len(p.fields))
	for i, rows := range answered.Results {
		began = time.Now()
		out[i].Answer, out[i].Err = p.encoders[i].Encode(share, rows, d.seals(p.cursors[i], b)) // rows ─▶ bytes
		watch.encoded(p.fields[i], d.Stages.Took(ctx, stage.Encode, began))
		out[i].Rows = rows.Rows.Len()
		out[i].Age, out[i].MaxAge, out[i].AsOf = answered.Age, answered.MaxAge, rows.AsOf
	}
	share.Give(answered.Held)
	return out
}

// withoutRows is what becomes of a part whose question failed. Fields that shared
// a scan are asked one by one: what is wrong with one is not wrong with all,
// unless nobody waits any more or the source answers nobody.
func (d *Datasets) withoutRows(ctx context.Context, p *part, b bound, err error) []graph.Outcome {
	code := fault.From(err).Code
	if len(p.each) == 0 || ctx.Err() != nil || code == fault.Unavailable || code == fault.TooManyRequests {
		return failed(len(p.fields), err)
	}
	var out []graph.Outcome
	for _, one := range p.each {
		out = append(out, d.run(ctx, one, b)...)
	}
	return out
}

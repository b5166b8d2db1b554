package resolvers

import (
	"context"

	"usher/answer"
	"usher/catalog"
	"usher/datasource"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// operation is what one operation asks of datasets, ready to run.
type operation struct {
	tasks   []graph.Task
	plans   []plan.Query // of its fields; not valid where one was refused
	size    int          // about how many bytes it takes in memory
	lasting bool         // it is the same at any moment, and nothing in it was refused
	trail   trail
}

// part is the fields that one question answers: one of them, or several that
// read the same rows.
type part struct {
	fields   []int // their numbers in the operation
	encoders []*answer.Encoder
	question *datasource.Question
	each     []*part // the same fields one by one, where there are several
}

// mostPlanned bounds what the plans of one operation take in memory: policies
// stand in every field.
const mostPlanned = 64 << 20

// fieldSize is about what a field's tasks, and an encoder's fields, take in
// memory beside its plan.
const fieldSize = 2 << 10

// plan makes an operation ready. A field that is refused leaves the others
// theirs; fields that read the same rows become one part.
func (d *Datasets) plan(ctx context.Context, requests []query.Request, cat *catalog.Catalog, who principal.Principal, numbers graph.Numbers) *operation {
	op := &operation{lasting: true, plans: make([]plan.Query, len(requests))}
	encoders := make([]*answer.Encoder, len(requests))
	for i, asked := range requests {
		asked, seal, err := d.openCursors(asked, who)
		if err == nil {
			err = op.goesOn(ctx)
		}
		if err == nil {
			op.plans[i], err = plan.Build(asked, cat, who, graph.Started(ctx)) // resolved, typed, scoped; or refused
		}
		if err != nil {
			op.refuse(i, err)
			continue
		}
		op.lasting = op.lasting && op.plans[i].Timeless()
		op.size += op.plans[i].Size() + fieldSize
		encoders[i] = answer.NewEncoder(op.plans[i], answer.Writing{Key: asked.Field.Key, NumbersAsText: numbers.AsText(d.NumbersAsText), Cursor: seal, ID: d.idsOf(who)})
	}
	if d.Audit != nil {
		op.trail = trailOf(ctx, requests, op.plans)
	}
	alone := make([]*part, len(requests)) // by field
	for i, encoder := range encoders {
		if encoder == nil {
			continue
		}
		err := op.goesOn(ctx)
		var question *datasource.Question
		if err == nil {
			question, err = d.Sources.Prepare(op.plans[i]) // by the strategy the plan was made for
		}
		if err != nil {
			op.refuse(i, err)
			continue
		}
		op.size += question.Size()
		alone[i] = &part{fields: []int{i}, encoders: []*answer.Encoder{encoder}, question: question}
	}
	for _, scan := range plan.SharedScans(op.plans) {
		if op.goesOn(ctx) != nil {
			break // each has its own part
		}
		if shared := d.together(scan, alone); shared != nil {
			op.size += shared.question.Size()
			d.add(op, shared)
		}
	}
	for _, p := range alone {
		if p != nil {
			d.add(op, p)
		}
	}
	return op
}

// together makes one part of fields that read the same rows, out of those that
// are alone. It is nil when there is no statement for all.
func (d *Datasets) together(scan plan.SharedScan, alone []*part) *part {
	for i := range scan.Len() {
		if alone[scan.Which(i)] == nil {
			return nil // one of them was refused
		}
	}
	question, err := d.Sources.PrepareSharedScan(scan)
	if err != nil {
		return nil
	}
	shared := &part{question: question}
	for i := range scan.Len() {
		one := alone[scan.Which(i)]
		alone[scan.Which(i)] = nil
		shared.fields = append(shared.fields, one.fields...)
		shared.encoders = append(shared.encoders, one.encoders...)
		shared.each = append(shared.each, one)
	}
	return shared
}

func (d *Datasets) add(op *operation, p *part) {
	op.tasks = append(op.tasks, graph.Task{Fields: p.fields, Run: func(ctx context.Context) []graph.Outcome { return d.run(ctx, p) }})
}

// goesOn stops the planning of an operation for which nobody waits, and of one
// that has become too large.
func (o *operation) goesOn(ctx context.Context) error {
	if o.size > mostPlanned {
		return fault.New(fault.TooComplex, "the fields of the operation are too large together").WithHint("ask in several operations")
	}
	return ctx.Err()
}

func (o *operation) refuse(field int, err error) {
	o.lasting = false
	o.tasks = append(o.tasks, refusal([]int{field}, err))
}

// refused are the tasks of an operation that is refused as a whole.
func refused(fields int, err error) []graph.Task {
	all := make([]int, fields)
	for i := range all {
		all[i] = i
	}
	return []graph.Task{refusal(all, err)}
}

func refusal(which []int, err error) graph.Task {
	return graph.Task{Fields: which, Run: func(context.Context) []graph.Outcome { return failed(len(which), err) }}
}

func failed(fields int, err error) []graph.Outcome {
	out := make([]graph.Outcome, fields)
	for i := range out {
		out[i].Err = err
	}
	return out
}

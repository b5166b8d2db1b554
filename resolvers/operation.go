package resolvers

import (
	"context"

	"usher/answer"
	"usher/catalog"
	"usher/datasource"
	"usher/datasource/writing"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/slot"
)

// operation is what one operation asks of datasets, prepared: the values of its
// slots are bound to it before it runs.
type operation struct {
	parts   []*part
	refused []graph.Task
	slots   *slot.Slots
	plans   []plan.Query // of its fields; not valid where one was refused
	size    int          // about how many bytes it takes in memory
	lasting bool         // it is the same at any moment, and nothing in it was refused
	trail   trail

	changes  []plan.Change // of a mutation
	prepared []writing.Prepared
	each     bool // it is planned for each request
}

// part is the fields that one question answers: one of them, or several that
// read the same rows.
type part struct {
	fields   []int // their numbers in the operation
	encoders []*answer.Encoder
	cursors  []bindingOf // beside encoders; nil: of a field without cursors
	question *datasource.Question
	source   string  // that alone answers it, of everybody; empty: several do, or a tenant's own
	each     []*part // the same fields one by one, where there are several
}

// bound is whose values are bound to an operation.
type bound struct {
	in      slot.Inputs
	binding plan.Binding
}

// mostPlanned bounds what the plans of one operation take in memory: policies
// stand in every field.
const mostPlanned = 64 << 20

// fieldSize is about what a field's tasks, and an encoder's fields, take in
// memory beside its plan.
const fieldSize = 2 << 10

// plan makes an operation ready. A field that is refused leaves the others
// theirs; fields that read the same rows become one part.
func (d *Datasets) plan(ctx context.Context, asked graph.Asked, cat *catalog.Catalog, p principal.Principal, in slot.Inputs) *operation {
	slots := slot.New(in)
	defer slots.Seal()
	requests := asked.Requests(slots)
	who := p.Slotted(slots, len(asked.Inputs))
	now := len(in) - 1
	op := &operation{lasting: true, slots: slots, plans: make([]plan.Query, len(requests))}
	alone := make([]*part, len(requests)) // by field
	for i, request := range requests {
		request, cursors, err := d.openCursors(request, i, who.Tenant)
		if err == nil {
			err = op.goesOn(ctx)
		}
		if err == nil {
			op.plans[i], err = plan.Prepare(request, cat, who, graph.Started(ctx), slots.At(now)) // resolved, typed, scoped; or refused
		}
		if err != nil {
			op.refuse(i, err)
			continue
		}
		op.lasting = op.lasting && op.plans[i].Timeless()
		op.size += op.plans[i].Size() + fieldSize
		encoder := answer.NewEncoder(op.plans[i], answer.Writing{Key: request.Field.Key, NumbersAsText: asked.Key.Numbers().AsText(d.NumbersAsText)})
		alone[i] = &part{fields: []int{i}, encoders: []*answer.Encoder{encoder}, cursors: []bindingOf{cursors}, source: askedAlone(op.plans[i])}
	}
	if d.Audit != nil {
		op.trail = trailOf(requests, op.plans)
	}
	for i, p := range alone {
		if p == nil {
			continue
		}
		err := op.goesOn(ctx)
		if err == nil {
			p.question, err = d.Sources.Prepare(op.plans[i]) // by the strategy the plan was made for
		}
		if err != nil {
			op.refuse(i, err)
			alone[i] = nil
			continue
		}
		op.size += p.question.Size()
	}
	for _, scan := range plan.SharedScans(op.plans) {
		if op.goesOn(ctx) != nil {
			break // each has its own part
		}
		if shared := d.together(scan, alone); shared != nil {
			op.size += shared.question.Size()
			op.parts = append(op.parts, shared)
		}
	}
	for _, p := range alone {
		if p != nil {
			op.parts = append(op.parts, p)
		}
	}
	op.size += slots.Size()
	op.lasting = op.lasting && !slots.Guarded(now) // it would be for this second
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
		shared.cursors = append(shared.cursors, one.cursors...)
		shared.each, shared.source = append(shared.each, one), one.source
	}
	return shared
}

// tasks are an operation's, with somebody's values.
func (d *Datasets) tasks(op *operation, b bound) []graph.Task {
	tasks := make([]graph.Task, 0, len(op.refused)+len(op.parts))
	tasks = append(tasks, op.refused...)
	for _, p := range op.parts {
		tasks = append(tasks, graph.Task{Fields: p.fields, Run: func(ctx context.Context) []graph.Outcome { return d.run(ctx, p, b) }})
	}
	return tasks
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
	o.refused = append(o.refused, refusal([]int{field}, err))
}

// refused are the tasks of an operation that is refused as a whole.
func refused(asked graph.Asked, err error) []graph.Task {
	all := make([]int, len(asked.Requests(slot.New(asked.Inputs))))
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

package resolvers

import (
	"cmp"
	"context"
	"errors"
	"time"

	"usher/datasource/writing"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/slot"
	"usher/stage"
)

// planChanges plans the changes of a mutation for this request. It returns the first error; each has its
// own in its outcome.
func (d *Datasets) planChanges(ctx context.Context, asked graph.AskedChanges, who principal.Principal, plans []plan.Change, out []graph.Outcome) (refused error) {
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		out[0].Err = err
		return err
	}
	for i, change := range asked.Requests(nil) {
		plans[i], out[i].Err = d.planChange(ctx, change, cat, who) // resolved, typed, stamped, scoped; or refused
		refused = cmp.Or(refused, out[i].Err)
	}
	return refused
}

// mostOpen is how many values of a mutation may come later. More are rows in bulk, of which no two
// mutations have as many.
const mostOpen = 200

// preparedChanges finds the changes of a mutation that was prepared, or prepares it, and binds
// them for who asks. Without them the mutation is planned for this request: because
// it has to be, or because whoever plans it says what is wrong with it.
func (d *Datasets) preparedChanges(ctx context.Context, asked graph.AskedChanges, who principal.Principal, plans []plan.Change) ([]writing.Prepared, error) {
	if asked.Inputs == nil || len(asked.Inputs) > mostOpen || who.AllTenants {
		return nil, nil
	}
	cat, view, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	alike := cat.Needed(who)
	key, in := planKeyOf(cat, view, alike, graph.Asked{Key: asked.Shape, Inputs: asked.Inputs}, graph.Started(ctx))
	op, texts, kept := d.plans.get(key, in)
	if !kept {
		op = d.prepareChanges(ctx, asked, key, alike, in)
		d.plans.add(key, op)
		if !op.each {
			texts, _ = op.slots.Bind(in) // which it was made for
		}
	}
	if op.each || texts == nil {
		return nil, nil
	}
	for i, c := range op.changes {
		plans[i] = c.Bind(who, texts)
	}
	d.Stages.Took(ctx, stage.Plan, began)
	return op.prepared, nil
}

// prepareChanges makes a mutation ready. Where it cannot be, that is what is kept of it.
func (d *Datasets) prepareChanges(ctx context.Context, asked graph.AskedChanges, key planKey, p principal.Principal, in slot.Inputs) *operation {
	slots := slot.New(in)
	defer slots.Seal()
	who, now := p.Slotted(slots, len(asked.Inputs)), len(in)-1
	op := &operation{lasting: true, slots: slots}
	for _, change := range asked.Requests(slots) {
		c, err := plan.PrepareChange(change, key.catalog, who, graph.Started(ctx), slots.At(now))
		var statement writing.Prepared
		if err == nil {
			statement, err = writing.Prepare(c)
		}
		if err != nil {
			each := &operation{each: true, slots: slot.New(nil), lasting: errors.Is(err, plan.ErrEach)}
			each.slots.Seal()
			return each
		}
		op.changes, op.prepared = append(op.changes, c), append(op.prepared, statement)
		op.size += c.Size() + statement.Size() + fieldSize
	}
	op.size += slots.Size()
	op.lasting = !slots.Guarded(now)
	return op
}

package datasource

import (
	"context"
	"errors"

	"usher/admit"
	"usher/datasource/drift"
	"usher/fault"
	"usher/plan"
	"usher/quota"
	"usher/value"
)

// Export is a question whose answer is read in portions, and never held whole. It
// takes the way of all others but for the steps that share or keep answers, and
// waits for its turn among exports before: those have a source's slot for as long
// as somebody reads.
type Export struct {
	sources *Sources
	query   plan.Query
}

// PrepareExport makes an export of a plan for one.
func (s *Sources) PrepareExport(e plan.Export) (*Export, error) {
	if !e.Query().Valid() {
		return nil, ErrNotPlanned
	}
	return &Export{s, e.Query()}, nil
}

// Run hands the portions on, in order, and tells how many rows they were. None is
// valid after each returns. The context carries the share that they are counted in.
func (x *Export) Run(ctx context.Context, each func(*value.Result) error) (rows int64, err error) {
	if err := quota.From(ctx).Admit(ctx); err != nil {
		return 0, err
	}
	tenant := x.query.Identity().Tenant()
	slot, err := x.sources.turn(ctx, tenant)
	if err != nil {
		return 0, err
	}
	defer slot.Leave()
	ctx = admit.InBulk(ctx)
	to := &stream{portion: each}
	q := &Question{sources: x.sources, way: x.sources.engineWay, tenant: tenant, query: x.query, stream: to}
	if target, ok := x.query.Single(); ok {
		q.way, q.target, q.reads = x.sources.accounts, target, drift.Reads(x.query.Root())
	}
	_, err = q.way.ask(ctx, q)
	if err == nil && ctx.Err() != nil {
		err = fault.From(ctx.Err())
	}
	return int64(to.read), err
}

// turn is a turn among exports and imports. Who gets none is told what there are too few of.
func (s *Sources) turn(ctx context.Context, tenant string) (admit.Slot, error) {
	slot, err := s.exports.Enter(ctx, tenant)
	if err == nil || errors.Is(err, context.Canceled) {
		return slot, err
	}
	f := *fault.From(err)
	f.Message, f.Hint = "as many exports and imports are under way as may be at a time", "Try again when one has ended. Whoever runs usher says how many there may be: server.max_exports."
	return slot, &f
}

// exports tells an export from a question that is answered at once.
func (q *Question) exports() bool { return q.stream != nil && q.stream.portion != nil }

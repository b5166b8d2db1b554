package datasource

import (
	"context"
	"errors"
	"time"

	"usher/datasource/admit"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/quota"
	"usher/sqlgen"
	"usher/trace"
)

// Import writes rows as they come and tells how many are in, after an error too: all or none
// of them in one transaction, or so many in each. It waits for its turn among exports, which
// have a source's slot for as long, and has a slot while a transaction is open. Nothing
// of it is begun anew: the rows have gone by. What is kept of the dataset ends before it
// returns. The time it has is the context's.
func (s *Sources) Import(ctx context.Context, i plan.Import, rows sqlexec.Incoming, batch int64) (in int64, err error) {
	if !i.Valid() {
		return 0, ErrNotPlanned
	}
	if err := quota.From(ctx).Admit(ctx); err != nil {
		return 0, err
	}
	turn, err := s.turn(ctx, i.Identity().Tenant())
	if err != nil {
		return 0, err
	}
	defer turn.Leave()
	ctx = admit.InBulk(ctx)
	rows, counted := arrivingOf(ctx, rows)
	if held.From(ctx) == nil {
		own, share := s.budget.Begin(ctx)
		defer share.End()
		ctx = own
	}
	share := held.From(ctx)
	if err := share.Take(sqlexec.ImportMemory); err != nil {
		return 0, err
	}
	defer share.Give(sqlexec.ImportMemory)
	source, release, err := s.accounts.get(ctx, i.Target())
	if err != nil {
		return 0, err
	}
	defer release()
	db, ok := source.(*database)
	if !ok || db.writer == nil || db.guard == nil {
		return 0, fault.New(fault.NotImplemented, "%s cannot be written where this tenant's rows are", i.Dataset())
	}
	if db.shape != nil {
		if err := db.shape.check(ctx, importedRefs(i)); err != nil {
			return 0, err
		}
	}
	ctx, span := trace.Ask(ctx, "import", sourceOf(i.Target()))
	defer func() {
		span.Rows(int(in))
		failed(span, err)
		span.End()
	}()
	of := []writtenTable{{table: i.Table()}}
	if err := db.guard.allows(ctx, of); err != nil {
		return 0, err
	}
	loading := sqlexec.NewLoading(i, sqlgen.PostgresImport, db.guard, rows, batch)
	for {
		more, err := loading.More()
		if err != nil || !more {
			return in, err
		}
		if err := db.load(ctx, i, loading, counted); err != nil {
			s.Purge(i.Owner(), i.Dataset()) // nobody may know what it has left
			return in, err
		}
		s.Purge(i.Owner(), i.Dataset())
		in += loading.Count()
	}
}

// load writes the rows of one transaction.
func (d *database) load(ctx context.Context, i plan.Import, loading *sqlexec.Loading, counted *arriving) error {
	slot, err := d.gate.Enter(ctx, i.Identity().Tenant())
	if err != nil {
		return err
	}
	defer slot.Leave()
	limit := d.timeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	began := time.Now()
	counted.begins()
	defer counted.ends()
	of := []writtenTable{{table: i.Table()}}
	begins := postgres.Transaction{Snapshot: i.Snapshot()}
	if begins.Snapshot {
		begins.Keep = d.guard.keeps(of)
	}
	err = d.writer.Write(ctx, begins, func(session sqlexec.Session) error {
		loads, ok := session.(sqlexec.Loads)
		if !ok {
			return fault.New(fault.Internal, "a session of the source takes no rows")
		}
		return loading.Write(ctx, loads, limit)
	})
	took := time.Since(began)
	d.meter.statements.Inc()
	d.meter.took(ctx, took)
	d.meter.costs.Add(i.Identity().Tenant(), took)
	if _, refused := d.again(ctx, of, err); refused != nil { // the rows have gone by
		err = refused
	}
	var v *postgres.Violation
	if errors.As(err, &v) {
		var at *sqlexec.Refused
		line := int64(0)
		if errors.As(err, &at) {
			if together := violationOf(at.Together, nil); together == nil || together.Code == v.Code {
				line = at.Line
			} else {
				v = together
			}
		}
		f := d.violated(i, false, v)
		f.Line = line
		return f.Because(err)
	}
	return err
}

// importedRefs are the references of an import that read tables which may be others than
// those that the catalog was made of.
func importedRefs(i plan.Import) []plan.Ref {
	var out []plan.Ref
	for n := range i.Checks() {
		out = append(out, reads(i.Check(n).Level())...)
	}
	for n := range i.Leads() {
		out = append(out, reads(i.Lead(n).Level())...)
	}
	return out
}

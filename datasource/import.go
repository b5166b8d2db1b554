package datasource

import (
	"context"
	"errors"
	"time"

	"usher/admit"
	"usher/datasource/drift"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/quota"
	"usher/sqlgen"
	"usher/trace"
)

// ImportTerms say how the rows of an import are to be written.
type ImportTerms struct {
	Batch  int64   // rows of a transaction; 0: all of them
	From   int64   // rows of the file that are in already, and have been passed over
	Beyond []int64 // numbers of rows behind these that are in as well
	Once   *Once   // of one with a key; nil: it has none
	// In is told now and then how many rows of the file are in, from wherever they are
	// written; nil: nobody asks.
	In func(rows int64)
}

// Imported says which rows of a file are in. Numbers of rows count from 1.
type Imported struct {
	Rows    int64 // all before the first that is not
	Written int64 // by this import
	Beyond  []int64
	Refused []int64 // that were not written, of those that were tried
	Unsure  []int64 // of which nobody knows
}

// Import writes rows as they come and tells which are in, after an error too: all or none
// of them in one transaction, or so many in each. It waits for its turn among exports, which
// have a source's slot for as long, and has a slot while a transaction is open. Nothing
// of it is begun anew: the rows have gone by. What is kept of the dataset ends before it
// returns. The time it has is the context's. With a key, rows that are in are counted and
// not written again.
func (s *Sources) Import(ctx context.Context, i plan.Import, rows sqlexec.Incoming, terms ImportTerms) (out Imported, err error) {
	if !i.Valid() {
		return Imported{}, ErrNotPlanned
	}
	out.Rows = terms.From
	if err := quota.From(ctx).Admit(ctx); err != nil {
		return out, err
	}
	turn, err := s.turn(ctx, i.Identity().Tenant())
	if err != nil {
		return out, err
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
		return out, err
	}
	defer share.Give(sqlexec.ImportMemory)
	source, release, err := s.accounts.get(ctx, i.Target())
	if err != nil {
		return out, err
	}
	defer release()
	ctx, span := trace.Ask(ctx, "import", sourceOf(i.Target()))
	defer func() {
		span.Rows(int(out.Written))
		failed(span, err)
		span.End()
	}()
	p := &cut{plan: i, rows: rows, batch: terms.Batch, number: terms.From, beyond: terms.Beyond, counted: counted}
	if api, ok := source.(*upstream.Source); ok {
		return s.importCalls(ctx, api, p, terms)
	}
	out.Written, err = s.importRows(ctx, source, p, terms)
	out.Rows += out.Written
	return out, err
}

// importRows writes the rows of an import into a database, and tells how many are in.
func (s *Sources) importRows(ctx context.Context, source Source, p *cut, terms ImportTerms) (int64, error) {
	i := p.plan
	db, ok := source.(*database)
	if !ok || db.writer == nil {
		return 0, fault.New(fault.NotImplemented, "%s cannot be written where this tenant's rows are", i.Dataset())
	}
	switch {
	case len(terms.Beyond) > 0:
		return 0, fault.New(fault.BadUserInput, "rows of %s go in in the order of the file: none is beyond one that is not", i.Dataset())
	case terms.Once != nil && terms.From > 0:
		return 0, fault.New(fault.BadUserInput, "an import with an idempotency key goes on by itself behind the rows that are in: send it without from")
	}
	if db.tables != nil {
		if err := db.tables.Check(ctx, importedRefs(i)); err != nil {
			return 0, err
		}
	}
	told := func(rows int64) {
		if terms.In != nil {
			terms.In(terms.From + rows)
		}
	}
	if _, file := db.writer.(fileWriter); file {
		p.patience = db.timeout
		return s.importFile(ctx, db, p, onceImportOf(terms.Once, db.onceIn(), p), told)
	}
	if db.guard == nil {
		return 0, fault.New(fault.NotImplemented, "%s cannot be written where this tenant's rows are", i.Dataset())
	}
	return s.importTable(ctx, db, p, terms.Once, told)
}

// importTable writes the rows into a table of a server.
func (s *Sources) importTable(ctx context.Context, db *database, p *cut, once *Once, told func(int64)) (in int64, err error) {
	i, counted := p.plan, p.counted
	of := []writtenTable{{table: i.Table()}}
	if err := db.guard.allows(ctx, of); err != nil {
		return 0, err
	}
	if _, err := db.guard.look(ctx, of[0], db.db); err != nil { // afterwards it is too late: the rows have gone by
		return 0, err
	}
	loading := sqlexec.NewLoading(i, sqlgen.PostgresImport, db.guard, p.rows, p.batch, counted.worked).Moving(db.guard.triggers(i.Table()))
	key := onceImportOf(once, db.onceIn(), loading)
	for {
		if key == nil { // else when it is known how many are in
			if more, err := loading.More(); err != nil || !more {
				return in, err
			}
		}
		err := db.load(ctx, i, loading, counted, key)
		s.Purge(i.Owner(), i.Dataset()) // after a failure nobody may know what it has left
		switch {
		case errors.Is(err, errKept):
			done, err := key.skip()
			if in = key.in; err != nil || done {
				return in, err
			}
			continue
		case err != nil:
			return in, err
		}
		in += loading.Count()
		told(in)
		if key != nil {
			key.in = in
			if loading.Ended() {
				db.forget(ctx)
				return in, nil
			}
		}
	}
}

// load writes the rows of one transaction.
func (d *database) load(ctx context.Context, i plan.Import, loading *sqlexec.Loading, counted *arriving, key *onceImport) error {
	slot, err := d.gate.Enter(ctx, i.Identity().Tenant())
	if err != nil {
		return err
	}
	defer slot.Leave()
	limit := d.timeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	began, waited := time.Now(), loading.Waited()
	of := []writtenTable{{table: i.Table()}}
	begins := postgres.Transaction{Snapshot: i.Snapshot()}
	if begins.Snapshot {
		begins.Keep = d.guard.keeps(of)
	}
	var kept []byte
	err = d.writer.Write(ctx, begins, func(session sqlexec.Session) (err error) {
		loads, ok := session.(sqlexec.Loads)
		if !ok {
			return fault.New(fault.Internal, "a session of the source takes no rows")
		}
		if err := loads.Patient(ctx, limit); err != nil {
			return err
		}
		if key == nil {
			return loading.Write(ctx, loads)
		}
		if err := key.enter(ctx, loads); err != nil {
			return err
		}
		more, err := loading.More()
		if more && err == nil {
			err = loading.Write(ctx, loads)
		}
		if err == nil {
			kept, err = key.leave(ctx, loads)
		}
		return err
	})
	if err == nil && key != nil {
		key.kept = kept
	}
	took := max(time.Since(began)-(loading.Waited()-waited), 0)
	counted.ends(took)
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
		d.describe(ctx, i, v)
		if v.Code == "42501" { // for lack of a privilege, or by a policy of the table's own
			if lacks := d.unimported(ctx, i); lacks != nil {
				return unwritable(i.Dataset()).Because(errors.Join(err, lacks))
			}
		}
		f := d.violated(i, false, v)
		if d.moved(ctx, i, -1, v) {
			of := *fault.From(i.Check(0).Outside())
			f = &of
		}
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
		out = append(out, drift.Reads(i.Check(n).Level())...)
	}
	for n := range i.Leads() {
		out = append(out, drift.Reads(i.Lead(n).Level())...)
	}
	if next, ok := i.Next(); ok {
		out = append(out, importedRefs(next)...)
	}
	return out
}

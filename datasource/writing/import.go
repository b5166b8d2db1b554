package writing

import (
	"context"
	"errors"
	"time"

	"usher/datasource/drift"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
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
// of them in one transaction, or so many in each. It has a slot while a transaction is open. Nothing
// of it is begun anew: the rows have gone by. The time it has is the context's. With a key, rows that are in are
// counted and not written again. Changed is called after each transaction, whatever has become of it.
func (d *Database) Import(ctx context.Context, i plan.Import, rows sqlexec.Incoming, terms ImportTerms, changed func()) (Imported, error) {
	if !i.Valid() || i.Target() != d.account.Target {
		return Imported{}, ErrNotPlanned
	}
	p := cutOf(ctx, i, rows, terms)
	p.changed = changed
	written, err := d.importRows(ctx, p, terms)
	return Imported{Rows: terms.From + written, Written: written}, err
}

// importRows writes the rows of an import, and tells how many are in.
func (d *Database) importRows(ctx context.Context, p *cut, terms ImportTerms) (int64, error) {
	i := p.plan
	switch {
	case len(terms.Beyond) > 0:
		return 0, fault.New(fault.BadUserInput, "rows of %s go in in the order of the file: none is beyond one that is not", i.Dataset())
	case terms.Once != nil && terms.From > 0:
		return 0, fault.New(fault.BadUserInput, "an import with an idempotency key goes on by itself behind the rows that are in: send it without from")
	}
	if d.tables != nil {
		if err := d.tables.Check(ctx, importedRefs(i)); err != nil {
			return 0, err
		}
	}
	told := func(rows int64) {
		if terms.In != nil {
			terms.In(terms.From + rows)
		}
	}
	if d.file != nil {
		p.patience = d.account.Timeout
		return d.importFile(ctx, p, onceImportOf(terms.Once, d.keys, p), told)
	}
	return d.importTable(ctx, p, terms.Once, told)
}

// importTable writes the rows into a table of a server.
func (d *Database) importTable(ctx context.Context, p *cut, once *Once, told func(int64)) (in int64, err error) {
	i, counted := p.plan, p.counted
	of := []writtenTable{{table: i.Table()}}
	if err := d.guard.allows(ctx, of); err != nil {
		return 0, err
	}
	if _, err := d.guard.look(ctx, of[0], d.reads); err != nil { // afterwards it is too late: the rows have gone by
		return 0, err
	}
	loading := sqlexec.NewLoading(i, sqlgen.PostgresImport, d.guard, p.rows, p.batch, counted.worked).Moving(d.guard.triggers(i.Table())).Beside(beside)
	key := onceImportOf(once, d.keys, loading)
	for {
		if key == nil { // else when it is known how many are in
			if more, err := loading.More(); err != nil || !more {
				return in, err
			}
		}
		err := d.load(ctx, i, loading, counted, key)
		p.changed() // after a failure nobody may know what it has left
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
				d.forget(ctx)
				return in, nil
			}
		}
	}
}

// beside tells whether a source refuses something for others that run beside it: they collided, or hold what is waited for.
func beside(err error) bool {
	v := violationOf(err, nil)
	return v != nil && v.Beside()
}

// load writes the rows of one transaction.
func (d *Database) load(ctx context.Context, i plan.Import, loading *sqlexec.Loading, counted *arriving, key *onceImport) error {
	slot, err := d.account.Gate.Enter(ctx, i.Identity().Tenant())
	if err != nil {
		return err
	}
	defer slot.Leave()
	limit := d.account.Timeout
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
	err = d.write(ctx, begins, func(session sqlexec.Session) (err error) {
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
	d.account.Meter.Took(ctx, i.Identity().Tenant(), took)
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
		f := d.unimportable(i, v)
		if d.moved(ctx, i, -1, v) {
			of := *fault.From(i.Check(0).Outside())
			f = &of
		}
		f.Line = line
		return f.Because(err)
	}
	return err
}

// unimportable is what a source refuses of an import. It does not say of which enum a text is no label.
func (d *Database) unimportable(i plan.Import, v *postgres.Violation) *fault.Error {
	texts := false
	for n := range i.Columns() {
		texts = texts || i.Column(n).Form == value.Label && !enum(i.Column(n))
	}
	if v.Label && !texts {
		return postgres.LostLabel()
	}
	return d.violated(i, false, v)
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

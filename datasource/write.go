package datasource

import (
	"context"
	"errors"
	"time"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/held"
	"usher/plan"
)

// The way of a change is its own: it waits for its turn and has its source's time like a
// question, and nothing of it is shared, kept or sent twice. Only a transaction that the
// server has undone as a whole, because of others that ran beside it, is begun anew.

// ChangeError says which of several changes could not be made; none of them was.
type ChangeError struct {
	Change int // -1: it was the transaction
	err    error
}

// Error implements error.
func (e *ChangeError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong.
func (e *ChangeError) Unwrap() error { return e.err }

// Change makes changes, all or none of them, in one transaction of one source. What is
// kept of the datasets ends before it returns. What the changes answer belongs to the
// share of the request.
func (s *Sources) Change(ctx context.Context, changes []plan.Change) ([]sqlexec.Changed, error) {
	for i, c := range changes {
		switch {
		case !c.Valid():
			return nil, ErrNotPlanned
		case c.Target() != changes[0].Target():
			return nil, &ChangeError{i, fault.New(fault.BadUserInput, "the changes of one mutation are made in one source, and %s is in another than %s", c.Dataset(), changes[0].Dataset()).
				WithHint("send them as mutations of their own")}
		}
	}
	if len(changes) == 0 {
		return nil, ErrNotPlanned
	}
	if held.From(ctx) == nil {
		own, share := s.budget.Begin(ctx)
		defer share.End()
		ctx = own
	}
	source, release, err := s.accounts.get(ctx, changes[0].Target())
	if err != nil {
		return nil, &ChangeError{-1, err}
	}
	defer release()
	if api, ok := source.(*upstream.Source); ok {
		return s.call(ctx, api, changes)
	}
	db, ok := source.(*database)
	if !ok || db.writer == nil {
		return nil, &ChangeError{0, fault.New(fault.NotImplemented, "%s cannot be written where this tenant's rows are", changes[0].Dataset())}
	}
	defer func() { // also after a failure, of which nobody may know what it has left
		for _, c := range changes {
			s.Purge(c.Owner(), c.Dataset())
		}
	}()
	return db.change(ctx, changes)
}

// mostBegun is how often a transaction is begun that collides with others.
const mostBegun = 5

// pause is how long one waits before it begins anew, longer each time.
const pause = 5 * time.Millisecond

func (d *database) change(ctx context.Context, changes []plan.Change) ([]sqlexec.Changed, error) {
	slot, err := d.writing.Enter(ctx, changes[0].Identity().Tenant())
	if err != nil {
		return nil, &ChangeError{-1, err}
	}
	defer slot.Leave()
	ctx, cancel := within(ctx, d.timeout)
	defer cancel()
	if d.shape != nil {
		for i, c := range changes {
			if err := d.shape.check(ctx, changedRefs(c)); err != nil {
				return nil, &ChangeError{i, err}
			}
		}
	}
	for try := 1; ; try++ {
		out, err := d.transaction(ctx, changes)
		if errors.Is(err, duckdb.ErrBroken) { // what was begun is not begun again, and the next shall not find it broken
			err = errors.Join(err, d.renew(ctx))
		}
		if v := violationOf(err, nil); v == nil || !v.Passing() || try == mostBegun {
			return out, refusedChange(changes, err)
		}
		select {
		case <-ctx.Done():
			return nil, refusedChange(changes, err)
		case <-time.After(time.Duration(try) * pause):
		}
	}
}

// transaction makes the changes once.
func (d *database) transaction(ctx context.Context, changes []plan.Change) (out []sqlexec.Changed, err error) {
	snapshot := false
	for _, c := range changes {
		snapshot = snapshot || c.Snapshot()
	}
	began := time.Now()
	err = d.writer.Write(ctx, snapshot, func(session sqlexec.Session) error {
		out = nil
		for i, c := range changes {
			err := d.fitting(ctx, session, changedRefs(c))
			if err != nil {
				return &ChangeError{i, err}
			}
			changed, err := sqlexec.Apply(ctx, session, d.changes, c)
			if err != nil {
				return &ChangeError{i, err}
			}
			out = append(out, changed)
		}
		return nil
	})
	d.meter.statements.Inc()
	d.meter.duration.Observe(time.Since(began).Seconds())
	if err != nil {
		out = nil
	}
	return out, err
}

// changedRefs are the references of a change that read tables which may be others than those
// that the catalog was made of.
func changedRefs(c plan.Change) []plan.Ref {
	var out []plan.Ref
	add := func(l plan.Level) { out = append(out, reads(l)...) }
	add(c.Chosen())
	add(c.Update().Level())
	add(c.Remove())
	for i := range c.Checks() {
		add(c.Check(i).Level())
	}
	for i := range c.References() {
		add(c.Reference(i).Level())
	}
	for i := range c.Answers() {
		add(c.Answer(i).Root())
	}
	return out
}

// refusedChange says what a source's refusal means to whoever asked for the change. It
// names what the dataset has, and repeats no value and no word of the source.
func refusedChange(changes []plan.Change, err error) error {
	if err == nil {
		return nil
	}
	var at *ChangeError
	if !errors.As(err, &at) {
		at = &ChangeError{-1, err}
	}
	if at.Change < 0 {
		if v := violationOf(err, nil); v != nil && v.Passing() {
			return &ChangeError{-1, violated(changes[0], false, v).Because(at.err)}
		}
		return at
	}
	v := violationOf(err, &changes[at.Change])
	if v == nil {
		return at
	}
	c := changes[at.Change]
	return &ChangeError{at.Change, violated(c, c.Update().Sets() == 0 && c.Given() == 0, v).Because(at.err)}
}

// written is what is written to one table.
type written interface {
	Dataset() string
	Key() string
	Table() plan.Ref
	ColumnStored(name string) string
}

func violated(c written, removes bool, v *postgres.Violation) *fault.Error {
	own := v.Table == c.Table().Table() && (v.Schema == c.Table().Schema() || c.Table().Schema() == "")
	names := ""
	if own {
		for _, stored := range v.Columns {
			if name := c.ColumnStored(stored); name != "" {
				if names != "" {
					names += ", "
				}
				names += name
			}
		}
	}
	at := func(f *fault.Error) *fault.Error {
		if own && len(v.Columns) == 1 && names != "" {
			f.At = c.Key() + "." + names
		}
		return f
	}
	switch {
	case v.Code == "23505" && names != "":
		return fault.New(fault.Conflict, "there is a row of %s with the same %s", c.Dataset(), names)
	case v.Code == "23505", v.Code == "23P01":
		return fault.New(fault.Conflict, "the change of %s collides with a row that is there", c.Dataset())
	case v.Code == "23503" && own && removes:
		return fault.New(fault.Conflict, "rows of %s are referred to by others of the same dataset", c.Dataset())
	case v.Code == "23503" && own && names != "":
		return at(fault.New(fault.NotFound, "%s leads to no row", names))
	case v.Code == "23503" && own:
		return fault.New(fault.NotFound, "a row of %s leads to no row", c.Dataset())
	case v.Code == "23503":
		return fault.New(fault.Conflict, "rows of %s are referred to", c.Dataset())
	case v.Code == "23502" && names != "":
		return at(fault.New(fault.BadUserInput, "%s is never null", names))
	case v.Code == "23514", v.Code == "23502":
		return fault.New(fault.BadUserInput, "a row of %s has values that may not be there together", c.Dataset())
	case v.Code == "22001":
		return fault.New(fault.BadUserInput, "a text is too long for its column in %s", c.Dataset())
	case v.Code == "22003":
		return fault.New(fault.BadUserInput, "a number is too large for its column in %s", c.Dataset())
	case v.Class() == "22":
		return fault.New(fault.BadUserInput, "a value does not fit its column in %s", c.Dataset())
	case v.Class() == "40":
		return fault.New(fault.Unavailable, "others change the same rows at this moment").WithHint("try again")
	case v.Code == "55P03":
		return fault.New(fault.Conflict, "others change the same rows at this moment").WithHint("try again")
	}
	return fault.New(fault.Forbidden, "the source does not let %s be written so", c.Dataset())
}

// writer is an account by which a source is written, in transactions.
type writer interface {
	Write(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) error
	Close() error
}

// fileWriter writes to a file of DuckDB by the instance that reads it, whose transactions are
// snapshots anyway.
type fileWriter struct{ source *duckdb.Source }

func (w fileWriter) Write(ctx context.Context, _ bool, fn func(sqlexec.Session) error) error {
	return w.source.Write(ctx, fn)
}

func (fileWriter) Close() error { return nil }

// violationOf is what a source says of rows that it does not write, whichever it is; nil: it
// says nothing of rows.
func violationOf(err error, of *plan.Change) *postgres.Violation {
	var v *postgres.Violation
	if errors.As(err, &v) {
		return v
	}
	var file *duckdb.Violation
	if !errors.As(err, &file) {
		return nil
	}
	v = &postgres.Violation{Code: file.Code, Columns: file.Columns}
	if of != nil && (v.Class() != "23" || file.Columns != nil || file.Refers) {
		v.Schema, v.Table = of.Table().Schema(), of.Table().Table()
	}
	return v
}

// openWriter prepares the connections by which a server is written: those of the same
// account, without the rule that they only read. Nil: nothing is written there.
func openWriter(cat *catalog.Catalog, source string, spec catalog.PostgresSpec, opts postgres.Options) (writer, error) {
	if !writes(cat, source) {
		return nil, nil //nolint:nilnil // nothing is written there
	}
	opts.Writes = true
	return postgres.Open(spec, opts)
}

// writes tells whether rows of any dataset may be written in a source.
func writes(cat *catalog.Catalog, source string) bool {
	for _, d := range cat.Datasets {
		if d.Writes == nil {
			continue
		}
		if d.WritableIn(d.Bindings[source]) {
			return true
		}
		for _, own := range d.Own {
			if own.Source == source && d.WritableIn(&own.Binding) {
				return true
			}
		}
	}
	return false
}

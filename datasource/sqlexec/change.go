package sqlexec

import (
	"context"
	"errors"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Changed is what has become of a change.
type Changed struct {
	Affected int
	Results  []*value.Result // of its answers; nil where there is no row for one
	Err      error           // of its answers, where they could not be read once it was made
	Also     []Count         // what was written of other datasets, and of rows nested in these
}

// Tables is what is known of the tables that are written. What is known was read before they
// were: what they are is read again, when they have been written to.
type Tables interface {
	// Told is an expression that tells what a table is; empty: it cannot become another.
	Told(table plan.Ref) string
	// Same refuses a table of which that told something else than is known.
	Same(table plan.Ref, told int64) error
	// Settled refuses a table of which something may become of rows after they were written, by the
	// database's own code. What a statement returns of the rows that it writes holds only where that was said, and
	// that the table is the same, after it.
	Settled(table plan.Ref) error
}

// PrepareChange writes the statement of a change that is bound later; nil: it is not one statement, or
// one whose text goes by its values, and is written when it is made.
func PrepareChange(c plan.Change, d sqlgen.ChangeDialect) (*sqlgen.Whole, error) {
	if !sqlgen.AtOnce(c, d) {
		return nil, nil //nolint:nilnil // neither is an error
	}
	whole, err := sqlgen.WriteWhole(c, d)
	if errors.Is(err, sqlgen.ErrOpen) {
		return nil, nil //nolint:nilnil // likewise
	}
	if err == nil {
		err = fits(whole.Args.Len(), 0)
	}
	return &whole, err
}

// Apply makes a change in a session whose transaction its caller begins, and commits
// only if there is no error. What must be there is asked for and kept as it is,
// then rows are written, one statement for each table; what was written is read again, and
// then answered.
//
// Prepared is the statement of a change that was prepared; nil: it has none yet.
func Apply(ctx context.Context, s Session, d sqlgen.ChangeDialect, c plan.Change, prepared *sqlgen.Whole, t Tables) (Changed, error) {
	if !c.Valid() || prepared != nil && !c.Prepared() || c.Prepared() != c.Bound() {
		return Changed{}, fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	a := &applying{session: s, d: d, c: c, prepared: prepared, tables: t, charge: charge{share: held.From(ctx)}}
	a.once = (prepared != nil || sqlgen.AtOnce(c, d)) && (t == nil || t.Settled(c.Table()) == nil)
	out, err := a.apply(ctx)
	if err != nil {
		return Changed{}, err
	}
	a.belonging(&out)
	return out, a.charge.settle(present(out.Results)...)
}

func present(results []*value.Result) []*value.Result {
	var out []*value.Result
	for _, r := range results {
		if r != nil {
			out = append(out, r)
		}
	}
	return out
}

// applying is a change being made.
type applying struct {
	session Session
	d       sqlgen.ChangeDialect
	c       plan.Change
	tables  Tables
	charge  charge
	keys    [][]value.Value // of the rows, by cell of the key
	count   int

	by       [][]bool      // which checks are of a grant that lets a row be changed that was there; nil: all
	once     bool          // it is one statement
	prepared *sqlgen.Whole // that statement; nil: it is written now

	seeks bool   // which row is the first that the source refuses
	moves bool   // with seeks: rows may become others when they are written
	most  *first // that are inserted; nil: all are

	made          map[string]bool // keys of rows that were inserted, where others were there already
	inside        *applying       // whose rows these are nested in
	before, after []*applying
	went          []*applying // of rows that referred to those that were deleted
}

func (a *applying) apply(ctx context.Context) (Changed, error) {
	if a.c.Kind().Inserts() {
		if a.once {
			if err := a.references(ctx); err != nil {
				return Changed{}, err
			}
			return a.whole(ctx)
		}
		if err := a.inserts(ctx); err != nil {
			return Changed{}, err
		}
		if upsert, ok := a.c.Upsert(); ok && upsert.Finds() {
			written, err := a.find(ctx, upsert, every(a.count))
			if err != nil {
				return Changed{}, err
			}
			out, err := a.answered(ctx)
			out.Affected = written
			return out, err
		}
		if err := a.checks(ctx); err != nil {
			return Changed{}, err
		}
		return a.answered(ctx)
	}
	if err := a.references(ctx); err != nil {
		return Changed{}, err
	}
	if a.once && a.c.Kind().One() {
		return a.whole(ctx)
	}
	if err := a.choose(ctx); err != nil || a.count == 0 {
		return Changed{Results: make([]*value.Result, a.c.Answers())}, err
	}
	if a.once {
		return a.whole(ctx)
	}
	by, err := a.held(ctx)
	if err != nil {
		return Changed{}, err
	}
	if a.c.Kind().Updates() {
		if err := a.write(ctx); err != nil {
			return Changed{}, err
		}
		if err := a.check(ctx, by); err != nil {
			return Changed{}, err
		}
		return a.answered(ctx)
	}
	out, err := a.answered(ctx) // of what is there no more afterwards
	if err == nil {
		err = a.remove(ctx)
	}
	return out, err
}

// told is the expression that tells what the table is that is written.
func (a *applying) told() string {
	if a.tables == nil {
		return ""
	}
	return a.tables.Told(a.c.Table())
}

// Failed is what is wrong with a change that belongs to another.
type Failed struct {
	Change plan.Change
	err    error
}

// Error implements error.
func (f *Failed) Error() string { return f.err.Error() }

// Unwrap returns what is wrong.
func (f *Failed) Unwrap() error { return f.err }

// failed says of which of the changes an error is.
func (a *applying) failed(err error) error {
	var of *Failed
	if err == nil || errors.As(err, &of) {
		return err
	}
	return &Failed{a.c, err}
}

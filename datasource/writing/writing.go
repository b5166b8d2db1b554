// Package writing owns how a plan.Change and a plan.Import are made in one account, of a database or of an API:
// transactions, which of them are begun anew and which never, keys by which a mutation is made once, what is
// judged of tables before they are written to, and what a source's refusal means to whoever wrote. It accepts what
// package plan has made for its account, and nothing else; it decides on no right, opens no account, and knows
// neither questions nor what is kept of their answers: what it has to read is read by sessions that it is given.
package writing

import (
	"context"
	"errors"
	"slices"
	"time"

	"usher/catalog"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
)

// ErrNotPlanned is returned for what plan.BuildChange or plan.BuildImport did not make, or not for the account
// that is asked to write it.
var ErrNotPlanned = errors.New("writing: what is to be written was not planned")

// Terms are what a mutation wants of its transaction beside its changes.
type Terms struct {
	// Once is set where the mutation has a key.
	Once *Once
	// Keep writes what is kept with the key, before COMMIT. It may be called more than
	// once: for a transaction that was begun anew.
	Keep func([]sqlexec.Changed) ([]byte, error)
	// Before is called when all is done but for COMMIT. An error undoes everything.
	Before func([]sqlexec.Changed) error
	// Prepared are the statements of changes that were prepared, beside them; nil: they were not.
	Prepared []Prepared
}

// Made is what has become of a mutation.
type Made struct {
	Changed []sqlexec.Changed
	Kept    []byte // what was kept, of a mutation that was made before; nothing was changed now
}

// ChangeError says which of several changes could not be made; none of them was.
type ChangeError struct {
	Change int // -1: it was the transaction
	Err    error
}

// Error implements error.
func (e *ChangeError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *ChangeError) Unwrap() error { return e.Err }

// takes refuses changes that were planned for no account, or for another.
func (a Account) takes(changes []plan.Change) error {
	if len(changes) == 0 || slices.ContainsFunc(changes, func(c plan.Change) bool { return !c.Valid() || c.Target() != a.Target }) {
		return ErrNotPlanned
	}
	return nil
}

// Together refuses changes that cannot be made together: those of one mutation are made in one account.
func Together(changes []plan.Change) error {
	if len(changes) == 0 {
		return ErrNotPlanned
	}
	for i, c := range changes {
		switch {
		case !c.Valid():
			return ErrNotPlanned
		case c.Target() != changes[0].Target():
			return &ChangeError{i, fault.New(fault.BadUserInput, "the changes of one mutation are made in one source, and %s is in another than %s", c.Dataset(), changes[0].Dataset()).
				WithHint("send them as mutations of their own")}
		}
	}
	return nil
}

// Meter counts what a source was sent, and for how long it was at work with it for a tenant.
type Meter interface {
	Took(ctx context.Context, tenant string, took time.Duration)
}

// Prepared is the statement of a change that is bound for each request.
type Prepared struct {
	whole  *sqlgen.Whole
	sealed *sqlgen.Sealed // that it may be as well; nil: it may not
}

// Size is about how many bytes it takes in memory.
func (p Prepared) Size() int {
	n := 0
	if p.whole != nil {
		n += p.whole.Size()
	}
	if p.sealed != nil {
		n += p.sealed.Size()
	}
	return n
}

// Prepare writes the statement of a change that plan.PrepareChange made, if it is one. All
// others are written when they are made.
func Prepare(c plan.Change) (Prepared, error) {
	if c.Target().Kind != catalog.Postgres {
		return Prepared{}, nil
	}
	whole, err := sqlexec.PrepareChange(c, sqlgen.PostgresChange)
	if err != nil || whole == nil {
		return Prepared{}, err
	}
	sealed, err := sqlexec.PrepareSealed(c, sqlgen.PostgresChange)
	return Prepared{whole, sealed}, err
}

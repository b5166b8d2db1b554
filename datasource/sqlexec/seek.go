package sqlexec

import (
	"context"
	"errors"

	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
)

// A source that refuses a row seldom says which. It is found by inserting the rows once more in
// parts, in a transaction that is never committed.

const (
	mark    = "SAVEPOINT usher_seek"
	back    = "ROLLBACK TO SAVEPOINT usher_seek"
	release = "RELEASE SAVEPOINT usher_seek"
)

// At says which row of a change is the first that its source refuses.
type At struct {
	Change plan.Change // the change, or one that is nested in it
	Row    int
	err    error
}

// Error implements error.
func (a *At) Error() string { return a.err.Error() }

// Unwrap returns what the source says of it.
func (a *At) Unwrap() error { return a.err }

// errFine ends a transaction in which all rows could be inserted.
var errFine = errors.New("no row is refused")

// Seek inserts the rows of a change that is refused, and returns an error in any case: an At, if
// it is known which row that is. Its caller must not commit.
func Seek(ctx context.Context, s Session, d sqlgen.ChangeDialect, c plan.Change, t Tables) error {
	if !c.Valid() {
		return fault.New(fault.Internal, "internal error").Because(sqlgen.ErrNotPlanned)
	}
	a := &applying{session: s, d: d, c: c, tables: t, seeks: true}
	if err := a.inserts(ctx); err != nil {
		return err
	}
	return errFine
}

// seek runs an insert, and where it is refused those of its halves.
func (a *applying) seek(ctx context.Context, into plan.Insert, upsert plan.Upsert, upserts bool) error {
	if err := run(ctx, a.session, mark); err != nil {
		return err
	}
	refused := a.put(ctx, into, upsert, upserts)
	switch {
	case refused == nil:
		return run(ctx, a.session, release)
	case into.Rows() == 1:
		return &At{a.c, into.Row(0), refused}
	}
	if err := run(ctx, a.session, back); err != nil {
		return errors.Join(refused, err)
	}
	half := into.Rows() / 2
	if err := a.seek(ctx, into.Part(0, half), upsert, upserts); err != nil {
		return err
	}
	return a.seek(ctx, into.Part(half, into.Rows()), upsert, upserts)
}

// run runs a statement that returns nothing.
func run(ctx context.Context, s Session, text string) error {
	rows, err := s.Query(ctx, text, nil)
	if err != nil {
		return err
	}
	return ended(rows)
}

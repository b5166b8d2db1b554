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

// At says which row of a change is the first that its source refuses, or, where that is asked, that is not
// right when it is written.
type At struct {
	Change plan.Change // the change, or one that is nested in it
	Row    int         // of those that are inserted; -1: it is one that is changed
	// Plainly is what the source says where the row is inserted and changes none; nil: it was inserted so anyway.
	Plainly error
	err     error
}

// Error implements error.
func (a *At) Error() string { return a.err.Error() }

// Unwrap returns what is said of the row.
func (a *At) Unwrap() error { return a.err }

// errFine ends a transaction in which all rows could be written.
var errFine = errors.New("no row is refused")

// Seek writes the rows of a change that is refused, and returns an error in any case: an At, if
// it is known which row that is. Its caller must not commit. Moves says that the source's own code
// may make rows another tenant's: then each is checked as soon as it is written, so that the first one that is wrong is
// the same whether it collides with a row of that one's or not.
func Seek(ctx context.Context, s Session, d sqlgen.ChangeDialect, c plan.Change, t Tables, moves bool) error {
	if !c.Valid() {
		return fault.New(fault.Internal, "internal error").Because(sqlgen.ErrNotPlanned)
	}
	a := &applying{session: s, d: d, c: c, tables: t, seeks: true, moves: moves}
	write := a.inserts
	if !c.Kind().Inserts() {
		write = a.updates
	}
	if err := write(ctx); err != nil {
		return err
	}
	return errFine
}

// updates changes rows in parts.
func (a *applying) updates(ctx context.Context) error {
	if err := a.references(ctx); err != nil {
		return err
	}
	if err := a.choose(ctx); err != nil || a.count == 0 {
		return err
	}
	by, err := a.held(ctx)
	if err != nil {
		return err
	}
	a.by = by
	return a.parts(ctx, every(a.count), func(rows []int) error {
		of := a.part(rows)
		if err := of.write(ctx); err != nil {
			return err
		}
		return of.check(ctx, of.by)
	}, func([]int, error) error { return nil })
}

// parts writes rows, and where that fails those of each half, down to the first that is refused: of
// that plainly tells more.
func (a *applying) parts(ctx context.Context, rows []int, write func(rows []int) error, plainly func(rows []int, refused error) error) error {
	if err := run(ctx, a.session, mark); err != nil {
		return err
	}
	refused := write(rows)
	if refused == nil {
		return run(ctx, a.session, release)
	}
	if err := run(ctx, a.session, back); err != nil {
		return errors.Join(refused, err)
	}
	if len(rows) == 1 {
		at := &At{Change: a.c, Row: -1, Plainly: plainly(rows, refused), err: refused}
		if a.c.Kind().Inserts() {
			at.Row = rows[0]
		}
		return at
	}
	half := len(rows) / 2
	if err := a.parts(ctx, rows[:half], write, plainly); err != nil {
		return err
	}
	return a.parts(ctx, rows[half:], write, plainly)
}

// seek runs an insert in parts.
func (a *applying) seek(ctx context.Context, into plan.Insert, upsert plan.Upsert, upserts bool) error {
	rows, first := make([]int, into.Rows()), make(map[int]int, into.Rows())
	for n := range rows {
		rows[n] = into.Row(n)
		first[rows[n]] = n
	}
	of := func(rows []int) plan.Insert { return into.Part(first[rows[0]], first[rows[0]]+len(rows)) }
	return a.parts(ctx, rows, func(rows []int) error {
		a.made = nil
		if err := a.put(ctx, of(rows), upsert, upserts); err != nil || !a.moves {
			return err
		}
		if upsert.Finds() {
			_, err := a.find(ctx, upsert, rows)
			return err
		}
		part := a.part(rows)
		return part.check(ctx, part.by)
	}, func(rows []int, refused error) error {
		if !upserts || !errors.Is(refused, ErrHidden) {
			return nil
		}
		return a.put(ctx, of(rows), plan.Upsert{}, false)
	})
}

// run runs a statement that returns nothing.
func run(ctx context.Context, s Session, text string) error {
	rows, err := s.Query(ctx, text, nil)
	if err != nil {
		return err
	}
	return ended(rows)
}

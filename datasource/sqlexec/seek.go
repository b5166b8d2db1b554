package sqlexec

import (
	"context"
	"errors"

	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
)

// A source that refuses a row seldom says which. It is found by inserting the rows once more in
// parts, in a transaction that is never committed, or in several where one does not go on after a failure.

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
		return fault.Broken("%w", sqlgen.ErrNotPlanned)
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

// SeekAnew is Seek of rows that are inserted, for a source whose transactions do not go on after a failure: the first
// of the rows are inserted, and more or fewer of them, each time in a transaction of their own. Try
// runs what it is given in one, after all that goes before the change, and does not commit it; tells are
// errors that are about rows. Nil: it is not found.
func SeekAnew(ctx context.Context, d sqlgen.ChangeDialect, c plan.Change, try func(func(Session) error) error, tells func(error) bool) *At {
	if !c.Valid() || !c.Kind().Inserts() {
		return nil
	}
	_, found, err := FirstRefused(1, int64(rowsOf(c)), func(_, to int64) (refused, err error) {
		most := &first{left: int(to)}
		err = try(func(s Session) error {
			a := &applying{session: s, d: d, c: c, most: most}
			if err := a.inserts(ctx); err != nil {
				return err
			}
			return errFine
		})
		switch {
		case errors.Is(err, errFine):
			return nil, nil
		case ctx.Err() == nil && most.of.Valid() && tells(err):
			return &At{Change: most.of, Row: most.row, err: err}, nil
		}
		return nil, err
	})
	var at *At
	if err == nil {
		errors.As(found, &at)
	}
	return at
}

// rowsOf is how many rows a change inserts, with those that are nested in them.
func rowsOf(c plan.Change) int {
	n := c.Given()
	for i := range c.Before() {
		n += rowsOf(c.BeforeAt(i))
	}
	for i := range c.After() {
		n += rowsOf(c.AfterAt(i))
	}
	return n
}

// first are the first rows of a change and of those that are nested in it, in the order in which they are
// inserted: no others are.
type first struct {
	left int
	of   plan.Change // of which the last of them is
	row  int
}

// take are the rows of an insert that are among them.
func (f *first) take(of plan.Change, into plan.Insert) plan.Insert {
	into = into.Part(0, min(f.left, into.Rows()))
	f.left -= into.Rows()
	f.of, f.row = of, into.Row(into.Rows()-1)
	return into
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

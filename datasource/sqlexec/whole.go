package sqlexec

import (
	"context"

	"usher/fault"
	"usher/plan"
	"usher/query"
	"usher/sqlgen"
	"usher/value"
)

// whole makes a change by one statement: rows are chosen and written, what the source returns of
// them is compared with the check, and it is the answer.
func (a *applying) whole(ctx context.Context) (Changed, error) {
	statement, err := sqlgen.Whole(a.c, "", a.d)
	if err != nil {
		return Changed{}, err
	}
	if err := fits(statement.Args.Len(), 0); err != nil {
		return Changed{}, err
	}
	how := asEver
	if a.c.Kind().Inserts() || a.c.Kind().One() {
		how = forAll
	}
	rows, err := ask(ctx, a.session, how, statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return Changed{}, err
	}
	written := &writtenRows{Rows: rows}
	results := make([]*value.Result, a.c.Answers())
	if len(results) == 0 {
		written.Next()
		err = ended(written)
	} else {
		l := a.c.Answer(0).Root()
		results[0] = &value.Result{}
		results[0].Rows, err = read(written, max(l.Columns(), 1), min(a.c.Given(), 1024), &a.charge)
	}
	switch {
	case err != nil:
		return Changed{}, err
	case !written.begun:
		return Changed{}, fault.New(fault.Internal, "the source says nothing of what it has written to %s", a.c.Dataset())
	case written.chosen > plan.MaxChanged:
		return Changed{}, a.tooMany()
	case a.c.Kind().One() && (written.chosen > 1 || len(results) > 0 && a.c.Answer(0).Shape() == query.ByKey && results[0].Rows.Len() > 1):
		return Changed{}, fault.New(fault.Internal, "the key of %s names several rows", a.c.Dataset())
	case written.done != written.chosen: // a trigger, or a rule of the table's own
		return Changed{}, a.refused()
	case written.right != written.done:
		return Changed{}, a.c.Check(0).Outside()
	case written.done == 0:
		clear(results)
	}
	return Changed{Affected: int(written.done), Results: results}, nil
}

// writtenRows are the rows of an answer behind what is said of all that was written.
type writtenRows struct {
	value.Rows
	begun               bool
	chosen, done, right int64
}

// Next implements value.Rows. Where no row is answered there is one all the same.
func (w *writtenRows) Next() bool {
	for w.Rows.Next() {
		if !w.begun {
			w.begun, w.chosen, w.done, w.right = true, w.Rows.Cell(0).Int, w.Rows.Cell(1).Int, w.Rows.Cell(2).Int
		}
		if !w.Rows.Cell(sqlgen.WholeCells - 1).Null() {
			return true
		}
	}
	return false
}

// Cell implements value.Rows.
func (w *writtenRows) Cell(i int) value.Cell { return w.Rows.Cell(sqlgen.WholeCells + i) }

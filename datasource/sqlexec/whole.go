package sqlexec

import (
	"cmp"
	"context"

	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// whole makes a change by one statement: rows are written, what the source returns of
// them is compared with the check, and it is the answer.
func (a *applying) whole(ctx context.Context) (Changed, error) {
	told := a.told()
	statement := a.prepared
	if statement == nil {
		written, err := sqlgen.WriteWhole(a.c, a.d)
		if err != nil {
			return Changed{}, err
		}
		statement = &written
	}
	if err := fits(statement.Args.Len(), 0); err != nil {
		return Changed{}, err
	}
	how, args := forAll, []string(nil)
	if statement.Parents > 0 {
		how = linkedAs(a.count)
		for _, list := range a.keys {
			args = append(args, a.d.KeyList(value.Values(list)))
		}
	}
	rows, err := writing(ctx, a.session, how, statement.Text(told), append(args, statement.Bind(a.c)...))
	if err != nil {
		return Changed{}, err
	}
	written := &writtenRows{Rows: rows, answers: a.c.Answers() > 0}
	results := make([]*value.Result, a.c.Answers())
	if written.answers {
		l := a.c.Answer(0).Root()
		results[0] = &value.Result{}
		results[0].Rows, err = read(written, max(l.Columns(), 1), min(max(a.c.Given(), 1), 1024), &a.charge)
	} else {
		if rows.Next() {
			written.chosen, written.done, written.right, written.told = rows.Cell(0).Int, rows.Cell(1).Int, rows.Cell(2).Int, rows.Cell(3).Int
		}
		err = ended(rows)
	}
	if a.c.Kind().Inserts() {
		written.chosen = int64(a.c.Given())
	}
	switch {
	case err != nil:
		return Changed{}, err
	case told != "" && written.done > 0 && unsettled(a.tables, a.c.Table(), written.told) != nil:
		return Changed{}, unsettled(a.tables, a.c.Table(), written.told)
	case written.chosen > plan.MaxChanged:
		return Changed{}, a.tooMany()
	case a.c.Kind().One() && written.chosen > 1:
		return Changed{}, SeveralRows(a.c.Dataset())
	case written.done != written.chosen: // a rule of the table's own
		return Changed{}, a.refused()
	case written.right != written.done:
		return Changed{}, a.c.Check(0).Outside()
	case written.done == 0:
		clear(results)
	}
	return Changed{Affected: int(written.done), Results: results}, nil
}

// unsettled is why what a statement has returned of the rows that it wrote may not hold any more. What was
// judged may have become another judgement since the statement was chosen.
func unsettled(t Tables, table plan.Ref, told int64) error {
	return cmp.Or(t.Same(table, told), t.Settled(table))
}

// writtenRows are the rows of an answer behind what is said of those that were written, of
// which some are not shown.
type writtenRows struct {
	value.Rows
	answers             bool
	chosen, done, right int64
	told                int64 // of the table
}

// Next implements value.Rows.
func (w *writtenRows) Next() bool {
	for w.Rows.Next() {
		w.chosen++
		if w.Rows.Cell(0).Bool {
			w.done++
		}
		w.told = w.Rows.Cell(3).Int
		if w.Rows.Cell(1).Bool {
			w.right++
		}
		if w.Rows.Cell(2).Bool {
			return true
		}
	}
	return false
}

// Cell implements value.Rows.
func (w *writtenRows) Cell(i int) value.Cell { return w.Rows.Cell(sqlgen.WholeCells + i) }

package sqlexec

import (
	"context"

	"usher/sqlgen"
	"usher/value"
)

// checks reads all that was inserted again, when all of it is there.
func (a *applying) checks(ctx context.Context) error {
	if err := a.check(ctx, a.by); err != nil {
		return err
	}
	for _, list := range [][]*applying{a.before, a.after} {
		for _, of := range list {
			if err := of.checks(ctx); err != nil {
				return of.failed(err)
			}
		}
	}
	return nil
}

// check reads what was written. A row has to be right in one of the ways, and of several
// grants in that of one that let it be changed. What the table is is read with the rows, after it
// was written to: so nobody has made it another, nor can before the transaction ends.
func (a *applying) check(ctx context.Context, by [][]bool) error {
	right := make([]bool, a.count)
	var first error
	for i := range a.c.Checks() {
		check, told := a.c.Check(i), ""
		if i == 0 {
			told = a.told()
		}
		statement, err := sqlgen.Checked(check.Level(), told, a.d)
		if err != nil {
			return err
		}
		refers := make([]error, a.count)
		there, err := a.named(ctx, statement, a.keys, a.count, func(n int, row value.Rows) error {
			if told != "" {
				if err := a.tables.Same(a.c.Table(), row.Cell(1+max(check.Level().Columns(), 1)).Int); err != nil {
					return err
				}
			}
			for cell := range check.Level().Columns() {
				if !row.Cell(cell + 1).Bool {
					refers[n] = check.Refusal(cell)
					break
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for n := range right {
			switch {
			case !there[n] || len(by) > 0 && !by[i][n]:
			case refers[n] != nil:
				return refers[n]
			default:
				right[n] = true
			}
		}
		if first == nil {
			first = check.Outside()
		}
	}
	for _, ok := range right {
		if !ok {
			return first
		}
	}
	return nil
}

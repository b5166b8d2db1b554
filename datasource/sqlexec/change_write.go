package sqlexec

import (
	"context"

	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// write changes or removes the chosen rows.
func (a *applying) write(ctx context.Context) error {
	var statement sqlgen.Statement
	var err error
	told := ""
	if a.c.Update().Sets() > 0 {
		statement, err = sqlgen.Update(a.c.Update(), a.d) // what the table is is told by the check
	} else {
		told = a.told()
		statement, err = sqlgen.Delete(a.c.Remove(), told, a.d)
	}
	if err != nil {
		return err
	}
	if !a.d.Returns() {
		return a.counted(ctx, statement)
	}
	return a.each(ctx, statement, true, func(_ int, row value.Rows) error {
		if told == "" {
			return nil
		}
		return a.tables.Same(a.c.Table(), row.Cell(1).Int)
	})
}

// linked are the cells of the keys by which rows of a level refer to these.
func (a *applying) linked(l plan.Level) []string {
	out := make([]string, 0, l.Links())
	for link := range l.Links() {
		out = append(out, a.d.KeyList(value.Values(a.keys[l.Link(link).Cell()])))
	}
	return out
}

// remove deletes the chosen rows, after what is to be done with those that refer to them.
func (a *applying) remove(ctx context.Context) error {
	if err := a.kept(ctx, a.c.Keepers(), a.c.Keeper); err != nil {
		return err
	}
	for i := range a.c.Dependents() {
		of := &applying{session: a.session, d: a.d, c: a.c.Dependent(i), tables: a.tables}
		if err := of.depend(ctx, a); err != nil {
			return of.failed(err)
		}
		a.went = append(a.went, of)
	}
	if err := a.kept(ctx, a.c.Leftovers(), a.c.Leftover); err != nil {
		return err
	}
	return a.write(ctx)
}

// depend makes a change of rows that refer to others.
func (a *applying) depend(ctx context.Context, of *applying) error {
	if err := a.chooseOf(ctx, of); err != nil || a.count == 0 {
		return err
	}
	if !a.c.Kind().Updates() {
		return a.remove(ctx)
	}
	by, err := a.held(ctx)
	if err == nil {
		err = a.write(ctx)
	}
	if err == nil {
		err = a.check(ctx, by)
	}
	return err
}

// kept refuses to delete rows that others refer to.
func (a *applying) kept(ctx context.Context, keepers int, keeper func(int) plan.Keeper) error {
	for i := range keepers {
		k := keeper(i)
		statement, err := sqlgen.Named(k.Level(), sqlgen.NoLock, a.d)
		if err != nil {
			return err
		}
		rows, err := ask(ctx, a.session, linkedAs(a.count), statement.Text, append(a.linked(k.Level()), statement.Args.Bind(nil)...))
		if err != nil {
			return err
		}
		found := rows.Next()
		if err := ended(rows); err != nil {
			return err
		}
		if found {
			return k.Refusal()
		}
	}
	return nil
}

package sqlexec

import (
	"context"

	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// choose finds the rows to be changed, and keeps them as they are.
func (a *applying) choose(ctx context.Context) error { return a.chooseOf(ctx, nil) }

// chooseOf finds the rows to be changed, or those of them that refer to rows of another
// change.
func (a *applying) chooseOf(ctx context.Context, of *applying) error {
	l := a.c.Chosen()
	first, args := 0, []string(nil)
	statement, err := sqlgen.Chosen(l, a.d)
	if of != nil {
		lock := sqlgen.NoLock
		if sqlgen.Lockable(l) {
			lock = sqlgen.ToChange
		}
		first, args = 1, of.linked(l)
		statement, err = sqlgen.Named(l, lock, a.d)
	}
	if err != nil {
		return err
	}
	if err := fits(statement.Args.Len(), 0); err != nil {
		return err
	}
	how := asEver
	if of != nil {
		how = linkedAs(of.count)
	}
	rows, err := ask(ctx, a.session, how, statement.Text, append(args, statement.Args.Bind(nil)...))
	if err != nil {
		return err
	}
	a.keys = make([][]value.Value, a.c.Keys())
	stale := false
	up := climb{level: l, from: first}
	below := up.below(a.c.Above(), a.c.AboveAt)
	for rows.Next() {
		for k := range a.keys {
			a.keys[k] = append(a.keys[k], value.Bound(l.Column(k).Type(), rows.Cell(first+k)))
		}
		if below != nil {
			_ = below(a.count, rows)
		}
		a.count++
		stale = stale || a.c.Versioned() && !rows.Cell(first+a.c.Keys()).Bool
	}
	if err := ended(rows); err != nil {
		return err
	}
	switch {
	case a.count > plan.MaxChanged:
		return a.tooMany()
	case a.c.Kind().One() && a.count > 1:
		return SeveralRows(a.c.Dataset())
	case stale:
		return fault.New(fault.Conflict, "the row of %s has changed meanwhile", a.c.Dataset()).WithHint("read it again, and change what is there now")
	case a.count == 0:
		return nil
	}
	if err := a.above(ctx, up, a.c.Above(), a.c.AboveAt); err != nil || sqlgen.Lockable(l) {
		return err
	}
	lock, err := sqlgen.Named(a.c.Locked(), sqlgen.ToChange, a.d)
	if err != nil {
		return err
	}
	return a.all(ctx, lock)
}

// tooMany is the error where more rows would be changed than may be.
func (a *applying) tooMany() error {
	return fault.New(fault.TooComplex, "more than %d rows of %s would be changed at once", plan.MaxChanged, a.c.Dataset()).
		WithHint("change fewer rows at a time: write a limit, or a narrower condition")
}

// held finds for each grant which rows it lets be changed; nil where one lets all.
func (a *applying) held(ctx context.Context) ([][]bool, error) {
	by := make([][]bool, a.c.Helds())
	for i := range by {
		statement, err := sqlgen.Named(a.c.Held(i), sqlgen.NoLock, a.d)
		if err != nil {
			return nil, err
		}
		if by[i], err = a.named(ctx, statement, a.keys, a.count, nil); err != nil {
			return nil, err
		}
	}
	return by, nil
}

package sqlexec

import (
	"context"

	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// references asks for the rows that will be led to, and keeps them as they are.
func (a *applying) references(ctx context.Context) error {
	for i := range a.c.References() {
		r := a.c.Reference(i)
		keys := make([][]value.Value, r.Level().Links())
		for link := range keys {
			for n := range r.Tuples() {
				keys[link] = append(keys[link], r.Value(link, n))
			}
		}
		ask := func(l plan.Level, lock sqlgen.Lock, below func(int, value.Rows) error) error {
			statement, err := sqlgen.Named(l, lock, a.d)
			if err != nil {
				return err
			}
			there, err := a.named(ctx, statement, keys, r.Tuples(), below)
			if err != nil {
				return err
			}
			for n, ok := range there {
				if !ok {
					return r.Refusal(n)
				}
			}
			return nil
		}
		lock := sqlgen.NoLock
		if only, apart := r.Lock(); apart {
			if err := ask(only, sqlgen.ToRefer, nil); err != nil {
				return err
			}
		} else if r.Locks() {
			lock = sqlgen.ToRefer
		}
		up := climb{level: r.Level(), from: 1}
		if err := ask(r.Level(), lock, up.below(r.Above(), r.AboveAt)); err != nil {
			return err
		}
		if err := a.above(ctx, up, r.Above(), r.AboveAt); err != nil {
			return err
		}
	}
	return nil
}

package sqlexec

import (
	"context"

	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// heldBefore finds for each check whose grant lets it be changed which rows that are there already.
// Those that no grant holds are not there: others are a conflict.
func (a *applying) heldBefore(ctx context.Context, u plan.Upsert) ([][]bool, error) {
	keys := make([][]value.Value, u.Keys())
	for k := range keys {
		keys[k] = make([]value.Value, a.count)
	}
	for i := range a.c.Inserts() {
		into := a.c.Insert(i)
		for k := range keys {
			for column := range into.Columns() {
				if into.Column(column).Name != u.Key(k).Name {
					continue
				}
				for n := range into.Rows() {
					keys[k][into.Row(n)] = into.Value(column, n).Value()
				}
			}
		}
	}
	held := make([][]bool, u.Helds())
	for i := range held {
		statement, err := sqlgen.Named(u.Held(i), sqlgen.NoLock, a.d)
		if err != nil {
			return nil, err
		}
		if held[i], err = a.named(ctx, statement, keys, a.count, nil); err != nil {
			return nil, err
		}
	}
	for n := range a.count {
		there := false
		for i := range held {
			there = there || held[i][n]
		}
		for i := range held {
			held[i][n] = held[i][n] || !there
		}
	}
	by := make([][]bool, a.c.Checks())
	for i := range by {
		by[i] = held[i%len(held)]
	}
	return by, nil
}

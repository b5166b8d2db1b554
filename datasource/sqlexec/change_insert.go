package sqlexec

import (
	"context"

	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// inserts makes rows, those that they lead to before them and those that lead to them after
// them.
func (a *applying) inserts(ctx context.Context) error {
	nested := func(c plan.Change) (*applying, error) {
		of := &applying{session: a.session, d: a.d, c: c, tables: a.tables, seeks: a.seeks, moves: a.moves, most: a.most, inside: a}
		return of, of.failed(of.inserts(ctx))
	}
	for i := range a.c.Before() {
		of, err := nested(a.c.BeforeAt(i))
		if err != nil {
			return err
		}
		a.before = append(a.before, of)
	}
	if err := a.references(ctx); err != nil {
		return err
	}
	if err := a.insert(ctx); err != nil {
		return err
	}
	for i := range a.c.After() {
		of, err := nested(a.c.AfterAt(i))
		if err != nil {
			return err
		}
		a.after = append(a.after, of)
	}
	return nil
}

// insert makes rows and takes their keys.
func (a *applying) insert(ctx context.Context) error {
	a.count = a.c.Given()
	a.keys = make([][]value.Value, a.c.Keys())
	for k := range a.keys {
		a.keys[k] = make([]value.Value, a.count)
	}
	upsert, upserts := a.c.Upsert()
	if upserts && upsert.Helds() > 0 {
		by, err := a.heldBefore(ctx, upsert)
		if err != nil {
			return err
		}
		a.by = by
	}
	for i := range a.c.Inserts() {
		into := a.c.Insert(i)
		into = into.Filled(
			func(row, cell int) value.Value { return a.inside.keys[cell][row] },
			func(of, row, cell int) value.Value { return a.before[of].keys[cell][row] },
		)
		if a.most != nil {
			into = a.most.take(a.c, into)
		}
		put := a.put
		switch {
		case upserts && !a.d.Returns():
			put = a.merge
		case a.seeks:
			put = a.seek
		}
		if err := put(ctx, into, upsert, upserts); err != nil {
			return err
		}
		if a.most != nil && a.most.left == 0 {
			return errFine
		}
	}
	return nil
}

// put runs the statement of one insert.
func (a *applying) put(ctx context.Context, into plan.Insert, upsert plan.Upsert, upserts bool) error {
	statement, err := sqlgen.Insert(into, upsert, a.d)
	if err != nil {
		return err
	}
	if err := fits(statement.Args.Len(), 0); err != nil {
		return err
	}
	rows, err := writing(ctx, a.session, forAll, statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return err
	}
	if upserts && upsert.Finds() {
		return a.fresh(rows, into)
	}
	n := 0
	for ; n < into.Rows() && rows.Next(); n++ {
		for k := range a.keys {
			a.keys[k][into.Row(n)] = value.Bound(into.Key(k).Type, rows.Cell(k))
		}
	}
	more := rows.Next()
	if err := ended(rows); err != nil {
		return err
	}
	if upserts && n < into.Rows() { // one that is there and not shown, or not to be changed
		return a.unchanged()
	}
	if more || n < into.Rows() { // a trigger, or a rule of the table's own
		return a.refused()
	}
	return nil
}

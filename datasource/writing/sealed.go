package writing

import (
	"context"
	"errors"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/plan"
	"usher/value"
)

// A mutation that writes one row is one statement which fails by itself where what it wrote is not right, so that
// it may be committed before anybody has looked. It needs a table where nothing but that becomes of the row. Where
// it fails so, the change is made statement by statement, which says what is wrong.

// sealed makes a change by a sealed statement. False: it is to be made statement by statement, and nothing is done.
func (d *Database) sealed(ctx context.Context, changes []plan.Change, terms Terms) (made Made, done bool, err error) {
	if d.server == nil || len(changes) != 1 || terms.Prepared == nil || terms.Prepared[0].sealed == nil || terms.Once != nil || terms.Before != nil || !d.server.Seals() {
		return Made{}, false, nil
	}
	c := changes[0]
	if !d.guard.single(c.Table()) {
		return Made{}, false, nil
	}
	statement, err := sqlexec.Seal(c, terms.Prepared[0].sealed)
	if err != nil {
		return Made{}, true, &ChangeError{0, err}
	}
	var changed sqlexec.Changed
	var unread error
	err = d.server.WriteSealed(ctx, postgres.Sealed{
		Text: statement.Text(), Args: statement.Args(),
		Prove: func(ctx context.Context, s sqlexec.Session) error { return d.guard.prove(ctx, s, c.Table()) },
		Read: func(rows value.Rows) (at int64, err error) {
			changed, at, unread = statement.Read(ctx, rows)
			return at, unread
		},
	})
	switch {
	case errors.Is(err, postgres.ErrSealBroken):
		return Made{}, false, nil
	case errors.Is(err, postgres.ErrUnknown):
		return Made{}, true, err
	case err != nil:
		return Made{}, true, &ChangeError{0, err}
	}
	changed.Err = unread
	return Made{Changed: []sqlexec.Changed{changed}}, true, nil
}

// single tells a table where nothing becomes of rows but what is written to it.
func (g *guard) single(r plan.Ref) bool {
	j, ok := g.recall(r)
	return ok && j.Single
}

// prove refuses a table that is not what was judged, or not single as it was judged last.
func (g *guard) prove(ctx context.Context, s sqlexec.Session, r plan.Ref) error {
	told := int64(0)
	if _, err := sqlexec.FirstRow(ctx, s, "SELECT "+g.Told(r), nil, func(row value.Rows) { told = row.Cell(0).Int }); err != nil {
		return err
	}
	if err := g.Same(r, told); err != nil {
		return err
	}
	if !g.single(r) { // any more
		return &alteredError{r}
	}
	return nil
}

package writing

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"usher/datasource/deadline"
	"usher/datasource/drift"
	"usher/datasource/duckdb"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
)

// The way of a change is its own: it waits for its turn and has its source's time like a
// question, and nothing of it is shared, kept or sent twice. Only a transaction that the
// server has undone as a whole, because of others that ran beside it, is begun anew.

// prepared is the statement of a change that was prepared, or nil.
func (t Terms) prepared(i int) *sqlgen.Whole {
	if t.Prepared == nil {
		return nil
	}
	return t.Prepared[i].whole
}

// mostBegun is how often a transaction is begun that collides with others, as long as its
// deadline lets it.
const mostBegun = 100

// pause is how long one waits before it begins anew, longer each time, up to mostPause.
const (
	pause     = 5 * time.Millisecond
	mostPause = 100 * time.Millisecond
)

// Change makes changes, all or none of them, in one transaction. What they answer belongs to the share of the
// request.
func (d *Database) Change(ctx context.Context, changes []plan.Change, terms Terms) (Made, error) {
	if err := d.account.takes(changes); err != nil {
		return Made{}, err
	}
	made, err := d.change(ctx, changes, terms)
	switch {
	case terms.Once == nil:
	case err == nil:
		d.forget(ctx)
	default:
		err = sentAgain(err)
	}
	return made, err
}

func (d *Database) change(ctx context.Context, changes []plan.Change, terms Terms) (Made, error) {
	slot, err := d.account.Gate.Enter(ctx, changes[0].Identity().Tenant())
	if err != nil {
		return Made{}, &ChangeError{-1, err}
	}
	defer slot.Leave()
	ctx, cancel := deadline.Within(ctx, d.account.Timeout)
	defer cancel()
	if d.tables != nil {
		for i, c := range changes {
			if err := d.tables.Check(ctx, changedRefs(c)); err != nil {
				return Made{}, &ChangeError{i, err}
			}
		}
	}
	of := writtenBy(changes...)
	if d.guard != nil {
		if err := d.guard.allows(ctx, of); err != nil {
			return Made{}, &ChangeError{-1, err}
		}
	}
	unseen := 0
	for try := 1; ; try++ {
		made, err := d.transaction(ctx, changes, terms)
		err = d.renewed(ctx, err)
		if next := otherwise(changes, err); next != nil {
			changes, try = next, 0
			continue
		}
		again, err := d.again(ctx, of, err)
		if !again && errors.Is(err, sqlexec.ErrUnseen) {
			if refused := d.left(ctx, changes, err); refused != nil { // at once, or the time would tell what is there
				return made, refused
			}
			unseen++
			again = unseen <= mostUnseen
		}
		if !again || try >= mostBegun {
			return made, d.refused(ctx, changes, err)
		}
		select {
		case <-ctx.Done():
			return Made{}, d.refused(ctx, changes, err)
		case <-time.After(backoff(try)):
		}
	}
}

// otherwise are the changes with what another role presets, where rows are not what the first one lets
// be written; nil: there is no such role.
func otherwise(changes []plan.Change, err error) []plan.Change {
	var of *ChangeError
	if !errors.As(err, &of) || of.Change < 0 {
		return nil
	}
	next, ok := changes[of.Change].Otherwise(of.Err)
	if !ok {
		return nil
	}
	changes = slices.Clone(changes)
	changes[of.Change] = next
	return changes
}

// mostUnseen is how often rows are looked for anew that were there and not seen: others may
// insert and delete them meanwhile.
const mostUnseen = 3

// backoff is how long one waits before it begins anew. Those that collide wait for
// different times.
func backoff(try int) time.Duration {
	most := min(time.Duration(try)*pause, mostPause)
	return most/2 + rand.N(most) //nolint:gosec // nobody gains by knowing it
}

// again tells whether a transaction is to be begun anew: all of it was undone, because of
// others that ran beside it, or because its tables are others than were known and have been judged
// since. What was refused by a key that nobody knew of is not told.
func (d *Database) again(ctx context.Context, of []writtenTable, err error) (bool, error) {
	var altered *alteredError
	v := violationOf(err, nil)
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &altered):
		i := slices.IndexFunc(of, func(w writtenTable) bool { return placeOf(w.table) == placeOf(altered.table) })
		if i < 0 {
			return false, err
		}
		if refused := d.guard.judge(ctx, of[i]); refused != nil {
			return false, insteadOf(err, refused)
		}
		f := fault.New(fault.Unavailable, "the keys, triggers or rules of the table of %s are changing at this moment", altered.table.Dataset()).WithHint("try again").Because(err)
		f.RetryAfter = time.Second
		return true, insteadOf(err, f)
	case v != nil && v.Passing(), errors.Is(err, postgres.ErrStale):
		return true, err
	case d.guard != nil && (v != nil && v.Class() == "23" || errors.Is(err, postgres.ErrDrift) || errors.Is(err, sqlexec.ErrHidden)): // a key that is gone, or a rule, is such a drift
		for _, w := range of {
			switch altered, refused := d.guard.look(ctx, w, d.reads); {
			case refused != nil:
				return false, insteadOf(err, refused)
			case altered:
				return true, err
			}
		}
	}
	return false, err
}

// errMade ends the transaction of a mutation that was made before.
var errMade = errors.New("the mutation was made before")

// insteadOf is another error of the change that one is about.
func insteadOf(err, refused error) error {
	var of *ChangeError
	if errors.As(err, &of) {
		return &ChangeError{of.Change, refused}
	}
	return refused
}

// transaction makes the changes once.
func (d *Database) transaction(ctx context.Context, changes []plan.Change, terms Terms) (Made, error) {
	began := time.Now()
	made, sealed, err := d.sealed(ctx, changes, terms)
	if !sealed {
		made, err = d.statements(ctx, changes, terms)
	}
	took := time.Since(began)
	d.account.Meter.Took(ctx, changes[0].Identity().Tenant(), took)
	spentOn(ctx, began, made.Changed)
	switch {
	case errors.Is(err, errMade):
		return made, nil
	case err != nil:
		return Made{}, err
	}
	return made, nil
}

// statements makes the changes statement by statement.
func (d *Database) statements(ctx context.Context, changes []plan.Change, terms Terms) (made Made, err error) {
	begins, tables := d.begins(changes)
	err = d.write(ctx, begins, func(session sqlexec.Session) (err error) {
		made = Made{}
		if terms.Once != nil {
			if made.Kept, err = terms.Once.begin(ctx, session, d.keys); err == nil && made.Kept != nil {
				err = errMade
			}
			if err != nil {
				return err
			}
		}
		for i, c := range changes {
			err := d.fits(ctx, session, c)
			if err != nil {
				return &ChangeError{i, err}
			}
			changed, err := sqlexec.Apply(ctx, session, d.dialect, c, terms.prepared(i), tables)
			if err != nil {
				return &ChangeError{i, err}
			}
			made.Changed = append(made.Changed, changed)
		}
		return terms.end(ctx, session, made.Changed)
	})
	return made, err
}

// begins says how the transaction of changes begins, and what is known of their tables.
func (d *Database) begins(changes []plan.Change) (postgres.Transaction, sqlexec.Tables) {
	begins := postgres.Transaction{}
	for _, c := range changes {
		begins.Snapshot = begins.Snapshot || c.Snapshot()
	}
	if d.guard == nil {
		return begins, nil
	}
	if begins.Snapshot {
		begins.Keep = d.guard.keeps(writtenBy(changes...))
	}
	return begins, d.guard
}

// end does what is to be done before COMMIT.
func (t Terms) end(ctx context.Context, session sqlexec.Session, changed []sqlexec.Changed) error {
	if t.Once != nil {
		answer, err := t.Keep(changed)
		if err == nil {
			err = t.Once.end(ctx, session, answer)
		}
		if err != nil {
			return err
		}
	}
	if t.Before != nil {
		return t.Before(changed)
	}
	return nil
}

// changedRefs are the references of a change that read tables which may be others than those
// that the catalog was made of.
func changedRefs(c plan.Change) []plan.Ref {
	var out []plan.Ref
	add := func(l plan.Level) { out = append(out, drift.Reads(l)...) }
	add(c.Chosen())
	add(c.Update().Level())
	add(c.Remove())
	for i := range c.Checks() {
		add(c.Check(i).Level())
	}
	for i := range c.References() {
		add(c.Reference(i).Level())
	}
	for i := range c.Answers() {
		add(c.Answer(i).Root())
	}
	for i := range c.Nested() {
		out = append(out, changedRefs(c.NestedAt(i))...)
	}
	return out
}

// violationOf is what a source says of rows that it does not write, whichever it is; nil: it
// says nothing of rows.
func violationOf(err error, of *plan.Change) *postgres.Violation {
	var v *postgres.Violation
	if errors.As(err, &v) {
		return v
	}
	var file *duckdb.Violation
	if !errors.As(err, &file) {
		return nil
	}
	v = &postgres.Violation{Code: file.Code, Columns: file.Columns}
	if of != nil && (v.Class() != "23" || file.Columns != nil || file.Refers) {
		v.Schema, v.Table = of.Table().Schema(), of.Table().Table()
	}
	return v
}

package writing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
)

// refused says what a source's refusal means to whoever asked for the change, and which row of
// the input it is about. It names what the dataset has, and repeats no value and no word
// of the source.
func (d *Database) refused(ctx context.Context, changes []plan.Change, err error) error {
	if err == nil {
		return nil
	}
	var at *ChangeError
	if !errors.As(err, &at) {
		at = &ChangeError{-1, err}
	}
	if at.Change < 0 {
		if v := violationOf(err, nil); v != nil && v.Passing() {
			return &ChangeError{-1, d.violated(changes[0], false, v).Because(at.Err)}
		}
		return at
	}
	c := changes[at.Change]
	var of *sqlexec.Failed
	if errors.As(err, &of) {
		c = of.Change
	}
	v := violationOf(err, &c)
	removes := c.Update().Sets() == 0 && c.Given() == 0
	moves := !removes && d.moves(changes[at.Change]) && (v != nil && v.Class() == "23" || errors.Is(err, sqlexec.ErrHidden) || outside(c, err))
	row := -1
	switch {
	case v == nil && !moves:
		return at
	case v != nil && v.Beside():
		return &ChangeError{at.Change, d.violated(c, false, v).Because(at.Err)}
	case c.Given() == 1:
		row = 0
	case c.Given() > 1 && v != nil:
		row = firstUnfit(v, c)
	}
	if moves || c.Given() > 1 && row < 0 {
		found := d.seek(ctx, changes[:at.Change+1], moves)
		again := violationOf(found.Unwrap(), &found.Change)
		switch {
		case found.Unwrap() == nil: // it is not found
		case moves && again == nil && !errors.Is(found.Unwrap(), sqlexec.ErrHidden): // it was written, and is not right
			return &ChangeError{at.Change, found.Unwrap()}
		case d.moved(ctx, found.Change, found.Row, again), d.moved(ctx, found.Change, found.Row, violationOf(found.Plainly, nil)):
			return &ChangeError{at.Change, found.Change.Check(0).Outside()}
		case again == nil && found.Plainly != nil && violationOf(found.Plainly, nil) == nil: // no row is there: a trigger writes none
			return &ChangeError{at.Change, found.Plainly}
		case v != nil && again != nil && (again.Code == v.Code || d.guard == nil): // a file tells of its keys last
			c, row, v = found.Change, found.Row, again
		}
	}
	if v == nil {
		return at
	}
	d.describe(ctx, c, v)
	d.twice(c, row, v)
	if d.moved(ctx, c, row, v) {
		return &ChangeError{at.Change, c.Check(0).Outside()}
	}
	f := d.violated(c, removes, v)
	if v.Code == "42501" { // for lack of a privilege, or by a policy of the table's own
		if lacks := d.ungranted(ctx, changes); lacks != nil {
			return &ChangeError{at.Change, unwritable(c.Dataset()).Because(errors.Join(at.Err, lacks))}
		}
	}
	return &ChangeError{at.Change, d.placed(ctx, c, row, f, v).Because(at.Err)}
}

// seek finds the row that is refused of the last of several changes: all of them are made once
// more, that one in parts, in a transaction that is not committed; in a file, whose transactions do not go on
// after a failure, in several.
func (d *Database) seek(ctx context.Context, changes []plan.Change, moves bool) *sqlexec.At {
	if ctx.Err() != nil {
		return &sqlexec.At{}
	}
	begins, tables := d.begins(changes)
	last := len(changes) - 1
	again := func(of func(sqlexec.Session) error) error {
		return d.write(ctx, begins, func(session sqlexec.Session) error {
			for i, c := range changes {
				if err := d.fits(ctx, session, c); err != nil {
					return err
				}
				if i == last {
					break
				}
				if _, err := sqlexec.Apply(ctx, session, d.dialect, c, nil, tables); err != nil {
					return err
				}
			}
			return of(session)
		})
	}
	if d.guard == nil {
		found := sqlexec.SeekAnew(ctx, d.dialect, changes[last], again, func(err error) bool {
			v := violationOf(err, nil)
			return v != nil && !v.Passing()
		})
		return cmp.Or(found, &sqlexec.At{})
	}
	var at *sqlexec.At
	if errors.As(again(func(session sqlexec.Session) error {
		return sqlexec.Seek(ctx, session, d.dialect, changes[last], tables, moves)
	}), &at) {
		return at
	}
	return &sqlexec.At{}
}

// twice looks for the columns in which a row is the same as another one of its change, of which a file does not say
// them.
func (d *Database) twice(c plan.Change, row int, v *postgres.Violation) {
	if d.file == nil || row < 0 && c.Given() > 0 || v.Code != "23505" || len(v.Columns) > 0 {
		return
	}
	set, b := binding(d.account.Catalog, c.Table())
	if b == nil || b.Target == nil {
		return
	}
	var collide []string // of rows that are set to the same
	for _, key := range b.Target.Keys {
		var columns []string
		for _, col := range key.Columns {
			if col != set.Tenant { // which all of them have
				columns = append(columns, b.Columns[col.Name].Name)
			}
		}
		switch {
		case row >= 0 && len(columns) > 0 && sameAs(c, row, columns):
			v.Schema, v.Table, v.Columns = c.Table().Schema(), c.Table().Table(), columns
			return
		case row < 0 && sets(c, columns) && collide != nil: // it may be the one or the other
			return
		case row < 0 && sets(c, columns):
			collide = columns
		}
	}
	if collide != nil {
		v.Schema, v.Table, v.Columns = c.Table().Schema(), c.Table().Table(), collide
	}
}

// sets tells whether an update writes to one of the columns.
func sets(c plan.Change, columns []string) bool {
	for i := range c.Update().Sets() {
		if slices.Contains(columns, c.Update().Set(i).Column().Stored) {
			return true
		}
	}
	return false
}

// sameAs tells whether a row has the same in some columns as another one of its change.
func sameAs(c plan.Change, row int, columns []string) bool {
	seen := make(map[string]bool)
	for i := range c.Inserts() {
		into := c.Insert(i)
		var at []int
		for column := into.Stamps(); column < into.Columns(); column++ {
			if slices.Contains(columns, into.Column(column).Stored) {
				at = append(at, column)
			}
		}
		if len(at) < len(columns) {
			continue
		}
		slices.SortFunc(at, func(a, b int) int { return cmp.Compare(into.Column(a).Stored, into.Column(b).Stored) })
		for n := range into.Rows() {
			var text strings.Builder
			for _, column := range at {
				g := into.Value(column, n)
				if g.List() || g.Value().Null() { // null is equal to nothing, and what is carried from other rows is not known here
					text.Reset()
					break
				}
				_, _ = fmt.Fprintf(&text, "%d:%s", len(g.Value().Text()), g.Value().Text())
			}
			if text.Len() == 0 {
				continue
			}
			if into.Row(n) == row && seen[text.String()] {
				return true
			}
			seen[text.String()] = true
		}
	}
	return false
}

// written is what is written to one table.
type written interface {
	Dataset() string
	Key() string
	Table() plan.Ref
	ColumnStored(name string) string
	Identity() plan.Identity
	Checks() int
	Check(i int) plan.Check
}

// conflicting names the columns of the key by which rows are found that are there already.
func conflicting(c written) string {
	change, ok := c.(plan.Change)
	if !ok {
		return "key"
	}
	by, _ := change.Upsert()
	var names []string
	for i := range by.Keys() {
		if f := by.Key(i); c.ColumnStored(f.Stored) != "" {
			names = append(names, f.Name)
		}
	}
	return cmp.Or(strings.Join(names, ", "), "key")
}

// violated says what a source refuses. Its place is below the field, if it is one column.
func (d *Database) violated(c written, removes bool, v *postgres.Violation) *fault.Error {
	domain := v.Table == "" && v.Domain != ""
	own := domain || d.owns(c, v)
	stored := v.Columns
	if own && v.Code == "23514" && d.guard != nil {
		stored = d.guard.checked(c.Table(), v.Constraint, domain)
	}
	var names []string
	if own {
		for _, s := range stored {
			if name := c.ColumnStored(s); name != "" {
				names = append(names, name)
			}
		}
	}
	list := strings.Join(names, ", ")
	at := func(f *fault.Error) *fault.Error {
		if len(names) == 1 {
			f.At = c.Key() + "." + names[0]
		}
		return f
	}
	switch {
	case v.Code == "23505" && list != "":
		return at(fault.New(fault.Conflict, "there is a row of %s with the same %s", c.Dataset(), list))
	case v.Code == "23505", v.Code == "23P01":
		return fault.New(fault.Conflict, "the change of %s collides with a row that is there", c.Dataset())
	case v.Code == "23503" && own && removes:
		return fault.New(fault.Conflict, "rows of %s are referred to by others of the same dataset", c.Dataset())
	case v.Code == "23503" && own && list != "":
		return at(fault.New(fault.NotFound, "%s leads to no row", list))
	case v.Code == "23503" && own:
		return fault.New(fault.NotFound, "a row of %s leads to no row", c.Dataset()).
			WithHint("It leads there by what usher writes into it or does not show, such as the tenant: a tenant whose tokens are trusted may have no row of its own yet in the source's table of tenants. Tell an administrator.")
	case v.Code == "23503":
		return fault.New(fault.Conflict, "rows of %s are referred to", c.Dataset())
	case v.Code == postgres.NeverNull && list != "":
		return at(fault.New(fault.BadUserInput, "%s is never null", list))
	case v.Code == "23514" && len(names) == 1:
		return at(fault.New(fault.BadUserInput, "%s of %s may not have such a value", list, c.Dataset()))
	case v.Code == "23514" && len(names) > 1:
		return fault.New(fault.BadUserInput, "%s of a row of %s may not have such values together", list, c.Dataset())
	case v.Code == postgres.NeverNull && own && len(stored) > 0:
		return fault.New(fault.Unavailable, "rows of %s need a value that nobody here may give, and nothing fills it in", c.Dataset()).
			WithHint("Tell an administrator: the log says in which column. It gets a default in the source, or is a column of the dataset that a preset or whoever inserts fills in.")
	case v.Code == postgres.TooMuch:
		return fault.New(fault.BadUserInput, "a value is larger than the source keeps in an index or in a row of %s", c.Dataset())
	case v.Code == "23514", v.Code == postgres.NeverNull:
		return fault.New(fault.BadUserInput, "a row of %s has values that may not be there together", c.Dataset())
	case v.Code == "22001":
		return fault.New(fault.BadUserInput, "a text is too long for its column in %s", c.Dataset())
	case v.Code == "22003":
		return fault.New(fault.BadUserInput, "a number is too large for its column in %s", c.Dataset())
	case v.Code == "21000":
		return fault.New(fault.BadUserInput, "two rows of %s have the same %s, as the source compares it", c.Dataset(), conflicting(c))
	case v.Code == "22P05":
		return fault.New(fault.BadUserInput, "a text has a character that %s cannot hold where it is written", c.Dataset())
	case v.Class() == "22":
		return fault.New(fault.BadUserInput, "a value does not fit its column in %s", c.Dataset())
	case v.Code == postgres.Raises:
		f := fault.New(fault.BadUserInput, "a rule of the database's own refuses what would be written to %s", c.Dataset())
		if d.guard != nil && d.guard.shows() {
			f.Message += ": " + v.Raised
		}
		return f
	case v.Class() == "40":
		return fault.New(fault.Unavailable, "others change the same rows of %s at this moment, and the change was undone each time that it was made", c.Dataset()).WithHint("try again")
	case v.Code == "55P03":
		return fault.New(fault.Unavailable, "others hold the same rows of %s, and for longer than the database's lock_timeout lets a statement wait", c.Dataset()).WithHint("try again")
	}
	return fault.New(fault.Forbidden, "the source does not let %s be written so", c.Dataset())
}

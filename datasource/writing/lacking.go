package writing

import (
	"context"
	"errors"

	"usher/datasource/deadline"
	"usher/datasource/grants"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
)

// A server says that a table may not be touched, and neither by whom nor what is missing. It is asked
// for that afterwards, for the log alone; and before anybody writes, for those who look into accounts.

// Lacking asks what the account lacks of what is needed.
func (d *Database) Lacking(ctx context.Context, needs grants.Needs, into *grants.Lacks) error {
	ctx, cancel := deadline.Within(ctx, d.account.Timeout)
	defer cancel()
	return d.try(ctx, postgres.Transaction{}, func(s sqlexec.Session) error {
		return into.Ask(ctx, s, d.account.Target.Source, needs)
	})
}

// ungranted says what the account that writes lacks to make changes, and how it is given; nil: nothing that
// could be seen.
func (d *Database) ungranted(ctx context.Context, changes []plan.Change) error {
	if d.guard == nil {
		return nil
	}
	var needs grants.Privileges
	for _, c := range changes {
		d.needs(c, needs.For)
	}
	return d.lacks(ctx, func(s sqlexec.Session) ([]error, error) { return needs.Lacked(ctx, s) })
}

// unimported says the same of imports, whose rows arrive in a table of the session's own.
func (d *Database) unimported(ctx context.Context, i plan.Import) error {
	var needs grants.Privileges
	needs.For(i.Table(), "INSERT")
	needs.For(i.Table(), "SELECT")
	for _, r := range importedRefs(i) {
		needs.For(r, "SELECT")
	}
	return d.lacks(ctx, func(s sqlexec.Session) ([]error, error) {
		lacks, err := needs.Lacked(ctx, s)
		if err != nil {
			return nil, err
		}
		err = grants.Temporary(ctx, s, func(what, grant string) { lacks = append(lacks, errors.New(what+": "+grant)) })
		return lacks, err
	})
}

// lacks asks in a transaction of its own.
func (d *Database) lacks(ctx context.Context, ask func(sqlexec.Session) ([]error, error)) error {
	var lacks []error
	err := d.write(ctx, postgres.Transaction{}, func(s sqlexec.Session) (err error) {
		lacks, err = ask(s)
		return err
	})
	if err != nil {
		return nil //nolint:nilerr // what it was asked after is the error
	}
	return errors.Join(lacks...)
}

// unwritable is what a caller is told where the account lacks a privilege.
func unwritable(dataset string) *fault.Error {
	return fault.New(fault.Unavailable, "the source's account may not write %s", dataset).
		WithHint("Tell an administrator: the log says what it lacks, and how that is granted.")
}

// needs names what a change does to which tables.
func (d *Database) needs(c plan.Change, need func(plan.Ref, string)) {
	switch {
	case c.Kind().Inserts():
		need(c.Table(), "INSERT")
		if _, upserts := c.Upsert(); upserts {
			need(c.Table(), "UPDATE")
		}
	case c.Kind().Updates():
		need(c.Table(), "UPDATE")
	default:
		need(c.Table(), "DELETE")
		need(c.Table(), "UPDATE") // to lock it
	}
	need(c.Table(), "SELECT")
	for i := range c.References() {
		for l, j := c.Reference(i).Level(), 0; j < l.Refs(); j++ {
			need(l.Ref(j), "SELECT")
			if !l.Ref(j).Step() && j == 0 && d.locks(l.Ref(j)) {
				need(l.Ref(j), "UPDATE")
			}
		}
	}
	for i := range c.Nested() {
		d.needs(c.NestedAt(i), need)
	}
}

// locks tells whether rows of a table are locked that others lead to: those that are tenants'.
func (d *Database) locks(r plan.Ref) bool {
	set := d.account.Catalog.Dataset(r.Dataset())
	return set != nil && !set.Common
}

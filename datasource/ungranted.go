package datasource

import (
	"context"
	"errors"

	"usher/datasource/grants"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/plan"
)

// A server says that a table may not be touched, and neither by whom nor what is missing. It is asked
// for that afterwards, for the log alone.

// ungranted says what the account that writes lacks to make changes, and how it is given; nil: nothing that
// could be seen.
func (d *database) ungranted(ctx context.Context, changes []plan.Change) error {
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
func (d *database) unimported(ctx context.Context, i plan.Import) error {
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
func (d *database) lacks(ctx context.Context, ask func(sqlexec.Session) ([]error, error)) error {
	var lacks []error
	err := d.writer.Write(ctx, postgres.Transaction{}, func(s sqlexec.Session) (err error) {
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

// granted says of a question that the account may not ask what it lacks.
type granted struct {
	next
	db    sqlexec.Sessions
	guard *guard // nil: there are no privileges
}

func (g *granted) ask(ctx context.Context, q *Question) (Answered, error) {
	answered, err := g.next.ask(ctx, q)
	if err == nil || g.guard == nil || trouble.Of(err) != trouble.NotReadable {
		return answered, err
	}
	names := q.datasets
	if q.query.Valid() {
		names = datasetsOf(nil, q.query)
	}
	var needs grants.Privileges
	for _, name := range names {
		d := g.guard.cat.Dataset(name)
		if d == nil || d.Bindings[g.guard.target.Source] == nil {
			continue
		}
		b := d.Bindings[g.guard.target.Source]
		needs.Add(plan.SchemaOf(g.guard.cat.Sources[g.guard.target.Source], b, g.guard.target), b.Table, "SELECT")
	}
	var lacks []error
	asked := g.db.Session(postgres.Fresh(ctx), false, func(s sqlexec.Session) (err error) {
		lacks, err = needs.Lacked(ctx, s)
		return err
	})
	if asked != nil || len(lacks) == 0 {
		return answered, err
	}
	return answered, fault.From(err).Because(errors.Join(err, errors.Join(lacks...)))
}

// needs names what a change does to which tables.
func (d *database) needs(c plan.Change, need func(plan.Ref, string)) {
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
func (d *database) locks(r plan.Ref) bool {
	set := d.guard.cat.Dataset(r.Dataset())
	return set != nil && !set.Common
}

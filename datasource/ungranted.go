package datasource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// A server says that a table may not be touched, and neither by whom nor what is missing. It is asked
// for that afterwards, for the log alone.

// lackedText says which of some privileges the account lacks. Some columns are enough.
const lackedText = `SELECT current_user::text, t.privilege,
	CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN '' ELSE 'y' END
FROM unnest($1::text[], $2::text[], $3::text[]) AS t(schema, name, privilege)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
WHERE NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, t.privilege)
	AND (t.privilege = 'DELETE' OR NOT has_any_column_privilege(c.oid, t.privilege))`

// ungranted says what the account that writes lacks to make changes, and how it is given; nil: nothing that
// could be seen.
func (d *database) ungranted(ctx context.Context, changes []plan.Change) error {
	if d.guard == nil {
		return nil
	}
	var needs privileges
	for _, c := range changes {
		d.needs(c, needs.of)
	}
	return d.lacks(ctx, func(s sqlexec.Session) ([]error, error) { return lacked(ctx, s, needs) })
}

// unimported says the same of imports, whose rows arrive in a table of the session's own.
func (d *database) unimported(ctx context.Context, i plan.Import) error {
	var needs privileges
	needs.of(i.Table(), "INSERT")
	needs.of(i.Table(), "SELECT")
	for _, r := range importedRefs(i) {
		needs.of(r, "SELECT")
	}
	return d.lacks(ctx, func(s sqlexec.Session) ([]error, error) {
		lacks, err := lacked(ctx, s, needs)
		if err != nil {
			return nil, err
		}
		_, err = first(ctx, s, temporaryText, nil, func(row value.Rows) {
			role, db := string(row.Cell(0).Text), string(row.Cell(1).Text)
			lacks = append(lacks, fmt.Errorf("the role %s lacks TEMPORARY on the database %s: GRANT TEMPORARY ON DATABASE %s TO %s;",
				strings.ToValidUTF8(role, "?"), strings.ToValidUTF8(db, "?"), sqlgen.Identifier(db), sqlgen.Identifier(role)))
		})
		return lacks, err
	})
}

// temporaryText says that the account may make no tables of its session's own.
const temporaryText = `SELECT current_user::text, current_database()::text WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')`

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

// privileges are needed, each of a schema's table.
type privileges [][3]string

func (p *privileges) of(r plan.Ref, privilege string) {
	if n := [3]string{r.Schema(), r.Table(), privilege}; !slices.Contains(*p, n) {
		*p = append(*p, n)
	}
}

// unwritable is what a caller is told where the account lacks a privilege.
func unwritable(dataset string) *fault.Error {
	return fault.New(fault.Unavailable, "the source's account may not write %s", dataset).
		WithHint("Tell an administrator: the log says what it lacks, and how that is granted.")
}

// lacked asks which privileges the account of a session lacks.
func lacked(ctx context.Context, s sqlexec.Session, needs privileges) (lacks []error, err error) {
	for _, n := range needs {
		args := make([]string, len(n))
		for i, text := range n {
			args[i] = sqlgen.Postgres.List([]string{text})
		}
		_, err := first(ctx, s, lackedText, args, func(row value.Rows) {
			role, table := string(row.Cell(0).Text), sqlgen.Identifier(n[0])+"."+sqlgen.Identifier(n[1])
			give := n[2] + " ON " + table
			if len(row.Cell(2).Text) == 0 {
				give = "USAGE ON SCHEMA " + sqlgen.Identifier(n[0])
			}
			lacks = append(lacks, fmt.Errorf("the role %s lacks %s on %s: GRANT %s TO %s;", strings.ToValidUTF8(role, "?"), n[2], catalog.TableKey(n[0], n[1]), give, sqlgen.Identifier(role)))
		})
		if err != nil {
			return nil, err
		}
	}
	return lacks, nil
}

// granted says of a question that the account may not ask what it lacks.
type granted struct {
	next
	db    sqlDB
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
	var needs privileges
	for _, name := range names {
		d := g.guard.accounts.cat.Dataset(name)
		if d == nil || d.Bindings[g.guard.target.Source] == nil {
			continue
		}
		b := d.Bindings[g.guard.target.Source]
		needs = append(needs, [3]string{plan.SchemaOf(g.guard.accounts.cat.Sources[g.guard.target.Source], b, g.guard.target), b.Table, "SELECT"})
	}
	var lacks []error
	asked := g.db.Session(postgres.Fresh(ctx), false, func(s sqlexec.Session) (err error) {
		lacks, err = lacked(ctx, s, needs)
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
	set := d.guard.accounts.cat.Dataset(r.Dataset())
	return set != nil && !set.Common
}

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
	"usher/plan"
	"usher/sqlgen"
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
	var needs [][3]string
	need := func(r plan.Ref, privilege string) {
		if n := [3]string{r.Schema(), r.Table(), privilege}; !slices.Contains(needs, n) {
			needs = append(needs, n)
		}
	}
	for _, c := range changes {
		d.needs(c, need)
	}
	var lacks []error
	err := d.writer.Write(ctx, postgres.Transaction{}, func(s sqlexec.Session) error {
		lacks = nil
		for _, n := range needs {
			args := make([]string, len(n))
			for i, text := range n {
				args[i] = sqlgen.Postgres.List([]string{text})
			}
			rows, err := s.Query(ctx, lackedText, args)
			if err != nil {
				return err
			}
			if rows.Next() {
				role, table := string(rows.Cell(0).Text), sqlgen.Identifier(n[0])+"."+sqlgen.Identifier(n[1])
				give := "GRANT " + n[2] + " ON " + table + " TO " + sqlgen.Identifier(role)
				if len(rows.Cell(2).Text) == 0 {
					give = "GRANT USAGE ON SCHEMA " + sqlgen.Identifier(n[0]) + " TO " + sqlgen.Identifier(role)
				}
				lacks = append(lacks, fmt.Errorf("the role %s lacks %s on %s: %s;", role, n[2], catalog.TableKey(n[0], n[1]), strings.ToValidUTF8(give, "?")))
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil //nolint:nilerr // what it was asked after is the error
	}
	return errors.Join(lacks...)
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

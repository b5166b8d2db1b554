package grants

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/datasource/sqlexec"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Privileges are those that one statement needs: each a schema, a table and a privilege.
type Privileges [][3]string

// Add adds one.
func (p *Privileges) Add(schema, table, privilege string) {
	if n := [3]string{schema, table, privilege}; !slices.Contains(*p, n) {
		*p = append(*p, n)
	}
}

// For adds one of a reference's table.
func (p *Privileges) For(r plan.Ref, privilege string) { p.Add(r.Schema(), r.Table(), privilege) }

// lackedText says which of some privileges the account lacks. Some columns are enough.
const lackedText = `SELECT current_user::text, t.privilege,
	CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN '' ELSE 'y' END
FROM unnest($1::text[], $2::text[], $3::text[]) AS t(schema, name, privilege)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
WHERE NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, t.privilege)
	AND (t.privilege = 'DELETE' OR NOT has_any_column_privilege(c.oid, t.privilege))`

// Lacked asks which of them the account of a session lacks.
func (p Privileges) Lacked(ctx context.Context, s sqlexec.Session) (lacks []error, err error) {
	for _, n := range p {
		args := make([]string, len(n))
		for i, text := range n {
			args[i] = sqlgen.Postgres.List([]string{text})
		}
		_, err := sqlexec.FirstRow(ctx, s, lackedText, args, func(row value.Rows) {
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

// temporaryText says that an account may make no tables of its session's own.
const temporaryText = `SELECT current_user::text, current_database()::text WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')`

// Temporary says where the account of a session may make no tables of its session's own, without which
// nothing is imported, and how that is granted.
func Temporary(ctx context.Context, s sqlexec.Session, say func(what, grant string)) error {
	_, err := sqlexec.FirstRow(ctx, s, temporaryText, nil, func(row value.Rows) {
		role, db := string(row.Cell(0).Text), string(row.Cell(1).Text)
		say(fmt.Sprintf("the role %s lacks TEMPORARY on the database %s", strings.ToValidUTF8(role, "?"), strings.ToValidUTF8(db, "?")),
			"GRANT TEMPORARY ON DATABASE "+sqlgen.Identifier(db)+" TO "+sqlgen.Identifier(role)+";")
	})
	return err
}

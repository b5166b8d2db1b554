package grants

import (
	"context"
	"fmt"
	"strings"

	"usher/catalog"
	"usher/datasource/pgcatalog"
	"usher/datasource/sqlexec"
	"usher/value"
)

// unpoliciedText says that row-level security of a table has no policy for the account and a privilege.
var unpoliciedText = `SELECT current_user::text FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = $2::text
WHERE n.nspname = $1::text AND row_security_active(c.oid)
	AND NOT ` + pgcatalog.PolicyFor("c.oid", "CASE $3::text WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' ELSE 'd' END")

// unpolicied adds the tables of which row-level security keeps all rows from the account of a session, for some of what is
// needed. Which policy would let it has to be thought of by people.
func (l *Lacks) unpolicied(ctx context.Context, s sqlexec.Session, needs Needs) error {
	type table struct{ schema, name string }
	var order []*need // the first of each table
	role, lacks := "", make(map[table][]string)
	for _, n := range needs {
		at := table{n.schema, n.table}
		_, err := sqlexec.FirstRow(ctx, s, unpoliciedText, []string{n.schema, n.table, n.privilege}, func(row value.Rows) {
			if role = string(row.Cell(0).Text); lacks[at] == nil {
				order = append(order, n)
			}
			lacks[at] = append(lacks[at], n.privilege)
		})
		if err != nil {
			return err
		}
	}
	for _, n := range order {
		l.Some = append(l.Some, fmt.Sprintf("%s: row-level security of %s has no policy by which the role %s could %s any row of it",
			n.place, catalog.TableKey(n.schema, n.table), strings.ToValidUTF8(role, "?"), strings.Join(lacks[table{n.schema, n.table}], ", ")))
	}
	return nil
}

package pgcatalog

import (
	"context"

	"usher/catalog"
	"usher/sqlgen"
)

const unreadableText = `
SELECT current_user::text, n.nspname::text, c.relname::text, has_schema_privilege(n.oid, 'USAGE'),
	bool_and(NOT has_column_privilege(c.oid, a.attnum, 'SELECT')),
	coalesce(json_agg(a.attname ORDER BY a.attnum) FILTER (WHERE NOT has_column_privilege(c.oid, a.attnum, 'SELECT')), '[]')::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = ANY($1::text[])
	AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND NOT (n.nspname = 'usher' AND c.relname = 'idempotency')
	AND a.attnum > 0 AND NOT a.attisdropped
	AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.objsubid = 0 AND e.deptype = 'e')
GROUP BY n.oid, n.nspname, c.relname
HAVING NOT has_schema_privilege(n.oid, 'USAGE') OR bool_or(NOT has_column_privilege(c.oid, a.attnum, 'SELECT'))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`

// Unreadable lists what the schemas hold that the account may not read, for want of SELECT or of USAGE on the schema, which Tables
// leaves out; but for what extensions have made.
func Unreadable(ctx context.Context, ask Query, schemas ...string) ([]catalog.Unreadable, error) {
	rows, err := ask(ctx, unreadableText, []string{sqlgen.Postgres.List(schemas)}, []uint32{text, text, text, flag, flag, text})
	if err != nil {
		return nil, err
	}
	var out []catalog.Unreadable
	for rows.Next() {
		columns, err := names(rows.Cell(5))
		if err != nil {
			return nil, err
		}
		out = append(out, catalog.Unreadable{
			Account: textOf(rows.Cell(0)), Schema: textOf(rows.Cell(1)), Table: textOf(rows.Cell(2)), Closed: !rows.Cell(3).Bool, Whole: rows.Cell(4).Bool, Columns: columns,
		})
	}
	return out, rows.Err()
}

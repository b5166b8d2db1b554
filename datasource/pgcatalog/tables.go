// Package pgcatalog owns what a PostgreSQL server's system catalogs say: which tables an account may read, what their
// columns are served as, which keys, checks and defaults they have, and which policies. It asks by statements
// of its own and believes no answer further than that its columns are of the types asked for; connections are
// package postgres's.
package pgcatalog

import (
	"context"
	"encoding/json"
	"fmt"

	"usher/catalog"
	"usher/sqlgen"
	"usher/value"
)

// Query runs a statement in a session and refuses rows whose columns are not of these types, which are object ids.
type Query func(ctx context.Context, text string, args []string, columns []uint32) (value.Rows, error)

// Tables describes what the account may read of the schemas: tables, views,
// materialized views, foreign and partitioned tables (not their partitions),
// sorted by schema and name.
func Tables(ctx context.Context, ask Query, schemas ...string) ([]catalog.Table, error) {
	in := introspection{byID: make(map[int64]int), types: make(types)}
	of := []string{sqlgen.Postgres.List(schemas)}
	for _, step := range []struct {
		text    string
		args    []string
		columns []uint32
		each    func(value.Rows) error
	}{
		{typesText, nil, []uint32{whole, text, flag, text, whole, whole, whole, text}, in.addType},
		{columnsText, of, []uint32{
			whole, text, text, flag, text, text, whole, whole, whole, flag, flag, flag, text, flag, flag,
			flag, double, double, double, flag, double, text,
		}, in.addColumn},
		{indexesText, of, []uint32{whole, flag, flag, flag, text}, in.addIndex},
		{foreignKeysText, of, []uint32{whole, text, text, text, text, text, text, flag}, in.addForeignKey},
		{kindsText, of, []uint32{whole, text, flag, flag, flag, whole, flag, flag, text, flag}, in.addKind},
		{triggersText, of, []uint32{whole, text, text, text, text, flag}, in.addTrigger},
		{checksText, of, []uint32{whole, text, text, text}, in.addCheck},
		{defaultsText, of, []uint32{whole, text, text, text, text}, in.addDefault},
		{collidingText, of, []uint32{whole, text, flag, flag, flag, flag, flag, text}, in.addColliding},
		{referrersText, of, []uint32{whole, text, text, text, text, flag, text, text, text}, in.addReferrer},
	} {
		rows, err := ask(ctx, step.text, step.args, step.columns)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			if err := step.each(rows); err != nil {
				return nil, err
			}
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return in.tables, nil
}

// The types that the statements select, by the ids that every server has for them (pg_type.dat).
const (
	flag   = 16  // bool
	whole  = 20  // int8
	text   = 25  // text
	double = 701 // float8
)

// introspection gathers what the statements find.
type introspection struct {
	types  types
	tables []catalog.Table
	byID   map[int64]int // index in tables by the table's object id
}

const typesText = `
SELECT t.oid::int8,
	CASE WHEN t.typname IN ('geometry', 'geography') AND NOT EXISTS (
		SELECT 1 FROM pg_proc p WHERE p.pronamespace = t.typnamespace AND p.proname = 'st_asgeojson'
	) THEN '' ELSE t.typname END::text,
	t.typnamespace = 'pg_catalog'::regnamespace, t.typtype::text,
	t.typbasetype::int8, t.typtypmod::int8,
	CASE WHEN t.typcategory = 'A' THEN t.typelem::int8 ELSE 0 END,
	coalesce((SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)::text, '[]')
FROM pg_type t
WHERE t.typtype <> 'p'`

func (in *introspection) addType(rows value.Rows) error {
	labels, err := names(rows.Cell(7))
	if err != nil {
		return err
	}
	in.types[rows.Cell(0).Int] = typeRow{
		name: textOf(rows.Cell(1)), builtin: rows.Cell(2).Bool, kind: textOf(rows.Cell(3)),
		base: rows.Cell(4).Int, modifier: rows.Cell(5).Int,
		elem: rows.Cell(6).Int, labels: labels,
	}
	return nil
}

// The database's own collation has the provider 'd'. Before version 15 every
// database's was that of the operating system; later versions moved and
// renamed the columns, so they are looked up by name. Text is in the order of
// code points under C and POSIX, and under the operating system's and the
// built-in C.UTF-8; everything built in is so.
//
// A column whose rows lie in its order may be read along an index without going
// to and fro in the table. That is worth it where the server says that reads
// out of order are cheap; where they are dear, it would choose another way and
// sort.
//
// How values are spread is asked of servers that sort what is sorted in part
// already (from version 13): only they read a list along an index whose columns
// leave the order open.
const columnsText = `
WITH RECURSIVE domains AS (
	SELECT oid, oid AS base, typtypmod AS modifier, typtype, typbasetype FROM pg_type WHERE typtype = 'd'
	UNION ALL
	SELECT d.oid, t.oid, CASE WHEN d.modifier < 0 THEN t.typtypmod ELSE d.modifier END, t.typtype, t.typbasetype
	FROM domains d JOIN pg_type t ON t.oid = d.typbasetype
	WHERE d.typtype = 'd'
), ordering AS (
	SELECT c.oid, c.collisdeterministic AS deterministic, quote_ident(s.nspname) || '.' || quote_ident(c.collname) AS name,
		CASE WHEN c.collprovider = 'd' THEN d.provider ELSE c.collprovider::text END AS provider,
		CASE WHEN c.collprovider = 'd' THEN d.locale ELSE c.collcollate::text END AS locale
	FROM pg_collation c JOIN pg_namespace s ON s.oid = c.collnamespace, (
		SELECT coalesce(to_jsonb(pg_database) ->> 'datlocprovider', 'c') AS provider, datcollate::text AS locale
		FROM pg_database WHERE datname = current_database()
	) d
)
SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind IN ('v', 'm'), a.attname::text,
	CASE WHEN i.base IS NOT NULL THEN format_type(i.base, i.modifier) || '[]'
		ELSE format_type(coalesce(d.base, a.atttypid), CASE WHEN a.atttypmod < 0 THEN coalesce(d.modifier, -1) ELSE a.atttypmod END) END,
	a.atttypid::int8, a.atttypmod::int8, a.attndims::int8, NOT a.attnotnull,
	a.attcollation = 0 OR o.provider = 'b' OR o.provider = 'c' AND upper(replace(o.locale, '-', '')) IN ('C', 'POSIX', 'C.UTF8'),
	a.attcollation = 0 OR o.deterministic,
	coalesce(col_description(c.oid, a.attnum), ''),
	coalesce(s.correlation > 0.95 AND current_setting('random_page_cost')::float8 <= 1.5, FALSE),
	EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.objsubid = 0 AND e.deptype = 'e'),
	EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND (a.attnum = ANY(i.indkey::int2[]) OR EXISTS (
		SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = i.indexrelid
			AND e.refclassid = 'pg_class'::regclass AND e.refobjid = c.oid AND e.refobjsubid = a.attnum))),
	z.rows, z.each, coalesce(s.most_common_freqs[1] * z.rows, z.each), c.relispopulated,
	CASE WHEN c.reltuples >= 0 THEN s.null_frac * c.reltuples END::float8,
	CASE WHEN o.deterministic THEN o.name END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN domains d ON d.oid = a.atttypid AND d.typtype <> 'd'
LEFT JOIN pg_type l ON l.oid = coalesce(d.base, a.atttypid) AND l.typcategory = 'A'
LEFT JOIN domains i ON i.oid = l.typelem AND i.typtype <> 'd'
LEFT JOIN ordering o ON o.oid = a.attcollation
LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
LEFT JOIN LATERAL (
	SELECT c.reltuples::float8 AS rows, CASE WHEN s.n_distinct > 0 THEN c.reltuples / s.n_distinct WHEN s.n_distinct < 0 THEN -1 / s.n_distinct END::float8 AS each
	WHERE c.relkind = 'r' AND c.reltuples > 0 AND current_setting('server_version_num')::int >= 130000
) z ON TRUE
WHERE n.nspname = ANY($1::text[])
	AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND NOT (n.nspname = 'usher' AND c.relname = 'idempotency')
	AND a.attnum > 0 AND NOT a.attisdropped AND has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum`

func (in *introspection) addColumn(rows value.Rows) error {
	id := rows.Cell(0).Int
	if _, seen := in.byID[id]; !seen {
		in.byID[id] = len(in.tables)
		in.tables = append(in.tables, catalog.Table{
			Schema: textOf(rows.Cell(1)), Name: textOf(rows.Cell(2)), View: rows.Cell(3).Bool, Extension: rows.Cell(14).Bool, Unfilled: !rows.Cell(19).Bool,
		})
	}
	oid, modifier := rows.Cell(6).Int, rows.Cell(7).Int
	how := in.types.served(oid, modifier, int(rows.Cell(8).Int))
	column := catalog.TableColumn{
		Name: textOf(rows.Cell(4)), Native: textOf(rows.Cell(5)),
		Type: how.Type, Form: how.Form, Odd: how.Odd, Supported: true,
		// What a domain says of nulls is not asked of every row: an outer join adds some.
		Nullable: rows.Cell(9).Bool,
		ByCode:   rows.Cell(10).Bool,
		Comment:  textOf(rows.Cell(12)), InOrder: rows.Cell(13).Bool,
	}
	if n, each, most := rows.Cell(16), rows.Cell(17), rows.Cell(18); n.Kind == value.KindFloat && each.Kind == value.KindFloat && most.Kind == value.KindFloat {
		column.Spread = &catalog.Spread{Rows: n.Float, Each: each.Float, Most: most.Float, InIndex: rows.Cell(15).Bool}
	}
	if nulls := rows.Cell(20); nulls.Kind == value.KindFloat {
		column.Nulls = &nulls.Float
	}
	if column.Type.Text() && !column.Type.List && column.Form == value.Plain {
		column.Collation = textOf(rows.Cell(21))
	}
	if deterministic := rows.Cell(11).Bool; !deterministic && column.Type.Scalar == value.String && column.Form.Indexed() {
		column.Form = value.Collated
	}
	if column.Type.Text() && !column.Form.Indexed() { // as text it is of the database's own collation
		column.ByCode = false
	}
	table := &in.tables[in.byID[id]]
	table.Columns = append(table.Columns, column)
	return nil
}

// Indexes rather than constraints: a unique index is as good as one, if it
// covers all rows and holds columns only. B-trees are told apart, because only
// they return rows in the order of their columns.
const indexesText = `
SELECT i.indrelid::int8, i.indisprimary, i.indisunique,
	x.relam = (SELECT oid FROM pg_am WHERE amname = 'btree'),
	(SELECT json_agg(a.attname ORDER BY k.n)
	 FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
	 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
	 WHERE k.n <= i.indnkeyatts)::text
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY($1::text[]) AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", x.relname COLLATE "C"`

func (in *introspection) addIndex(rows value.Rows) error {
	i, ok := in.byID[rows.Cell(0).Int]
	if !ok {
		return nil // of a partition, or of a table that may not be read
	}
	columns, err := names(rows.Cell(4))
	if err != nil {
		return err
	}
	t := &in.tables[i]
	switch primary, unique := rows.Cell(1).Bool, rows.Cell(2).Bool; {
	case primary:
		t.PrimaryKey = columns
	case unique:
		t.Unique = append(t.Unique, columns)
	}
	if rows.Cell(3).Bool {
		t.Indexes = append(t.Indexes, columns)
	}
	return nil
}

// A partition's foreign key is taken for one of the table that it is a part of:
// a schema that grew up before partitioned tables could have any has one for
// each partition. The same key of the next partition adds nothing.
const foreignKeysText = `
SELECT DISTINCT ON (t.nspname COLLATE "C", c.relname COLLATE "C", f.conrelid, f.columns::text, f.confrelid, f.ref_columns::text)
	f.conrelid::int8, n.nspname::text, r.relname::text, f.columns::text, f.ref_columns::text,
	f.confdeltype::text, f.confupdtype::text, f.condeferrable
FROM (
	SELECT f.confrelid, coalesce(pg_partition_root(f.conrelid), f.conrelid) AS conrelid, f.conname, f.confdeltype, f.confupdtype, f.condeferrable,
		(SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(attnum, n)
		 JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS columns,
		(SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY k(attnum, n)
		 JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) AS ref_columns
	FROM pg_constraint f
	WHERE f.contype = 'f' AND f.conparentid = 0
) f
JOIN pg_class c ON c.oid = f.conrelid
JOIN pg_namespace t ON t.oid = c.relnamespace
JOIN pg_class r ON r.oid = f.confrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE t.nspname = ANY($1::text[])
ORDER BY t.nspname COLLATE "C", c.relname COLLATE "C", f.conrelid, f.columns::text, f.confrelid, f.ref_columns::text, f.conname COLLATE "C"`

func (in *introspection) addForeignKey(rows value.Rows) error {
	i, ok := in.byID[rows.Cell(0).Int]
	if !ok {
		return nil
	}
	columns, err := names(rows.Cell(3))
	if err != nil {
		return err
	}
	refColumns, err := names(rows.Cell(4))
	if err != nil {
		return err
	}
	in.tables[i].ForeignKeys = append(in.tables[i].ForeignKeys, catalog.ForeignKey{
		Columns: columns, RefSchema: textOf(rows.Cell(1)), RefTable: textOf(rows.Cell(2)), RefColumns: refColumns,
		Cascade: textOf(rows.Cell(5)) == "c", OnDelete: actionOf(textOf(rows.Cell(5))), OnUpdate: actionOf(textOf(rows.Cell(6))), Deferrable: rows.Cell(7).Bool,
	})
	return nil
}

func textOf(c value.Cell) string { return string(c.Text) }

func names(c value.Cell) ([]string, error) {
	var out []string
	if err := json.Unmarshal(c.Text, &out); err != nil {
		return nil, fmt.Errorf("a list of names: %w", err)
	}
	return out, nil
}

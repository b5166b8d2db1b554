package pgcatalog

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"usher/catalog"
	"usher/sqlgen"
	"usher/value"
)

// What is to be known of a table before rows of it are written is read of the table
// and of all that hold rows of it: partitions, and tables that inherit. An account sees
// of the catalogs what it may not read of the tables, so a foreign key onto a
// table is found from wherever it comes.
const familyText = `
WITH RECURSIVE family AS (
	SELECT c.oid AS root, c.oid AS member
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
	UNION
	SELECT f.root, i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.member
)`

// A rule for selecting is what makes a view one. Triggers that are disabled, and those
// that keep constraints, do not count.
var shapeOfMember = sqlgen.PostgresShapeOf("f.member")

var kindsText = familyText + `
SELECT f.root::int8, c.relkind::text,
	bool_or(EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = f.member AND r.ev_type <> '1' AND r.ev_enabled <> 'D')),
	bool_or(EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = f.member AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 28 <> 0)),
	bool_or(EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = f.member AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 7 = 7)),
	(sum(` + shapeOfMember + `))::int8, count(*) > 1,
	bool_or(has_table_privilege(f.member, 'INSERT, UPDATE, DELETE')),
	(SELECT coalesce(json_agg(json_build_array(n.nspname, m.relname) ORDER BY m.oid), '[]') FROM family o JOIN pg_class m ON m.oid = o.member JOIN pg_namespace n ON n.oid = m.relnamespace
	 WHERE o.root = f.root AND o.member <> f.root)::text,
	row_security_active(f.root) AND NOT ` + PolicyFor("f.root", "'r'") + `
FROM family f JOIN pg_class c ON c.oid = f.root
GROUP BY f.root, c.relkind
ORDER BY f.root`

// PolicyFor is the condition that row-level security has a policy of a table, by its oid, for the current account and a
// command, as pg_policy has it. Where none is, the account has no row for that; a restrictive one gives none.
func PolicyFor(table, command string) string {
	return `EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = ` + table + ` AND p.polpermissive AND p.polcmd::text IN (` + command + `, '*')
		AND (0 = ANY(p.polroles) OR EXISTS (SELECT FROM unnest(p.polroles) AS r(role) WHERE pg_has_role(r.role, 'USAGE'))))`
}

func (in *introspection) addKind(rows value.Rows) error {
	i, ok := in.byID[rows.Cell(0).Int]
	if !ok {
		return nil
	}
	t := &in.tables[i]
	switch textOf(rows.Cell(1)) {
	case "v":
		t.Kind = catalog.AView
	case "m":
		t.Kind = catalog.Materialized
	case "f":
		t.Kind = catalog.ForeignTable
	}
	t.Rules, t.Triggers, t.Fills, t.Shape, t.Parts, t.Writable = rows.Cell(2).Bool, rows.Cell(3).Bool, rows.Cell(4).Bool, rows.Cell(5).Int, rows.Cell(6).Bool, rows.Cell(7).Bool
	t.Hidden = rows.Cell(9).Bool
	var members [][2]string
	if err := json.Unmarshal(rows.Cell(8).Text, &members); err != nil {
		return fmt.Errorf("a list of names: %w", err)
	}
	t.Members = nil
	for _, m := range members {
		t.Members = append(t.Members, catalog.TableKey(m[0], m[1]))
	}
	t.Inherited = t.Parts && textOf(rows.Cell(1)) != "p"
	return nil
}

// What a domain checks is told of the columns that are of it, or of a domain of it.
const checksText = `
WITH RECURSIVE made(domain, of) AS (
	SELECT oid, oid FROM pg_type WHERE typtype = 'd'
	UNION
	SELECT m.domain, t.typbasetype FROM made m JOIN pg_type t ON t.oid = m.of WHERE t.typtype = 'd'
)
SELECT a.attrelid::int8, k.conname::text, json_agg(a.attname ORDER BY a.attnum)::text, min(y.typname::text)
FROM pg_constraint k
JOIN pg_type y ON y.oid = k.contypid
JOIN made m ON m.of = k.contypid
JOIN pg_attribute a ON a.atttypid = m.domain AND NOT a.attisdropped
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'c' AND n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
GROUP BY a.attrelid, k.oid, k.conname
UNION ALL
SELECT k.conrelid::int8, k.conname::text,
	coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)), '[]')::text, ''
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'c' AND n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
ORDER BY 1, 4, 2, 3`

func (in *introspection) addCheck(rows value.Rows) error {
	i, ok := in.byID[rows.Cell(0).Int]
	if !ok {
		return nil
	}
	columns, err := names(rows.Cell(2))
	if err != nil {
		return err
	}
	t := &in.tables[i]
	t.Checks = append(t.Checks, catalog.CheckedBy{Name: textOf(rows.Cell(1)), Columns: columns, Domain: textOf(rows.Cell(3))})
	return nil
}

const defaultsText = `
SELECT a.attrelid::int8, a.attname::text, a.attidentity::text, a.attgenerated::text, coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault, '')
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
	AND (a.attidentity <> '' OR d.adbin IS NOT NULL OR t.typdefault IS NOT NULL)
ORDER BY a.attrelid, a.attnum`

func (in *introspection) addDefault(rows value.Rows) error {
	i, ok := in.byID[rows.Cell(0).Int]
	if !ok {
		return nil
	}
	columns := in.tables[i].Columns
	for j := range columns {
		if columns[j].Name == textOf(rows.Cell(1)) {
			columns[j].Default, columns[j].Made = defaultOf(textOf(rows.Cell(2)), textOf(rows.Cell(3)), textOf(rows.Cell(4)))
		}
	}
	return nil
}

// random are the functions that make identifiers: values of which no two are equal.
// Others of such names are constants, or the same for the same arguments.
var random = regexp.MustCompile(`(?i)(gen_random_uuid|uuid_generate_v(1|1mc|4|6|7)|uuidv[47]|[a-z_]*ulid|nanoid)\(`)

// defaultOf reads how a column is filled that is left out. A word that is not known
// makes nothing of its own.
func defaultOf(identity, generated, expr string) (catalog.DefaultKind, catalog.Made) {
	switch {
	case generated != "":
		return catalog.Computed, catalog.NotMade
	case identity == "a":
		return catalog.AlwaysOwn, catalog.Counted
	case identity != "":
		return catalog.ByDefault, catalog.Counted
	case strings.HasPrefix(expr, "NULL"):
		return catalog.NoDefault, catalog.NotMade
	case strings.Contains(expr, "nextval(") && !strings.Contains(expr, "%"):
		return catalog.ByDefault, catalog.Counted
	case random.MatchString(expr):
		return catalog.ByDefault, catalog.Random
	}
	return catalog.ByDefault, catalog.NotMade
}

// An index that is not valid may refuse rows already. The index of a partition is
// told only where it is no part of the table's own. What is compared otherwise than as
// equal, or by a collation that takes different texts for equal, is told as an expression is.
const collidingText = familyText + `
SELECT f.root::int8, x.relname::text, i.indisunique AND NOT i.indisexclusion, i.indpred IS NOT NULL, NOT i.indimmediate,
	k.conindid IS NOT NULL,
	columns.n < i.indnkeyatts, columns.names::text
FROM family f
JOIN pg_index i ON i.indrelid = f.member
JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
CROSS JOIN LATERAL (
	SELECT count(*) AS n, coalesce(json_agg(a.attname ORDER BY e.n), '[]') AS names
	FROM unnest(i.indkey::int2[]) WITH ORDINALITY e(attnum, n)
	JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = e.attnum
	LEFT JOIN pg_collation o ON o.oid = (i.indcollation::oid[])[e.n - 1]
	WHERE e.n <= i.indnkeyatts AND o.collisdeterministic IS NOT FALSE
		AND (NOT i.indisexclusion OR EXISTS (SELECT FROM pg_amop p JOIN pg_am m ON m.oid = p.amopmethod
			WHERE p.amopopr = k.conexclop[e.n] AND m.amname = 'btree' AND p.amopstrategy = 3))
) columns
WHERE (i.indisunique OR i.indisexclusion) AND i.indislive
	AND (f.member = f.root OR NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid))
ORDER BY f.root, f.member <> f.root, NOT i.indisprimary, x.relname COLLATE "C"`

func (in *introspection) addColliding(rows value.Rows) error {
	i, ok := in.byID[rows.Cell(0).Int]
	if !ok {
		return nil
	}
	columns, err := names(rows.Cell(7))
	if err != nil {
		return err
	}
	t := &in.tables[i]
	t.Colliding = append(t.Colliding, catalog.CollidingBy{
		Name: textOf(rows.Cell(1)), Columns: columns, Exclusion: !rows.Cell(2).Bool, Partial: rows.Cell(3).Bool,
		Deferrable: rows.Cell(4).Bool, Constraint: rows.Cell(5).Bool, Expression: rows.Cell(6).Bool,
	})
	return nil
}

// The columns that an action sets are named since version 15 only.
const referrersText = familyText + `
SELECT DISTINCT f.root::int8, n.nspname::text, c.relname::text, k.confdeltype::text, k.confupdtype::text, k.condeferrable,
	(SELECT json_agg(a.attname ORDER BY e.n) FROM unnest(k.conkey) WITH ORDINALITY e(attnum, n)
	 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = e.attnum)::text,
	(SELECT json_agg(a.attname ORDER BY e.n) FROM unnest(k.confkey) WITH ORDINALITY e(attnum, n)
	 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = e.attnum)::text,
	coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
	 WHERE a.attrelid = k.conrelid AND to_jsonb(k) -> 'confdelsetcols' @> to_jsonb(a.attnum)), '[]')::text
FROM family f
JOIN pg_constraint k ON k.confrelid = f.member AND k.contype = 'f' AND k.conparentid = 0
JOIN pg_class c ON c.oid = coalesce(pg_partition_root(k.conrelid), k.conrelid)
JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 2, 3, 7, 8, 4, 5, 6`

func (in *introspection) addReferrer(rows value.Rows) error {
	i, ok := in.byID[rows.Cell(0).Int]
	if !ok {
		return nil
	}
	r := catalog.Referrer{
		Schema: textOf(rows.Cell(1)), Table: textOf(rows.Cell(2)), Deferrable: rows.Cell(5).Bool,
		OnDelete: actionOf(textOf(rows.Cell(3))), OnUpdate: actionOf(textOf(rows.Cell(4))),
	}
	for n, into := range []*[]string{&r.Columns, &r.RefColumns, &r.Sets} {
		if err := json.Unmarshal(rows.Cell(6+n).Text, into); err != nil {
			return fmt.Errorf("a list of names: %w", err)
		}
	}
	if len(r.Sets) == 0 {
		r.Sets = nil
	}
	t := &in.tables[i]
	t.Referrers = append(t.Referrers, r)
	return nil
}

// actionOf reads pg_constraint's letter of an action.
func actionOf(letter string) catalog.Action {
	switch letter {
	case "c":
		return catalog.CascadeTo
	case "n":
		return catalog.SetsNull
	case "d":
		return catalog.SetsDefault
	}
	return catalog.NoAction
}

package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// PostgresChange is how PostgreSQL spells changes.
var PostgresChange ChangeDialect = postgres{}

// Given casts to the scalar's own type and leaves it to the server to assign that to the
// column: a cast to the column's type would cut what is too long for it. Types that
// nothing is assigned to are cast to; where nobody has said what such a type is called, in a tenant's own database, the
// row of the table knows.
func (d postgres) Given(x string, f plan.Field, table string) string {
	native := strings.TrimSuffix(f.Native, "[]")
	if native == "" && (f.Type.Scalar == value.Enum || f.Form.ReadsText() || f.Form == value.Address) {
		if f.Type.List {
			x = "CAST(" + x + " AS text[])"
		}
		column := Identifier(f.Stored)
		return "((json_populate_record(CAST(NULL AS " + table + "), json_build_object(" + "'" + strings.ReplaceAll(f.Stored, "'", "''") + "'" + ", " + x + ")))." + column + ")"
	}
	if f.Type.List {
		if native == "" {
			native = postgresTypes[f.Type.Scalar]
		}
		if f.Type.Scalar == value.Bytes {
			return "CASE WHEN " + x + " IS NOT NULL THEN ARRAY(SELECT decode(u.e, 'base64') FROM unnest(CAST(" + x + " AS text[])) WITH ORDINALITY AS u(e, n) ORDER BY u.n) END"
		}
		return "CAST(CAST(" + x + " AS text[]) AS " + native + "[])"
	}
	switch {
	case f.Type.Scalar == value.Bytes:
		return "decode(" + x + ", 'base64')"
	case native != "" && (f.Type.Scalar == value.Enum || f.Form == value.InUTC || !f.Form.Indexed() && f.Form != value.Single && f.Form != value.Money && f.Form != value.Collated):
		return "CAST(" + x + " AS " + native + ")"
	case f.Type.Scalar == value.String || f.Type.Scalar == value.ID:
		return x
	}
	return "CAST(" + x + " AS " + postgresTypes[f.Type.Scalar] + ")"
}

// Added is refused by the server itself where it would be infinite.
func (postgres) Added(x, y string, _ plan.Field) string { return x + " + " + y }

func (postgres) Texts(placeholders []string) string {
	lists, names := make([]string, len(placeholders)), make([]string, len(placeholders))
	for i, p := range placeholders {
		lists[i], names[i] = p+"::text[]", "c"+strconv.Itoa(i)
	}
	return "(SELECT * FROM unnest(" + strings.Join(lists, ", ") + ") WITH ORDINALITY AS u(" + strings.Join(names, ", ") + ", n))"
}

func (postgres) Returns() bool { return true }

// ReadAt takes what the documentation warns of: a literal is read with its statement, so 'now' is when that
// was. What is kept is read anew when the server has heard that one of its tables is another, which it hears of
// at the latest when it has the table locked to be written to.
func (postgres) ReadAt() string {
	return "CAST(extract(epoch FROM CAST('now' AS timestamp)) * 1000000 AS bigint)"
}

func (postgres) Lock(how Lock, table string) string {
	if how == ToChange {
		return " FOR UPDATE OF " + table
	}
	return " FOR SHARE OF " + table
}

// What keeps tenants apart when a table is written are its keys, the foreign keys at both its ends,
// triggers and rules. Who makes one takes a lock that a statement which writes to the table does not
// go with, so what is read afterwards, in the same transaction, holds until that ends. Foreign
// keys are read of the triggers by which the server keeps them: an index finds those; each has one for INSERT or one for
// DELETE at either end. Keys hold columns by their numbers, under whatever name, so the columns of the table and of those at
// the other ends are what they are called. (Who renames one there takes no lock on this table.)
const postgresShape = `hashint8(@::int8)::int8` +
	` + coalesce((SELECT sum(hashint8(t.oid::int8 << 16 | t.tgtype::int8 << 8 | ascii(t.tgenabled::text))) FROM pg_trigger AS t WHERE t.tgrelid = @), 0)` +
	` + coalesce((SELECT sum(hashint8(i.indexrelid::int8 << 8 | i.indimmediate::int)) FROM pg_index AS i WHERE i.indrelid = @ AND (i.indisunique OR i.indisexclusion) AND i.indislive), 0)` +
	` + coalesce((SELECT sum(hashint8(r.oid::int8 << 8 | ascii(r.ev_enabled::text))) FROM pg_rewrite AS r WHERE r.ev_class = @ AND r.ev_type <> '1'), 0)` +
	` + coalesce((SELECT sum(hashint8((hashname(a.attname)::int8 << 32) # (a.attnum::int8 << 40) # (a.attcollation::int8 << 16) # a.atttypid::int8)) FROM pg_attribute AS a WHERE a.attrelid = @ AND a.attnum > 0), 0)` +
	` + coalesce((SELECT sum(hashint8((hashname(a.attname)::int8 << 32) # (a.attnum::int8 << 40))) FROM pg_trigger AS t JOIN pg_attribute AS a ON a.attrelid = t.tgconstrrelid AND a.attnum > 0` +
	` WHERE t.tgrelid = @ AND t.tgconstraint <> 0 AND t.tgtype & 12 <> 0), 0)`

// PostgresShapeOf is a number that is another when what keeps tenants apart in a table is
// another. The table is named by the text of its object id; those that hold rows of it have
// their own.
func PostgresShapeOf(id string) string { return strings.ReplaceAll(postgresShape, "@", id) }

// PostgresShape is the sum of the numbers of a table and of all that hold rows of it: partitions,
// and tables that inherit. Without those there is no way down to them, but the first is noticed.
func PostgresShape(schema, table string, parts bool) string {
	id := regclass(schema, table)
	if parts {
		return "(WITH RECURSIVE f(m) AS (SELECT " + id + " UNION SELECT h.inhrelid FROM f JOIN pg_inherits AS h ON h.inhparent = f.m) SELECT sum(" +
			PostgresShapeOf("f.m") + ")::int8 FROM f)"
	}
	return "(" + PostgresShapeOf(id) + " + (SELECT count(*) FROM pg_inherits AS h WHERE h.inhparent = " + id + "))::int8"
}

func regclass(schema, table string) string {
	id := Identifier(table)
	if schema != "" {
		id = Identifier(schema) + "." + id
	}
	return "'" + strings.ReplaceAll(id, "'", "''") + "'::regclass::oid"
}

func (postgres) Types(schema, table string) string {
	return "WITH RECURSIVE b(name, typ, mod) AS (SELECT a.attname, a.atttypid, a.atttypmod FROM pg_attribute AS a WHERE a.attrelid = " + regclass(schema, table) +
		" AND a.attnum > 0 AND NOT a.attisdropped UNION ALL SELECT b.name, t.typbasetype, t.typtypmod FROM b JOIN pg_type AS t ON t.oid = b.typ AND t.typtype = 'd')" +
		" SELECT b.name::text, format_type(b.typ, b.mod) FROM b JOIN pg_type AS t ON t.oid = b.typ AND t.typtype <> 'd'"
}

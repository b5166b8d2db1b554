package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
)

// SharedKey is in what PostgreSQL says where a key is gone that told rows apart, whose ever they
// are: in the error of a value that is no boolean, or as an alias in one of a parser.
const SharedKey = "usher_needs_a_unique_key"

// OtherKind is in what PostgreSQL says where a table that was one is partitioned now, or the other way round.
const OtherKind = "usher_needs_a_table_of_the_same_kind"

// Alone has the server itself see to it that a key is there. Both ways are exact: the statement has
// the table locked by then, so nobody drops the key before it has ended, and of what was
// written after a key was dropped its snapshot, which is later than the lock, sees nothing unless
// the key is gone for it as well.
//
// A primary key is proved by the parser: a column that is not grouped by may only be
// selected where the primary key is. The planner then leaves that out, so it costs nothing and
// changes no plan; and a statement that is kept is parsed again when its table is altered. Rows of tables
// that come to inherit from this one are not read, for its key is not theirs.
//
// That the table is no partitioned one, of which ONLY reads no row at all, or is one, where none that inherits from
// it is read, is proved by a cast of what the planner knows: it fails where the statement is planned, and leaves
// nothing to be done where it does not.
//
// Any other index is looked for in each run. The condition names a column, so that it is one of this table and
// not of the join: the planner has fewer ways with those.
func (postgres) Alone(name, alias string, by plan.Alone) (from, condition string) {
	key := make([]string, by.Columns())
	quoted := "'" + strings.ReplaceAll(name, "'", "''") + "'::regclass"
	same := " IS DISTINCT FROM "
	if by.Parts() {
		same = " IS NOT DISTINCT FROM "
	}
	kind := " AND CAST(CASE WHEN pg_partition_root(" + quoted + ")" + same + quoted + " THEN 'true' ELSE '" + OtherKind + "' END AS boolean)"
	if by.Primary() {
		for i := range key {
			key[i] = SharedKey + "." + Identifier(by.Column(i))
		}
		return "ONLY " + name, "(TRUE OR EXISTS (SELECT " + SharedKey + ".ctid FROM " + name + " AS " + SharedKey + " GROUP BY " + strings.Join(key, ", ") + "))" + kind
	}
	for i := range key {
		key[i] = "quote_ident('" + strings.ReplaceAll(by.Column(i), "'", "''") + "')"
	}
	from = "ONLY " + name
	if by.Parts() {
		from = name
	}
	var b strings.Builder
	b.WriteString("CASE (SELECT TRUE FROM pg_index AS i WHERE i.indrelid = " + quoted +
		" AND i.indisunique AND i.indisvalid AND i.indisready AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts <= " + strconv.Itoa(len(key)))
	for i := range key {
		if i > 0 {
			b.WriteString(" AND (i.indnkeyatts < " + strconv.Itoa(i+1) + " OR ")
		} else {
			b.WriteString(" AND (")
		}
		b.WriteString("pg_get_indexdef(i.indexrelid, " + strconv.Itoa(i+1) + ", FALSE) IN (" + strings.Join(key, ", ") + "))")
	}
	b.WriteString(" LIMIT 1) WHEN TRUE THEN TRUE ELSE CAST('" + SharedKey + "' || left(" + alias + "." + Identifier(by.Column(0)) + "::text, 0) AS boolean) END")
	b.WriteString(kind)
	return from, b.String()
}

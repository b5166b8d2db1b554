package sqlgen

import (
	"cmp"
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// DuckDBChange is how DuckDB spells changes. It returns nothing of rows that are changed or
// removed: to do that it would delete a row and insert it again, which fails where
// others refer to it.
var DuckDBChange ChangeDialect = duckdb{}

// Given casts to the scalar's own type and leaves the rest to the engine, so that what is out
// of the column's range is told apart from what is no such value. Decimals have the column's
// scale, as their digits were counted before.
func (d duckdb) Given(x string, f plan.Field, _ string) string {
	if f.Type.List {
		list := texts("CAST(" + x + " AS JSON)")
		switch {
		case f.Type.Scalar == value.Bytes:
			return "list_transform(" + list + ", lambda e: from_base64(e))"
		case f.Native != "":
			return "CAST(" + list + " AS " + f.Native + ")"
		}
		return "CAST(" + list + " AS " + d.assigned(f) + "[])"
	}
	switch {
	case f.Type.Scalar == value.Bytes:
		return "from_base64(" + x + ")"
	case f.Form == value.Wide || f.Native != "" && (f.Type.Scalar == value.Decimal || f.Type.Scalar == value.Time): // of nanoseconds, of which the engine casts nothing to
		return "CAST(" + x + " AS " + f.Native + ")"
	}
	return "CAST(" + x + " AS " + d.assigned(f) + ")"
}

func (duckdb) assigned(f plan.Field) string {
	if f.Type.Scalar == value.Decimal {
		return "DECIMAL(" + strconv.Itoa(value.MaxDigits) + "," + strconv.Itoa(max(f.Type.Scale, 0)) + ")"
	}
	return duckdbTypes[f.Type.Scalar]
}

// Added has a double that would be infinite cast to a whole number, which none is: the engine adds doubles without a word.
func (duckdb) Added(x, y string, f plan.Field) string {
	sum := x + " + " + y
	if f.Type.Scalar != value.Float {
		return sum
	}
	return "CASE WHEN isinf(" + sum + ") AND NOT isinf(" + x + ") THEN CAST(CAST(" + sum + " AS BIGINT) AS DOUBLE) ELSE " + sum + " END"
}

// texts is a list of texts of the JSON of one.
func texts(x string) string { return "from_json(" + x + `, '["VARCHAR"]')` }

func (duckdb) Types(schema, table string) string {
	text := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	return "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = " + text(cmp.Or(schema, "main")) + " AND table_name = " + text(table)
}

func (duckdb) Texts(placeholders []string) string {
	lists, names := make([]string, len(placeholders)), make([]string, len(placeholders))
	for i, p := range placeholders {
		n := strconv.Itoa(i)
		lists[i], names[i] = texts("CAST("+p+" AS JSON)")+" AS l"+n, "unnest(l"+n+") AS c"+n
	}
	return "(SELECT " + strings.Join(names, ", ") + ", unnest(range(1, len(l0) + 1)) AS n FROM (SELECT " + strings.Join(lists, ", ") + ") AS u)"
}

func (duckdb) Returns() bool { return false }

func (duckdb) ReadAt() string { return "" }

// Lock is empty: there is one writer at a time, and whoever would change what it has read
// comes after it.
func (duckdb) Lock(Lock, string) string { return "" }

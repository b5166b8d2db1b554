package sqlgen

import (
	"strings"

	"usher/plan"
	"usher/value"
)

func (d duckdb) Read(x string, f plan.Field) string {
	if f.Form == value.Wide {
		return "CAST(" + x + " AS " + d.wide(f) + ")"
	}
	return d.Lenient(x, f)
}

func (duckdb) wide(f plan.Field) string {
	if f.Type.List {
		return "DECIMAL(38,0)[]"
	}
	return "DECIMAL(38,0)"
}

func (d duckdb) Lenient(x string, f plan.Field) string {
	suffix := ""
	if f.Type.List {
		suffix = "[]"
	}
	switch f.Form {
	case value.Single:
		return "CAST(CAST(" + x + " AS VARCHAR" + suffix + ") AS DOUBLE" + suffix + ")"
	case value.Wide:
		return "TRY_CAST(" + x + " AS " + d.wide(f) + ")"
	case value.Finer:
		if f.Type.List {
			return "list_transform(" + x + ", lambda e: " + cut("e", f.Type.Scalar) + ")"
		}
		return cut(x, f.Type.Scalar)
	case value.Fixed:
		item := d.assigned(f)
		if end := strings.LastIndexByte(f.Native, '['); end >= 0 {
			item = f.Native[:end]
		}
		return "CAST(" + x + " AS " + item + "[])"
	case value.Collated:
		return "(" + x + " COLLATE C)"
	case value.Padded, value.Folded, value.Label, value.Address, value.Printed:
		return "CAST(" + x + " AS VARCHAR" + suffix + ")"
	case value.Document:
		if f.Type.List {
			return "list_transform(" + x + ", lambda e: CASE WHEN e IS NOT NULL THEN to_json(e) END)"
		}
		return "CASE WHEN " + x + " IS NOT NULL THEN to_json(" + x + ") END"
	case value.Plain, value.Domain, value.Money, value.Range, value.Multirange, value.GeoJSON: // but for the first not DuckDB's
	}
	return x
}

// EnumLabel is empty because an enum is compared by its text as fast.
func (duckdb) EnumLabel(string, string) string { return "" }

// Padded is here for text of another engine: DuckDB pads none.
func (duckdb) Padded(x string) string { return x }

// FoldedIn is here for text of another engine: DuckDB has no such type.
func (duckdb) FoldedIn(x, list, _ string) string { return "(" + x + " IN (" + list + "))" }

func (d duckdb) FoldedHas(list, item, _ string) string { return d.Has(list, item) }

func (duckdb) Folded(x string) string { return "lower(" + x + ")" }

// Printable leaves decimals as they are, which have no more digits than can be printed.
func (duckdb) Printable(x string, t value.Type) string {
	switch t.Scalar { //nolint:exhaustive // all else is printed whatever it is
	case value.Date, value.Timestamp, value.LocalTimestamp:
		return years(x, duckdbTypes[t.Scalar])
	case value.Float:
		return finite(x, duckdbTypes[t.Scalar])
	}
	return x
}

func (duckdb) Finite(x string, t value.Type) string { return between(x, duckdbTypes[t.Scalar]) }

// cut leaves out what is finer than a microsecond. The engine's casts round a time
// of day, and cut an instant towards 1970.
func cut(x string, s value.Scalar) string {
	if s == value.Time {
		return "CAST(left(CAST(" + x + " AS VARCHAR), 15) AS TIME)"
	}
	at := "CAST(" + x + " AS TIMESTAMP)"
	return "(" + at + " - CASE WHEN CAST(" + at + " AS TIMESTAMP_NS) > " + x + " THEN INTERVAL 1 MICROSECOND ELSE INTERVAL 0 MICROSECOND END)"
}

package sqlgen

import (
	"strconv"
	"strings"

	"usher/value"
)

// DuckDB is DuckDB's spelling.
var DuckDB Dialect = duckdb{}

type duckdb struct{ standard }

var duckdbTypes = map[value.Scalar]string{
	value.Int: "BIGINT", value.BigInt: "BIGINT", value.Float: "DOUBLE", value.Boolean: "BOOLEAN", value.String: "VARCHAR",
	value.ID: "VARCHAR", value.UUID: "UUID", value.Date: "DATE", value.Time: "TIME", value.Timestamp: "TIMESTAMPTZ",
	value.LocalTimestamp: "TIMESTAMP", value.Interval: "INTERVAL", value.JSON: "JSON", value.Enum: "VARCHAR",
}

func (duckdb) Arg(n string, v value.Value, _ string) string {
	switch v.Type().Scalar { //nolint:exhaustive // all else is a cast
	case value.Bytes:
		return "from_base64(CAST(" + n + " AS VARCHAR))"
	case value.Decimal:
		// The literal's own digits: cast to the column's scale it would be rounded.
		shape := v.Says("shape", func(text string) string {
			whole, fraction := value.DecimalShape(text)
			return strconv.Itoa(min(whole+fraction, value.MaxDigits)) + "," + strconv.Itoa(fraction)
		})
		return "CAST(" + n + " AS DECIMAL(" + shape + "))"
	}
	return "CAST(" + n + " AS " + duckdbTypes[v.Type().Scalar] + ")"
}

func (d duckdb) InternalText(x string, t value.Type) string {
	if t.List && unlikeText(t) {
		return "CAST(to_json(list_transform(" + x + ", lambda e: " + d.InternalText("e", t.Elem()) + ")) AS VARCHAR)"
	}
	if t.List {
		return "CAST(to_json(CAST(" + x + " AS VARCHAR[])) AS VARCHAR)"
	}
	switch t.Scalar {
	case value.Boolean:
		return x
	case value.Int, value.BigInt:
		return "CAST(" + x + " AS BIGINT)"
	case value.Float:
		return "CAST(" + x + " AS DOUBLE)"
	case value.Interval:
		return "(CAST(datepart('year', " + x + ") * 12 + datepart('month', " + x + ") AS VARCHAR) || ' ' || CAST(datepart('day', " + x +
			") AS VARCHAR) || ' ' || CAST((datepart('hour', " + x + ") * 3600 + datepart('minute', " + x +
			") * 60) * 1000000 + datepart('microsecond', " + x + ") AS VARCHAR))"
	case value.Bytes:
		return "to_base64(" + x + ")"
	case value.Decimal, value.String, value.ID, value.UUID, value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.JSON, value.Enum:
	}
	return "CAST(" + x + " AS VARCHAR)"
}

func (d duckdb) ResultText(x string, t value.Type) string { return d.InternalText(x, t) }

func (duckdb) InternalType(t value.Type) string {
	if t.List {
		return "VARCHAR"
	}
	switch t.Scalar { //nolint:exhaustive // all else is text
	case value.Boolean:
		return "BOOLEAN"
	case value.Int, value.BigInt:
		return "BIGINT"
	case value.Float:
		return "DOUBLE"
	}
	return "VARCHAR"
}

func (duckdb) Key(x string, t value.Type) string {
	return "CAST(" + x + " AS " + duckdbKeyType(t) + ")"
}

func duckdbKeyType(t value.Type) string {
	if t.Scalar == value.Decimal {
		return "DECIMAL(38," + strconv.Itoa(max(t.Scale, 0)) + ")"
	}
	return duckdbTypes[t.Scalar]
}

func (duckdb) TextType() string { return "VARCHAR" }

func (duckdb) ByCode(x string) string { return x }

func (duckdb) Collated(x, _ string) string { return x } // it names none

func (duckdb) Like(x, pattern string, ignoreCase bool) string {
	word := " LIKE "
	if ignoreCase {
		word = " ILIKE "
	}
	return "(" + x + word + pattern + ` ESCAPE '\')`
}

func (duckdb) Has(list, item string) string { return "list_contains(" + list + ", " + item + ")" }

func (duckdb) Float(x string, t value.Type) string {
	if t.Scalar == value.Decimal {
		return "CAST(CAST(" + x + " AS VARCHAR) AS DOUBLE)"
	}
	return "CAST(" + x + " AS DOUBLE)"
}

func (duckdb) Exact(x string, t value.Type) string {
	if t.Scalar == value.Decimal { // its scale is kept, also where it is not known here
		return "(" + x + " * CAST(1 AS DECIMAL(38,0)))"
	}
	return "CAST(" + x + " AS DECIMAL(19,0))"
}

func (duckdb) Unscaled(x string, t value.Type) string {
	if t.Scalar == value.Decimal && t.Scale > 0 {
		return "CAST(" + x + " * CAST(1" + strings.Repeat("0", t.Scale) + " AS DECIMAL(19,0)) AS HUGEINT)"
	}
	return "CAST(" + x + " AS HUGEINT)"
}

// Variance adds squares of 64 bits in two parts, so that their sum fails only
// where it is asked for.
func (d duckdb) Variance(x string, t value.Type, n string, call func(fn, of string) string) string {
	total := func(each string) string { return call("sum", each) }
	beyond := d.Rounded(call("var_samp", d.Float(x, value.Of(value.Decimal))))
	const part = "CAST(1000000000000000000 AS HUGEINT)"
	square := "(" + x + " * " + x + ")"
	squares, tooLarge := total(square), ""
	if t.Scalar != value.Int {
		high := total("(" + square + " // " + part + ")")
		squares = "(" + high + " * " + part + " + " + total("("+square+" % "+part+")") + ")"
		tooLarge = "WHEN " + high + " >= CAST('" + mostSquares + "' AS HUGEINT) // " + part + " THEN " + beyond + " "
	}
	sum := total(x)
	return "(CASE " + tooLarge + "WHEN " + squares + " > (CAST('" + mostSquares + "' AS HUGEINT) - 1) // " + n +
		" THEN " + beyond + " ELSE CAST(CAST(" + n + " * " + squares + " - " + sum + " * " + sum +
		" AS VARCHAR) AS DOUBLE) / (CAST(" + n + " AS DOUBLE) * CAST(" + n + " - 1 AS DOUBLE)) END)"
}

// FloatVariance is no number where one of the values is none, of which the engine
// would fail.
func (duckdb) FloatVariance(x string, call func(fn, of string) string) string {
	return "(CASE WHEN " + call("max", "abs("+x+")") + " >= CAST('Infinity' AS DOUBLE) AND " + call("count", x) + " > 1 THEN CAST('NaN' AS DOUBLE) ELSE " +
		call("var_samp", finite(x, "DOUBLE")) + " END)"
}

func (duckdb) Rounded(x string) string { return "CAST(printf('%.11e', " + x + ") AS DOUBLE)" }

func (duckdb) Bin(x, width string, _ value.Type) string {
	return "(" + x + " - " + x + " % " + width + " - CASE WHEN " + x + " % " + width + " < 0 THEN " + width + " ELSE 0 END)"
}

func (duckdb) Percentile(x, fraction string) string {
	return "quantile_disc(" + x + ", " + fraction + ")"
}

func (duckdb) First(x, order, filter string) string {
	return "first(" + x + " ORDER BY " + order + ")" + filter
}

func (duckdb) NullSafeEqual(x, y string) string { return x + " IS NOT DISTINCT FROM " + y }

// LabelOrder does not trust the type: labels beside those of a file that has got more are texts.
func (duckdb) LabelOrder(x string, t value.Type, _ string) string {
	return "list_position([" + quotedLabels(t) + "], CAST(" + x + " AS VARCHAR))"
}

func (duckdb) LabelColumn(x, _ string) string { return x }

// LabelBeyond compares places: enums that were not declared by one word, as that of a file
// which has got a label since, are compared as texts.
func (duckdb) LabelBeyond(x, operator, n, _ string) string {
	return "(enum_code(" + x + ") + 1" + operator + "coalesce(list_position(enum_range(" + x + "), CAST(" + n + " AS VARCHAR)), CAST(error('" + NoLabel + "') AS INTEGER)))"
}

// NoLabel is what a statement fails with that compares with a label which is no more.
const NoLabel = "usher: no such label"

// OptimizationFence is empty because DuckDB hashes groups anyway.
func (duckdb) OptimizationFence() string { return "" }

func (duckdb) SortsDistinct() bool { return false }

// CutInUTC takes the instant for a local time and back by what both count from 1970:
// AT TIME ZONE goes by the calendar of the zone for each row, twice.
func (d duckdb) CutInUTC(unit, at string) string {
	return "make_timestamptz(epoch_us(" + d.CutTo(unit, "make_timestamp(epoch_us("+at+"))") + "))"
}

func (d duckdb) Truncated(unit, at, zone string) string {
	return d.AtZone(d.CutTo(unit, d.AtZone(at, zone)), zone)
}

func (duckdb) Steps(low, high, step string) string {
	return "unnest(generate_series(" + low + ", " + high + ", " + step + ")) AS at"
}

func (duckdb) Parents(types []value.Type) string {
	var lists, names []string
	for i, t := range types {
		cast := "CAST"
		if t.Scalar == value.Decimal { // one of too many digits is no key
			cast = "TRY_CAST"
		}
		lists = append(lists, cast+"(from_json(CAST($"+strconv.Itoa(i+1)+` AS JSON), '["VARCHAR"]') AS `+duckdbKeyType(t)+"[]) AS l"+strconv.Itoa(i))
		names = append(names, "unnest(l"+strconv.Itoa(i)+") AS k"+strconv.Itoa(i))
	}
	return "(SELECT " + strings.Join(names, ", ") + ", unnest(range(1, len(l0) + 1)) AS n FROM (SELECT " + strings.Join(lists, ", ") + ") AS u)"
}

// TakesLists is false where a value needs more than its type to be cast: decimals of other sources, and text
// that another engine folds.
func (duckdb) TakesLists(t value.Type) bool {
	return !t.Folded && (t.Scalar != value.Decimal || t.Scale >= 0)
}

// InList makes a table of the list, which is hashed; list_contains would look through it for each row. Decimals
// of more digits than there are here are none of a column's. Labels are compared as texts, for an enum may have fewer.
func (duckdb) InList(x, list string, t value.Type, _ string) string {
	texts := "from_json(CAST(" + list + ` AS JSON), '["VARCHAR"]')`
	switch t.Scalar { //nolint:exhaustive // all else is a cast
	case value.Decimal:
		return "(" + x + " IN (SELECT u.x FROM (SELECT unnest(TRY_CAST(" + texts + " AS " + duckdbKeyType(t) + "[])) AS x) AS u WHERE u.x IS NOT NULL))"
	case value.Enum:
		x = "CAST(" + x + " AS VARCHAR)"
	}
	return "(" + x + " IN (SELECT unnest(CAST(" + texts + " AS " + duckdbTypes[t.Scalar] + "[]))))"
}

func (duckdb) List(items []string) string {
	return quoteList(len(items), "[", "]", func(dst []byte, i int) []byte { return jsonString(dst, items[i]) })
}

func (duckdb) KeyList(keys value.Items) string {
	return quoteList(keys.Len(), "[", "]", func(dst []byte, i int) []byte {
		text, set := keys.Item(i)
		if !set {
			return append(dst, "null"...)
		}
		return jsonString(dst, text)
	})
}

func jsonString(dst []byte, s string) []byte { return value.AppendQuoted(dst, []byte(s)) }

package sqlgen

import (
	"fmt"
	"strconv"
	"strings"

	"usher/value"
)

// Dialect is what the engines spell in different ways. Everything else is
// written once, in render.go and expr.go. Its methods return SQL for SQL.
type Dialect interface {
	// Arg types the placeholder of a value by the value itself. Native is the
	// type of the column it is compared with, which an enum's label needs.
	Arg(placeholder string, v value.Value, native string) string
	// Read is a stored column as the rest of a statement sees it. A single
	// precision number is the double of its shortest digits, so that it is what
	// people read and write of it, on every source.
	Read(x, native string) string
	// Wire makes an expression return what a value.Cell of the type holds.
	Wire(x string, t value.Type) string
	// Sent is Wire for what goes straight to the client: what the engine writes as
	// the same text by itself needs no conversion before.
	Sent(x string, t value.Type) string
	// WireType is the engine's type of what Wire returns.
	WireType(t value.Type) string
	// Key makes an expression the type that Parents gives a parent's key.
	Key(x string, t value.Type) string
	// TextType is the engine's type of text without a length.
	TextType() string
	// ByCode makes text compare by code point.
	ByCode(x string) string
	// Like matches a pattern whose escape is a backslash.
	Like(x, pattern string, ignoreCase bool) string
	// Has tells whether a list holds an item.
	Has(list, item string) string
	// Float turns a number into a double, correctly rounded.
	Float(x string, t value.Type) string
	// Exact turns an exact number into a decimal of 38 digits, so that what is
	// computed of it does not overflow before these are used up.
	Exact(x string, t value.Type) string
	// Unscaled turns an exact number into a whole number: times ten to the scale.
	Unscaled(x string, t value.Type) string
	// Variance is (n·Σx² − (Σx)²) / (n·(n−1)) of whole numbers x of a type, where
	// total adds up an expression of each row. Beyond what both engines hold
	// exactly it is infinite, and nothing is raised on the way.
	Variance(x string, t value.Type, n string, total func(string) string) string
	// Rounded cuts a double to 12 significant digits.
	Rounded(x string) string
	// Bin is the lower bound of the bin in which an exact number lies.
	Bin(x, width string, t value.Type) string
	// Percentile is the first value at or beyond a fraction of the ordered ones.
	Percentile(x, fraction string) string
	// First is the value in the first row of an order.
	First(x, order, filter string) string
	// Same compares keys of groups: nulls are the same. Joins on it are hashed.
	Same(x, y string) string
	// Apart ends a subquery whose rows are made before anything is done with them,
	// or is empty where that gains nothing.
	Apart() string
	// SortsDistinct tells that counting distinct values sorts the rows.
	SortsDistinct() bool
	// InUTC tells that an instant is cut in UTC when no zone is named. Looking a zone
	// up by its name for every row is dear.
	InUTC() bool
	// Truncated is an instant cut to a unit from a day on by the calendar of a zone.
	Truncated(unit, at, zone string) string
	// Steps selects the times from low to high, a step apart, as the column at.
	Steps(low, high, step string) string
	// Parents makes rows k0, k1, … n of the lists bound to $1, $2, …
	Parents(types []value.Type) string
	// List is the text of a list argument for Parents.
	List(items []string) string

	jsonDialect
}

// argText is the text an argument is bound as.
func argText(v value.Value) string {
	if v.Type().Scalar == value.Interval {
		var months, days, micros int64
		if _, err := fmt.Sscan(v.Text(), &months, &days, &micros); err == nil {
			return fmt.Sprintf("%d months %d days %d microseconds", months, days, micros)
		}
	}
	return v.Text()
}

// unlikeText tells a type whose wire form is not the engine's own text.
func unlikeText(t value.Type) bool { return t.Scalar == value.Interval || t.Scalar == value.Bytes }

// mostSquares is the largest n·Σx² both engines hold exactly.
const mostSquares = "170000000000000000000000000000000000000"

func quoteList(items []string, open, end string, quote func(string) string) string {
	var b strings.Builder
	b.WriteString(open)
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(item))
	}
	b.WriteString(end)
	return b.String()
}

// Postgres is PostgreSQL's spelling.
var Postgres Dialect = postgres{}

type postgres struct{}

var postgresTypes = map[value.Scalar]string{
	value.Int: "bigint", value.BigInt: "bigint", value.Decimal: "numeric", value.Float: "float8", value.Boolean: "boolean",
	value.String: "text", value.ID: "text", value.UUID: "uuid", value.Date: "date", value.Time: "time",
	value.Timestamp: "timestamptz", value.LocalTimestamp: "timestamp", value.Interval: "interval", value.JSON: "jsonb",
	value.Bytes: "bytea", value.Enum: "text",
}

func (postgres) Arg(n string, v value.Value, native string) string {
	switch v.Type().Scalar { //nolint:exhaustive // all else is a cast
	case value.Bytes:
		return "decode(" + n + "::text, 'base64')"
	case value.Enum:
		if native != "" {
			return n + "::" + native // as the server itself names the type
		}
	}
	return n + "::" + postgresTypes[v.Type().Scalar]
}

func (postgres) Read(x, native string) string {
	if native == "real" {
		return x + "::text::float8"
	}
	return x
}

func (d postgres) Wire(x string, t value.Type) string {
	if t.List && unlikeText(t) {
		return "(CASE WHEN " + x + " IS NOT NULL THEN to_json(ARRAY(SELECT " + d.Wire("e", t.Elem()) + " FROM unnest(" + x + ") AS e))::text END)"
	}
	if t.List {
		return "to_json(" + x + "::text[])::text"
	}
	switch t.Scalar {
	case value.Boolean, value.Decimal, value.Int:
		return x
	case value.BigInt:
		return x + "::bigint"
	case value.Float:
		return x + "::float8"
	case value.Interval:
		return "concat((extract(year from " + x + ") * 12 + extract(month from " + x + "))::bigint, ' ', extract(day from " + x +
			")::bigint, ' ', ((extract(hour from " + x + ") * 3600 + extract(minute from " + x +
			") * 60) * 1000000 + extract(microseconds from " + x + "))::bigint) || left(" + x + "::text, 0)"
	case value.Bytes:
		return "translate(encode(" + x + ", 'base64'), E'\\n', '')"
	case value.String, value.ID, value.UUID, value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.JSON, value.Enum:
	}
	return x + "::text"
}

// Sent leaves times and the like to PostgreSQL, which sends every value as the
// text that a cast would make of it: rows stay narrow while they are sorted.
func (d postgres) Sent(x string, t value.Type) string {
	if !t.List {
		switch t.Scalar { //nolint:exhaustive // all else is cast
		case value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.UUID:
			return x
		}
	}
	return d.Wire(x, t)
}

func (postgres) WireType(t value.Type) string {
	if t.List {
		return "text"
	}
	switch t.Scalar { //nolint:exhaustive // all else is text
	case value.Boolean:
		return "boolean"
	case value.Int, value.BigInt:
		return "bigint"
	case value.Float:
		return "float8"
	case value.Decimal:
		return "numeric"
	}
	return "text"
}

func (postgres) Key(x string, t value.Type) string { return x + "::" + postgresTypes[t.Scalar] }

func (postgres) TextType() string { return "text" }

func (postgres) ByCode(x string) string { return x + ` COLLATE "C"` }

func (postgres) Like(x, pattern string, ignoreCase bool) string {
	if ignoreCase {
		return "(" + x + `::text COLLATE "und-x-icu" ILIKE ` + pattern + ` ESCAPE '\')`
	}
	return "(" + x + " LIKE " + pattern + ` ESCAPE '\')`
}

func (postgres) Has(list, item string) string { return "(" + item + " = ANY(" + list + "))" }

func (postgres) Float(x string, _ value.Type) string { return x + "::float8" }

func (postgres) Exact(x string, t value.Type) string {
	if t.Scalar == value.Decimal {
		return x
	}
	return x + "::numeric"
}

func (postgres) Unscaled(x string, t value.Type) string {
	if t.Scalar == value.Decimal && t.Scale > 0 {
		return "(" + x + " * 1" + strings.Repeat("0", t.Scale) + ")"
	}
	return x + "::numeric"
}

func (postgres) Variance(x string, _ value.Type, n string, total func(string) string) string {
	sum, squares := total(x), total("("+x+" * "+x+")")
	return "(CASE WHEN " + n + " * " + squares + " >= " + mostSquares + " THEN 'Infinity'::float8 ELSE (" +
		n + " * " + squares + " - " + sum + " * " + sum + ")::float8 / (" + n + "::float8 * (" + n + " - 1)::float8) END)"
}

func (postgres) Rounded(x string) string {
	return "(CASE WHEN abs(" + x + ") < 'Infinity'::float8 THEN to_char(" + x + ", '9.99999999999EEEE')::float8 ELSE " + x + " END)"
}

func (postgres) Bin(x, width string, _ value.Type) string {
	return "(" + x + " - mod(" + x + ", " + width + ") - CASE WHEN mod(" + x + ", " + width + ") < 0 THEN " + width + " ELSE 0 END)"
}

func (postgres) Percentile(x, fraction string) string {
	return "percentile_disc(" + fraction + "::float8) WITHIN GROUP (ORDER BY " + x + ")"
}

func (postgres) First(x, order, filter string) string {
	return "(array_agg(" + x + " ORDER BY " + order + ")" + filter + ")[1]"
}

// Same makes lists of the two because PostgreSQL can only join on IS NOT
// DISTINCT FROM by comparing each with each; the items of equal lists may be
// null.
func (postgres) Same(x, y string) string { return "ARRAY[" + x + "] = ARRAY[" + y + "]" }

func (postgres) Apart() string { return " OFFSET 0" }

func (postgres) SortsDistinct() bool { return true }

// InUTC holds because every connection says TimeZone=UTC when it begins, and no
// session may say otherwise.
func (postgres) InUTC() bool { return true }

func (postgres) Truncated(unit, at, zone string) string {
	return "date_trunc(" + unit + ", " + at + ", " + zone + ")"
}

func (postgres) Steps(low, high, step string) string {
	return "generate_series(" + low + ", " + high + ", " + step + ") AS at"
}

func (postgres) Parents(types []value.Type) string {
	var lists, names []string
	for i, t := range types {
		lists = append(lists, "$"+strconv.Itoa(i+1)+"::"+postgresTypes[t.Scalar]+"[]")
		names = append(names, "k"+strconv.Itoa(i))
	}
	return "(SELECT * FROM unnest(" + strings.Join(lists, ", ") + ") WITH ORDINALITY AS u(" + strings.Join(names, ", ") + ", n))"
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (postgres) List(items []string) string {
	return quoteList(items, "{", "}", func(s string) string { return `"` + arrayEscapes.Replace(s) + `"` })
}

// DuckDB is DuckDB's spelling.
var DuckDB Dialect = duckdb{}

type duckdb struct{}

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
		whole, fraction := value.DecimalShape(v.Text())
		return "CAST(" + n + " AS DECIMAL(" + strconv.Itoa(min(whole+fraction, value.MaxDigits)) + "," + strconv.Itoa(fraction) + "))"
	}
	return "CAST(" + n + " AS " + duckdbTypes[v.Type().Scalar] + ")"
}

func (duckdb) Read(x, native string) string {
	if native == "FLOAT" {
		return "CAST(CAST(" + x + " AS VARCHAR) AS DOUBLE)"
	}
	return x
}

func (d duckdb) Wire(x string, t value.Type) string {
	if t.List && unlikeText(t) {
		return "CAST(to_json(list_transform(" + x + ", lambda e: " + d.Wire("e", t.Elem()) + ")) AS VARCHAR)"
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

func (d duckdb) Sent(x string, t value.Type) string { return d.Wire(x, t) }

func (duckdb) WireType(t value.Type) string {
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
func (duckdb) Variance(x string, t value.Type, n string, total func(string) string) string {
	const part = "CAST(1000000000000000000 AS HUGEINT)"
	square := "(" + x + " * " + x + ")"
	squares, tooLarge := total(square), ""
	if t.Scalar != value.Int {
		high := total("(" + square + " // " + part + ")")
		squares = "(" + high + " * " + part + " + " + total("("+square+" % "+part+")") + ")"
		tooLarge = "WHEN " + high + " >= CAST('" + mostSquares + "' AS HUGEINT) // " + part + " THEN CAST('Infinity' AS DOUBLE) "
	}
	sum := total(x)
	return "(CASE " + tooLarge + "WHEN " + squares + " > (CAST('" + mostSquares + "' AS HUGEINT) - 1) // " + n +
		" THEN CAST('Infinity' AS DOUBLE) ELSE CAST(CAST(" + n + " * " + squares + " - " + sum + " * " + sum +
		" AS VARCHAR) AS DOUBLE) / (CAST(" + n + " AS DOUBLE) * CAST(" + n + " - 1 AS DOUBLE)) END)"
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

func (duckdb) Same(x, y string) string { return x + " IS NOT DISTINCT FROM " + y }

// Apart is empty because DuckDB hashes groups anyway.
func (duckdb) Apart() string { return "" }

func (duckdb) SortsDistinct() bool { return false }

func (duckdb) InUTC() bool { return false }

func (duckdb) Truncated(unit, at, zone string) string {
	return "(date_trunc(" + unit + ", (" + at + " AT TIME ZONE " + zone + ")) AT TIME ZONE " + zone + ")"
}

func (duckdb) Steps(low, high, step string) string {
	return "unnest(generate_series(" + low + ", " + high + ", " + step + ")) AS at"
}

func (duckdb) Parents(types []value.Type) string {
	var lists, names []string
	for i, t := range types {
		lists = append(lists, "CAST(from_json(CAST($"+strconv.Itoa(i+1)+` AS JSON), '["VARCHAR"]') AS `+duckdbKeyType(t)+"[]) AS l"+strconv.Itoa(i))
		names = append(names, "unnest(l"+strconv.Itoa(i)+") AS k"+strconv.Itoa(i))
	}
	return "(SELECT " + strings.Join(names, ", ") + ", unnest(range(1, len(l0) + 1)) AS n FROM (SELECT " + strings.Join(lists, ", ") + ") AS u)"
}

func (duckdb) List(items []string) string {
	return quoteList(items, "[", "]", func(s string) string { return string(value.AppendQuoted(nil, []byte(s))) })
}

package sqlgen

import (
	"strconv"
	"strings"

	"usher/value"
)

// Postgres is PostgreSQL's spelling.
var Postgres Dialect = postgres{}

type postgres struct{ standard }

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

func (d postgres) InternalText(x string, t value.Type) string {
	if t.List && unlikeText(t) {
		return "to_json(" + d.each(x, d.InternalText("e", t.Elem()), "text") + ")::text"
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
		return "CASE WHEN NOT isfinite(" + x + ") THEN 'infinity' ELSE concat((extract(year from " + x + ") * 12 + extract(month from " + x + "))::bigint, ' ', extract(day from " + x +
			")::bigint, ' ', ((extract(hour from " + x + ") * 3600 + extract(minute from " + x +
			") * 60) * 1000000 + extract(microseconds from " + x + "))::bigint) || left(" + x + "::text, 0) END"
	case value.Bytes:
		return "translate(encode(" + x + ", 'base64'), E'\\n', '')"
	case value.String, value.ID, value.UUID, value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.JSON, value.Enum:
	}
	return x + "::text"
}

// ResultText leaves times and the like to PostgreSQL, which sends every value as the
// text that a cast would make of it: rows stay narrow while they are sorted.
func (d postgres) ResultText(x string, t value.Type) string {
	if !t.List {
		switch t.Scalar { //nolint:exhaustive // all else is cast
		case value.Date, value.Time, value.Timestamp, value.LocalTimestamp, value.UUID:
			return x
		}
	}
	return d.InternalText(x, t)
}

func (postgres) InternalType(t value.Type) string {
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

func (postgres) Collated(x, collation string) string { return x + " COLLATE " + collation }

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

func (d postgres) Variance(x string, _ value.Type, n string, call func(fn, of string) string) string {
	sum, squares := call("sum", x), call("sum", "("+x+" * "+x+")")
	exact := "(" + n + " * " + squares + " - " + sum + " * " + sum + ")::float8 / (" + n + "::float8 * (" + n + " - 1)::float8)"
	return "(CASE WHEN " + n + " * " + squares + " >= " + mostSquares + " THEN " + d.Rounded(exact) + " ELSE " + exact + " END)"
}

func (postgres) FloatVariance(x string, call func(fn, of string) string) string {
	return call("var_samp", x)
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

func (d postgres) First(x, order, filter string) string {
	return "(" + d.Listed(x, order) + filter + ")[1]"
}

// NullSafeEqual makes lists of the two because PostgreSQL can only join on IS NOT
// DISTINCT FROM by comparing each with each; the items of equal lists may be
// null.
func (postgres) NullSafeEqual(x, y string) string { return "ARRAY[" + x + "] = ARRAY[" + y + "]" }

// LabelColumn is text where nobody has said what the source calls the enum.
func (postgres) LabelColumn(x, native string) string {
	if native == "" {
		return x + "::text"
	}
	return x
}

func (postgres) LabelOrder(x string, t value.Type, native string) string {
	if native != "" {
		return x
	}
	return "array_position(ARRAY[" + quotedLabels(t) + "]::text[], " + x + ")"
}

// LabelBeyond leaves it to the server to see of what type the label is, where nobody has said it.
func (postgres) LabelBeyond(x, operator, n, native string) string {
	if native != "" {
		n += "::" + native
	}
	return "(" + x + operator + n + ")"
}

func (postgres) OptimizationFence() string { return " OFFSET 0" }

func (postgres) SortsDistinct() bool { return true }

// CutInUTC names no zone because every connection says TimeZone=UTC when it begins, and
// no session may say otherwise.
func (d postgres) CutInUTC(unit, at string) string { return d.CutTo(unit, at) }

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

func (postgres) TakesLists(value.Type) bool { return true }

func (postgres) InList(x, list string, t value.Type, native string) string {
	if t.Folded {
		return "(" + x + " OPERATOR(" + schemaOf(native) + "=) ANY (" + list + "::" + native + "[]))"
	}
	if t.Scalar != value.Enum || native == "" {
		native = postgresTypes[t.Scalar]
	}
	return "(" + x + " = ANY(" + list + "::" + native + "[]))"
}

func (postgres) List(items []string) string {
	return quoteList(len(items), "{", "}", func(dst []byte, i int) []byte { return quotedItem(dst, items[i]) })
}

func (postgres) KeyList(keys value.Items) string {
	return quoteList(keys.Len(), "{", "}", func(dst []byte, i int) []byte {
		text, set := keys.Item(i)
		if !set {
			return append(dst, "NULL"...)
		}
		return quotedItem(dst, text)
	})
}

// quotedItem appends an item of an array.
func quotedItem(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if strings.IndexByte(s, '"') < 0 && strings.IndexByte(s, '\\') < 0 { // as nearly all are
		return append(append(dst, s...), '"')
	}
	for {
		at := strings.IndexAny(s, `\"`)
		if at < 0 {
			return append(append(dst, s...), '"')
		}
		dst = append(append(dst, s[:at]...), '\\', s[at])
		s = s[at+1:]
	}
}

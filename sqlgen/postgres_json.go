package sqlgen

import (
	"usher/plan"
	"usher/value"
)

// jsonDocument casts json to jsonb where that cannot fail. Besides what the
// text says, a number may be too long for jsonb, which then has 250 digits in a
// row in a long text, or the nesting too deep: that is counted without the
// innermost eight levels, so that long lists of records are not taken for it.
func (postgres) jsonDocument(x string, f plan.Field) string {
	if f.Native == "jsonb" || f.Form != value.Plain { // what the server has made of a column is jsonb
		return x
	}
	nesting := "regexp_replace(b.s, '[^][{}]', '', 'g')"
	for range 8 {
		nesting = `regexp_replace(` + nesting + `, '\[\]|\{\}', '', 'g')`
	}
	return `(SELECT CASE WHEN b.s IS NULL OR strpos(b.u, '` + escapedNUL + `') > 0` +
		` OR regexp_replace(b.u, '` + escapedPair + `', '', 'g') ~ '` + escapedHalf + `'` +
		` OR b.s ~ '` + largeExponent + `' OR length(b.s) > 15000 AND b.s ~ '[0-9]{250}'` +
		` OR length(b.s) > ` + mostJSONBrackets + ` AND length(` + nesting + `) > ` + mostJSONBrackets +
		` THEN NULL ELSE ` + x + `::jsonb END` +
		` FROM (SELECT a.u, CASE WHEN octet_length(a.u) < ` + mostJSONBytes + ` THEN regexp_replace(replace(a.u, '\"', ''), '"[^"]*"', '', 'g') END AS s` +
		` FROM (SELECT replace(` + x + `::text, '\\', '  ') AS u OFFSET 0) AS a OFFSET 0) AS b)`
}

func (postgres) jsonContains(w *writer, doc string, v value.Value) string {
	return "(" + doc + " @> " + w.arg(v, "") + ")"
}

// jsonAt binds the path as one argument. A strict path finds members in objects
// only and positions in lists only.
func (postgres) jsonAt(w *writer, doc string, steps []value.Value) string {
	path := []byte("strict $")
	for _, s := range steps {
		if s.Type().Scalar == value.Int {
			path = append(append(append(path, '['), s.Text()...), ']')
		} else {
			path = value.AppendQuoted(append(path, '.'), []byte(s.Text()))
		}
	}
	return "jsonb_path_query_first(" + doc + ", " + w.bind(string(path), func(n string) string { return n + "::jsonpath" }) + ", '{}', true)"
}

func (postgres) jsonText(at string) string { return "(" + jsonOfType(at, "string") + " #>> '{}')" }

func (postgres) jsonNumber(at string) string { return jsonOfType(at, "number") + "::numeric" }

func (postgres) jsonBoolean(at string) string { return jsonOfType(at, "boolean") + "::boolean" }

// jsonOfType is null for JSON of another type, so that no cast of it can fail.
func jsonOfType(at, typ string) string {
	return "jsonb_path_query_first(" + at + `, 'strict $ ? (@.type() == "` + typ + `")')`
}

func (postgres) jsonOperand(w *writer, v value.Value) string { return w.arg(v, "") }

package sqlgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// jsonDocument marks every text of a document, keys included, with an s in
// front, and then makes texts of its numbers: DuckDB's functions read numbers
// as doubles. Both steps replace whole texts, so that nothing inside one is
// taken for a number.
func (duckdb) jsonDocument(x string, _ plan.Field) string {
	const texts, numbers = `"((?:[^"\\]|\\.)*)"`, `(-?[0-9][0-9.eE+-]*)`
	text := "CAST(" + x + " AS VARCHAR)"
	marked := `regexp_replace(regexp_replace(` + text + `, '` + texts + `', '"s\1"', 'g'), '` + texts + `|` + numbers + `', '"\1\2"', 'g')`
	return let("m", marked, `CASE WHEN json_valid(`+text+`) AND strpos(replace(`+text+`, '\\', '  '), '`+escapedNUL+`') = 0`+
		` AND NOT regexp_matches(m, '(^|[^\\])"-?[0-9.]+`+largeExponent+`') THEN json_extract(m, '$') END`)
}

func (duckdb) jsonContains(w *writer, doc string, v value.Value) string {
	dec := json.NewDecoder(bytes.NewReader([]byte(v.Text())))
	dec.UseNumber()
	var part any
	if err := dec.Decode(&part); err != nil {
		w.err = fmt.Errorf("sqlgen: a plan holds JSON that is none: %w", err)
		return "FALSE"
	}
	c := containment{w}
	found := c.holds("j0", part, 1)
	switch part.(type) {
	case map[string]any, []any:
	default: // a list contains a scalar that is one of its items, but only at the top
		found = "(" + found + " OR json_type(j0) = 'ARRAY' AND " + some("json_extract(j0, '$[*]')", "j1", c.holds("j1", part, 2)) + ")"
	}
	return some("["+doc+"]", "j0", found)
}

// some tells whether the condition holds for an item of a list.
func some(list, item, condition string) string {
	return "(len(list_filter(" + list + ", lambda " + item + ": " + condition + ")) > 0)"
}

// containment spells containment as conditions on the marked form of JSON.
type containment struct{ w *writer }

// holds tells whether what the lambda's parameter stands for contains a part.
func (c containment) holds(here string, part any, depth int) string {
	next := "j" + strconv.Itoa(depth)
	switch part := part.(type) {
	case map[string]any:
		conditions := []string{"json_type(" + here + ") = 'OBJECT'"}
		names := make([]string, 0, len(part))
		for name := range part {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			conditions = append(conditions, some("["+jsonMember(c.w, here, name)+"]", next, c.holds(next, part[name], depth+1)))
		}
		return "(" + strings.Join(conditions, " AND ") + ")"
	case []any:
		conditions := []string{"json_type(" + here + ") = 'ARRAY'"}
		for _, item := range part {
			conditions = append(conditions, some("json_extract("+here+", '$[*]')", next, c.holds(next, item, depth+1)))
		}
		return "(" + strings.Join(conditions, " AND ") + ")"
	case string:
		return "(json_extract_string(" + here + ", '$') = " + c.w.text("s"+part) + ")"
	case json.Number:
		return "(" + numberKeyOf("json_extract_string("+here+", '$')") + " = " + c.w.text(numberKey(string(part))) + ")"
	case bool:
		return "(CAST(" + here + " AS VARCHAR) = " + c.w.text(strconv.FormatBool(part)) + ")"
	}
	return "(CAST(" + here + " AS VARCHAR) = " + c.w.text("null") + ")"
}

// jsonMember is the last member of a name.
func jsonMember(w *writer, object, name string) string {
	return "list_extract(json_extract(" + object + ", '$.*'), -list_position(list_reverse(json_keys(" + object + ")), " + w.text("s"+name) + "))"
}

// let names a value that its body uses more than once.
func let(name, x, body string) string {
	return "list_extract(list_transform([" + x + "], lambda " + name + ": " + body + "), 1)"
}

func (duckdb) jsonAt(w *writer, doc string, steps []value.Value) string {
	for _, s := range steps {
		if s.Type().Scalar == value.Int {
			doc = "json_extract(" + doc + ", " + w.bind(s.Text(), func(n string) string { return "CAST(" + n + " AS BIGINT)" }) + ")"
		} else {
			doc = let("j", doc, jsonMember(w, "j", s.Text()))
		}
	}
	return doc
}

func (duckdb) jsonText(at string) string {
	return let("t", "json_extract_string("+at+", '$')", "CASE WHEN starts_with(t, 's') THEN substr(t, 2) END")
}

func (duckdb) jsonNumber(at string) string {
	return numberKeyOf("json_extract_string(" + at + ", '$')")
}

func (duckdb) jsonBoolean(at string) string {
	return "(CASE CAST(" + at + " AS VARCHAR) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END)"
}

func (duckdb) jsonOperand(w *writer, v value.Value) string { return w.text(numberKey(v.Text())) }

// DuckDB has no type for numbers of any size. They are compared by keys whose
// order as text is that of the numbers: the sign as n, o or p, the power of ten
// of the first digit, then the digits. Those of negative numbers are turned
// round.
const (
	powerOffset = 5_000_000_000 // of ten digits, so that no power changes their number
	turned      = "9876543210"
	afterDigits = "~"
)

// numberKeyOf is the key of a text that may be a number, in SQL; null where it
// is none.
func numberKeyOf(text string) string {
	offset := strconv.Itoa(powerOffset)
	power := func(sign string) string {
		return "CAST(" + offset + sign + "(len(d) - len(n.f) + coalesce(TRY_CAST(nullif(n.e, '') AS BIGINT), 0)) AS VARCHAR)"
	}
	key := "CASE WHEN n.i = '' THEN NULL WHEN d = '' THEN 'o'" +
		" WHEN n.s = '' THEN 'p' || " + power(" + ") + " || rtrim(d, '0')" +
		" ELSE 'n' || " + power(" - ") + " || translate(rtrim(d, '0'), '0123456789', '" + turned + "') || '" + afterDigits + "' END"
	const form = `^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$`
	return let("n", "regexp_extract("+text+", '"+form+"', ['s', 'i', 'f', 'e'])", let("d", "ltrim(n.i || n.f, '0')", key))
}

// numberKey is the same key of a literal.
func numberKey(text string) string {
	text, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	power, _ := strconv.Atoi(exponent)
	text, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(text, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	power += len(digits) - len(fraction)
	digits = strings.TrimRight(digits, "0")
	switch {
	case digits == "":
		return "o"
	case !negative:
		return "p" + strconv.Itoa(powerOffset+power) + digits
	}
	mirrored := []byte(digits)
	for i, digit := range mirrored {
		mirrored[i] = turned[digit-'0']
	}
	return "n" + strconv.Itoa(powerOffset-power) + string(mirrored) + afterDigits
}

package pgcatalog

import (
	"regexp"
	"slices"
	"strings"

	"usher/value"
)

// Of a partition the triggers are told that are its own, too, and once where several have one of the same name.
const triggersText = familyText + `
SELECT DISTINCT f.root::int8, t.tgname::text COLLATE "C", l.lanname::text, p.proname::text, p.prosrc, t.tgtype & 7 = 7
FROM family f
JOIN pg_trigger t ON t.tgrelid = f.member
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_language l ON l.oid = p.prolang
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 28 <> 0
ORDER BY 1, 2`

func (in *introspection) addTrigger(rows value.Rows) error {
	i, ok := in.byID[rows.Cell(0).Int]
	if !ok {
		return nil
	}
	t, name := &in.tables[i], textOf(rows.Cell(1))
	if reaches(textOf(rows.Cell(2)), textOf(rows.Cell(3)), textOf(rows.Cell(4))) && !slices.Contains(t.Reaching, name) {
		t.Reaching = append(t.Reaching, name)
	}
	if !rows.Cell(5).Bool {
		return nil
	}
	words := naming.FindAllString(strings.ToLower(textOf(rows.Cell(4))), -1)
	for _, c := range t.Columns {
		if slices.Contains(words, strings.ToLower(c.Name)) && !slices.Contains(t.Filled, c.Name) {
			t.Filled = append(t.Filled, c.Name)
		}
	}
	return nil
}

// reaches tells whether the function of a trigger may read or change other rows than the one that it is run for. It may
// where anything stands in it that is not known to do neither.
func reaches(language, name, source string) bool {
	switch language {
	case "internal": // the server's own
		return false
	case "c":
		return !slices.Contains([]string{"moddatetime", "insert_username"}, name) // of its module spi, which only fill in a column
	case "plpgsql":
	default:
		return true
	}
	code := strings.ToLower(noCode.ReplaceAllString(source, " '' "))
	if strings.ContainsAny(code, `"$`) { // names in quotes, and texts between dollars
		return true
	}
	for _, word := range asking.FindAllString(comparing.ReplaceAllString(code, "("), -1) {
		if slices.Contains(statements, word) {
			return true
		}
	}
	for _, call := range calls.FindAllStringSubmatch(code, -1) {
		if !slices.Contains(harmless, strings.TrimPrefix(call[1], "pg_catalog.")) {
			return true
		}
	}
	return false
}

var (
	// noCode are texts and comments. Whichever begins first is taken, so that neither begins within the other.
	noCode = regexp.MustCompile(`(?is)e'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/`)
	// comparing is a FROM that leads to no table.
	comparing = regexp.MustCompile(`(?:distinct|\(\s*[a-z]+)\s+from`)
	asking    = regexp.MustCompile(`[a-z_]+`)
	naming    = regexp.MustCompile(`[a-z0-9_]+`)
	calls     = regexp.MustCompile(`([a-z_][a-z0-9_.]*)\s*\(`)
)

// statements are the words with which PL/pgSQL asks for rows, changes them, or runs what does.
var statements = strings.Fields("from insert update delete merge truncate copy execute call do open query table create alter drop lock notify")

// harmless are functions that read and change nothing, and words before which a parenthesis may stand as well.
var harmless = strings.Fields(`now clock_timestamp statement_timestamp transaction_timestamp timezone date_trunc date_part extract age to_char to_date to_timestamp to_number make_date
	gen_random_uuid uuid_generate_v4 random md5 sha256 digest encode decode convert_to
	lower upper initcap trim btrim ltrim rtrim replace regexp_replace translate substring substr left right lpad rpad split_part length char_length octet_length concat concat_ws format strpos position reverse repeat quote_ident quote_literal unaccent
	coalesce nullif greatest least abs ceil ceiling floor round trunc mod power sign
	to_tsvector setweight to_tsquery jsonb_build_object json_build_object jsonb_set to_jsonb to_json row_to_json jsonb_strip_nulls array_length array_append array_remove cardinality array_to_string string_to_array unnest min max count sum string_agg array_agg
	nextval current_setting num_nulls num_nonnulls
	if elsif when case then else return not and or in any all array row values cast numeric decimal varchar char timestamp timestamptz time interval is distinct raise while exit
	select perform into where having exists between like ilike union all distinct using on set`)

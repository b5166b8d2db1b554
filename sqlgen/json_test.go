package sqlgen_test

import (
	"encoding/json"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/plan"
	"usher/plan/plantest"
	"usher/query"
	"usher/sqlgen"
)

// documents is a table of JSON, numbered from 1, and of tenant b's, which are
// there to break what reads them.
func documents(tb testing.TB, typ string, docs []string, foreign ...string) *engines {
	tb.Helper()
	quote := func(docs []string) []string {
		out := make([]string, len(docs))
		for i, doc := range docs {
			out[i] = "'" + strings.ReplaceAll(doc, "'", "''") + "'"
		}
		return out
	}
	return cells(tb, typ, append(quote(docs), "NULL"), quote(foreign)...)
}

func bothTypes(t *testing.T, test func(t *testing.T, typ string)) {
	t.Parallel()
	for _, typ := range []string{"json", "jsonb"} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			test(t, typ)
		})
	}
}

func TestJSONContains(t *testing.T) {
	bothTypes(t, func(t *testing.T, typ string) {
		t.Helper()
		e := documents(t, typ, []string{
			`{"a": 1, "b": {"c": [1, 2.50, "x"]}, "": null}`,  // 1
			`{"a": 1.0, "b": {"c": [], "d": {}}}`,             // 2
			`[1, [2, 3], {"a": 1}, null, true, "é"]`,          // 3
			`{"a": 2, "a": 1e0, "b": "\u00e9\ud83d\ude00\n"}`, // 4
			` "é" `,                  // 5
			`9223372036854775808`,    // 6
			`1e400`,                  // 7
			`-0.0`,                   // 8
			`null`,                   // 9
			`{}`,                     // 10
			`[ ]`,                    // 11
			`"1"`,                    // 12
			`{"a\"b.c$[0]": "it's"}`, // 13
			`[[]]`,                   // 14
			`0.1234567890123456789012345678901234567890`, // 15
		})
		for _, c := range [][2]string{
			{`1`, "3"},
			{`{a: 1}`, "1 2 4"},
			{`{a: 2}`, ""}, // the last of two members counts
			{`{a: 10e-1, b: {c: [2.5]}}`, "1"},
			{`{b: {c: []}}`, "1 2"},
			{`{b: {c: [[]]}}`, ""},
			{`{b: {d: {}}}`, "2"},
			{`{b: {d: []}}`, ""},
			{`{b: {}}`, "1 2"},
			{`[]`, "3 11 14"},
			{`{}`, "1 2 4 10 13"},
			{`[[3]]`, "3"},
			{`[3]`, ""},
			{`[[2], [3], [2, 3]]`, "3"},
			{`[[]]`, "3 14"},
			{`[{a: 1}, 1]`, "3"},
			{`[1, 1, 1, 1, 1, 1, 1, 1]`, "3"},
			{`[null]`, "3"},
			{`[true]`, "3"},
			{`true`, "3"},
			{`false`, ""},
			{`"é"`, "3 5"},
			{`["é"]`, "3"},
			{`{b: "é😀\n"}`, "4"},
			{`9223372036854775808`, "6"},
			{`9223372036854775807`, ""},
			{`9223372036854775808.00`, "6"},
			{`1e400`, "7"},
			{`10E+399`, "7"},
			{`1e401`, ""},
			{`0`, "8"},
			{`0e5`, "8"},
			{`"1"`, "12"},
			{`"0"`, ""},
			{`0.1234567890123456789012345678901234567890`, "15"},
			{`0.1234567890123456789012345678901234567891`, ""},
		} {
			e.ids("cells", "x: {contains: "+c[0]+"}", c[1])
			var others []string
			for id := 1; id <= 16; id++ {
				if !slices.Contains(strings.Fields(c[1]), strconv.Itoa(id)) {
					others = append(others, strconv.Itoa(id))
				}
			}
			e.ids("cells", "not: {x: {contains: "+c[0]+"}}", strings.Join(others, " "))
		}
	})
}

func TestJSONPath(t *testing.T) {
	bothTypes(t, func(t *testing.T, typ string) {
		t.Helper()
		e := documents(t, typ, []string{
			`{"a": {"b": ["x", 1.50, true, null, {"c": "É"}]}}`, // 1
			`{"a": {"0": "member", "b": "x"}}`,                  // 2
			`[["x"], {"a": 5}]`,                                 // 3
			`"x"`,                                               // 4
			`{"a": 1, "a": "last"}`,                             // 5
			`{"a": 9223372036854775808}`,                        // 6
			`{"a": -1e400}`,                                     // 7
			`{"a": 1e-300}`,                                     // 8
			`{"a": -0}`,                                         // 9
			`{"a": "17"}`,                                       // 10
			`{"a": null}`,                                       // 11
			`{"a": false}`,                                      // 12
			`{"a": -12}`,                                        // 13
			`{"a": -123}`,                                       // 14
			`{"a.b": {"$": [{"\"]": "q", "a b": "é\\"}]}}`,       // 15
			`{"a": "true", "s": "sa", "": 7}`,                    // 16
			`{"a": [], "b": "null"}`,                             // 17
			`{"a": {}}`,                                          // 18
			`{"a": 17.0000000000000000000000000000000000000001}`, // 19
		})
		all := func(except ...int) string {
			var out []string
			for id := 1; id <= 20; id++ {
				if !slices.Contains(except, id) {
					out = append(out, strconv.Itoa(id))
				}
			}
			return strings.Join(out, " ")
		}
		for _, c := range [][2]string{
			{`{at: "a.b[0]", text: {eq: "x"}}`, "1"},
			{`{at: "a.b", text: {eq: "x"}}`, "2"},
			{`{at: "a.b[1]", number: {eq: 1.5}}`, "1"},
			{`{at: "a.b[1]", number: {neq: 1.5}}`, all(1)},
			{`{at: "a.b[2]", boolean: {eq: true}}`, "1"},
			{`{at: "a.b[3]", exists: true}`, "1"},
			{`{at: "a.b[3]", exists: true, isNull: true}`, "1"},
			{`{at: "a.b[3]", isNull: false}`, ""},
			{`{at: "a.b[4].c", text: {ilike: "é"}}`, "1"},
			{`{at: "a.b[4].c", text: {gt: "Z"}}`, "1"},
			{`{at: "a.b[5]", exists: true}`, ""},
			{`{at: "a[0]", exists: true}`, ""},
			{`{at: "a.0", text: {startsWith: "mem"}}`, "2"},
			{`{at: "a.b.0", exists: true}`, ""},
			{`{at: "[0][0]", text: {eq: "x"}}`, "3"},
			{`{at: "[0]", exists: true}`, "3"}, // not of a scalar
			{`{at: "[0].a", exists: true}`, ""},
			{`{at: "[1].a", number: {gte: 5, lt: 5.1}}`, "3"},
			{`{at: "a", text: {eq: "last"}}`, "5"},
			{`{at: "a", number: {eq: 1}}`, ""},
			{`{at: "a", number: {gt: 9223372036854775807}}`, "6"},
			{`{at: "a", number: {eq: 9223372036854775808}}`, "6"},
			{`{at: "a", number: {lt: -99999999999999999999999999999999999999}}`, "7"},
			{`{at: "a", number: {gt: 0, lt: 0.00000000000000000000000000000000000001}}`, "8"},
			{`{at: "a", number: {eq: 0}}`, "9"},
			{`{at: "a", number: {gte: 0, lte: 0}}`, "9"},
			{`{at: "a", number: {lt: -12}}`, "7 14"},
			{`{at: "a", number: {lte: -12}}`, "7 13 14"},
			{`{at: "a", number: {gt: -12.5}}`, "6 8 9 13 19"},
			{`{at: "a", number: {gt: 17}}`, "6 19"},
			{`{at: "a", number: {eq: 17}}`, ""}, // neither text nor rounded
			{`{at: "a", number: {in: [-12, -123.0, 17]}}`, "13 14"},
			{`{at: "a", number: {notIn: [-12, -123.0, 17]}}`, all(13, 14)},
			{`{at: "a", number: {in: []}}`, ""},
			{`{at: "a", number: {isNull: false}}`, "6 7 8 9 13 14 19"},
			{`{at: "a", text: {eq: "17"}}`, "10"},
			{`{at: "a", text: {isNull: false}}`, "5 10 16"},
			{`{at: "a", text: {neq: "17"}}`, all(10)},
			{`{at: "a", text: {notLike: "%"}}`, all(5, 10, 16)},
			{`{at: "a", text: {in: ["17", "true", "null"]}}`, "10 16"},
			{`{at: "a", boolean: {eq: false}}`, "12"},
			{`{at: "a", boolean: {neq: false}}`, all(12)},
			{`{at: "a", boolean: {isNull: true}}`, all(12)},
			{`{at: "a", isNull: true}`, "3 4 11 15 20"},
			{`{at: "a", exists: false}`, "3 4 15 20"},
			{`{at: "\"a.b\".\"$\"[0].\"\\\"]\"", text: {eq: "q"}}`, "15"},
			{`{at: "\"a.b\".\"$\"[0].\"a b\"", text: {endsWith: "\\"}}`, "15"},
			{`{at: "s", text: {eq: "sa"}}`, "16"},
			{`{at: "a", text: {eq: "sa"}}`, ""},
			{`{at: "\"\"", number: {eq: 7}}`, "16"},
			{`{at: "b", isNull: true}`, all(17)},
			{`{at: "b", text: {eq: "null"}}`, "17"},
			{`[{at: "a", text: {contains: "ru"}}, {at: "s", exists: true}]`, "16"},
		} {
			e.ids("cells", "x: {path: "+c[0]+"}", c[1])
			var others []int
			for _, id := range strings.Fields(c[1]) {
				n, _ := strconv.Atoi(id)
				others = append(others, n)
			}
			e.ids("cells", "not: {x: {path: "+c[0]+"}}", all(others...))
		}
	})
}

var jsonConditions = []string{
	`x: {contains: {a: 1}}`, `x: {contains: [[1]]}`, `x: {contains: "x"}`, `x: {contains: 1}`,
	`x: {path: {at: "a", text: {gt: ""}}}`, `x: {path: {at: "a[0].b", number: {lt: 1}}}`, `x: {path: {at: "[0][0][0]", boolean: {eq: true}}}`,
	`x: {path: {at: "a", isNull: true}}`, `x: {path: {at: "[0]", exists: false}}`, `x: {path: {at: "a", number: {notIn: [1]}}}`,
}

// What PostgreSQL's json takes and its jsonb does not is no document.
func TestJSONNotHeld(t *testing.T) {
	t.Parallel()
	e := documents(t, "json", []string{
		`{"a": "\\u0000"}`, `{"a": "\\\\ud800"}`, `{"a": "\ud83d\ude00"}`, `{"a": "e10000 1e10000"}`, `{"a": "\"1e10000"}`, `{"a": 1e0}`,
		`{"a": "` + strings.Repeat("7", 20000) + `"}`, `{"a": "` + strings.Repeat("[", 30000) + `"}`,
		`{"a": "many", "b": [` + strings.Repeat(`{"c": [[1], [2]]},`, 8000) + `0]}`, // 9
		`{"a": "\u0000"}`, `{"a": 1, "\u0000": 1}`, `{"a": [1e999999]}`, `{"a": -1E-17000}`, `{"a": 1e+001000}`,
	}, `"\u0000"`, `1e999999`)
	for _, where := range jsonConditions {
		if fromPostgres, fromDuckDB := e.both("cells(where: {" + where + "}) { id }"); fromPostgres != fromDuckDB {
			t.Errorf("%s: PostgreSQL %s, DuckDB %s", where, fromPostgres, fromDuckDB)
		}
	}
	e.ids("cells", `x: {path: {at: "a", exists: true}}`, "1 2 3 4 5 6 7 8 9")
	e.ids("cells", `x: {path: {at: "a", text: {in: ["\\u0000", "\\\\ud800", "😀"]}}}`, "1 2 3")
	e.ids("cells", `x: {contains: {b: [{c: [[2]]}]}}`, "9")
}

// No document makes an operator fail, not even one at the limits of its type.
func TestJSONPoison(t *testing.T) {
	t.Parallel()
	long := []string{
		"0." + strings.Repeat("0", 16000) + "1", strings.Repeat("7", 130000), "1e400",
		strings.Repeat("[", 12000) + strings.Repeat("]", 12000), strings.Repeat(`{"a":`, 12500) + "1" + strings.Repeat("}", 12500),
	}
	longer := []string{
		"0." + strings.Repeat("0", 17000) + "1", strings.Repeat("7", 140000), strings.Repeat("[", 14000) + strings.Repeat("]", 14000),
	}
	for _, e := range []*engines{documents(t, "jsonb", long), documents(t, "json", slices.Concat(long, longer))} {
		for _, where := range jsonConditions {
			if fromPostgres, fromDuckDB := e.both("cells(where: {" + where + "}) { id }"); fromPostgres[0] != '[' || fromDuckDB[0] != '[' {
				t.Errorf("%s: PostgreSQL %s, DuckDB %s", where, fromPostgres, fromDuckDB)
			}
		}
	}
}

// Half a surrogate pair gets into PostgreSQL alone, and there only into json.
func TestJSONHalfPairs(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, cellsTable("json", []string{
		`'{"a": "\ud800"}'`, `'{"a": 1, "\ude00\ud83d": 1}'`, `'{"a": "\ud83d\\ude00"}'`, `'{"a": "\ud83d \ude00"}'`, `'{"a": "\\ud83d\ude00"}'`,
		`'{"a": "\uD83D\uDE00"}'`, `'{"a": "\\ud83d"}'`,
	}))
	cat := plantest.Catalog(t, `
sources: {pg: {kind: postgres, host: db.example, database: d, user: u, password: {env: P}}}
strategies: {pg: {kind: shared, source: pg}}
default_strategy: pg
datasets: {cells: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, x: JSON}}}
`, nil)
	q, err := plan.Build(plantest.Request(t, `cells(where: {x: {path: {at: "a", exists: true}}}) { id }`), cat, plantest.Principal(t, `tenant: "a"`), now)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := sqlgen.Render(q.Root(), sqlgen.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	var found string
	args := make([]any, statement.Args.Len())
	for i, arg := range statement.Args.Bind(nil) {
		args[i] = arg
	}
	err = db.Open(t).QueryRowContext(t.Context(), "SELECT string_agg(c0::text, ' ') FROM ("+statement.Text+") AS s", args...).Scan(&found)
	if err != nil || found != "6 7" {
		t.Errorf("found %q, %v", found, err)
	}
}

// Random documents and parts of them, against containment as its definition
// has it.
func TestJSONContainsAsDefined(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 11)) // the same documents each time
	docs := make([]string, 300)
	for i := range docs {
		docs[i] = randomJSON(r, 3)
	}
	e := documents(t, "json", docs)
	matches := 0
	for range 150 {
		part := randomJSON(r, 2)
		if r.IntN(2) == 0 {
			part = partOf(r, decoded(t, docs[r.IntN(len(docs))]))
		}
		if part == "null" {
			continue // as an operand null is an error
		}
		var ids []string
		for i, doc := range docs {
			if contains(decoded(t, doc), decoded(t, part), true) {
				ids = append(ids, strconv.Itoa(i+1))
			}
		}
		matches += len(ids)
		request := plantest.Request(t, "cells { id }")
		request.Field.Args = query.Object{{Name: "where", Value: query.Object{{Name: "x", Value: query.Object{{Name: "contains", Value: written(decoded(t, part))}}}}}}
		want := "[]"
		if len(ids) > 0 {
			want = `[{"id":` + strings.Join(ids, `},{"id":`) + `}]`
		}
		if fromPostgres, fromDuckDB := e.answers(request, part); fromPostgres != want || fromDuckDB != want {
			t.Fatalf("%s is a part of\n%s, PostgreSQL says\n%s and DuckDB\n%s", part, want, fromPostgres, fromDuckDB)
		}
	}
	if matches < 500 {
		t.Errorf("only %d matches: the documents say little", matches)
	}
}

var randomScalars = []string{
	"null", "true", "false", "0", "-0.0", "1", "1.0", "10e-1", "-1", "-1.50", "9223372036854775808", "1e400", `""`, `"1"`, `"s"`, `"é"`, `"\u00e9"`, `"\""`,
}

var randomNames = []string{`"a"`, `"b"`, `""`, `"a.b"`, `"$[0]"`, `"\u0061"`, `"\""`}

func randomJSON(r *rand.Rand, depth int) string {
	kind := r.IntN(4)
	if depth == 0 || kind < 1 {
		return randomScalars[r.IntN(len(randomScalars))]
	}
	items := make([]string, r.IntN(4))
	for i := range items {
		items[i] = randomJSON(r, depth-1)
		if kind > 2 {
			items[i] = randomNames[r.IntN(len(randomNames))] + ": " + items[i]
		}
	}
	if kind > 2 {
		return "{" + strings.Join(items, ", ") + "}"
	}
	return "[" + strings.Join(items, ",") + "]"
}

// partOf leaves something out of a document, sometimes.
func partOf(r *rand.Rand, v any) string {
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if r.IntN(3) > 0 {
				members = append(members, encoded(name)+":"+partOf(r, v[name]))
			}
		}
		return "{" + strings.Join(members, ",") + "}"
	case []any:
		var items []string
		for _, item := range v {
			if r.IntN(3) > 0 {
				items = append(items, partOf(r, item))
			}
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return encoded(v)
}

func encoded(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func decoded(tb testing.TB, text string) any {
	tb.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return v
}

// written is a document as an operand.
func written(v any) query.Value {
	switch v := v.(type) {
	case map[string]any:
		var o query.Object
		for _, name := range slices.Sorted(maps.Keys(v)) {
			o = append(o, query.Member{Name: name, Value: written(v[name])})
		}
		return o
	case []any:
		var list query.List
		for _, item := range v {
			list = append(list, written(item))
		}
		return list
	case json.Number:
		return query.Number(v)
	case string:
		return query.Text(v)
	case bool:
		return query.Bool(v)
	}
	return query.Null{}
}

// contains is the definition: a member for each member, an item for each item,
// equal scalars; at the top a list contains its scalars.
func contains(doc, part any, top bool) bool {
	switch part := part.(type) {
	case map[string]any:
		object, ok := doc.(map[string]any)
		for name, item := range part {
			member, there := object[name]
			ok = ok && there && contains(member, item, false)
		}
		return ok
	case []any:
		list, ok := doc.([]any)
		for _, item := range part {
			ok = ok && slices.ContainsFunc(list, func(e any) bool { return contains(e, item, false) })
		}
		return ok
	case json.Number:
		if n, ok := doc.(json.Number); ok {
			a, _ := new(big.Rat).SetString(n.String())
			b, _ := new(big.Rat).SetString(part.String())
			return a.Cmp(b) == 0
		}
	default:
		if doc == part {
			return true
		}
	}
	list, ok := doc.([]any)
	return ok && top && slices.ContainsFunc(list, func(e any) bool { return contains(e, part, false) })
}

package types

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"usher/pgtest"
	"usher/principal"
)

// servedColumns are columns that are text to whoever asks, by type, and what is stored in them.
var servedColumns = []struct {
	name, typ string
	values    []string
}{
	{"plain", "text", []string{"ab", "ab ", "AB", "a_b", "a%b", " ab", "", "äb", "b\t", `a\b`}},
	{"bounded", "varchar(6)", []string{"ab", "ab ", "AB", "", "b\t"}},
	{"padded", "char(6)", []string{"ab", "ab  ", "AB", " ab", "", "a b", "äb", "ab\t", "a%", "abcdef"}},
	{"blanks", "bpchar", []string{"ab", "ab  ", "AB", "", "long text "}},
	{"collated", `char(6) COLLATE "C"`, []string{"ab", "AB", "b", "ab "}},
	{"local", `char(6) COLLATE "und-x-icu"`, []string{"ab", "AB", "b", "B", "ab "}},
	{"merged", `text COLLATE blind`, []string{"ab", "AB", "ab "}},
	{"mergedpad", `char(6) COLLATE blind`, []string{"ab", "AB", "ab ", "b"}},
	{"domain", "d_pad", []string{"ab", "AB", "ab ", ""}},
	{"domains", "d_over", []string{"ab", "AB", "ab ", ""}},
	{"named", "name", []string{"ab", "ab ", "AB", ""}},
	{"letter", `"char"`, []string{"a", "A", "b", " "}},
	{"folded", "citext", []string{"ab", "AB", "ab ", "b", ""}},
	{"foldeddomain", "d_folded", []string{"ab", "AB", "ab "}},
	{"address", "inet", []string{"10.0.0.1", "10.0.0.1/8", "::1", "10.0.0.0/32"}},
	{"network", "cidr", []string{"10.0.0.0/8", "10.0.0.1/32", "::/0"}},
	{"mac", "macaddr", []string{"08:00:2b:01:02:03", "0A:00:2b:01:02:03"}},
	{"bits", "bit(3)", []string{"101", "010", "000"}},
	{"morebits", "varbit", []string{"101", "1", ""}},
	{"marked", "xml", []string{"<a>1</a>", "<a/>", "<a> </a>"}},
	{"zoned", "timetz", []string{"10:00:00+02", "08:00:00+00", "10:00:00+02:30"}},
	{"label", "grade", []string{"B-plus", "A", "a b", "3rd"}},
	{"labels", "d_grade", []string{"B-plus", "A", "a b", "3rd"}},
	{"path", "ltree", []string{"top.sub", "top", "Top"}},
	{"object", "oid", []string{"5", "10", "7"}},
	{"point", "point", []string{"(1,2)", "(1,2.5)"}},
	{"words", "tsvector", []string{"a b", "b"}},
}

// servedLists are columns of lists of such.
var servedLists = []struct {
	name, typ string
	values    []string
}{
	{"texts", "text[]", []string{`{ab,"ab ",NULL}`, `{AB}`, `{}`}},
	{"pads", "char(4)[]", []string{`{ab,"ab ",NULL}`, `{AB," ab"}`, `{}`}},
	{"domainpads", "d_pad[]", []string{`{ab,"ab ",NULL}`, `{AB," ab"}`, `{}`}},
	{"overpads", "d_pads", []string{`{ab,"ab ",NULL}`, `{AB," ab"}`, `{}`}},
	{"names", "name[]", []string{`{ab,"ab "}`, `{AB}`, `{}`}},
	{"addresses", "inet[]", []string{`{10.0.0.1,10.0.0.1/8}`, `{::1}`, `{}`}},
	{"grades", "grade[]", []string{`{B-plus,A}`, `{3rd,NULL}`, `{}`}},
	{"bitlists", "bit(3)[]", []string{`{101,010}`, `{000}`, `{}`}},
}

const servedRows = 11

// served is a gateway over a table with all these columns, whose rows somebody may write.
type served struct {
	*gateway
	db     pgtest.DB
	insert string
}

func (s served) asked(t *testing.T, question string) map[string]json.RawMessage {
	t.Helper()
	who := principal.Principal{Subject: "ann", Tenant: "t1", TenantKey: "t1", Kind: principal.JWT, Roles: []string{"all"}, Scopes: []principal.Scope{principal.ReadData, principal.WriteData}}
	var out struct {
		Data   map[string]json.RawMessage
		Errors json.RawMessage
	}
	if err := json.Unmarshal(s.Ask(t, who, question, ""), &out); err != nil || out.Errors != nil {
		t.Fatalf("%s: %s, %v", question, out.Errors, err)
	}
	return out.Data
}

func openServed(t *testing.T) served {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	ddl, names := "", []string{"id", "tenant"}
	rows := make([][]string, servedRows)
	for i := range rows {
		rows[i] = []string{strconv.Itoa(i + 1), "'t1'"}
	}
	for _, c := range append(slices.Clone(servedColumns), servedLists...) {
		ddl, names = ddl+", "+c.name+" "+c.typ, append(names, c.name)
		for i := range rows {
			cell := "NULL" // of the last row, too
			if i < servedRows-1 {
				cell = "'" + strings.ReplaceAll(c.values[i%len(c.values)], "'", "''") + "'"
			}
			rows[i] = append(rows[i], cell)
		}
	}
	tuples := make([]string, len(rows))
	for i, row := range rows {
		tuples[i] = "(" + strings.Join(row, ", ") + ")"
	}
	insert := "INSERT INTO things (" + strings.Join(names, ", ") + ") VALUES " + strings.Join(tuples, ", ") + ";"
	db.Exec(t, `
CREATE EXTENSION citext; CREATE EXTENSION ltree;
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE grade AS ENUM ('3rd', 'A', 'a b', 'B-plus');
CREATE DOMAIN d_pad AS char(4); CREATE DOMAIN d_over AS d_pad; CREATE DOMAIN d_folded AS citext; CREATE DOMAIN d_grade AS grade; CREATE DOMAIN d_pads AS char(4)[];
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, n int`+ddl+`);`+insert)
	return served{start(t, fmt.Sprintf("main: {kind: postgres, host: %s, port: %d, database: %s, user: %s, password: {env: PGPASSWORD}, sslmode: disable}",
		db.Host, db.Port, db.Name, db.User), db.Password, `
datasets: {things: {tenant: tenant, key: id, writable: true, global_keys: true}}
roles: {all: {datasets: {things: {update: {columns: [n]}, delete: {}}}}}
`, nil), db, insert}
}

// condition is one of a column, and which served values meet it.
type condition struct {
	text  string
	holds func(v *string) bool
}

// conditionsOn makes every operator with values around those that a column serves.
func conditionsOn(column string, folded bool, values []string) []condition {
	same := func(v string) string { return v }
	if folded {
		same = strings.ToLower
	}
	var out []condition
	add := func(op, operand string, holds func(v string) bool) {
		out = append(out, condition{column + ": {" + op + ": " + operand + "}", func(v *string) bool { return v != nil && holds(same(*v)) }})
	}
	// both adds an operator and its negation, which null meets.
	both := func(op, not, operand string, holds func(v string) bool) {
		add(op, operand, holds)
		out = append(out, condition{column + ": {" + not + ": " + operand + "}", func(v *string) bool { return v == nil || !holds(same(*v)) }})
	}
	probes := make(map[string]bool)
	for _, v := range values {
		for _, probe := range []string{v, v + " ", strings.ToUpper(v), v[:len(v)/2], v[len(v)/2:]} {
			probes[strings.ToValidUTF8(probe, "")] = true
		}
	}
	for probe := range probes {
		p, q := same(probe), quoted(probe)
		both("eq", "neq", q, func(v string) bool { return v == p })
		both("in", "notIn", "["+q+", \"none \"]", func(v string) bool { return v == p })
		add("gt", q, func(v string) bool { return v > p })
		add("gte", q, func(v string) bool { return v >= p })
		add("lt", q, func(v string) bool { return v < p })
		add("lte", q, func(v string) bool { return v <= p })
		add("between", "[{from: "+q+", to: \"b\"}]", func(v string) bool { return v >= p && v <= "b" })
		both("contains", "notContains", q, func(v string) bool { return strings.Contains(v, p) })
		both("startsWith", "notStartsWith", q, func(v string) bool { return strings.HasPrefix(v, p) })
		both("endsWith", "notEndsWith", q, func(v string) bool { return strings.HasSuffix(v, p) })
		low := strings.ToLower(probe)
		both("icontains", "notIcontains", q, func(v string) bool { return strings.Contains(strings.ToLower(v), low) })
		both("istartsWith", "notIstartsWith", q, func(v string) bool { return strings.HasPrefix(strings.ToLower(v), low) })
		both("iendsWith", "notIendsWith", q, func(v string) bool { return strings.HasSuffix(strings.ToLower(v), low) })
		escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(probe)
		for _, pattern := range []string{escaped, escaped + "%", "%" + escaped, escaped + "_"} {
			both("like", "notLike", quoted(pattern), liking(pattern, folded))
			both("ilike", "notIlike", quoted(pattern), liking(pattern, true))
		}
	}
	return append(out, condition{column + ": {isNull: true}", func(v *string) bool { return v == nil }}, condition{column + ": {isNull: false}", func(v *string) bool { return v != nil }})
}

func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

// liking is what a pattern says, without a database.
func liking(pattern string, fold bool) func(string) bool {
	var re strings.Builder
	re.WriteString("(?s)")
	if fold {
		re.WriteString("(?i)")
	}
	re.WriteString("^")
	escaped := false
	for _, c := range pattern {
		switch {
		case !escaped && c == '\\':
			escaped = true
			continue
		case !escaped && c == '%':
			re.WriteString(".*")
		case !escaped && c == '_':
			re.WriteString(".")
		default:
			re.WriteString(regexp.QuoteMeta(string(c)))
		}
		escaped = false
	}
	return regexp.MustCompile(re.String() + "$").MatchString
}

// columnServed is what is answered of a column, by row.
func columnServed[T any](t *testing.T, s served, column string) []T {
	t.Helper()
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(s.asked(t, `{things(orderBy: [{id: ASC}]) {`+column+`}}`)["things"], &rows); err != nil || len(rows) != servedRows {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	out := make([]T, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row[column], &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// finds asks for the rows of conditions, many at once.
func (s served) finds(t *testing.T, conditions []string, want func(i int) []int) {
	t.Helper()
	const atOnce = 40
	for from := 0; from < len(conditions); from += atOnce {
		part := conditions[from:min(from+atOnce, len(conditions))]
		question := ""
		for i, c := range part {
			question += fmt.Sprintf(" a%d: things(where: {%s}, orderBy: [{id: ASC}]) {id}", i, c)
		}
		data := s.asked(t, "{"+question+"}")
		for i, c := range part {
			s.compare(t, "rows found by "+c, data[fmt.Sprintf("a%d", i)], want(from+i))
		}
	}
}

func (s served) compare(t *testing.T, what string, got json.RawMessage, want []int) {
	t.Helper()
	var rows []struct{ ID int }
	if err := json.Unmarshal(got, &rows); err != nil {
		t.Fatalf("%s: %s: %v", what, got, err)
	}
	var ids []int
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, want) {
		t.Errorf("%s: %v, want %v", what, ids, want)
	}
}

func meeting[T any](values []T, holds func(T) bool) []int {
	var out []int
	for i, v := range values {
		if holds(v) {
			out = append(out, i+1)
		}
	}
	return out
}

// TestConditionsAreOnWhatIsServed: whatever a type of the database compares with, a row is found, changed and removed
// by a condition if and only if the value that is answered of it meets the condition.
func TestConditionsAreOnWhatIsServed(t *testing.T) {
	t.Parallel()
	s := openServed(t)
	for _, c := range servedColumns {
		values := columnServed[*string](t, s, c.name)
		var texts []string
		for _, v := range values {
			if v != nil && !slices.Contains(texts, *v) {
				texts = append(texts, *v)
			}
		}
		conditions := conditionsOn(c.name, strings.HasPrefix(c.name, "folded"), texts)
		asked := make([]string, len(conditions))
		for i := range conditions {
			asked[i] = conditions[i].text
		}
		s.finds(t, asked, func(i int) []int { return meeting(values, conditions[i].holds) })
	}
}

// TestListsAreAskedAsTheyAreServed: the same for what a list has.
func TestListsAreAskedAsTheyAreServed(t *testing.T) {
	t.Parallel()
	s := openServed(t)
	for _, c := range servedLists {
		values := columnServed[[]*string](t, s, c.name)
		probes := map[string]bool{"none ": true}
		for _, list := range values {
			for _, v := range list {
				if v != nil {
					probes[*v], probes[*v+" "] = true, true
				}
			}
		}
		var asked []string
		var holds []func([]*string) bool
		for probe := range probes {
			has := func(list []*string) bool {
				return slices.ContainsFunc(list, func(v *string) bool { return v != nil && *v == probe })
			}
			q := quoted(probe)
			asked = append(asked, c.name+": {has: "+q+"}", c.name+": {hasAny: ["+q+", \"none\"]}", c.name+": {hasAll: ["+q+"]}")
			holds = append(holds, has, has, has)
		}
		s.finds(t, asked, func(i int) []int { return meeting(values, holds[i]) })
	}
}

// TestWritesAreOfWhatIsServed: rows are changed and removed by what is answered of them, too.
func TestWritesAreOfWhatIsServed(t *testing.T) {
	t.Parallel()
	s := openServed(t)
	for _, c := range servedColumns {
		values := columnServed[*string](t, s, c.name)
		conditions := conditionsOn(c.name, strings.HasPrefix(c.name, "folded"), []string{*values[0]})
		conditions = slices.DeleteFunc(conditions, func(one condition) bool { // which no row could fail
			return strings.Contains(one.text, `: ""`) || strings.Contains(one.text, `"%"`) || strings.Contains(one.text, "isNull")
		})
		if c.name != "padded" { // of which all is asked
			conditions = slices.DeleteFunc(conditions, func(one condition) bool {
				return !strings.Contains(one.text, "{notLike:") && !strings.Contains(one.text, "{endsWith:") && !strings.Contains(one.text, "{in:")
			})
		}
		for i, one := range conditions {
			want := meeting(values, one.holds)
			got := s.wrote(t, `updateThings(where: {`+one.text+`}, set: {n: `+strconv.Itoa(i)+`})`)
			s.compare(t, "rows changed by "+one.text, got, want)
			if len(want) == 0 {
				continue
			}
			got = s.wrote(t, `deleteThings(where: {`+one.text+`})`)
			s.compare(t, "rows removed by "+one.text, got, want)
			s.db.Exec(t, "DELETE FROM things; "+s.insert)
		}
	}
}

func (s served) wrote(t *testing.T, mutation string) json.RawMessage {
	t.Helper()
	name, _, _ := strings.Cut(mutation, "(")
	var out struct{ Rows json.RawMessage }
	if err := json.Unmarshal(s.asked(t, `mutation {`+mutation+` {rows {id}}}`)[name], &out); err != nil {
		t.Fatal(err)
	}
	return out.Rows
}

// TestPaddedText: text that PostgreSQL fills with blanks is nowhere more than what is served of it: in groups, their
// conditions, orders and positions, in keys, relations and filters, in what roles check, and in lists of any length.
func TestPaddedText(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
CREATE TABLE lands (code char(4) PRIMARY KEY, tenant text NOT NULL, name char(9));
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, land char(4) REFERENCES lands, said text, n int);
INSERT INTO lands VALUES ('de', 't1', 'Land'), ('a', 't1', 'Other'), ('d', 't1', NULL), ('x', 't2', 'Theirs');
INSERT INTO things VALUES (1, 't1', 'de', 'de', 1), (2, 't1', 'de', 'de ', 2), (3, 't1', 'a', 'a', 3), (4, 't1', NULL, NULL, 4), (5, 't2', 'x', 'x', 5);
INSERT INTO lands SELECT 'n' || n, 't1', NULL FROM generate_series(100, 999) n; ANALYZE;`)
	const config = `
datasets:
  lands: {tenant: tenant, key: code, writable: true, global_keys: true, relations: {things: {to: things, many: true, on: {code: land}}, sayings: {to: things, many: true, on: {code: said}}}}
  things: {tenant: tenant, key: id, writable: true, global_keys: true, relations: {of: {to: lands, on: {land: code}}, meant: {to: lands, on: {said: code}}}}
roles:
  all: {datasets: {lands: {insert: {}, update: {}, delete: {}}, things: {aggregate: true, insert: {}, update: {}}}}
  some: {datasets: {lands: {filter: {name: {notLike: "Land"}}, columns: [code, name], insert: {check: {code: {notLike: "zz"}}}}}}
`
	s := served{start(t, fmt.Sprintf("main: {kind: postgres, host: %s, port: %d, database: %s, user: %s, password: {env: PGPASSWORD}, sslmode: disable}",
		db.Host, db.Port, db.Name, db.User), db.Password, config, nil), db, ""}
	as := func(role, question, variables string) string {
		who := principal.Principal{Subject: "ann", Tenant: "t1", TenantKey: "t1", Kind: principal.JWT, Roles: []string{role}, Scopes: []principal.Scope{principal.ReadData, principal.WriteData}}
		return string(s.Ask(t, who, question, variables))
	}
	for _, c := range [][2]string{
		{`{things(where: {of: {name: {like: "Land"}}}) {id land of {code name}}}`, `{"things":[{"id":1,"land":"de","of":{"code":"de","name":"Land"}},{"id":2,"land":"de","of":{"code":"de","name":"Land"}}]}`},
		{`{landsByPk(code: "de") {name things {id} sayings {id} thingsAggregate {count}}}`, `{"landsByPk":{"name":"Land","things":[{"id":1},{"id":2}],"sayings":[{"id":1}],"thingsAggregate":[{"count":2}]}}`},
		{`{landsByPk(code: "de ") {name}}`, `{"landsByPk":null}`},
		{`{things(where: {meant: {code: {endsWith: "e"}}}) {id}}`, `{"things":[{"id":1}]}`},
		{`{lands(where: {things: {some: {land: {endsWith: "e"}}}}) {code}}`, `{"lands":[{"code":"de"}]}`},
		{`{lands(where: {sayings: {some: {id: {gt: 0}}}}, orderBy: [{code: ASC}]) {code}}`, `{"lands":[{"code":"a"},{"code":"de"}]}`},
		{`{lands(where: {name: {isNull: false}}, orderBy: [{code: ASC}]) {code}}`, `{"lands":[{"code":"a"},{"code":"de"}]}`},
		{`{thingsAggregate(orderBy: [{key: {land: ASC}}]) {key {land} land {min max countDistinct} count}}`, `{"thingsAggregate":[{"key":{"land":"a"},"land":{"min":"a","max":"a","countDistinct":1},"count":1},` +
			`{"key":{"land":"de"},"land":{"min":"de","max":"de","countDistinct":1},"count":2},{"key":{"land":null},"land":{"min":null,"max":null,"countDistinct":0},"count":1}]}`},
		{`{thingsAggregate(having: {land: {max: {endsWith: "e"}}}) {land {max}}}`, `{"thingsAggregate":[{"land":{"max":"de"}}]}`},
		{`{thingsAggregate(having: {land: {max: {notLike: "de"}}}) {land {max}}}`, `{"thingsAggregate":[]}`},
		{`mutation {updateLandsByPk(code: "de", set: {name: "Lands"}) {code name}}`, `{"updateLandsByPk":{"code":"de","name":"Lands"}}`},
		{`mutation {updateLandsByPk(code: "de ", set: {name: "none"}) {code}}`, `{"updateLandsByPk":null}`},
		{`mutation {updateLands(where: {name: {endsWith: "nds"}}, set: {name: "Land"}) {affected rows {code name}}}`, `{"updateLands":{"affected":1,"rows":[{"code":"de","name":"Land"}]}}`},
	} {
		if got := as("all", c[0], ""); got != `{"data":`+c[1]+`}` {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
	// A list that comes later.
	for list, want := range map[string]string{`["de", "a ", "none"]`: `[{"code":"de"}]`, `["a"]`: `[{"code":"a"}]`, `["de "]`: `[]`} {
		if got := as("all", `query($l: [String!]) {lands(where: {code: {in: $l}}) {code}}`, `{"l": `+list+`}`); got != `{"data":{"lands":`+want+`}}` {
			t.Errorf("in %s: %s", list, got)
		}
	}
	// What a role shows, and what it lets in.
	if got := as("some", `{lands(where: {code: {in: ["a", "de"]}}) {code}}`, ""); got != `{"data":{"lands":[{"code":"a"}]}}` {
		t.Error(got)
	}
	for _, code := range []string{"zz", "zz "} {
		if got := as("some", `mutation {insertLandsOne(row: {code: "`+code+`"}) {code}}`, ""); !strings.Contains(got, "FORBIDDEN") {
			t.Errorf("%q: %s", code, got)
		}
	}
	// By the index of the key, which is of what is stored.
	const asks = 20
	for range asks {
		as("all", `{landsByPk(code: "n500") {code}}`, "")
	}
	pool, scans := db.Open(t), 0
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for again := time.NewTicker(50 * time.Millisecond); scans < asks && soon.Err() == nil; { // told after a while
		select {
		case <-again.C:
		case <-soon.Done():
		}
		if err := pool.QueryRowContext(t.Context(), "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'lands_pkey'").Scan(&scans); err != nil {
			t.Fatal(err)
		}
	}
	if scans < asks {
		t.Errorf("%d looks into the index for %d questions", scans, asks)
	}
	// In the order of code points, page by page.
	after := ""
	for _, code := range []string{"a", "d", "de", "n100", "n101"} {
		got := as("all", `{landsConnection(orderBy: [{code: ASC}], first: 1`+after+`) {nodes {code} pageInfo {endCursor}}}`, "")
		rest, ok := strings.CutPrefix(got, `{"data":{"landsConnection":{"nodes":[{"code":"`+code+`"}],"pageInfo":{"endCursor":"`)
		cursor, _, _ := strings.Cut(rest, `"`)
		if !ok {
			t.Fatalf("%s: %s", code, got)
		}
		after = `, after: "` + cursor + `"`
	}
}

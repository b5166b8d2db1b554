package pgcatalog_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"usher/datasource/pgcatalog"
	"usher/pgtest"
	"usher/value"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// documented are the rows of a table in docs/types.md: types as they are written in
// SQL or in words, what they are served as, and the note.
func documented(t *testing.T, engine string) [][3]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/types.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## "+engine+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var out [][3]string
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[1]) == "type" {
			continue
		}
		out = append(out, [3]string{strings.TrimSpace(cells[1]), strings.Trim(strings.TrimSpace(cells[2]), "`"), strings.TrimSpace(cells[3])})
	}
	if len(out) < 15 {
		t.Fatalf("%d rows only", len(out))
	}
	return out
}

// TestTypesAreDescribed: the table of types that people read is the one that is used.
func TestTypesAreDescribed(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
CREATE TYPE geometry AS (x int); CREATE TYPE geography AS (x int);
CREATE FUNCTION st_asgeojson(int) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE pair AS (a int, b int); CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE grade AS ENUM ('B-plus');`)
	words := map[string]string{
		"text of a collation that takes different texts for equal": "text COLLATE blind", "an enum of labels that GraphQL can spell": "mood", "any other enum": "grade",
	}
	var columns []string
	var wants [][3]string
	names := make(map[string]bool)
	for _, row := range documented(t, "PostgreSQL") {
		types := []string{words[row[0]]}
		if types[0] == "" {
			types = nil
			for _, found := range quoted.FindAllStringSubmatch(row[0], -1) {
				types = append(types, found[1])
			}
			if strings.HasSuffix(row[0], "a composite type") {
				types = append(types, "pair")
			}
		}
		for _, typ := range types {
			columns = append(columns, typ)
			wants = append(wants, [3]string{typ, row[1], row[2]})
		}
	}
	ddl := "CREATE TABLE t ("
	for i, typ := range columns {
		if i > 0 {
			ddl += ", "
		}
		ddl += "c" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + " " + typ
	}
	db.Exec(t, ddl+")")
	source := open(t, specOf(db))
	tables, err := source.Introspect(t.Context(), "public")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range tables[len(tables)-1].Columns {
		got := c.Type.GraphQL()
		if c.Type.Scalar == value.Enum {
			got = "an enum"
		}
		if got != wants[i][1] || c.Form.Note() != wants[i][2] {
			t.Errorf("%s is served as %s, %q; docs/types.md says %s, %q", wants[i][0], got, c.Form.Note(), wants[i][1], wants[i][2])
		}
		name, _, _ := strings.Cut(wants[i][0], "(")
		names[name] = true
	}
	for short, long := range map[string]string{"bool": "boolean", "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision", "bpchar": "char"} {
		names[short] = names[long]
	}
	for name := range pgcatalog.Builtin {
		if !names[name] {
			t.Errorf("docs/types.md does not say what becomes of %s", name)
		}
	}
	for name := range pgcatalog.Extended {
		if !names[name] {
			t.Errorf("docs/types.md does not say what becomes of %s", name)
		}
	}
}

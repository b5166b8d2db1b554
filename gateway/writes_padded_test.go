package gateway_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const codesTable = `CREATE TABLE codes (tenant text NOT NULL, id char(4) NOT NULL, name varchar(5), label text, n smallint, PRIMARY KEY (tenant, id));
CREATE TABLE words (tenant text NOT NULL, id text NOT NULL, name varchar(5), label text, n smallint, PRIMARY KEY (tenant, id));
CREATE TABLE marks (tenant text NOT NULL, id text NOT NULL, name varchar(5), label text, n smallint, PRIMARY KEY (tenant, id));`

const codesDatasets = `
  codes: {tenant: tenant, key: id, writable: true, columns: {id: String!, tenant: String!, name: String, label: String, n: BigInt}}
  words: {tenant: tenant, key: id, writable: true, columns: {id: String!, tenant: String!, name: String, label: String, n: BigInt}}
  marks: {tenant: tenant, key: id, writable: true, columns: {id: String!, tenant: String!, name: String, label: String, n: BigInt}}
roles:
  open: {datasets: {codes: &open {insert: {}, update: {filter: {label: {eq: open}}, check: {label: {in: [open, sent]}}}}, words: *open, marks: *open}}
  odd: {datasets: {codes: &odd {insert: {}, update: {filter: {label: {eq: odd}}, check: {label: {in: [odd, even]}}}}, words: *odd, marks: *odd}}
  all: {datasets: {codes: &all {insert: {}, update: {}, delete: {}}, words: *all, marks: *all}}
`

// Blanks at the end are no part of a key of char(n), whoever's the table is: a row that is there is found by it, and decided on
// by the role that holds it. In a file of DuckDB they are a part of it. What is too long is told where it stands.
func TestUpsertsByPaddedKeys(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, codesTable+`CREATE SCHEMA of_b; CREATE DOMAIN code AS char(4);`+strings.NewReplacer("TABLE ", "TABLE of_b.", "char(4)", "code").Replace(codesTable)+`ALTER TABLE of_b.marks ALTER id TYPE char(4)`)
	g := openWritingOf(t, db, `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources:
  told: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
  apart: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable, schema: "of_{tenant}", template: true}
strategies:
  all: {kind: shared, source: told}
  own: {kind: database, source: apart}
default_strategy: all
datasets:`+codesDatasets)
	for tenant, strategy := range map[string]string{"a": "all", "b": "own"} {
		g.check(t, g.root, `mutation { admin { createTenant(input: {id: "`+tenant+`", strategy: "`+strategy+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"`+tenant+`"}}}}`)
	}
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile+";"+codesTable)
	file := openFiles(t, dir, writtenInFile(dir)+codesDatasets)
	key := func(w writing, tenant, roles string) string {
		return w.text(t, w.root, `mutation { admin { createServiceKey(input: {name: "some", tenant: "`+tenant+`", scopes: [READ_DATA, WRITE_DATA], roles: [`+roles+`]}) { token } } }`, "token")
	}
	type line struct{ rows, update, want string }
	padded := []line{
		{`[{id: "b  ", label: "l "}]`, ``, `{"affected":1,"rows":[{"id":"b","label":"l "}]}`},
		{`[{id: "b ", label: "m"}]`, ``, `{"affected":0,"rows":[{"id":"b","label":"l "}]}`},
		{`[{id: "b ", label: "m"}]`, `label`, `{"affected":1,"rows":[{"id":"b","label":"m"}]}`},
		{`[{id: "c    "}, {id: "d"}]`, `label`, `{"affected":2,"rows":[{"id":"c","label":null},{"id":"d","label":null}]}`},
		{`[{id: "f ", label: "1"}, {id: "f", label: "2"}]`, ``, `null BAD_USER_INPUT: two rows have the same key (insertCodes.rows.1)`},
		{`[{id: "f ", label: "1"}, {id: "f", label: "2"}]`, `label`, `null BAD_USER_INPUT: two rows have the same key (insertCodes.rows.1)`},
		{`[{id: " f", label: "1"}, {id: "  ", label: "2"}]`, ``, `{"affected":2,"rows":[{"id":" f","label":"1"},{"id":"","label":"2"}]}`},
		{`[{id: "", label: "3"}]`, ``, `{"affected":0,"rows":[{"id":"","label":"2"}]}`},
		{`[{id: "g"}, {id: "abcde", name: "x      "}]`, ``, `null BAD_USER_INPUT: a text is too long for its column in codes (insertCodes.rows.1.id)`},
		{`[{id: "g", name: "abcdef"}]`, ``, `null BAD_USER_INPUT: a text is too long for its column in codes (insertCodes.rows.0.name)`},
		{`[{id: "g"}, {id: "h", n: 40000}]`, ``, `null BAD_USER_INPUT: a number is too large for its column in codes (insertCodes.rows.1.n)`},
	}
	unlike := slices.Clone(padded) // from the shared table, of which alone something is known
	unlike[4].want = `{"affected":1,"rows":[{"id":"f","label":"1"},{"id":"f","label":"1"}]}`
	unlike[5].want = `null BAD_USER_INPUT: two rows of codes have the same id, as the source compares it`
	told := []line{
		{`[{id: "b  ", label: "l "}]`, `label`, `{"affected":1,"rows":[{"id":"b  ","label":"l "}]}`},
		{`[{id: "b ", label: "m"}]`, `label`, `{"affected":1,"rows":[{"id":"b ","label":"m"}]}`},
		{`[{id: "b ", label: "n"}, {id: "b", label: "o"}]`, `label`, `{"affected":2,"rows":[{"id":"b ","label":"n"},{"id":"b","label":"o"}]}`},
	}
	for _, where := range []struct {
		name    string
		g       writing
		tenant  string
		dataset string
		lines   []line
	}{
		{"shared", g, "a", "Codes", padded},
		{"own", g, "b", "Codes", padded},
		{"own unlike the shared", g, "b", "Marks", unlike},
		{"file", file, "a", "Codes", told},
		{"shared text", g, "a", "Words", told},
		{"own text", g, "b", "Words", told},
		{"text in a file", file, "a", "Words", told},
	} {
		all := key(where.g, where.tenant, `"all"`)
		upsert := func(key string, l line) {
			t.Helper()
			text := `mutation { insert` + where.dataset + `(rows: ` + l.rows + `, onConflict: {key: id, update: [` + l.update + `]}) { affected rows { id label } } }`
			want := l.want
			if strings.HasPrefix(want, "{") {
				want = `{"insert` + where.dataset + `":` + want + `}`
			}
			want = strings.NewReplacer("codes", strings.ToLower(where.dataset), "Codes", where.dataset).Replace(want)
			if got := short(t, where.g.query(t, key, text)); got != want {
				t.Errorf("%s: %s\n got %s\nwant %s", where.name, text, got, want)
			}
		}
		for _, l := range where.lines {
			upsert(all, l)
		}
		// One role holds as a whole.
		upsert(all, line{`[{id: "r", label: "open"}]`, `label`, `{"affected":1,"rows":[{"id":"r","label":"open"}]}`})
		both := key(where.g, where.tenant, `"open", "odd"`)
		if where.lines[0] == padded[0] {
			upsert(both, line{`[{id: "r  ", label: "even"}]`, `label`, `null FORBIDDEN: what would be written to codes is not what you may write there`})
			upsert(both, line{`[{id: "r  ", label: "sent"}]`, `label`, `{"affected":1,"rows":[{"id":"r","label":"sent"}]}`})
		} else {
			upsert(both, line{`[{id: "r  ", label: "even"}]`, `label`, `{"affected":1,"rows":[{"id":"r  ","label":"even"}]}`})
			upsert(both, line{`[{id: "r", label: "even"}]`, `label`, `null FORBIDDEN: what would be written to codes is not what you may write there`})
		}
	}
	all := key(g, "b", `"all", "open"`)
	if got, want := short(t, g.query(t, all, `mutation { updateCodesByPk(id: "b", set: {name: "abcdef"}) { id } }`)), `null BAD_USER_INPUT: a text is too long for its column in codes (updateCodesByPk.set.name)`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// Blanks at the end are no part of what leads to such a key either.
func TestPaddedReferences(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, codesTable+`CREATE TABLE uses (tenant text NOT NULL, id int NOT NULL, code char(4), PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, code) REFERENCES codes);
		INSERT INTO codes VALUES ('a', 'ab')`)
	g := openWritingOf(t, db, `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources: {told: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}}
strategies: {all: {kind: shared, source: told}}
default_strategy: all
datasets:
  codes: {tenant: tenant, key: id, writable: true, relations: {uses: {to: uses, many: true, on: {id: code}}}}
  uses: {tenant: tenant, key: id, writable: true, relations: {of: {to: codes, on: {code: id}}}}
`)
	g.check(t, g.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"a"}}}}`)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, c := range []struct{ text, want string }{
		{`mutation { insertCodesOne(row: {id: "c ", uses: [{id: 1}, {id: 2}]}) { id uses(orderBy: [{id: ASC}]) { id code } } }`, `{"insertCodesOne":{"id":"c","uses":[{"id":1,"code":"c"},{"id":2,"code":"c"}]}}`},
		{`mutation { insertUsesOne(row: {id: 3, code: "ab  "}) { code of { id } } }`, `{"insertUsesOne":{"code":"ab","of":{"id":"ab"}}}`},
		{`mutation { insertUsesOne(row: {id: 4, of: {insert: {id: "d "}}}) { code of { id } } }`, `{"insertUsesOne":{"code":"d","of":{"id":"d"}}}`},
		{`mutation { insertUsesOne(row: {id: 5, of: {link: {id: "d "}}}) { code } }`, `{"insertUsesOne":{"code":"d"}}`},
		{`mutation { updateUsesByPk(id: 5, set: {code: "ab "}) { code } }`, `{"updateUsesByPk":{"code":"ab"}}`},
		{`mutation ($c: String) { updateUses(where: {id: {eq: 5}}, set: {code: $c}) { rows { code } } }`, `{"updateUses":{"rows":[{"code":"c"}]}}`},
		{`mutation { insertUsesOne(row: {id: 6, code: "no "}) { code } }`, `null NOT_FOUND: code leads to no row of codes (insertUsesOne.row.code)`},
		{`{ uses(where: {code: {eq: "ab "}}) { id } }`, `{"uses":[]}`},
	} {
		if got := short(t, g.withVariables(t, ann, c.text, `{"c": "c   "}`)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
	if got := g.imported(t, ann, "uses", "id,code\n7,ab \n"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("an import: %s", got)
	}
}

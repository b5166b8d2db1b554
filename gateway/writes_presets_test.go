package gateway_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

const presetTables = `CREATE TABLE plain (tenant text NOT NULL, id int NOT NULL, a int, b text, c text NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE parts (tenant text NOT NULL, id int NOT NULL, plain_id int, n int, kind text, PRIMARY KEY (tenant, id));`

// presetRoles are roles of which some preset something; %[1]s and %[2]s say which of them come first by their names.
const presetRoles = `
roles:
  %[1]sfull: {datasets: {plain: {insert: {}, update: {}}}}
  %[1]slow: {datasets: {plain: {insert: {check: {a: {lt: 100}}}}}}
  %[2]snorth: {datasets: {plain: {filter: {a: {lt: 100}}, insert: {columns: [id, a, b, c], presets: {b: north}}}}}
  %[2]shigh: {datasets: {plain: {insert: {check: {a: {gte: 100}}, presets: {b: high}}}}}
  %[1]sother: {datasets: {plain: {insert: {presets: {b: other}}}}}
  %[2]sfiller: {datasets: {plain: {insert: {presets: {b: high, c: filled}}}}}
  %[2]sfew: {datasets: {parts: {insert: {check: {n: {lt: 100}}}}}}
  %[1]smany: {datasets: {parts: {insert: {check: {n: {gte: 100}}, presets: {kind: many}}}}}
  %[1]sodd: {datasets: {parts: {insert: {presets: {kind: odd}}}}}
  %[2]sunder: {datasets: {parts: {insert: {check: {plain: {b: {eq: high}}}}}}}
`

func withPresets(text, first, last string) string {
	text = strings.Replace(text, "datasets:\n", fmt.Sprintf(presetRoles, first, last)+"datasets:\n", 1)
	return text + `
  plain: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, a: Int, b: String, c: String!}, relations: {parts: {to: parts, many: true, on: {id: plain_id}}}}
  parts: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, plain_id: Int, n: Int, kind: String}, relations: {plain: {to: plain, on: {plain_id: id}}}}
`
}

// A role more takes nothing away: whichever of them is first by its name, the presets of the one are
// written that presets least, and of the next one where that one's check does not hold.
func TestPresetsOfSeveralRoles(t *testing.T) {
	t.Parallel()
	for _, order := range [][2]string{{"a_", "z_"}, {"z_", "a_"}} {
		t.Run(order[0], func(t *testing.T) {
			t.Parallel()
			db := pgtest.Start(t).Database(t)
			db.Exec(t, writtenTables)
			db.Exec(t, presetTables)
			g := openWrittenAs(t, db, func(text string) string { return withPresets(text, order[0], order[1]) })
			testPresets(t, importing{writing: g, sql: db.Open(t)}, order)
		})
	}
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile+presetTables)
		testPresets(t, importing{writing: openFiles(t, dir, withPresets(writtenInFile(dir), "z_", "a_"))}, [2]string{"z_", "a_"})
	})
}

func testPresets(t *testing.T, i importing, order [2]string) {
	t.Helper()
	i.serve(t)
	of := strings.NewReplacer("full", order[0]+"full", "low", order[0]+"low", "north", order[1]+"north", "high", order[1]+"high", "other", order[0]+"other", "filler", order[1]+"filler", "few", order[1]+"few", "many", order[0]+"many", "odd", order[0]+"odd", "under", order[1]+"under")
	const outside = `null FORBIDDEN: what would be written to plain is not what you may write there`
	const several = `null FORBIDDEN: several roles of yours let rows of plain be written, and each presets something else in them`
	made := func(a, b, c string) string {
		return fmt.Sprintf(`{"insertPlain":{"rows":[{"a":%s,"b":%s,"c":%s}]}}`, a, b, c)
	}
	tokens := make(map[string]string)
	as := func(roles string) string {
		list := `"` + strings.ReplaceAll(of.Replace(roles), " ", `", "`) + `"`
		if tokens[list] == "" {
			tokens[list] = i.text(t, i.root, fmt.Sprintf(`mutation { admin { createServiceKey(input: {name: "k%d", tenant: "a", scopes: [READ_DATA, WRITE_DATA], roles: [%s]}) { token } } }`, len(tokens), list), "token")
		}
		return tokens[list]
	}
	for n, line := range []struct{ roles, row, want string }{
		{"full", `a: 500, c: "c"`, made("500", "null", `"c"`)},
		{"north", `a: 50, c: "c"`, made("50", `"north"`, `"c"`)},
		{"north", `a: 500, c: "c"`, outside},
		{"north", `a: 50, b: "x", c: "c"`, `… Field "b" is not defined`},
		{"full north", `a: 500, c: "c"`, made("500", "null", `"c"`)},
		{"full north", `a: 50, c: "c"`, made("50", "null", `"c"`)},
		{"full north", `a: 50, b: "x", c: "c"`, made("50", `"x"`, `"c"`)},
		{"full north", `a: null, b: null, c: "c"`, made("null", "null", `"c"`)},
		{"low", `a: 500, c: "c"`, outside},
		{"low high", `a: 50, c: "c"`, made("50", "null", `"c"`)},
		{"low high", `a: 500, c: "c"`, made("500", `"high"`, `"c"`)},
		{"low high", `a: 500, b: "x", c: "c"`, outside}, // which neither of them grants
		{"low high", `a: null, c: "c"`, outside},
		{"low high", `c: "c"`, outside},
		{"high other", `a: 500, c: "c"`, several},
		{"low high other", `a: 50, c: "c"`, made("50", "null", `"c"`)},
		{"low high other", `a: 500, c: "c"`, outside},
		{"full high other", `a: 500, c: "c"`, made("500", "null", `"c"`)},
		{"full", `a: 500`, `… Field "PlainInsert.c" of required type "String!" was not provided`},
		{"filler", `a: 500`, made("500", `"high"`, `"filled"`)},
		{"full filler", `a: 500`, made("500", `"high"`, `"filled"`)},
		{"full filler", `a: 500, c: "c"`, made("500", "null", `"c"`)},
		{"high filler", `a: 50`, made("50", `"high"`, `"filled"`)},
		{"low filler", `a: 500`, made("500", `"high"`, `"filled"`)},
		{"north low", `a: 500`, `… Field "PlainInsert.c" of required type "String!" was not provided`},
	} {
		got := short(t, i.query(t, as(line.roles), fmt.Sprintf(`mutation { insertPlain(rows: [{id: %d, %s}]) { rows { a b c } } }`, n, line.row)))
		if part, within := strings.CutPrefix(line.want, "… "); got != line.want && (!within || !strings.Contains(got, part)) {
			t.Errorf("%s: %s\n got %s\nwant %s", line.roles, line.row, got, line.want)
		}
		if line.roles == "low high" && n < 11 { // prepared, or not: by each value
			one := `mutation($id: Int!, $a: Int) { insertPlainOne(row: {id: $id, a: $a, c: "c"}) { b } }`
			for id, want := range map[int]string{50: `{"insertPlainOne":{"b":null}}`, 500: `{"insertPlainOne":{"b":"high"}}`} {
				if got := short(t, i.withVariables(t, as(line.roles), one, fmt.Sprintf(`{"id": %d, "a": %d}`, 1000*n+id, id))); got != want {
					t.Errorf("a = %d by variables: %s, want %s", id, got, want)
				}
			}
		}
	}
	if got := short(t, i.query(t, as("low high"), `mutation { insertPlain(rows: [{id: 100, a: 50, c: "c"}, {id: 101, a: 500, c: "c"}]) { affected } }`)); got != outside { // one role has to hold for all
		t.Errorf("rows of two roles: %s", got)
	}
	testNestedPresets(t, i, as, outside, several)
	testImportedPresets(t, i, as)
}

// What is nested, on either side, has turns of its own; checks of it may read what was preset around it.
func testNestedPresets(t *testing.T, i importing, as func(roles string) string, outside, several string) {
	t.Helper()
	ofParts := func(refused string) string { return strings.Replace(refused, "plain", "parts", 1) }
	there := func(b string, kinds ...string) string {
		for n, kind := range kinds {
			kinds[n] = `{"kind":` + kind + `}`
		}
		return `{"insertPlainOne":{"b":` + b + `,"parts":[` + strings.Join(kinds, ",") + `]}}`
	}
	for n, line := range []struct{ roles, row, want string }{
		{"low few", `a: 50, c: "c", parts: [{id: %[1]d, n: 5}]`, there("null", "null")},
		{"low few many", `a: 50, c: "c", parts: [{id: %[1]d, n: 5}]`, there("null", "null")},
		{"low few many", `a: 50, c: "c", parts: [{id: %[1]d, n: 500}]`, there("null", `"many"`)},
		{"low few many", `a: 50, c: "c", parts: [{id: %[1]d, n: 500}, {id: %[2]d, n: 5}]`, ofParts(outside)},
		{"low few many", `a: 50, c: "c", parts: [{id: %[1]d, n: null}]`, ofParts(outside)},
		{"low few many", `a: 50, c: "c", parts: [{id: %[1]d, n: 500, kind: "x"}]`, ofParts(outside)},
		{"low few many", `a: 500, c: "c", parts: [{id: %[1]d, n: 500}]`, outside},
		{"low high few many", `a: 50, c: "c", parts: [{id: %[1]d, n: 500}]`, there("null", `"many"`)},
		{"low high few many", `a: 500, c: "c", parts: [{id: %[1]d, n: 5}]`, there(`"high"`, "null")},
		{"low high few many", `a: 500, c: "c", parts: [{id: %[1]d, n: 500}]`, there(`"high"`, `"many"`)},
		{"low high few many", `a: 500, c: "c", parts: []`, there(`"high"`)},
		{"low high few many", `a: null, c: "c", parts: null`, outside},
		{"low many odd", `a: 50, c: "c", parts: [{id: %[1]d, n: 500}]`, ofParts(several)},
		{"low few many odd", `a: 50, c: "c", parts: [{id: %[1]d, n: 5}]`, there("null", "null")},
		{"low few many odd", `a: 50, c: "c", parts: [{id: %[1]d, n: 500}]`, ofParts(outside)},
		{"high under", `a: 500, c: "c", parts: [{id: %[1]d}]`, there(`"high"`, "null")},
		{"full high under", `a: 500, c: "c", parts: [{id: %[1]d}]`, there(`"high"`, "null")}, // which full alone could not insert
		{"full high under", `a: 50, c: "c", parts: [{id: %[1]d}]`, outside},                  // as the last that was tried
		{"full high under", `a: 50, c: "c"`, there("null")},
	} {
		id := 1000 + 10*n
		got := short(t, i.query(t, as(line.roles), fmt.Sprintf(`mutation { insertPlainOne(row: {id: %d, %s}) { b parts(orderBy: {id: ASC}) { kind } } }`, id, strings.ReplaceAll(strings.ReplaceAll(line.row, "%[1]d", strconv.Itoa(id)), "%[2]d", strconv.Itoa(id+1)))))
		if got != line.want {
			t.Errorf("%s: %s\n got %s\nwant %s", line.roles, line.row, got, line.want)
		}
		left := i.query(t, as("full few"), fmt.Sprintf(`{ plain(where: {id: {eq: %[1]d}}) { id } parts(where: {or: [{id: {eq: %[1]d}}, {id: {eq: %d}}]}) { id } }`, id, id+1))
		if strings.HasPrefix(line.want, "null") != (short(t, left) == `{"plain":[],"parts":[]}`) {
			t.Errorf("%s: %s\nleaves %s", line.roles, line.row, left)
		}
	}
	to := `mutation ($a: Int, $n: Int) { insertPartsOne(row: {id: 2000, n: $n, plain: {insert: {id: 2000, a: $a, c: "c"}}}) { kind plain { b } } }`
	if got := short(t, i.withVariables(t, as("low high few many"), to, `{"a": 500, "n": 500}`)); got != `{"insertPartsOne":{"kind":"many","plain":{"b":"high"}}}` {
		t.Errorf("with the row that it leads to: %s", got)
	}
}

// The rows of one transaction of an import are written with what one role presets.
func testImportedPresets(t *testing.T, i importing, as func(roles string) string) {
	t.Helper()
	many := func(from, to, odd, a int) string {
		var b strings.Builder
		b.WriteString("id,a,c\n")
		for id := from; id < to; id++ {
			if id == odd {
				fmt.Fprintf(&b, "%d,500,c\n", id)
				continue
			}
			fmt.Fprintf(&b, "%d,%d,c\n", id, a)
		}
		return b.String()
	}
	for _, line := range []struct{ roles, path, rows, want, b string }{
		{"full north", "", "id,a,c\n3000,500,c\n", `200 {"rows":1}`, "null"},
		{"low high", "", "id,a,c\n3001,50,c\n", `200 {"rows":1}`, "null"},
		{"low high", "", "id,a,c\n3002,500,c\n", `200 {"rows":1}`, `"high"`},
		{"low high", "", "id,a,c\n3003,50,c\n3004,500,c\n", `403 `, ""},
		{"low high", "", "id,a,c\n3005,,c\n", `403 `, ""},
		{"low high", "", "id,a,b,c\n3006,500,x,c\n", `403 `, ""},
		{"high other", "", "id,a,c\n3007,500,c\n", `403 `, ""},
		{"low high other", "", "id,a,c\n3008,500,c\n", `403 `, ""},
		{"low filler", "", "id,a\n3009,500\n", `200 {"rows":1}`, `"high"`},
		{"low high", "&batch=1", "id,a,c\n3010,500,c\n", `200 {"rows":1}`, `"high"`},
		{"low high", "", many(30000, 42000, 30003, 50), `403 `, ""},
		{"low high", "", many(50000, 62000, 0, 500), `200 {"rows":12000}`, `"high"`},
	} {
		got := i.load(t, as(line.roles), "/import/plain?format=csv"+line.path, line.rows)
		if !strings.HasPrefix(got, line.want) {
			t.Errorf("import as %s of %.40s: %s, want %s", line.roles, line.rows, got, line.want)
		}
		id := strings.SplitN(strings.SplitN(line.rows, "\n", 3)[1], ",", 2)[0]
		want := `{"plain":[]}`
		if line.b != "" {
			want = `{"plain":[{"b":` + line.b + `}]}`
		}
		if got := short(t, i.query(t, as("full few"), `{ plain(where: {id: {eq: `+id+`}}) { b } }`)); got != want {
			t.Errorf("import as %s of %.40s: there is %s, want %s", line.roles, line.rows, got, want)
		}
	}
	got := i.load(t, as("low high"), "/import/plain?format=csv&batch=1", "id,a,c\n4000,50,c\n4001,500,c\n4002,50,c\n")
	if got != `200 {"rows":3}` {
		t.Errorf("in batches: %s", got)
	}
	if got := short(t, i.query(t, as("full few"), `{ plain(where: {id: {in: [4000, 4001, 4002]}}, orderBy: {id: ASC}) { b } }`)); got != `{"plain":[{"b":null},{"b":"high"},{"b":null}]}` {
		t.Errorf("in batches there are %s", got)
	}
}

// An API undoes nothing: whose presets are written is decided by what can be foreseen, before the first call.
func TestPresetsOfSeveralRolesInAPIs(t *testing.T) {
	t.Parallel()
	for _, order := range [][2]string{{"a_", "z_"}, {"z_", "a_"}} {
		p := newPartner(t)
		i := openAPIImports(t, p, func(text string) string {
			return strings.Replace(text, "datasets:\n  orders:\n", fmt.Sprintf(`roles:
  %[1]slow: {datasets: {orders: {insert: {check: {status: {neq: big}}}}}}
  %[2]shigh: {datasets: {orders: {insert: {check: {status: {eq: big}}, presets: {paid: true}}}}}
  %[1]sother: {datasets: {orders: {insert: {presets: {paid: false}}}}}
datasets:
  orders:
`, order[0], order[1]), 1)
		})
		as := func(roles ...string) string {
			for n, role := range roles {
				roles[n] = map[string]string{"low": order[0], "high": order[1], "other": order[0]}[role] + role
			}
			list := strings.Join(roles, `", "`)
			return i.text(t, i.root, `mutation { admin { createServiceKey(input: {name: "`+strings.ReplaceAll(list, `", "`, "-")+`", tenant: "a", scopes: [READ_DATA, WRITE_DATA], roles: ["`+list+`"]}) { token } } }`, "token")
		}
		both, contrary, low := as("low", "high"), as("high", "other"), as("low")
		for _, line := range []struct{ token, rows, want, calls string }{
			{both, `{id: "p1", status: "small"}`, `{"insertOrders":{"rows":[{"paid":null}]}}`, `{"created_by":"low-high","id":"p1","status":"small","tenant":"a"}`},
			{both, `{id: "p2", status: "big"}`, `{"insertOrders":{"rows":[{"paid":true}]}}`, `{"created_by":"low-high","id":"p2","paid":true,"status":"big","tenant":"a"}`},
			{both, `{id: "p3", status: "big"}, {id: "p4", status: "small"}`, `null FORBIDDEN: what would be written to orders is not what you may write there`, ""},
			{both, `{id: "p5", status: "big", paid: false}`, `null FORBIDDEN: what would be written to orders is not what you may write there`, ""},
			{low, `{id: "p6", status: "big"}`, `null FORBIDDEN: what would be written to orders is not what you may write there`, ""},
			{contrary, `{id: "p7", status: "big"}`, `null FORBIDDEN: several roles of yours let rows of orders be written, and each presets something else in them`, ""},
		} {
			if got := short(t, i.query(t, line.token, `mutation { insertOrders(rows: [`+line.rows+`]) { rows { paid } } }`)); got != line.want {
				t.Errorf("%s\n got %s\nwant %s", line.rows, got, line.want)
			}
			calls := strings.NewReplacer("POST /orders a ", "", order[0], "", order[1], "").Replace(p.said())
			if calls != line.calls {
				t.Errorf("%s\n calls %s\nwant %s", line.rows, calls, line.calls)
			}
		}
		for _, line := range []struct{ token, rows, want string }{
			{both, "q1,small\nq2,small\n", `200 {"rows":2}`},
			{both, "q3,big\n", `200 {"rows":1}`},
			{both, "q4,small\nq5,big\n", "403 "},
			{contrary, "q6,big\n", "403 "},
		} {
			if got := i.load(t, line.token, "/import/orders?format=csv&batch=2", "id,status\n"+line.rows); !strings.HasPrefix(got, line.want) {
				t.Errorf("import of %s: %s, want %s", line.rows, got, line.want)
			}
		}
		if calls := p.said(); strings.Count(calls, "POST") != 3 || strings.Count(calls, `"paid":true`) != 1 {
			t.Errorf("the calls of imports were\n%s", calls)
		}
	}
}

package gateway_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// A few bytes of JSON must not become a row that is large whenever it is read: what is sent is bounded by what it
// is with its numbers written out, wherever it is sent, and the same whatever keeps it.
func TestWritesOfLargeNumbersInJSON(t *testing.T) {
	t.Parallel()
	shared, _ := openWritten(t)
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile)
	many := func(n int, number string) string { return "[" + strings.Repeat(number+",", n-1) + number + "]" }
	const (
		digits = "doc: a number in JSON may have 1000 digits when it is written out, without an exponent"
		out    = "its numbers written out, is too long; at most 1048576 are allowed"
		insert = `mutation ($d: JSON) { insertOrdersOne(row: {id: 50, doc: $d}) { id } }`
		deep   = `mutation ($d: JSON) { insertOrdersOne(row: {id: 50, doc: {a: [1, $d]}}) { id } }`
		rows   = `mutation ($r: [OrdersInsert!]!) { insertOrders(rows: $r) { affected } }`
		upsert = `mutation ($d: JSON) { insertOrders(rows: [{id: 51}, {id: 50, doc: $d}], onConflict: {key: id, update: [doc]}) { affected } }`
		update = `mutation ($d: JSON) { updateOrdersByPk(id: 1, set: {doc: $d}) { id } }`
		all    = `mutation ($d: JSON) { updateOrders(all: true, set: {doc: $d}) { affected } }`
		filter = `query ($d: JSON) { orders(where: {doc: {contains: $d}}) { id } }`
	)
	for name, g := range map[string]writing{"shared": shared, "file": openWrittenFile(t, dir)} {
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		for _, line := range []struct{ text, variables, want string }{
			{insert, `{"d":` + many(9000, "1e131071") + `}`, digits + " (insertOrdersOne.row.doc)"},
			{insert, `{"d":` + many(9000, "1e999") + `}`, out + " (insertOrdersOne.row.doc)"},
			{insert, `{"d":{"a":{"b":` + many(9000, "-1E-999") + `}}}`, out + " (insertOrdersOne.row.doc)"},
			{insert, `{"d":1e1000}`, digits + " (insertOrdersOne.row.doc)"},
			{insert, `{"d":1e-1000}`, digits + " (insertOrdersOne.row.doc)"},
			{insert, `{"d":1e99999999999999999999}`, digits + " (insertOrdersOne.row.doc)"},
			{insert, `{"d":-1` + strings.Repeat("0", 1000) + `}`, digits + " (insertOrdersOne.row.doc)"},
			{`mutation { insertOrdersOne(row: {id: 50, doc: {a: [1e1000]}}) { id } }`, `null`, digits + " (insertOrdersOne.row.doc)"},
			{deep, `{"d":1e1000}`, digits + " (insertOrdersOne.row.doc)"},
			{deep, `{"d":` + many(9000, "1e999") + `}`, out + " (insertOrdersOne.row.doc)"},
			{rows, `{"r":[{"id":50},{"id":51,"doc":1e1000}]}`, digits + " (insertOrders.rows.1.doc)"},
			{upsert, `{"d":1e1000}`, digits + " (insertOrders.rows.1.doc)"},
			{update, `{"d":1e1000}`, digits + " (updateOrdersByPk.set.doc)"},
			{all, `{"d":` + many(9000, "1e999") + `}`, out + " (updateOrders.set.doc)"},
			{filter, `{"d":1e1000}`, "doc: contains: a number in JSON may have 1000 digits when it is written out, without an exponent (orders.where)"},
		} {
			body, err := json.Marshal(map[string]any{"query": line.text, "variables": json.RawMessage(line.variables)})
			if err != nil {
				t.Fatal(err)
			}
			if got := short(t, plainAnswer(g.ask(t, ann, string(body)))); !strings.Contains(got, "null BAD_USER_INPUT: ") && !strings.HasPrefix(got, `{"orders":null} BAD_USER_INPUT: `) || !strings.HasSuffix(got, line.want) {
				t.Errorf("%s: %s\n got %s\nwant %s", name, line.text, got, line.want)
			}
		}
		for _, ordinary := range []string{
			`[0,-0.10,12345678901234567890.123456789012345678901234567890,1.7976931348623157e308,5e-324,"1e131071","\"1e131071"]`,
			`null`, `[]`, `{}`, `""`, many(1000, "1e999"),
		} {
			body, err := json.Marshal(map[string]any{"query": update, "variables": map[string]any{"d": json.RawMessage(ordinary)}})
			if err != nil {
				t.Fatal(err)
			}
			if got := short(t, plainAnswer(g.ask(t, ann, string(body)))); got != `{"updateOrdersByPk":{"id":1}}` {
				t.Errorf("%s: %.100s is answered %s", name, ordinary, got)
			}
		}
	}
}

// Nested rows, saved mutations and what a token presets are bounded as well, wherever the rows are.
func TestWritesOfLargeNumbersInJSONBeside(t *testing.T) {
	t.Parallel()
	preset := func(text string) string {
		return strings.NewReplacer(
			"presets: {insert: {created_by: $subject}}", "presets: {insert: {created_by: $subject, blob: $metadata.blob}}",
			"doc: JSON, ", "doc: JSON, blob: JSON, ",
			"    columns: {id: BigInt!, tenant: String!, name: String}\n    filter: {name: {neq: hidden}}\n",
			"    columns: {id: BigInt!, tenant: String!, name: String}\n    relations: {orders: {to: orders, many: true, on: {id: customer_id}}}\n",
		).Replace(text)
	}
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+"ALTER TABLE orders ADD COLUMN blob jsonb;")
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile+"; ALTER TABLE orders ADD COLUMN blob JSON;")
	large := "[" + strings.Repeat("1e999,", 9000) + "1]"
	const (
		digits = "a number in JSON may have 1000 digits when it is written out, without an exponent"
		out    = "its numbers written out, is too long; at most 1048576 are allowed"
		one    = `mutation ($d: JSON) { insertOrdersOne(row: {id: 70, doc: $d}) { id } }`
		nested = `mutation ($d: JSON) { insertCustomersOne(row: {id: 70, orders: [{id: 70}, {id: 71, doc: $d}]}) { id } }`
		set    = `mutation ($s: OrdersSet!) { updateOrdersByPk(id: 1, set: $s) { id } }`
	)
	for name, g := range map[string]writing{
		"server": openWrittenAs(t, db, preset),
		"file":   openFiles(t, dir, preset(writtenInFile(dir))),
		"API":    openCalled(t, newPartner(t), "gateway", "tenant", preset),
	} {
		boss := g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "boss", tenant: "a", scopes: [READ_DATA, WRITE_DATA, ADMINISTER, CREATE_TOKENS], mayGrant: {metadata: ["blob"]}}) { token } } }`, "token")
		run := func(token string, body map[string]any) string {
			t.Helper()
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			return plainAnswer(g.ask(t, token, string(text)))
		}
		mint := func(metadata string) string {
			t.Helper()
			return run(boss, map[string]any{
				"query":     `mutation ($v: JSON!) { createToken(input: {subject: "m", write: true, metadata: [{name: "blob", value: $v}]}) { token } }`,
				"variables": map[string]any{"v": json.RawMessage(metadata)},
			})
		}
		token := func(metadata string) string {
			t.Helper()
			_, rest, _ := strings.Cut(mint(metadata), `"token":"`)
			token, _, ok := strings.Cut(rest, `"`)
			if !ok {
				t.Fatalf("%s: no token with %.100s: %.300s", name, metadata, mint(metadata))
			}
			return token
		}
		ann := token(`7`)
		in := func(text string) string {
			if name == "API" {
				text = strings.NewReplacer("id: 70", `id: "70"`, "id: 1,", `id: "1",`).Replace(text)
			}
			return text
		}
		texts := map[string]string{"one": one, "set": set}
		if name != "API" {
			texts["nested"] = nested
		}
		for of, text := range texts {
			input := `{name: "` + of + `", shared: true, document: ` + quoted(t, in(text)) + `}`
			if got := g.query(t, boss, `mutation { createSavedQuery(input: `+input+`) { name } }`); !strings.HasPrefix(got, `200 {"data":{"createSavedQuery":{"name":`) {
				t.Fatalf("%s: %s: %s", name, of, got)
			}
			for given, want := range map[string]string{large: out, "1e1000": digits, `{"a":["x",-1e-1000]}`: digits} {
				variables := map[string]any{"d": json.RawMessage(given)}
				if of == "set" {
					variables = map[string]any{"s": map[string]any{"doc": json.RawMessage(given)}}
				}
				for how, body := range map[string]map[string]any{
					"as it is": {"query": in(text), "variables": variables},
					"saved":    {"extensions": map[string]any{"savedQuery": map[string]any{"name": of}}, "variables": variables},
				} {
					if got := short(t, run(ann, body)); !strings.Contains(got, "null BAD_USER_INPUT: ") || !strings.Contains(got, want) || !strings.HasSuffix(got, "doc)") {
						t.Errorf("%s: %s %s with %.40s is answered %.500s", name, of, how, given, got)
					}
				}
			}
		}
		// What a token presets is bounded when it is made, or at the latest when it is written.
		for _, given := range []string{large, "1e1000", "[1e-1000]"} {
			got := mint(given)
			if strings.Contains(got, `"token":"`) {
				got = g.query(t, token(given), in(`mutation { insertOrdersOne(row: {id: 70}) { id } }`))
			}
			if !strings.Contains(got, `"errors"`) || strings.Contains(got, "INTERNAL") || strings.Contains(got, "1e999") {
				t.Errorf("%s: a preset of %.40s is answered %.500s", name, given, got)
			}
		}
		if got := short(t, g.query(t, ann, in(`mutation { insertOrdersOne(row: {id: 70}) { id blob } }`))); !strings.HasSuffix(got, `,"blob":7}}`) {
			t.Errorf("%s: what is not too large is answered %s", name, got)
		}
	}
}

// An import is bounded as mutations are.
func TestImportsOfLargeNumbersInJSON(t *testing.T) {
	t.Parallel()
	for name, i := range map[string]importing{"shared": openImports(t, ""), "file": openFileImports(t)} {
		ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		lines := strings.NewReader(`{"id": 60, "doc": 1}` + "\n" + `{"id": 61, "doc": [` + strings.Repeat("1e999,", 9000) + "1]}\n")
		if status, text := i.send(t.Context(), t, ann, "/import/orders", lines, "Content-Type", "application/x-ndjson"); status != 400 || !strings.Contains(text, "its numbers written out") || !strings.Contains(text, `"line":2`) {
			t.Errorf("%s: lines are answered %d %s", name, status, text)
		}
		if status, text := i.send(t.Context(), t, ann, "/import/orders", strings.NewReader("id,doc\n60,1\n61,[1e131071]\n"), "Content-Type", "text/csv"); status != 400 || !strings.Contains(text, "a number in JSON") || !strings.Contains(text, `"line":3`) {
			t.Errorf("%s: values are answered %d %s", name, status, text)
		}
	}
}

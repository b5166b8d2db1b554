package gateway_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

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
		digits = "doc: a number in JSON may have 1000 digits and exponents from -999 to 999"
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
			{insert, `{"d":{"a":{"b":` + many(9000, "-1.5E-999") + `}}}`, out + " (insertOrdersOne.row.doc)"},
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
			{filter, `{"d":1e1000}`, "doc: contains: a number in JSON may have 1000 digits and exponents from -999 to 999 (orders.where)"},
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

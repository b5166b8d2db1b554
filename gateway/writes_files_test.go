package gateway_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"usher/config"
	"usher/gateway"
	"usher/test/program"
)

// inFile are the tables of a shop whose tenants write, in a file.
var inFile = strings.NewReplacer("numeric(12,2)", "DECIMAL(12,2)", "jsonb", "JSON", "UNIQUE INDEX ON", "UNIQUE INDEX by_note ON", "REFERENCES customers,", "REFERENCES customers (tenant, id),").Replace(writtenTables)

// openWrittenFile is the shop of written in a file of DuckDB.
func openWrittenFile(t *testing.T, dir string) writing {
	t.Helper()
	return openFiles(t, dir, writtenInFile(dir))
}

// writtenInFile is its configuration.
func writtenInFile(dir string) string {
	text := fmt.Sprintf(written, "", "", 0, filepath.Join(dir, "store.duckdb"))
	from := strings.Index(text, "  shop: {kind: postgres")
	to := from + strings.IndexByte(text[from:], '\n')
	return text[:from] + "  shop: {kind: duckdb, path: shop.duckdb}" + text[to:]
}

func openFiles(t *testing.T, dir, text string) writing {
	t.Helper()
	key := func(name string) (string, bool) {
		return map[string]string{"KEY": "aGlkZGVuLWtleS1vZi10aGlydHktdHdvLWJ5dGVzISE="}[name], name == "KEY"
	}
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), key)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	w := writing{gate{g}, gate{g}.bootstrap(t)}
	for _, tenant := range []string{"a", "b"} {
		w.check(t, w.root, `mutation { admin { createTenant(input: {id: "`+tenant+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"`+tenant+`"}}}}`)
	}
	return w
}

// inTables is what tables hold, in one text for both engines.
func inTables(t *testing.T, db *sql.DB, where string) string {
	t.Helper()
	var b strings.Builder
	for _, statement := range []string{
		"SELECT tenant, id, customer_id, product_id, status, note, CAST(amount AS text), version, created_by, array_to_string(tags, '|') FROM orders WHERE " + where + " ORDER BY tenant, id",
		"SELECT tenant, id, name FROM customers WHERE " + where + " ORDER BY tenant, id",
		"SELECT box_id, line, sku FROM items WHERE box_id IN (SELECT id FROM boxes WHERE " + where + ") ORDER BY box_id, line",
	} {
		inRows(t, &b, db, statement)
	}
	return b.String()
}

func inRows(t *testing.T, b *strings.Builder, db *sql.DB, statement string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(b, cells)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// inFileTables is what a file's tables hold, which nobody has open.
func inFileTables(t *testing.T, path, where string) string {
	t.Helper()
	db, err := sql.Open("duckdb", path+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	return inTables(t, db, where)
}

// The same mutations have the same answers, and leave the same tables, in PostgreSQL and in a
// file; the other tenant's rows stay as they were.
func TestWritesAreTheSameInFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.duckdb")
	program.MakeDuckDB(t, path, inFile)
	theirs := inFileTables(t, path, "tenant = 'b'")
	server, db := openWritten(t)
	file := openWrittenFile(t, dir)
	ann := [2]string{server.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), file.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")}
	many := make([]string, 3000)
	for i := range many {
		many[i] = fmt.Sprintf(`{"id":%d,"note":"n%d"}`, 100_000-i, i)
	}
	done := 0
	for _, text := range []string{
		`{ orders { id status note } }`,
		`mutation { insertOrdersOne(row: {id: 10, customer_id: 1, product_id: 1, amount: 1.5, doc: {a: [1, null]}, tags: ["x", null, "y,\"z"]}) { id status amount version created_by doc tags customer { name } product { name } } }`,
		`{ orders { id } }`,
		`mutation { insertOrders(rows: [{id: 12, note: "l"}, {id: 11}, {id: 13, note: null}]) { affected rows { id note } last: rows(orderBy: [{id: DESC}], limit: 1) { id } __typename } }`,
		`mutation { insertItemsOne(row: {box_id: 1, line: 2, sku: ""}) { line sku box { id items { line } } } }`,
		`mutation { insertOrdersOne(row: {id: 20, customer_id: 3}) { id } }`,
		`mutation { insertOrdersOne(row: {id: 20, customer_id: 4}) { id } }`,
		`mutation { insertOrdersOne(row: {id: 20, customer_id: 2}) { id } }`,
		`mutation { insertOrdersOne(row: {id: 20, product_id: 2}) { id } }`,
		`mutation { insertItemsOne(row: {box_id: 2, line: 9}) { line } }`,
		`mutation { insertItemsOne(row: {box_id: 99, line: 9}) { line } }`,
		`mutation { updateOrdersByPk(id: 2, set: {note: "mine"}) { id } }`,
		`mutation { updateOrdersByPk(id: 99, set: {note: "mine"}) { id } }`,
		`mutation { deleteOrdersByPk(id: 2) { id } }`,
		`mutation { updateItemsByPk(box_id: 2, line: 1, set: {sku: "mine"}) { line } }`,
		`mutation { updateItemsByPk(box_id: 1, line: 1, set: {sku: "mine"}) { line sku } }`,
		`mutation { deleteItems(all: true) { affected rows { box_id line } } }`,
		`mutation { insertBoxesOne(row: {id: 2}) { id } }`,
		`mutation { insertOrdersOne(row: {id: 2}) { id } }`,
		`mutation { updateOrdersByPk(id: 10, set: {note: "new", tags: [], doc: {b: 1}}, increment: {amount: 2}, version: 1) { note amount version tags doc customer { name } } }`,
		`mutation { updateOrdersByPk(id: 10, set: {note: "newer"}, version: 1) { note } }`,
		`mutation { updateOrdersByPk(id: 10, set: {customer_id: 3}) { id } }`,
		`mutation { updateOrdersByPk(id: 10, set: {customer_id: null}) { customer_id } }`,
		`mutation { updateOrders(where: {id: {in: [11, 12, 2, 1]}}, set: {status: "paid"}, limit: 2) { affected rows { id status } } }`,
		`mutation { updateOrders(where: {customer: {name: {eq: "Ann"}}}, set: {note: "of ann"}) { affected rows { id note } } }`,
		`mutation { updateOrders(where: {id: {eq: 12345}}, set: {status: "paid"}) { affected rows { id } } }`,
		`mutation { updateCustomersByPk(id: 1, set: {name: "Anna"}) { id name } }`, // which an order refers to
		`mutation { updateCustomersByPk(id: 1, set: {name: "hidden"}) { id } }`,
		`mutation { deleteCustomersByPk(id: 1) { id } }`,
		`mutation { deleteCustomersByPk(id: 3) { id } }`,
		`mutation { insertOrdersOne(row: {id: 10}) { id } }`,
		`mutation { insertOrdersOne(row: {id: 30, note: "new"}) { id } }`,
		`mutation { insertOrdersOne(row: {id: 30, note: "theirs"}) { id note } }`,
		`mutation { updateOrdersByPk(id: 30, set: {note: "new"}) { id note } }`,
		`mutation { insertOrdersOne(row: {id: 31, amount: 1.234}) { id } }`,
		`mutation { updateOrdersByPk(id: 10, increment: {amount: 9999999999.99}) { id } }`,
		`mutation { a: insertOrdersOne(row: {id: 40}) { id } b: updateOrdersByPk(id: 40, set: {note: "forty"}) { note } c: deleteOrdersByPk(id: 40) { note version } }`,
		`mutation { a: insertOrdersOne(row: {id: 40, note: "x"}) { id } b: updateOrdersByPk(id: 40, set: {note: "y"}) { note } c: updateOrdersByPk(id: 40, set: {note: "z"}) { note version } }`,
		`mutation { a: deleteOrdersByPk(id: 40) { id } b: insertOrdersOne(row: {id: 40, note: "z"}) { id version } }`,
		`mutation ($rows: [OrdersInsert!]!) { insertOrders(rows: $rows) { affected rows { id note } } }`,
		`mutation { updateOrders(where: {id: {gt: 98500}}, set: {note: null}, increment: {customer_id: 1}) { affected } }`,
		`mutation { updateOrders(where: {id: {gt: 98500}}, set: {status: "sent"}) { affected } }`,
		`mutation { deleteOrders(where: {id: {gte: 13, lt: 99000}}) { affected } }`,
		// Rows that are there already, where that is asked for.
		`mutation { insertOrders(rows: [{id: 30, note: "again", status: "new"}, {id: 50, note: "fifty"}, {id: 10, tags: ["t"]}], onConflict: {key: id, update: [note, tags]}) { affected rows { id note status tags version } } }`,
		`mutation { insertOrders(rows: [{id: 2, note: "b's has this id, too"}], onConflict: {key: id, update: [note]}) { rows { id note } } }`,
		`mutation { insertOrders(rows: [{id: 51, note: "fifty"}], onConflict: {key: note, update: [status]}) { rows { id note status version } } }`,
		`mutation { insertOrders(rows: [{id: 51, note: "fifty"}], onConflict: {key: id, update: [status]}) { rows { id note status version } } }`,
		`mutation { insertOrders(rows: [{id: 50}, {id: 50}], onConflict: {key: id, update: [note]}) { affected } }`,
		`mutation { insertOrders(rows: [{id: 50, customer_id: 3}], onConflict: {key: id, update: [customer_id]}) { affected } }`,
		`mutation { insertCustomers(rows: [{id: 2, name: "shown"}], onConflict: {key: id, update: [name]}) { affected } }`,
		`mutation { insertCustomers(rows: [{id: 1, name: "shown"}, {id: 4, name: null}], onConflict: {key: id, update: [name]}) { affected rows { id name } } }`,
		`{ orders(where: {id: {lt: 99000}}) { id version note tags doc } customers { id name } }`,
	} {
		variables := `{}`
		if strings.Contains(text, "$rows") {
			variables = `{"rows":[` + strings.Join(many, ",") + `]}`
		}
		want, got := server.withVariables(t, ann[0], text, variables), file.withVariables(t, ann[1], text, variables)
		if got != want {
			t.Errorf("%.300s\n in the file %.1000s\n in the server %.1000s", text, got, want)
		}
		if strings.Contains(want, "FAILED") || strings.Contains(want, "COMPLEX") {
			t.Errorf("%.300s\n was not asked: %.500s", text, want)
		}
		if strings.Contains(want, `"data":{`) {
			done++
		}
	}
	if done < 25 {
		t.Errorf("only %d of the questions were answered", done)
	}
	want := inTables(t, db.Open(t), "tenant = 'a'")
	_ = file.Close()
	if got := inFileTables(t, path, "tenant = 'a'"); got != want || strings.Count(got, "\n") < 1000 {
		t.Errorf("the file holds\n%.2000s\nthe server\n%.2000s", got, want)
	}
	if got := inFileTables(t, path, "tenant = 'b'"); got != theirs {
		t.Errorf("the other tenant's rows are\n%s\nwere\n%s", got, theirs)
	}
}

// Tenants with files of their own write into these, which stay the same files for it; one that is put in
// the place of another is read instead, and written.
func TestWritesInFilesOfTenants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tenant := range []string{"a", "b"} {
		program.MakeDuckDB(t, filepath.Join(dir, "of_"+tenant+".duckdb"), "CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR UNIQUE); INSERT INTO notes VALUES (1, 'of "+tenant+"')")
	}
	g := openFiles(t, dir, fmt.Sprintf(`
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {silo: {kind: duckdb, path: "of_{tenant}.duckdb", template: true}}
strategies: {own: {kind: database, source: silo}}
default_strategy: own
datasets:
  notes: {tenant: tenant, key: id, writable: true, cache: 1h, columns: {id: BigInt!, tenant: String!, text: String}, bind: {silo: {columns: {tenant: ~}}}}
`, filepath.Join(dir, "store.duckdb")))
	keys := map[string]string{}
	for _, tenant := range []string{"a", "b"} {
		keys[tenant] = g.keyOf(t, "of "+tenant, tenant, "READ_DATA, WRITE_DATA")
	}
	check := func(tenant, text, want string) {
		t.Helper()
		if got := short(t, g.query(t, keys[tenant], text)); got != want {
			t.Errorf("%s: %s\n got %s\nwant %s", tenant, text, got, want)
		}
	}
	check("a", `{ notes { id text } }`, `{"notes":[{"id":1,"text":"of a"}]}`)
	check("a", `mutation { insertNotesOne(row: {id: 2, text: "more"}) { id text } }`, `{"insertNotesOne":{"id":2,"text":"more"}}`)
	check("a", `mutation { insertNotesOne(row: {id: 3, text: "more"}) { id text } }`, `null CONFLICT: there is a row of notes with the same text (insertNotesOne.row.text)`)
	check("a", `mutation { insertNotesOne(row: {id: 3, text: "more, id: 3"}) { id } }`, `{"insertNotesOne":{"id":3}}`)
	check("a", `mutation { insertNotesOne(row: {id: 4, text: "more, id: 3"}) { id } }`, `null CONFLICT: there is a row of notes with the same text (insertNotesOne.row.text)`)
	check("b", `mutation { insertNotesOne(row: {id: 2, text: "more"}) { id } }`, `{"insertNotesOne":{"id":2}}`)
	check("b", `mutation { deleteNotesByPk(id: 3) { id } }`, `{"deleteNotesByPk":null}`)
	check("b", `mutation { updateNotes(all: true, set: {text: null}) { affected } }`, `{"updateNotes":{"affected":2}}`)
	check("a", `{ notes(orderBy: [{id: ASC}]) { id text } }`, `{"notes":[{"id":1,"text":"of a"},{"id":2,"text":"more"},{"id":3,"text":"more, id: 3"}]}`)
	check("b", `{ notes(orderBy: [{id: ASC}]) { id text } }`, `{"notes":[{"id":1,"text":null},{"id":2,"text":null}]}`)

	replace(t, filepath.Join(dir, "of_b.duckdb"), func(path string) {
		program.MakeDuckDB(t, path, "CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR UNIQUE); INSERT INTO notes VALUES (7, 'put there')")
	})
	check("b", `mutation { insertNotesOne(row: {id: 1}) { id } }`, `{"insertNotesOne":{"id":1}}`)
	check("b", `{ notes(orderBy: [{id: ASC}]) { id text } }`, `{"notes":[{"id":1,"text":null},{"id":7,"text":"put there"}]}`)
	// A table that is none of the catalog's is not written either.
	replace(t, filepath.Join(dir, "of_b.duckdb"), func(path string) { program.MakeDuckDB(t, path, "CREATE TABLE notes (id VARCHAR, text VARCHAR)") })
	if got := g.query(t, keys["b"], `mutation { insertNotesOne(row: {id: 1}) { id } }`); !strings.Contains(got, `"UNAVAILABLE"`) {
		t.Errorf("a file with another table: %s", got)
	}
}

// What columns of a tenant's own file do not take, of which the configuration does not say so, is told at the input. That a row
// may not be changed at all comes before what it would be changed to.
func TestUntakenInFilesOfTenants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "of_a.duckdb"), `CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR, must VARCHAR NOT NULL, gone TIMESTAMPTZ, small SMALLINT);
		INSERT INTO notes (id, text, must, gone) VALUES (1, 'of a', 'm', NULL), (3, 'c', 'm', now())`)
	g := openFiles(t, dir, fmt.Sprintf(`
control: {path: %q, key: {id: a, secret: {env: KEY}}}
sources: {silo: {kind: duckdb, path: "of_{tenant}.duckdb", template: true}}
strategies: {own: {kind: database, source: silo}}
default_strategy: own
datasets:
  notes:
    tenant: tenant
    key: id
    writable: true
    deleted: {at: gone}
    columns: {id: BigInt!, tenant: String!, text: String, must: String, gone: Timestamp, small: BigInt}
    bind: {silo: {columns: {tenant: ~}}}
`, filepath.Join(dir, "store.duckdb")))
	key := g.keyOf(t, "of a", "a", "READ_DATA, WRITE_DATA")
	for _, c := range []struct{ text, want string }{
		{`insertNotesOne(row: {id: 2, must: null}) { id }`, "null BAD_USER_INPUT: must is never null (insertNotesOne.row.must)"},
		{`insertNotesOne(row: {id: 2}) { id }`, "null BAD_USER_INPUT: must is never null (insertNotesOne.row.must)"},
		{`updateNotesByPk(id: 1, set: {must: null}) { id }`, "null BAD_USER_INPUT: must is never null (updateNotesByPk.set.must)"},
		{`updateNotes(all: true, set: {must: null}) { affected }`, "null BAD_USER_INPUT: must is never null (updateNotes.set.must)"},
		{`insertNotes(rows: [{id: 1, must: null}], onConflict: {key: id, update: [must]}) { affected }`, "null BAD_USER_INPUT: must is never null (insertNotes.rows.0.must)"},
		{`insertNotes(rows: [{id: 6, must: "a"}, {id: 1, must: null}], onConflict: {key: id, update: [must]}) { affected }`, "null BAD_USER_INPUT: must is never null (insertNotes.rows.1.must)"},
		{`insertNotes(rows: [{id: 7, must: "a"}, {id: 8, must: "a", small: 40000}]) { affected }`, "null BAD_USER_INPUT: a number is too large for its column in notes (insertNotes.rows.1.small)"},
		{`updateNotesByPk(id: 1, set: {small: 70000}) { id }`, "null BAD_USER_INPUT: a number is too large for its column in notes (updateNotesByPk.set.small)"},
		{`insertNotes(rows: [{id: 3, must: null}], onConflict: {key: id, update: [must]}) { affected }`, "null CONFLICT: a row of notes with the key of one of these is there, and cannot be changed"},
	} {
		if got := short(t, g.query(t, key, "mutation { "+c.text+" }")); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// Many write to one file at once: each comes to its turn, all that was answered is there, and
// those who read meanwhile see whole transactions.
func TestWritesToAFileAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.duckdb")
	program.MakeDuckDB(t, path, inFile)
	g := openWrittenFile(t, dir)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	const writers, each = 6, 15
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				id := 1000 + w*100 + 2*n
				text := fmt.Sprintf(`mutation { a: insertBoxesOne(row: {id: %d}) { id } b: insertBoxesOne(row: {id: %d}) { id } c: updateOrdersByPk(id: 1, increment: {amount: 1}) { id } }`, id, id+1)
				if n == 0 && w == 0 {
					text = fmt.Sprintf(`mutation { a: insertBoxesOne(row: {id: %d}) { id } b: insertBoxesOne(row: {id: %d}) { id } c: updateOrdersByPk(id: 1, set: {amount: 0}) { id } }`, id, id+1)
				}
				if got := g.query(t, ann, text); !strings.Contains(got, `"b":{"id"`) {
					t.Error(got)
				}
			}
		})
		wg.Go(func() {
			for range each {
				got := g.query(t, ann, `{ boxesAggregate(where: {id: {gte: 1000}}) { count } }`)
				var n int
				if _, err := fmt.Sscanf(got, `200 {"data":{"boxesAggregate":[{"count":%d}]}}`, &n); err != nil || n%2 != 0 {
					t.Errorf("%s: %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	if got := short(t, g.query(t, ann, `{ boxesAggregate(where: {id: {gte: 1000}}) { count } }`)); !strings.Contains(got, fmt.Sprint(2*writers*each)) {
		t.Error(got)
	}
	if got := short(t, g.query(t, ann, `{ ordersByPk(id: 1) { version } }`)); got != fmt.Sprintf(`{"ordersByPk":{"version":%d}}`, 1+writers*each) {
		t.Error(got)
	}
	_ = g.Close()
	if _, err := os.Stat(path + ".wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("beside the file there is what was not written into it: %v", err)
	}
}

// Of what comes twice within one transaction the engine does not say in which columns, and in its words are values.
func TestWritesTwiceInAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile)
	g := openWrittenFile(t, dir)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for text, want := range map[string]string{
		`mutation { a: insertOrdersOne(row: {id: 40, note: "secret"}) { id } b: insertOrdersOne(row: {id: 40}) { id } }`: "the change of orders collides with a row that is there (b.row)",
		`mutation { a: insertOrders(rows: [{id: 40, note: "secret"}, {id: 41, note: "secret"}]) { affected } }`:          "there is a row of orders with the same note (a.rows.1.note)",
	} {
		if got := short(t, g.query(t, ann, text)); got != "null CONFLICT: "+want {
			t.Error(got)
		}
	}
	if got := short(t, g.query(t, ann, `{ orders { id } }`)); got != `{"orders":[{"id":1}]}` {
		t.Error(got)
	}
}

// A shared file that was put in the place of another is judged anew: rows of tenants may collide in it.
func TestAnotherFileIsJudged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.duckdb")
	program.MakeDuckDB(t, path, inFile)
	g := openWrittenFile(t, dir)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	const insert = `mutation { insertOrdersOne(row: {id: 40, note: "mine"}) { id } }`
	if got := short(t, g.query(t, ann, insert)); got != `{"insertOrdersOne":{"id":40}}` {
		t.Fatal(got)
	}
	replace(t, path, func(path string) {
		program.MakeDuckDB(t, path, inFile+"; CREATE UNIQUE INDEX of_all ON orders (note);")
	})
	if got := short(t, g.query(t, ann, insert)); !strings.HasPrefix(got, "null UNAVAILABLE: the keys, triggers or rules of the table of orders have changed") {
		t.Error(got)
	}
	replace(t, path, func(path string) { program.MakeDuckDB(t, path, inFile) })
	if got := short(t, g.query(t, ann, insert)); got != `{"insertOrdersOne":{"id":40}}` {
		t.Error(got)
	}
}

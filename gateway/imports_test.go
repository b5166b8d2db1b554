package gateway_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// importing is a gateway into which files are imported.
type importing struct {
	writing
	url string
	sql *sql.DB
}

func openImports(t *testing.T, server string) importing {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	dir := t.TempDir()
	text := "server: {" + server + "}\n" + fmt.Sprintf(written, db.Name, db.User, db.Port, filepath.Join(dir, "store.duckdb"))
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	i := importing{writing: writing{gate{g}, gate{g}.bootstrap(t)}, sql: db.Open(t)}
	i.serve(t)
	for _, tenant := range []string{"a", "b"} {
		i.check(t, i.root, `mutation { admin { createTenant(input: {id: "`+tenant+`"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"`+tenant+`"}}}}`)
	}
	return i
}

// openFileImports is the same with the rows in a file, of whose tables nobody asks.
func openFileImports(t *testing.T) importing {
	t.Helper()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile)
	i := importing{writing: openWrittenFile(t, dir)}
	i.serve(t)
	return i
}

func (i *importing) serve(t *testing.T) {
	t.Helper()
	served := httptest.NewServer(i.Handler())
	t.Cleanup(served.Close)
	i.url = served.URL
}

// Whoever may write rows of all tenants names whose they are, and they are that one's; nobody else names any.
func TestImportsOfNamedTenants(t *testing.T) {
	t.Parallel()
	i := openImports(t, "")
	all := i.text(t, i.root, `mutation { admin { createServiceKey(input: {name: "all", allTenants: true, scopes: [READ_DATA, WRITE_DATA]}) { token } } }`, "token")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ token, path, body, want string }{
		{all, "/import/orders?format=csv&tenant=b", "id,customer_id\n70,3\n", `200 {"rows":1}`},
		{all, "/import/items?format=csv&tenant=b", "box_id,line\n2,7\n", `200 {"rows":1}`},
		{all, "/import/items?format=csv&tenant=b", "box_id,line\n1,7\n", `404 `},      // the box is the other's
		{all, "/import/orders?format=csv&tenant=b", "id,customer_id\n71,1\n", `404 `}, // so is the customer
		{all, "/import/orders?format=csv&tenant=b", "id,tenant\n71,a\n", `400 `},      // nothing else says it
		{all, "/import/orders?format=csv", "id\n71\n", `403 `},                        // nobody is named
		{all, "/import/orders?format=csv&tenant=", "id\n71\n", `400 `},                // by no text
		{all, "/import/orders?format=csv&tenant=nobody", "id\n71\n", `404 `},          // nor by a name that is nobody's
		{all, "/import/orders?format=csv&tenant=a&tenant=b", "id\n71\n", `400 `},
		{ann, "/import/orders?format=csv&tenant=b", "id\n71\n", `403 `},
		{ann, "/import/orders?format=csv&tenant=a", "id\n71\n", `403 `},
		{ann, "/import/orders?format=csv&tenant=nobody", "id\n71\n", `403 `}, // who is there is not told
	} {
		if got := i.load(t, line.token, line.path, line.body); !strings.HasPrefix(got, line.want) {
			t.Errorf("%s: %s\nwant %s", line.path, got, line.want)
		}
	}
	if got := i.rows(t, `SELECT string_agg(tenant || id, ' ') FROM orders WHERE id >= 70`); got != "b70" {
		t.Errorf("the rows are %s", got)
	}
	program.Soon(t, program.Patience, "imports are in the audit log as the tenant's", func() bool {
		answer := i.query(t, i.root, `{ admin { auditLog(filter: {kind: DATA}, limit: 200) { items { tenant detail rows } } } }`)
		return strings.Contains(answer, `{"tenant":"b","detail":"import of csv","rows":1}`)
	})
}

// send sends a file; headers come in pairs.
func (i importing) send(ctx context.Context, t *testing.T, token, path string, body io.Reader, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(program.WithoutRequestID(text)))
}

func (i importing) load(t *testing.T, token, path, body string) string {
	t.Helper()
	status, text := i.send(t.Context(), t, token, path, strings.NewReader(body))
	return strconv.Itoa(status) + " " + text
}

// rows is what a statement says, which has one text to say.
func (i importing) rows(t *testing.T, statement string) string {
	t.Helper()
	var text sql.NullString
	if err := i.sql.QueryRowContext(t.Context(), statement).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text.String
}

// quiet waits until nothing is held and no transaction is open.
func (i importing) quiet(t *testing.T) {
	t.Helper()
	program.Soon(t, program.Patience, "nothing is held and no session is open", func() bool {
		return i.Held() == 0 && i.rows(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'usher' AND state <> 'idle'`) == "0"
	})
}

func failed(status int, message, more string) string {
	code := map[int]string{400: "BAD_USER_INPUT", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "CONFLICT", 501: "NOT_IMPLEMENTED"}[status]
	return fmt.Sprintf(`%d {"errors":[{"message":%q,"extensions":{"code":"%s"%s}}]}`, status, message, code, more)
}

// TestImports: rows of both engines go where the caller's rows are, with what usher writes into them, or
// the whole file is refused, with the line that is wrong.
func TestImports(t *testing.T) {
	t.Parallel()
	for engine, open := range map[string]func(*testing.T) importing{
		"postgres": func(t *testing.T) importing { return openImports(t, "") },
		"duckdb":   openFileImports,
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			testImports(t, open(t))
		})
	}
}

func testImports(t *testing.T, i importing) {
	t.Helper()
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	bob := i.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")
	if got := short(t, i.query(t, ann, `{ orders { id } }`)); got != `{"orders":[{"id":1}]}` {
		t.Fatal(got)
	}
	for _, c := range []struct{ path, body, want string }{
		{"/import/orders?format=csv", "id,customer_id,note,amount,doc,tags\n10,1,\"a \"\"b\"\"\nc\",1.5,\"{\"\"x\"\":[1,null]}\",\"[\"\"p\"\",null,\"\"q,\\\"\"\"\"]\"\r\n11,,\"\",,,\n\n12,1,back\\slash\ttab,-0.25,7,[]\n", `200 {"rows":3}`},
		{"/import/orders?format=ndjson", "{\"id\":13,\"note\":\"n\",\"doc\":{\"a\":\"b\"},\"tags\":[\"x\"]}\n\n{\"tags\":null,\"id\":14,\"doc\":null,\"note\":null}", `200 {"rows":2}`},
		{"/import/orders?format=ndjson&columns=id,note,status", "{\"id\":15,\"status\":\"paid\"}\n{\"id\":16,\"note\":\"m\",\"status\":\"open\"}\n", `200 {"rows":2}`},
		{"/import/items?format=csv", "box_id,line,sku\n1,2,two\n1,3,\n", `200 {"rows":2}`},
		{"/import/boxes?format=csv", "id\n7\n8\n", `200 {"rows":2}`},
	} {
		if got := i.load(t, ann, c.path, c.body); got != c.want {
			t.Errorf("%s: %s", c.path, got)
		}
	}
	if got := short(t, i.query(t, ann, `{ orders(orderBy: [{id: ASC}], where: {id: {lt: 15}}) { id note status amount version created_by doc tags } }`)); got !=
		`{"orders":[{"id":1,"note":"first","status":"open","amount":null,"version":1,"created_by":null,"doc":null,"tags":null},`+
			`{"id":10,"note":"a \"b\"\nc","status":"open","amount":1.50,"version":1,"created_by":"ann","doc":{"x":[1,null]},"tags":["p",null,"q,\""]},`+
			`{"id":11,"note":"","status":"open","amount":null,"version":1,"created_by":"ann","doc":null,"tags":null},`+
			`{"id":12,"note":"back\\slash\ttab","status":"open","amount":-0.25,"version":1,"created_by":"ann","doc":7,"tags":[]},`+
			`{"id":13,"note":"n","status":"open","amount":null,"version":1,"created_by":"ann","doc":{"a":"b"},"tags":["x"]},`+
			`{"id":14,"note":null,"status":"open","amount":null,"version":1,"created_by":"ann","doc":null,"tags":null}]}` {
		t.Error(got)
	}
	everything := func() string {
		text := ""
		for _, token := range []string{ann, bob} {
			text += i.query(t, token, `{ orders(orderBy: [{id: ASC}]) { id note status amount version created_by doc tags } customers(orderBy: [{id: ASC}]) { id name } items(orderBy: [{box_id: ASC}, {line: ASC}]) { box_id line sku } boxes(orderBy: [{id: ASC}]) { id } }`)
		}
		return text
	}
	before := everything()
	for _, c := range []struct{ token, path, body, want string }{
		// What is another's, what is missing and what is not shown is all the same.
		{ann, "/import/orders?format=csv", "id,customer_id\n20,1\n21,3\n", failed(404, "customer_id leads to no row of customers", `,"line":3,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,customer_id\n20,1\n21,4\n", failed(404, "customer_id leads to no row of customers", `,"line":3,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,customer_id\n20,1\n21,2\n", failed(404, "customer_id leads to no row of customers", `,"line":3,"rows":0`)},
		{bob, "/import/orders?format=csv", "id,customer_id\n20,3\n21,1\n", failed(404, "customer_id leads to no row of customers", `,"line":3,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,product_id\n20,1\n21,9\n", failed(404, "product_id leads to no row of products", `,"line":3,"rows":0`)},
		{ann, "/import/items?format=csv", "box_id,line\n1,9\n2,9\n", failed(404, "box_id leads to no row of boxes", `,"line":3,"rows":0`)},
		{ann, "/import/items?format=csv", "box_id,line\n1,9\n99,9\n", failed(404, "box_id leads to no row of boxes", `,"line":3,"rows":0`)},
		// Values, by line.
		{ann, "/import/orders?format=csv", "id,note\n20,\"two\nlines\"\nx,n\n", failed(400, "id: expected BigInt: a whole number from -9223372036854775808 to 9223372036854775807", `,"line":4,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,amount\n20,1.5\n21,1.234\n", failed(400, "amount: the number has more digits than are kept: 12 in all, 2 of them after the point", `,"line":3,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,note\n20,n\n,m\n", failed(400, "id: it is never null", `,"line":3,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,status\n20,\"\"\n21,\n", failed(400, "status: it is never null", `,"line":3,"rows":0`)},
		{ann, "/import/orders?format=ndjson", "{\"id\":20}\n{\"id\":\"x\"}\n", failed(400, "id: expected BigInt: a whole number from -9223372036854775808 to 9223372036854775807", `,"line":2,"rows":0`)},
		{ann, "/import/orders?format=ndjson", "{\"id\":20,\"note\":true}\n", failed(400, "note: expected String, got a boolean", `,"line":1,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,tags\n20,x\n", failed(400, "tags: expected a list in JSON", `,"line":2,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,note\n20,a\x00b\n", failed(400, "note: text must be UTF-8 without NUL", `,"line":2,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,note\n20,\xff\n", failed(400, "note: text must be UTF-8 without NUL", `,"line":2,"rows":0`)},
		// What the table itself does not take.
		{ann, "/import/orders?format=csv", "id\n20\n1\n", failed(409, "there is a row of orders with the same id", `,"line":3,"rows":0`)},
		{ann, "/import/orders?format=csv", "id\n20\n20\n", failed(409, "there is a row of orders with the same id", `,"line":3,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,status\n20,bad\n", failed(400, "status of orders may not have such a value", `,"line":2,"rows":0`)},
		{ann, "/import/customers?format=csv", "id,name\n20,a name of more than twenty letters\n", failed(400, "a text is too long for its column in customers", `,"line":2,"rows":0`)},
		// What would not be shown.
		{ann, "/import/customers?format=csv", "id,name\n20,shown\n21,hidden\n", failed(403, "what would be written to customers is not what you may write there", `,"line":3,"rows":0`)},
		// Columns.
		{ann, "/import/orders?format=csv", "id,tenant\n20,b\n", failed(400, "tenant of orders cannot be written", `,"line":1,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,created_by\n20,eve\n", failed(400, "created_by of orders cannot be written", `,"line":1,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,nothing\n20,b\n", failed(400, "nothing of orders cannot be written", `,"line":1,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,id\n20,21\n", failed(400, "id is named twice", `,"line":1,"rows":0`)},
		{ann, "/import/orders?format=csv", "note\nx\n", failed(400, "id is missing", `,"line":1,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,note\n20\n", failed(400, "the row has 1 cells, and the first line names 2 columns", `,"line":2,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,note\n20,\"x\" y\n", failed(400, "there is text behind a quote; a quote within a cell is written twice", `,"line":2,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,note\n20,x\"y\"\n", failed(400, "there is a quote within a cell that is not quoted", `,"line":2,"rows":0`)},
		{ann, "/import/orders?format=csv", "id,note\n20,\"x\n", failed(400, "a quote is not closed; one within a cell is written twice, and the cell is quoted", `,"line":2,"rows":0`)},
		{ann, "/import/orders?format=csv", "", failed(400, "the file is empty: its first line names the columns", `,"rows":0`)},
		{ann, "/import/orders?format=ndjson", "{\"id\":20}\n{\"id\":21,\"id\":22}\n", failed(400, "id is there twice", `,"line":2,"rows":0`)},
		{ann, "/import/orders?format=ndjson", "{\"id\":20,\"tenant\":\"b\"}\n", failed(400, "tenant of orders cannot be written", `,"line":1,"rows":0`)},
		{ann, "/import/orders?format=ndjson&columns=id", "{\"id\":20}\n{\"id\":21,\"tenant\":\"b\"}\n", failed(400, "tenant is not among the columns of the import", `,"hint":"Each line has the members of the first one; or name all there may be in the parameter columns.","line":2,"rows":0`)},
		{ann, "/import/orders?format=ndjson", "{\"id\":20,\"note\":\"n\"}\n{\"id\":21}\n", failed(400, "note is missing, which the first line has", `,"hint":"Write null, or name all there may be in the parameter columns: what a line does not have is null then.","line":2,"rows":0`)},
		{ann, "/import/orders?format=ndjson", "{\"id\":20}\n[21]\n", failed(400, "the line is no JSON object", `,"line":2,"rows":0`)},
		// Who, and what.
		{ann, "/import/products?format=csv", "id\n20\n", failed(403, "nothing that you hold inserts rows of products", `,"rows":0`)},
		{ann, "/import/secrets?format=csv", "id\n20\n", failed(404, "there is no such dataset", `,"rows":0`)},
		{i.keyOf(t, "eve", "a", "READ_DATA"), "/import/orders?format=csv", "id\n20\n", failed(403, "nothing that you hold inserts rows of orders", `,"rows":0`)},
		{ann, "/import/orders?format=xlsx", "id\n20\n", failed(400, "the parameter format is csv or ndjson", "")},
		{ann, "/import/orders?format=csv&batch=0", "id\n20\n", failed(400, "the parameter batch is a number of rows from 1 to 1000000", "")},
		{ann, "/import/orders?format=csv&from=1", "id\n20\n", failed(400, "from continues an import in batches: say batch as well", "")},
		{ann, "/import/orders?format=csv&batch=1&from=2", "id\n20\n", failed(400, "the file has fewer rows than 2, from which to continue", `,"rows":0`)},
		{ann, "/import/orders?format=csv&onConflict=id", "id\n20\n", failed(400, "the parameters of an import are format, columns, batch, from, beyond and tenant", "")},
		{"", "/import/orders?format=csv", "id\n20\n", unauthenticated},
	} {
		if i.sql == nil && strings.Contains(c.want, "too long") {
			continue // the type has no length there
		}
		if i.sql == nil { // as mutations say it, of what the engine says
			c.want = strings.Replace(c.want, "status of orders may not have such a value", "a row of orders has values that may not be there together", 1)
			if c.body == "id\n20\n20\n" {
				c.want = strings.Replace(c.want, "there is a row of orders with the same id", "the change of orders collides with a row that is there", 1)
			}
		}
		if got := i.load(t, c.token, c.path, c.body); got != c.want {
			t.Errorf("%s %q:\n got %s\nwant %s", c.path, c.body, got, c.want)
		}
	}
	if after := everything(); after != before {
		t.Errorf("the orders are %s, and were %s", after, before)
	}
	if i.sql != nil {
		if got := i.rows(t, `SELECT string_agg(o.tenant || ':' || o.id, ' ' ORDER BY o.tenant, o.id) FROM (SELECT tenant, id FROM boxes UNION ALL SELECT 'items', count(*) FROM items UNION ALL SELECT 'customers', count(*) FROM customers) o`); got != "a:1 a:7 a:8 b:2 customers:3 items:4" {
			t.Error(got)
		}
		i.quiet(t)
	}
	program.Soon(t, program.Patience, "imports are in the audit log", func() bool {
		answer := i.query(t, i.root, `{ admin { auditLog(filter: {kind: DATA}, limit: 200) { items { tenant subject datasets strategy source rows outcome detail } } } }`)
		return strings.Contains(answer, `{"tenant":"a","subject":"ann","datasets":["orders"],"strategy":"all","source":"shop","rows":3,"outcome":"done","detail":"import of csv"}`) &&
			strings.Contains(answer, `"rows":0,"outcome":"NOT_FOUND","detail":"import of csv"}`)
	})
}

// numbered writes so many rows of orders, of which one may be bad.
func numbered(from, to, bad int) io.Reader {
	read, write := io.Pipe()
	go func() {
		text := bytes.NewBufferString("id,customer_id,note,amount\n")
		for n := from; n <= to; n++ {
			id := strconv.Itoa(n)
			if n == bad {
				id = "bad"
			}
			fmt.Fprintf(text, "%s,1,note of %d,%d.25\n", id, n, n%1000)
			if text.Len() > 64<<10 || n == to {
				if _, err := write.Write(text.Bytes()); err != nil {
					return
				}
				text.Reset()
			}
		}
		_ = write.Close()
	}()
	return read
}

// padded makes the lines of a file so long: by a cell of their own.
func padded(size int, from io.Reader) io.Reader {
	read, write := io.Pipe()
	go func() {
		lines := bufio.NewScanner(from)
		for end := ",status\n"; lines.Scan(); end = "," + strings.Repeat("x", size) + "\n" {
			if _, err := io.WriteString(write, lines.Text()+end); err != nil {
				return
			}
		}
		_ = write.Close()
	}()
	return read
}

// Few rows are written as they are given, and more by way of a table of the session: what is in is the same.
func TestImportsOfFewAndMany(t *testing.T) {
	t.Parallel()
	i := openImports(t, "")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	odd := func(from int) string {
		var rows strings.Builder
		for n, note := range []string{`"NULL"`, `\N`, `"{a,""b"",\""}"`, `"\n\\"`, "\"tab\there\nline\r\nline\"", `""`, `a'b$1%s`, "ünï €\u2028", `"(1,2)"`, `""""`, `","`, `\`} {
			fmt.Fprintf(&rows, "%d,1,1,%s,%d.50,\"{\"\"of\"\":%s}\",\"[\"\"%d, \\\\ {}\"\",null,\"\"\"\"]\"\n", from+n, note, -n, `[1e2,null,""""]`, n)
		}
		fmt.Fprintf(&rows, "%d,,,,,,\n", from+90)
		return rows.String()
	}
	const columns = "id,customer_id,product_id,note,amount,doc,tags\n"
	for _, c := range []struct {
		from int
		body string
		rows int
	}{
		{100, columns + odd(100), 13},
		{200, columns + odd(200) + strings.Repeat("\n", 1) + func() string {
			var filler strings.Builder
			for n := range 2000 {
				fmt.Fprintf(&filler, "%d,,,filler of the size of a row %d,,,\n", 10_000+n, n)
			}
			return filler.String()
		}(), 2013},
	} {
		if got := i.load(t, ann, "/import/orders?format=csv", c.body); got != fmt.Sprintf(`200 {"rows":%d}`, c.rows) {
			t.Fatal(c.from, got)
		}
		if c.from == 100 {
			i.rows(t, `WITH x AS (UPDATE orders SET note = 'few ' || note WHERE id BETWEEN 100 AND 199 RETURNING 1) SELECT count(*)::text FROM x`) // notes are unique
		}
	}
	all := `SELECT string_agg((to_jsonb(o) - 'id' || jsonb_build_object('note', regexp_replace(note, '^few ', '')))::text, E'\n' ORDER BY id) FROM orders o WHERE id BETWEEN `
	few, many := i.rows(t, all+`100 AND 199`), i.rows(t, all+`200 AND 299`)
	if few != many || strings.Count(few, "\n") != 12 {
		t.Errorf("of few rows there is\n%s\nand of many\n%s", few, many)
	}
}

// TestImportsOfMany: however many rows there are, few of them are held; one bad line, and
// nothing is there. It runs alone, for it looks at the heap of the whole process.
func TestImportsOfMany(t *testing.T) {
	i := openImports(t, "max_held: 20000000")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	most, live, stop, stopped := int64(0), int64(0), make(chan struct{}), make(chan struct{})
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(heap)
	before := heap[0].Value.Uint64()
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, i.Held())
				metrics.Read(heap)
				live = max(live, int64(heap[0].Value.Uint64())-int64(before))
			}
		}
	}()
	status, text := i.send(t.Context(), t, ann, "/import/orders", padded(400, numbered(1000, 100_999, 0)), "Content-Type", "text/csv; charset=utf-8")
	close(stop)
	<-stopped
	if status != http.StatusOK || text != `{"rows":100000}` || most == 0 || most > 10<<20 {
		t.Errorf("%d %s, and %d bytes are held", status, text, most)
	}
	if got := i.rows(t, `SELECT count(*) || ' ' || count(DISTINCT note) || ' ' || sum(amount) FROM orders WHERE tenant = 'a' AND id >= 1000 AND created_by = 'ann' AND version = 1`); got != "100000 100000 49975000.00" {
		t.Error(got)
	}
	if body := int64(100_000 * 400); live > 30<<20 {
		t.Errorf("of a body of %d bytes the heap holds %d more", body, live)
	}
	status, text = i.send(t.Context(), t, ann, "/import/orders?format=csv", numbered(200_000, 260_000, 230_000))
	if want := failed(400, "id: expected BigInt: a whole number from -9223372036854775808 to 9223372036854775807", `,"line":30002,"rows":0`); fmt.Sprint(status, " ", text) != want {
		t.Errorf("%d %s", status, text)
	}
	if got := i.rows(t, `SELECT count(*) FROM orders WHERE id >= 200000`); got != "0" {
		t.Errorf("%s rows are there", got)
	}
	i.quiet(t)
}

// TestImportsInBatches: what is in stays in, and the answer says how much that is.
func TestImportsInBatches(t *testing.T) {
	t.Parallel()
	i := openImports(t, "")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv&batch=1000", numbered(1000, 5999, 4500))
	if want := failed(400, "id: expected BigInt: a whole number from -9223372036854775808 to 9223372036854775807", `,"line":3502,"rows":3000`); fmt.Sprint(status, " ", text) != want {
		t.Errorf("%d %s", status, text)
	}
	count := func() string { return i.rows(t, `SELECT count(*) FROM orders WHERE id >= 1000`) }
	if got := count(); got != "3000" {
		t.Errorf("%s rows are in", got)
	}
	if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv&batch=1000&from=3000", numbered(1000, 5999, 0)); status != http.StatusOK || text != `{"rows":5000}` || count() != "5000" {
		t.Errorf("%d %s, %s rows are in", status, text, count())
	}
	// Whoever sends is gone in the middle: whole batches are in, and the rest follows.
	read, write := io.Pipe()
	sent := make(chan struct{})
	go func() {
		_, _ = io.CopyN(write, numbered(10_000, 19_999, 0), 100_000)
		close(sent)
	}()
	gone := make(chan struct{})
	go func() {
		_, _ = i.send(t.Context(), t, ann, "/import/orders?format=csv&batch=500", read)
		close(gone)
	}()
	<-sent
	program.Soon(t, program.Patience, "a batch is in", func() bool { return i.rows(t, `SELECT count(*) FROM orders WHERE id >= 10000`) != "0" })
	_ = write.CloseWithError(io.ErrClosedPipe) // which ends the connection
	<-gone
	i.quiet(t)
	in, err := strconv.Atoi(i.rows(t, `SELECT count(*) FROM orders WHERE id >= 10000`))
	if err != nil || in == 0 || in >= 10_000 || in%500 != 0 {
		t.Fatalf("%d rows are in, %v", in, err)
	}
	status, text = i.send(t.Context(), t, ann, fmt.Sprintf("/import/orders?format=csv&batch=500&from=%d", in), numbered(10_000, 19_999, 0))
	if got := i.rows(t, `SELECT count(*) FROM orders WHERE id >= 10000`); status != http.StatusOK || text != `{"rows":10000}` || got != "10000" {
		t.Errorf("%d %s, %s rows are in", status, text, got)
	}
}

// TestImportsCompressed: bodies come compressed, and are bounded as what they are.
func TestImportsCompressed(t *testing.T) {
	t.Parallel()
	i := openImports(t, "max_import: 300000")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	encode := func(coding string, plain io.Reader) []byte {
		var b bytes.Buffer
		var w io.WriteCloser = gzip.NewWriter(&b)
		if coding == "zstd" {
			z, err := zstd.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			w = z
		}
		if _, err := io.Copy(w, plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for n, coding := range []string{"gzip", "zstd"} {
		whole := encode(coding, numbered(1000*(n+1), 1000*(n+1)+99, 0))
		if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv", bytes.NewReader(whole), "Content-Encoding", coding); status != http.StatusOK || text != `{"rows":100}` {
			t.Errorf("%s: %d %s", coding, status, text)
		}
		if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv", bytes.NewReader(whole[:len(whole)-20]), "Content-Encoding", coding); status != http.StatusBadRequest || !strings.Contains(text, "the body ") {
			t.Errorf("a part by %s: %d %s", coding, status, text)
		}
		bomb := encode(coding, io.LimitReader(zeros{}, 64<<20))
		if len(bomb) > 100_000 {
			t.Fatalf("the bomb has %d bytes", len(bomb))
		}
		for _, format := range []string{"csv", "ndjson"} {
			if status, text := i.send(t.Context(), t, ann, "/import/orders?format="+format, bytes.NewReader(bomb), "Content-Encoding", coding); status != http.StatusRequestEntityTooLarge || !strings.Contains(text, "the body is larger than 300000 bytes") {
				t.Errorf("a bomb by %s: %d %s", coding, status, text)
			}
		}
		if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv", bytes.NewReader([]byte("id\n1\n")), "Content-Encoding", coding); status != http.StatusBadRequest {
			t.Errorf("what is no %s: %d %s", coding, status, text)
		}
	}
	var wide bytes.Buffer
	z, err := zstd.NewWriter(&wide, zstd.WithWindowSize(64<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(z, io.LimitReader(zeros{}, 80<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv", &wide, "Content-Encoding", "zstd"); status != http.StatusBadRequest || !strings.Contains(text, "window") {
		t.Errorf("a wide window: %d %s", status, text)
	}
	if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv", numbered(1, 20_000, 0)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d %s", status, text)
	}
	if status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv", strings.NewReader("id\n1\n"), "Content-Encoding", "br"); status != http.StatusUnsupportedMediaType {
		t.Errorf("another coding: %d %s", status, text)
	}
	if status, text := i.send(t.Context(), t, ann, "/import/orders", strings.NewReader("id\n1\n"), "Content-Type", "text/plain"); status != http.StatusUnsupportedMediaType {
		t.Errorf("another type: %d %s", status, text)
	}
	if got := i.rows(t, `SELECT count(*) FROM orders WHERE tenant = 'a'`); got != "201" {
		t.Errorf("%s rows are there", got)
	}
	i.quiet(t)
}

// zeros are text without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// TestImportsLeftAlone: nobody holds a transaction open by sending nothing, nor after the
// token has been taken away.
func TestImportsLeftAlone(t *testing.T) {
	t.Parallel()
	i := openImports(t, "timeout: 6s")
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	read, write := io.Pipe()
	answer := make(chan string, 1)
	go func() {
		status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv", read)
		answer <- fmt.Sprint(status, " ", text)
	}()
	if _, err := io.WriteString(write, "id\n1000\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; !strings.HasPrefix(got, "408 ") || !strings.Contains(got, "did not arrive in time") {
		t.Errorf("a sender that stops: %s", got)
	}
	_ = read.Close()
	i.quiet(t)

	taken := i.query(t, i.root, `mutation { admin { createServiceKey(input: {name: "gone", tenant: "a", scopes: [READ_DATA, WRITE_DATA]}) { id token } } }`)
	id, token := between(taken, `"id":"`), between(taken, `"token":"`)
	stop := make(chan struct{})
	read, write = io.Pipe()
	go func() { // slowly, and without an end
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		text := "id\n"
		for n := 1000; ; n++ {
			if text += strconv.Itoa(n) + "\n"; len(text) > 1000 {
				if _, err := io.WriteString(write, text); err != nil {
					return
				}
				text = ""
				select {
				case <-stop:
					return
				case <-tick.C:
				}
			}
		}
	}()
	go func() {
		status, text := i.send(t.Context(), t, token, "/import/orders?format=csv", read)
		answer <- fmt.Sprint(status, " ", text)
	}()
	program.Soon(t, program.Patience, "the transaction is open", func() bool {
		return i.rows(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`) != "0"
	})
	i.query(t, i.root, `mutation { admin { revokeServiceKey(id: "`+id+`") } }`)
	if got := <-answer; !strings.HasPrefix(got, "401 ") {
		t.Errorf("a token that is taken away: %s", got)
	}
	close(stop)
	_ = read.Close()
	if got := i.rows(t, `SELECT count(*) FROM orders WHERE id >= 1000`); got != "0" {
		t.Errorf("%s rows are there", got)
	}
	i.quiet(t)
}

func between(text, before string) string {
	_, rest, _ := strings.Cut(text, before)
	out, _, _ := strings.Cut(rest, `"`)
	return out
}

package gateway_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// exported is a configuration with three kinds of sources; %s are where
// PostgreSQL and the API are, and more of the server.
const exported = `
server: {max_exports: 2, timeout: 20s, %[6]s}
sources:
  pg: {kind: postgres, host: %[1]q, port: %[2]d, database: %[3]q, user: %[4]q, password: {env: PG}, sslmode: disable}
  files: {kind: duckdb, path: shop.duckdb}
  partner: {kind: api, base_url: %[5]q, allow_private: true, isolation: gateway}
strategies: {shared: {source: pg, datasets: {notes: files, prices: partner}}}
default_strategy: shared
control:
  path: control.duckdb
  key: {id: a, secret: {env: KEY}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}, may_grant: {export: true}}
  others: {issuer: others, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
datasets:
  orders:
    tenant: tenant
    key: id
    limit: 2
    max_limit: 3
    columns: {id: Int!, tenant: String!, buyer: Int, total: {type: Decimal, precision: 12, scale: 2}, text: String}
    relations:
      customer: {to: customers, on: {buyer: id}}
      items: {to: items, many: true, on: {id: order_id}}
      note: {to: notes, on: {id: id}}
      notes: {to: notes, many: true, on: {id: id}}
  customers: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, name: String}}
  items: {tenant: tenant, key: [order_id, line], limit: 1, max_limit: 1, columns: {order_id: Int!, line: Int!, tenant: String!, what: String}}
  notes: {tenant: tenant, key: id, limit: 1, max_limit: 1, columns: {id: Int!, tenant: String!, text: String}}
  prices: {tenant: tenant, key: id, limit: 1, max_limit: 1, columns: {id: Int!, tenant: String!, price: Float}, bind: {partner: {path: /prices}}}
`

const exportedData = `
	CREATE TABLE customers (id int PRIMARY KEY, tenant text NOT NULL, name text);
	CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL, buyer int, total numeric(12,2), text text);
	CREATE TABLE items (order_id int, line int, tenant text NOT NULL, what text, PRIMARY KEY (order_id, line));
	INSERT INTO customers VALUES (1, 'acme', 'Ann, "the first"'), (2, 'globex', 'Bob');
	INSERT INTO orders VALUES (1, 'acme', 1, 10.50, '=1+1'), (2, 'acme', 2, NULL, ''), (3, 'globex', 2, 7, 'secret'), (4, 'acme', NULL, -0.25, E'two\nlines'), (5, 'acme', 1, 3, NULL);
	INSERT INTO items VALUES (1, 1, 'acme', 'a'), (1, 2, 'acme', 'b'), (3, 1, 'globex', 'c'), (5, 1, 'globex', 'not ours'), (5, 2, 'acme', 'd')`

type exports struct {
	gate
	served *httptest.Server
	url    string
	db     pgtest.DB
	sql    *sql.DB // it
	root   string  // an administrator's key
}

func openExports(t *testing.T, server string) exports {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, exportedData)
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[{"id":1,"tenant":"acme","price":1.5},{"id":2,"tenant":"globex","price":9},{"id":3,"tenant":"acme","price":null}]`)
	}))
	t.Cleanup(partner.Close)
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
	text := fmt.Sprintf(exported, db.Host, db.Port, db.Name, db.User, partner.URL, server)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		served.Close()
		if err := g.Close(); err != nil {
			t.Errorf("close the gateway: %v", err)
		}
	})
	return exports{gate{g}, served, served.URL, db, db.Open(t), gate{g}.bootstrap(t)}
}

// get asks for an export; the caller closes it.
func (e exports) get(ctx context.Context, t *testing.T, token, path, query string, header ...string) *http.Response {
	t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+path+separator+"query="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// whole is a complete export, or how it was refused.
func (e exports) whole(t *testing.T, token, path, query string) string {
	t.Helper()
	response := e.get(t.Context(), t, token, path, query) //nolint:bodyclose // get sees to it
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Sprintf("%d %s", response.StatusCode, program.WithoutRequestID(body))
	}
	return fmt.Sprintf("%s\n%s rows, %s nulls", body, response.Trailer.Get("X-Usher-Rows"), response.Trailer.Get("X-Usher-Nulls"))
}

func (e exports) quiet(t *testing.T) {
	t.Helper()
	program.Soon(t, program.Patience, "nothing is held and no session is open", func() bool {
		busy := 0
		if err := e.sql.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'usher' AND state <> 'idle'`).Scan(&busy); err != nil {
			t.Fatal(err)
		}
		return busy == 0 && e.Held() == 0
	})
}

// TestExports: all rows of whoever asks and no others, from each kind of source and
// in each format of text, beyond the limits of the datasets.
func TestExports(t *testing.T) {
	t.Parallel()
	e := openExports(t, "")
	acme := program.Sign(t, `{"tenant":"acme"}`)
	for name, c := range map[string]struct{ path, query, want string }{
		"PostgreSQL": {
			"/export/orders", `{ orders(orderBy: [{id: ASC}]) { id total customer { name who: id } text } }`,
			"id,total,customer.name,customer.who,text\n1,10.50,\"Ann, \"\"the first\"\"\",1,=1+1\n2,,,,\"\"\n4,-0.25,,,\"two\nlines\"\n5,3.00,\"Ann, \"\"the first\"\"\",1,\n\n4 rows, 0 nulls",
		},
		"lists": {
			"/export/orders?format=ndjson", `{ orders(orderBy: [{id: ASC}], where: {id: {in: [1, 4, 5]}}) { id customer { name } items { what } } }`,
			`{"id":1,"customer":{"name":"Ann, \"the first\""},"items":[{"what":"a"},{"what":"b"}]}` + "\n" + `{"id":4,"customer":null,"items":[]}` + "\n" +
				`{"id":5,"customer":{"name":"Ann, \"the first\""},"items":[{"what":"d"}]}` + "\n\n3 rows, 0 nulls",
		},
		"groups":  {"/export/orders", `{ ordersAggregate(orderBy: [{key: {buyer: ASC}}]) { key { buyer } count total { sum } } }`, "key.buyer,count,total.sum\n1,2,13.50\n2,1,\n,1,-0.25\n\n3 rows, 0 nulls"},
		"DuckDB":  {"/export/notes", `{ notes(orderBy: [{id: DESC}]) { id text } }`, "id,text\n2,again\n1,hello\n\n2 rows, 0 nulls"},
		"an API":  {"/export/prices?format=ndjson", `{ prices(orderBy: [{id: ASC}]) { id price } }`, `{"id":1,"price":1.5}` + "\n" + `{"id":3,"price":null}` + "\n\n2 rows, 0 nulls"},
		"several": {"/export/orders", `{ orders(orderBy: [{id: ASC}]) { id note { text } } }`, "id,note.text\n1,hello\n2,again\n4,\n5,\n\n4 rows, 0 nulls"},
		"lists of several": {
			"/export/orders?format=ndjson", `{ orders(orderBy: [{id: ASC}], limit: 2) { id notes { text } } }`,
			`{"id":1,"notes":[{"text":"hello"}]}` + "\n" + `{"id":2,"notes":[{"text":"again"}]}` + "\n\n2 rows, 0 nulls",
		},
		"a limit":    {"/export/orders", `{ orders(orderBy: [{id: DESC}], limit: 1, offset: 1) { id } }`, "id\n4\n\n1 rows, 0 nulls"},
		"no rows":    {"/export/orders", `{ orders(where: {id: {eq: 3}}) { id text } }`, "id,text\n\n0 rows, 0 nulls"},
		"no lines":   {"/export/orders?format=ndjson", `{ orders(where: {id: {eq: 3}}) { id } }`, "\n0 rows, 0 nulls"},
		"a variable": {`/export/orders?variables={"n":4}`, `query($n: Int!) { orders(where: {id: {eq: $n}}) { id } }`, "id\n4\n\n1 rows, 0 nulls"},

		"a list in CSV":   {"/export/orders", `{ orders { id items { what } } }`, `400 {"errors":[{"message":"items is a list, and a table has none in its rows","extensions":{"code":"BAD_USER_INPUT","hint":"Leave it out, export the dataset of the list itself, or ask for NDJSON, which has lists."}}]}`},
		"two fields":      {"/export/orders", `{ orders { id } notes { id } }`, `400 {"errors":[{"message":"an export has one root field, not 2","extensions":{"code":"BAD_USER_INPUT","hint":"Export each in a request of its own."}}]}`},
		"another path":    {"/export/notes", `{ orders { id } }`, `400 {"errors":[{"message":"the query asks for orders, and the path names another dataset","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		"one row":         {"/export/orders", `{ ordersByPk(id: 1) { id } }`, `400 {"errors":[{"message":"an export is a list or the groups of a dataset","extensions":{"code":"BAD_USER_INPUT","hint":"Ask for the dataset's list or its aggregate: pages and single rows have queries of their own."}}]}`},
		"no dataset":      {"/export/viewer", `{ viewer { subject } }`, `400 {"errors":[{"message":"viewer is no dataset: there is nothing to export","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		"another format":  {"/export/orders?format=xlsx", `{ orders { id } }`, `400 {"errors":[{"message":"the parameter format is one of csv, ndjson and parquet","extensions":{"code":"BAD_USER_INPUT"}}]}`},
		"an unknown name": {"/export/orders", `{ orders { nothing } }`, `400 {"errors":[{"message":"Cannot query field \"nothing\" on type \"Orders\".","locations":[{"line":1,"column":12}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`},
	} {
		if got := e.whole(t, acme, c.path, c.query); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
	const all = `{ orders(orderBy: [{id: ASC}]) { id } }`
	if got := e.whole(t, program.Sign(t, `{"tenant":"globex"}`), "/export/orders", all); got != "id\n3\n\n1 rows, 0 nulls" {
		t.Errorf("globex is given %q", got)
	}
	for name, token := range map[string]string{"an issuer that may not": program.Sign(t, `{"iss":"others","tenant":"acme"}`), "an operator's key without the scope": e.key(t, "READ_DATA")} {
		if got := e.whole(t, token, "/export/orders", all); !strings.HasPrefix(got, `403 {"errors":[{"message":"the token may not export"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := e.whole(t, e.key(t, "EXPORT_DATA"), "/export/orders", all); !strings.HasPrefix(got, "400 ") { // sees no dataset
		t.Errorf("the scope alone: %s", got)
	}
	if got := e.whole(t, e.key(t, "READ_DATA, EXPORT_DATA"), "/export/orders", all); got != "id\n1\n2\n4\n5\n\n4 rows, 0 nulls" {
		t.Errorf("a key of the tenant: %s", got)
	}
	if got := e.whole(t, "", "/export/orders", all); got != unauthenticated {
		t.Errorf("nobody is told %s", got)
	}
	if got := e.query(t, acme, all); !strings.Contains(got, `[{"id":1},{"id":2}]`) {
		t.Errorf("an ordinary answer has another limit now: %s", got)
	}
	for encoding, open := range map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	} {
		response := e.get(t.Context(), t, acme, "/export/orders", all, "Accept-Encoding", encoding, "Accept", "application/x-ndjson, text/csv;q=0.5") //nolint:bodyclose // get sees to it
		plain, err := open(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(plain)
		if err != nil || response.Header.Get("Content-Encoding") != encoding || response.Header.Get("Content-Type") != "application/x-ndjson; charset=utf-8" || string(text) != "{\"id\":1}\n{\"id\":2}\n{\"id\":4}\n{\"id\":5}\n" {
			t.Errorf("%s: %v %v %q", encoding, err, response.Header, text)
		}
	}
	old, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/export/orders?query="+url.QueryEscape(all), nil)
	if err != nil {
		t.Fatal(err)
	}
	old.Proto, old.ProtoMajor, old.ProtoMinor = "HTTP/1.0", 1, 0
	old.Header.Set("Authorization", "Bearer "+acme)
	recorded := httptest.NewRecorder()
	e.Handler().ServeHTTP(recorded, old)
	if recorded.Code != http.StatusHTTPVersionNotSupported {
		t.Errorf("HTTP/1.0: %d %s", recorded.Code, recorded.Body)
	}
	e.quiet(t)
	program.Soon(t, program.Patience, "exports are in the audit log", func() bool {
		answer := e.query(t, e.root, `{ admin { auditLog(filter: {kind: DATA}, limit: 200) { items { tenant datasets strategy rows outcome detail } } } }`)
		return strings.Contains(answer, `{"tenant":"globex","datasets":["orders"],"strategy":"shared","rows":1,"outcome":"done","detail":"export as csv"}`) &&
			strings.Contains(answer, `"rows":0,"outcome":"FORBIDDEN","detail":"export as csv"`)
	})
}

// key is a service key of acme with these scopes.
func (e exports) key(t *testing.T, scopes string) string {
	t.Helper()
	root := e.root
	e.query(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`) // once
	return e.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [`+scopes+`]}) { token } } }`, "token")
}

const million = `INSERT INTO orders SELECT i, 'acme', 1, i, repeat('x', 100) FROM generate_series(10, 1000009) i; ANALYZE orders`

// TestExportOfAMillionRows: however many rows there are, and however slowly they
// are read, what is held of them is little. It runs alone, for it looks at the heap
// of the whole process.
func TestExportOfAMillionRows(t *testing.T) {
	e := openExports(t, "")
	e.db.Exec(t, million)
	runtime.GC()
	before := heap()
	for path, query := range map[string]string{
		"/export/orders": `{ orders(where: {id: {gte: 10}}) { id text customer { name } } }`, "/export/orders?format=parquet": `{ orders(where: {id: {gte: 10}}) { id text customer { name } } }`,
		"/export/orders?format=ndjson": `{ orders(where: {id: {gte: 10}}, orderBy: [{total: DESC}]) { id text customer { name } } }`,
	} {
		response := e.get(t.Context(), t, program.Sign(t, `{"tenant":"acme"}`), path, query) //nolint:bodyclose // get sees to it
		in := bufio.NewReaderSize(response.Body, 1<<20)
		lines, most, held := 0, int64(0), int64(0)
		for {
			line, err := in.ReadSlice('\n')
			if len(line) > 0 && line[len(line)-1] == '\n' {
				lines++
			}
			if lines%10_000 == 0 {
				most, held = max(most, heap()-before), max(held, e.Held())
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				t.Fatal(err)
			}
		}
		if rows := response.Trailer.Get("X-Usher-Rows"); rows != "1000000" || strings.HasSuffix(path, "orders") && lines != 1_000_001 || strings.HasSuffix(path, "ndjson") && lines != 1_000_000 {
			t.Errorf("%s: %s rows in %d lines", path, rows, lines)
		}
		if held > 8<<20 || most > 192<<20 {
			t.Errorf("%s: %d bytes were held, and the heap grew by %d", path, held, most)
		}
	}
	e.quiet(t)
}

// TestExportsBreakOff: nobody takes a part of an export for the whole, and whoever
// is gone leaves nothing behind.
func TestExportsBreakOff(t *testing.T) {
	t.Parallel()
	e := openExports(t, "")
	e.db.Exec(t, million)
	const all = `{ orders(orderBy: [{id: ASC}]) { id text total customer { name } } }`
	acme := program.Sign(t, `{"tenant":"acme"}`)
	broken := func(what string, response *http.Response) {
		t.Helper()
		rows := csv.NewReader(response.Body)
		var err error
		n := 0
		for ; err == nil; n++ {
			_, err = rows.Read()
		}
		if errors.Is(err, io.EOF) || response.Trailer.Get("X-Usher-Rows") != "" {
			t.Errorf("%s: the export looks whole with %d rows", what, n)
		}
	}
	first := func(response *http.Response) {
		t.Helper()
		if _, err := io.ReadFull(response.Body, make([]byte, 1000)); err != nil || response.StatusCode != http.StatusOK {
			t.Fatal(response.StatusCode, err)
		}
	}

	response := e.get(t.Context(), t, acme, "/export/orders", all) //nolint:bodyclose // get sees to it
	first(response)
	e.db.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'usher' AND state <> 'idle'`)
	broken("a source that ends", response)

	ctx, leave := context.WithCancel(t.Context())
	response = e.get(ctx, t, acme, "/export/orders", all) //nolint:bodyclose // get sees to it
	first(response)
	leave()
	e.quiet(t)

	key := e.key(t, "READ_DATA, EXPORT_DATA")
	response = e.get(t.Context(), t, key, "/export/orders", all) //nolint:bodyclose // get sees to it
	first(response)
	var id string
	{
		var got struct {
			Data struct {
				Admin struct {
					ServiceKeys struct{ Items []struct{ ID, Name string } }
				}
			}
		}
		answer := strings.TrimPrefix(e.query(t, e.root, `{ admin { serviceKeys(tenant: "acme") { items { id name } } } }`), "200 ")
		if err := json.Unmarshal([]byte(answer), &got); err != nil || len(got.Data.Admin.ServiceKeys.Items) == 0 {
			t.Fatal(answer, err)
		}
		id = got.Data.Admin.ServiceKeys.Items[0].ID
	}
	if answer := e.query(t, e.root, `mutation { admin { revokeServiceKey(id: "`+id+`") } }`); strings.Contains(answer, "errors") {
		t.Fatal(answer)
	}
	<-time.After(1100 * time.Millisecond) // it is asked once a second
	broken("a key that is revoked", response)
	e.quiet(t)

	// Exports take turns: one of two is under way, and the other is for others.
	one := e.get(t.Context(), t, acme, "/export/orders", all)
	first(one)
	if got := e.whole(t, program.Sign(t, `{"tenant":"globex"}`), "/export/orders", `{ orders { id } }`); got != "id\n3\n\n1 rows, 0 nulls" {
		t.Errorf("another tenant's export: %s", got)
	}
	ctx, leave = context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer leave()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/export/notes?query="+url.QueryEscape(`{ notes { id } }`), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+acme)
	if second, err := http.DefaultTransport.RoundTrip(r); err == nil {
		_ = second.Body.Close()
		t.Error("a second export of the tenant did not wait")
	}
	if got := e.query(t, acme, `{ orders(where: {id: {eq: 1}}) { id } }`); got != `200 {"data":{"orders":[{"id":1}]}}` {
		t.Errorf("ordinary questions wait for exports: %s", got)
	}
	_ = one.Body.Close()
	e.quiet(t)

	// While the gateway drains, what is under way goes on to its end; at the end of
	// that, what is still under way is cut off.
	const some = `{ orders(where: {id: {lte: 100000}}) { id text } }`
	response = e.get(t.Context(), t, acme, "/export/orders", some) //nolint:bodyclose // get sees to it
	first(response)
	e.Drain()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.Trailer.Get("X-Usher-Rows") != "99995" {
		t.Errorf("an export ends with %v while usher drains, and has %v", err, response.Trailer)
	}
	response = e.get(t.Context(), t, acme, "/export/orders", all) //nolint:bodyclose // get sees to it
	first(response)
	if !response.Close {
		t.Error("a connection goes on while usher drains")
	}
	e.served.CloseClientConnections()
	broken("a server that ends", response)
	e.quiet(t)
}

// TestExportsHaveAnEnd: a reader who takes nothing holds nothing for longer than a
// request may take.
func TestExportsHaveAnEnd(t *testing.T) {
	t.Parallel()
	e := openExports(t, "export_timeout: 1500ms")
	e.db.Exec(t, million)
	response := e.get(t.Context(), t, program.Sign(t, `{"tenant":"acme"}`), "/export/orders?format=ndjson", `{ orders { id text a: text b: text } }`) //nolint:bodyclose // get sees to it
	if _, err := io.ReadFull(response.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	e.quiet(t)
	if _, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Error("the export looks whole")
	}
}

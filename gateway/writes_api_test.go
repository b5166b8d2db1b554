package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// calledAPI is a shop whose orders are in an API, and their customers in a database.
const calledAPI = `
control:
  path: %[4]q
  key: {id: a, secret: {env: KEY}}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
  partner:
    kind: api
    base_url: %[5]q
    allow_private: true
    isolation: %[6]s
    headers: {X-Tenant: "{tenant}", Authorization: s3cr3t}
    rows: /data
    timeout: 2s
    stale_if_error: 1h
    pushdown: {filters: {id: [eq, in]}}
strategies: {all: {source: shop, datasets: {orders: partner}}}
default_strategy: all
datasets:
  orders:
    tenant: tenant
    key: id
    writable: true
    global_keys: true
    filter: {status: {neq: hidden}}
    presets: {insert: {created_by: $subject}}
    columns: {id: String!, tenant: String!, status: String, customer_id: BigInt, city: {type: String, column: /address/city}, amount: {type: Decimal, precision: 12, scale: 2}, paid: Boolean, tags: "[String]", doc: JSON, at: Timestamp, created_by: String}
    relations: {customer: {to: customers, on: {customer_id: id}}}
    bind:
      partner:
        columns: {tenant: %[7]s}
        writes:
          insert: {}
          update: {path: "/orders/{key.id}", body: {json: {data: "{row}", id: "{key.id}", by: "{subject}"}}}
          delete: {path: "/orders/{key.id}"}
  customers:
    tenant: tenant
    key: id
    writable: true
    columns: {id: BigInt!, tenant: String!, name: String}
`

// partner is an API that keeps orders.
type partner struct {
	*httptest.Server
	mu      sync.Mutex
	rows    map[string]map[string]any
	calls   []string
	keys    []string
	next    int
	instead func(w http.ResponseWriter, r *http.Request, nth int) bool // answers in its place; nth of the calls that write
	writes  int
}

func newPartner(t *testing.T) *partner {
	t.Helper()
	p := &partner{rows: map[string]map[string]any{
		"1":        {"id": "1", "tenant": "a", "status": "open", "customer_id": 1, "doc": map[string]any{"a": 1}},
		"2":        {"id": "2", "tenant": "b", "status": "open"},
		"3":        {"id": "3", "tenant": "a", "status": "hidden"},
		"<&\"'>/ä": {"id": "<&\"'>/ä", "tenant": "a", "status": "odd"},
		"..":       {"id": "..", "tenant": "a", "status": "dots"},
	}, next: 100}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodGet {
		p.writes++
		p.calls = append(p.calls, strings.TrimSpace(r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("X-Tenant")+" "+string(body)))
		p.keys = append(p.keys, r.Header.Get("Idempotency-Key"))
	}
	if p.instead != nil && p.instead(w, r, p.writes) {
		return
	}
	send := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	id := strings.TrimPrefix(r.URL.Path, "/orders/")
	switch r.Method {
	case http.MethodGet:
		rows := []map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(p.rows)) {
			if asked := r.URL.Query()["id"]; len(asked) == 0 || slices.Contains(asked, key) {
				rows = append(rows, p.rows[key])
			}
		}
		send(http.StatusOK, map[string]any{"data": rows})
	case http.MethodPost:
		row := map[string]any{}
		_ = json.Unmarshal(body, &row)
		if row["id"] == nil {
			p.next++
			row["id"] = fmt.Sprint(p.next)
		}
		if p.rows[row["id"].(string)] != nil {
			send(http.StatusConflict, map[string]any{"error": "poison: taken by b"})
			return
		}
		if row["status"] == "bad" {
			send(http.StatusUnprocessableEntity, map[string]any{"error": "poison: bad status"})
			return
		}
		p.rows[row["id"].(string)] = row
		send(http.StatusCreated, row)
	case http.MethodPatch:
		var given struct{ Data map[string]any }
		_ = json.Unmarshal(body, &given)
		if p.rows[id] == nil {
			send(http.StatusNotFound, map[string]any{})
			return
		}
		maps.Copy(p.rows[id], given.Data)
		send(http.StatusOK, p.rows[id])
	case http.MethodDelete:
		if p.rows[id] == nil {
			send(http.StatusNotFound, map[string]any{})
			return
		}
		delete(p.rows, id)
		w.WriteHeader(http.StatusNoContent)
	}
}

// said is what was written since it was asked last.
func (p *partner) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := strings.Join(p.calls, "\n")
	p.calls, p.writes = nil, 0
	return calls
}

func (p *partner) answerInstead(f func(w http.ResponseWriter, r *http.Request, nth int) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.instead, p.writes = f, 0
}

// openCalled is a gateway with orders in an API; change edits the configuration.
func openCalled(t *testing.T, p *partner, isolation, tenant string, change func(string) string) writing {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	dir := t.TempDir()
	text := fmt.Sprintf(calledAPI, db.Name, db.User, db.Port, filepath.Join(dir, "store.duckdb"), p.URL, isolation, tenant)
	if change != nil {
		text = change(text)
	}
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(db))
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

func TestWritesOfAPIs(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ text, want, calls string }{
		{
			`mutation { insertOrdersOne(row: {id: "10", customer_id: 1, city: "</script>", amount: 1.5, paid: false, tags: ["x", null, "y,\"z"], doc: {a: [1, null]}, at: "2026-01-02T03:04:05.5Z"}) { id city amount paid tags doc at created_by customer { name } } }`,
			`{"insertOrdersOne":{"id":"10","city":"</script>","amount":1.50,"paid":false,"tags":["x",null,"y,\"z"],"doc":{"a":[1,null]},"at":"2026-01-02T03:04:05.5Z","created_by":"ann","customer":{"name":"Ann"}}}`,
			`POST /orders a {"address":{"city":"</script>"},"amount":1.5,"at":"2026-01-02T03:04:05.5Z","created_by":"ann","customer_id":1,"doc":{"a":[1,null]},"id":"10","paid":false,"tags":["x",null,"y,\"z"],"tenant":"a"}`,
		},
		{ // what is left out is left out, null is null, and the API makes the key
			`mutation { insertOrders(rows: [{status: null}, {status: ""}]) { affected rows { id status city } last: rows(orderBy: [{id: DESC}], limit: 1) { id } __typename } }`,
			`{"insertOrders":{"affected":2,"rows":[{"id":"101","status":null,"city":null},{"id":"102","status":"","city":null}],"last":[{"id":"102"}],"__typename":"OrdersChange"}}`,
			"POST /orders a {\"created_by\":\"ann\",\"status\":null,\"tenant\":\"a\"}\nPOST /orders a {\"created_by\":\"ann\",\"status\":\"\",\"tenant\":\"a\"}",
		},
		{
			`mutation { updateOrdersByPk(id: "10", set: {status: "paid", customer_id: null}) { id status customer_id customer { name } } }`,
			`{"updateOrdersByPk":{"id":"10","status":"paid","customer_id":null,"customer":null}}`,
			`PATCH /orders/10 a {"by":"ann","data":{"customer_id":null,"status":"paid"},"id":"10"}`,
		},
		{
			`mutation { updateOrders(where: {id: {in: ["10", "1", "2", "3", "99"]}}, set: {status: "sent"}) { affected rows { id status } } }`,
			`{"updateOrders":{"affected":2,"rows":[{"id":"1","status":"sent"},{"id":"10","status":"sent"}]}}`,
			"PATCH /orders/1 a {\"by\":\"ann\",\"data\":{\"status\":\"sent\"},\"id\":\"1\"}\nPATCH /orders/10 a {\"by\":\"ann\",\"data\":{\"status\":\"sent\"},\"id\":\"10\"}",
		},
		{
			`mutation { updateOrdersByPk(id: "<&\"'>/ä", set: {status: "<&>"}) { id status } }`,
			`{"updateOrdersByPk":{"id":"<&\"'>/ä","status":"<&>"}}`,
			`PATCH /orders/%3C&%22%27%3E%2F%C3%A4 a {"by":"ann","data":{"status":"<&>"},"id":"<&\"'>/ä"}`,
		},
		{`mutation { updateOrdersByPk(id: "..", set: {status: "x"}) { id } }`, `null BAD_USER_INPUT: the value of id names no row of the API applied=0`, ""},
		// What is another's, what is missing and what is not shown is all the same.
		{`mutation { updateOrdersByPk(id: "2", set: {status: "mine"}) { id } }`, `{"updateOrdersByPk":null}`, ""},
		{`mutation { updateOrdersByPk(id: "3", set: {status: "mine"}) { id } }`, `{"updateOrdersByPk":null}`, ""},
		{`mutation { updateOrdersByPk(id: "99", set: {status: "mine"}) { id } }`, `{"updateOrdersByPk":null}`, ""},
		{`mutation { updateOrdersByPk(id: "2/../1", set: {status: "mine"}) { id } }`, `{"updateOrdersByPk":null}`, ""},
		{`mutation { deleteOrdersByPk(id: "2") { id } }`, `{"deleteOrdersByPk":null}`, ""},
		{`mutation { insertOrdersOne(row: {customer_id: 3}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`, ""},
		{`mutation { insertOrdersOne(row: {customer_id: 99}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (insertOrdersOne.row.customer_id)`, ""},
		{`mutation { updateOrdersByPk(id: "1", set: {customer_id: 3}) { id } }`, `null NOT_FOUND: customer_id leads to no row of customers (updateOrdersByPk.set.customer_id)`, ""},
		// What would be out of sight is not sent.
		{`mutation { updateOrdersByPk(id: "1", set: {status: "hidden"}) { id } }`, `null FORBIDDEN: what would be written to orders is not what you may write there`, ""},
		{`mutation { insertOrdersOne(row: {id: "20", status: "hidden"}) { id } }`, `null FORBIDDEN: what would be written to orders is not what you may write there`, ""},
		{`mutation { insertOrders(rows: [{id: "21", status: "x"}, {id: "21", status: "y"}]) { affected } }`, `null BAD_USER_INPUT: two rows have the same key (insertOrders.rows.1)`, ""},
		// What the API says is not repeated.
		{`mutation { insertOrdersOne(row: {id: "2"}) { id } }`, `null CONFLICT: the change of orders collides with a row that is there applied=0`, `POST /orders a {"created_by":"ann","id":"2","tenant":"a"}`},
		{
			`mutation { insertOrders(rows: [{id: "30"}, {id: "31", status: "bad"}, {id: "32"}]) { affected } }`, `null BAD_USER_INPUT: the API does not take this row of orders applied=1`,
			"POST /orders a {\"created_by\":\"ann\",\"id\":\"30\",\"tenant\":\"a\"}\nPOST /orders a {\"created_by\":\"ann\",\"id\":\"31\",\"status\":\"bad\",\"tenant\":\"a\"}",
		},
		// What no call can do is refused before one is made.
		{`mutation { updateOrdersByPk(id: "1", set: {status: "x"}, increment: {amount: 1}) { id } }`, `null NOT_IMPLEMENTED: rows of orders are in an API, and no call adds to what is there`, ""},
		{`mutation { a: deleteOrdersByPk(id: "1") { id } b: deleteOrdersByPk(id: "10") { id } }`, `null BAD_USER_INPUT: orders is in an API, where a change that is made is not undone when the next one fails`, ""},
		{`mutation { a: insertCustomersOne(row: {id: 9}) { id } b: deleteOrdersByPk(id: "10") { id } }`, `null BAD_USER_INPUT: the changes of one mutation are made in one source, and orders is in another than customers`, ""},
		{`mutation { deleteOrders(where: {id: {in: ["30", "2"]}}) { affected rows { id created_by } } }`, `{"deleteOrders":{"affected":1,"rows":[{"id":"30","created_by":"ann"}]}}`, `DELETE /orders/30 a`},
		{`mutation { deleteOrdersByPk(id: "10") { id city } }`, `{"deleteOrdersByPk":{"id":"10","city":"</script>"}}`, `DELETE /orders/10 a`},
		{`{ orders { id status } }`, `{"orders":[{"id":"..","status":"dots"},{"id":"1","status":"sent"},{"id":"101","status":null},{"id":"102","status":""},{"id":"<&\"'>/ä","status":"<&>"}]}`, ""},
	} {
		if got := called(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
		if got := p.said(); got != line.calls {
			t.Errorf("%s\ncalls %s\n want %s", line.text, got, line.calls)
		}
	}
	if got := fmt.Sprint(p.rows["2"]); got != "map[id:2 status:open tenant:b]" {
		t.Errorf("the other tenant's row is %s", got)
	}
}

// called is short with what is said of calls.
func called(t *testing.T, answer string) string {
	t.Helper()
	out := short(t, answer)
	_, body, _ := strings.Cut(answer, " ")
	var got struct {
		Errors []struct{ Extensions map[string]any }
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	for _, e := range got.Errors {
		if n := e.Extensions["applied"]; n != nil {
			out += fmt.Sprintf(" applied=%v", n)
		}
		if e.Extensions["unknown"] != nil {
			out += " unknown"
		}
	}
	if strings.Contains(answer, "poison") {
		t.Errorf("the API's words are repeated: %s", answer)
	}
	return out
}

// An API that keeps tenants apart is told whose row is meant, also where its rows do not say it.
func TestWritesOfAPIsOfTenants(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	p.rows = map[string]map[string]any{"1": {"id": "1", "status": "open"}}
	g := openCalled(t, p, "upstream", "~", nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ text, want, calls string }{
		{`mutation { insertOrdersOne(row: {id: "7"}) { id } }`, `{"insertOrdersOne":{"id":"7"}}`, `POST /orders a {"created_by":"ann","id":"7"}`},
		{`mutation { updateOrdersByPk(id: "1", set: {status: "x"}) { status } }`, `{"updateOrdersByPk":{"status":"x"}}`, `PATCH /orders/1 a {"by":"ann","data":{"status":"x"},"id":"1"}`},
		{`mutation { deleteOrders(all: true) { affected } }`, `{"deleteOrders":{"affected":2}}`, "DELETE /orders/1 a\nDELETE /orders/7 a"},
	} {
		if got := called(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
		if got := p.said(); got != line.calls {
			t.Errorf("%s\ncalls %s\n want %s", line.text, got, line.calls)
		}
	}
}

// What an API says of a row that it has written is believed of that row of that tenant only; what
// it may have done is never done again, and whoever asked is told how much is known.
func TestWritesOfHostileAPIs(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	says := func(status int, body string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, nth int) bool {
			if r.Method == http.MethodGet || nth < 2 {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	const unsure = "UNAVAILABLE: the API of orders did not say of the row that it wrote it"
	const perhaps = "UNAVAILABLE: the API of orders failed, and nobody knows whether it wrote the row"
	for i, c := range []struct {
		instead func(http.ResponseWriter, *http.Request, int) bool
		want    string
	}{
		{says(200, `{"id": "x", "tenant": "b", "status": "poison"}`), unsure + " applied=1 unknown"},
		{says(200, `{"id": "x"}`), unsure + " applied=1 unknown"},
		{says(200, `{"id": "another", "tenant": "a"}`), unsure + " applied=1 unknown"},
		{says(200, `{"tenant": "a"}`), unsure + " applied=1 unknown"},
		{says(200, `[]`), unsure + " applied=1 unknown"},
		{says(200, `{"id": "x", "tenant": "a", "tenant": "b"}`), unsure + " applied=1 unknown"},
		{says(200, `{"id": "x", "tenant": "a"`), unsure + " applied=1 unknown"},
		{says(200, `{"id": "x", "tenant": "a", "z": "`+strings.Repeat("z", 2<<20)+`"}`), unsure + " applied=1 unknown"},
		{says(202, `{}`), perhaps + " applied=1 unknown"},
		{says(500, `poison`), perhaps + " applied=1 unknown"},
		{says(503, `poison`), perhaps + " applied=1 unknown"},
		{says(302, `poison`), perhaps + " applied=1 unknown"},
		{says(401, `poison`), "UNAVAILABLE: the API of orders does not accept the account applied=1"},
		{says(403, `poison`), "FORBIDDEN: the API does not let orders be written so applied=1"},
		{says(400, `poison`), "BAD_USER_INPUT: the API does not take this row of orders applied=1"},
		{says(404, `poison`), "UNAVAILABLE: the API of orders has nothing where its rows should be applied=1"},
		{says(429, `poison`), "UNAVAILABLE: the API of orders has too much to do applied=1"},
		{func(w http.ResponseWriter, r *http.Request, nth int) bool { // whoever tries again when told would make the first one twice
			w.Header().Set("Retry-After", "1")
			return says(429, `poison`)(w, r, nth)
		}, "UNAVAILABLE: the API of orders has too much to do applied=1"},
		{func(w http.ResponseWriter, r *http.Request, nth int) bool {
			if r.Method == http.MethodGet || nth < 2 {
				return false
			}
			connection, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = connection.Close()
			}
			return true
		}, "UNAVAILABLE: the API of orders did not answer, and nobody knows whether it wrote the row applied=1 unknown"},
		{func(w http.ResponseWriter, r *http.Request, nth int) bool {
			if r.Method == http.MethodGet || nth < 2 {
				return false
			}
			<-r.Context().Done()
			return true
		}, "UNAVAILABLE: the API of orders did not answer, and nobody knows whether it wrote the row applied=1 unknown"},
		{func(w http.ResponseWriter, r *http.Request, nth int) bool { // it writes what is hidden
			if r.Method != http.MethodPost || nth != 2 {
				return false
			}
			p.rows["x"] = map[string]any{"id": "x", "tenant": "a", "status": "hidden"}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"id": "x", "tenant": "a"}`)
			return true
		}, "FORBIDDEN: what would be written to orders is not what you may write there applied=3"}, // the one after it was made as well
	} {
		p.answerInstead(c.instead)
		text := fmt.Sprintf(`mutation { insertOrders(rows: [{id: "n%d"}, {id: "x"}, {id: "y"}]) { affected rows { id } } }`, i)
		want := "null " + c.want
		if got := called(t, g.query(t, ann, text)); got != want {
			t.Errorf("%d\n got %s\nwant %s", i, got, want)
		}
		if calls := strings.Count(p.said(), "POST"); calls != 2 && i < 20 || calls > 3 {
			t.Errorf("%d: %d calls", i, calls)
		}
	}
}

// Every reply to a call that writes says yes, or no, or neither: what is neither is unknown, of mutations and of
// imports, and of rows that were to be deleted it is looked whether they are there.
func TestRepliesToWritesOfAPIs(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openAPIImports(t, p, nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	const (
		yes     = "done"
		unknown = "UNAVAILABLE unknown"
		kept    = "UNAVAILABLE"
		own     = `{"id": "x", "tenant": "a", "status": "set"}`
	)
	type reply struct {
		status int
		body   string
		media  string
	}
	as := func(status int, body string) reply { return reply{status, body, "application/json"} }
	for _, c := range []struct {
		reply
		insert, update, remove string // where the API has done it
		undone                 string // of a row that is to be deleted, where it has not
	}{
		{as(200, own), yes, yes, yes, kept},
		{as(201, own), yes, yes, yes, kept},
		{as(200, ""), yes, yes, yes, kept},
		{as(200, " \n"), yes, yes, yes, kept},
		{as(204, ""), yes, yes, yes, kept},
		{as(200, `{"error": "poison"}`), unknown, unknown, yes, kept},
		{as(200, `{"id": "y", "tenant": "a"}`), unknown, unknown, yes, kept},
		{as(200, `{"id": "x", "tenant": "b"}`), unknown, unknown, yes, kept},
		{as(200, `{"id": "x", "tenant": "a"`), unknown, unknown, yes, kept},
		{as(200, `[]`), unknown, unknown, yes, kept},
		{as(200, `null`), unknown, unknown, yes, kept},
		{reply{200, "<html>poison</html>", "text/html"}, unknown, unknown, yes, kept},
		{reply{200, own, "text/plain"}, unknown, unknown, yes, kept},
		{as(101, ""), unknown, unknown, unknown, unknown},
		{as(202, "{}"), unknown, unknown, unknown, unknown},
		{as(203, own), unknown, unknown, unknown, unknown},
		{as(205, ""), unknown, unknown, unknown, unknown},
		{as(206, own), unknown, unknown, unknown, unknown},
		{as(300, "{}"), unknown, unknown, unknown, unknown},
		{as(301, ""), unknown, unknown, unknown, unknown},
		{as(302, ""), unknown, unknown, unknown, unknown},
		{as(303, ""), unknown, unknown, unknown, unknown},
		{as(304, ""), unknown, unknown, unknown, unknown},
		{as(307, ""), unknown, unknown, unknown, unknown},
		{as(308, ""), unknown, unknown, unknown, unknown},
		{as(400, "poison"), "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT"},
		{as(401, "poison"), kept, kept, kept, kept},
		{as(403, "poison"), "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN"},
		{as(404, "poison"), kept, "gone", "gone", "gone"},
		{as(405, "poison"), kept, kept, kept, kept},
		{as(408, "poison"), unknown, unknown, unknown, unknown},
		{as(409, "poison"), "CONFLICT", "CONFLICT", "CONFLICT", "CONFLICT"},
		{as(410, "poison"), kept, "gone", "gone", "gone"},
		{as(412, "poison"), "CONFLICT", "CONFLICT", "CONFLICT", "CONFLICT"},
		{as(413, "poison"), "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT"},
		{as(422, "poison"), "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT", "BAD_USER_INPUT"},
		{as(500, "poison"), unknown, unknown, unknown, unknown},
		{as(501, own), unknown, unknown, unknown, unknown},
		{as(503, "poison"), unknown, unknown, unknown, unknown},
		{as(599, "poison"), unknown, unknown, unknown, unknown},
		{as(-200, own), unknown, unknown, unknown, unknown}, // cut off
		{as(-1, ""), unknown, unknown, unknown, unknown},    // no reply
	} {
		instead := func(done bool) {
			p.answerInstead(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.Method == http.MethodGet {
					return false
				}
				if done {
					p.rows["x"] = map[string]any{"id": "x", "tenant": "a", "status": "set"}
				}
				if done && r.Method == http.MethodDelete {
					delete(p.rows, "x")
				}
				if c.status < 0 {
					connection, out, err := http.NewResponseController(w).Hijack()
					if err != nil {
						return true
					}
					if c.status == -200 {
						_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n%s", c.body)
						_ = out.Flush()
					}
					_ = connection.Close()
					return true
				}
				w.Header().Set("Content-Type", c.media)
				w.Header().Set("Location", p.URL+"/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
				return true
			})
		}
		stand := func(there bool) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if delete(p.rows, "x"); there {
				p.rows["x"] = map[string]any{"id": "x", "tenant": "a", "status": "old"}
			}
		}
		ask := func(text string) string {
			g.query(t, ann, `{ orders(limit: 1) { id } }`) // an API that fails again and again is left alone
			got := called(t, g.query(t, ann, text))
			code, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(got, "null"), " "), ":")
			switch {
			case strings.Contains(got, "ByPk\":null}"):
				return "gone"
			case strings.HasPrefix(got, "{"):
				return yes
			case strings.HasSuffix(got, " applied=0 unknown"):
				return code + " unknown"
			case strings.HasSuffix(got, " applied=0"):
				return code
			}
			return got
		}
		check := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%d %s, %s: %s, want %s", c.status, c.body, what, got, want)
			}
		}
		const insert = `mutation { insertOrdersOne(row: {id: "x", status: "set"}) { id } }`
		const remove = `mutation { deleteOrdersByPk(id: "x") { id } }`
		stand(false)
		instead(true)
		check("insert", ask(insert), c.insert)
		if c.insert == yes {
			stand(false)
			instead(false)
			check("insert that was not made", ask(insert), unknown)
		}
		stand(true)
		instead(true)
		check("update", ask(`mutation { updateOrdersByPk(id: "x", set: {status: "set"}) { id } }`), c.update)
		if c.update == yes {
			stand(true)
			instead(false)
			check("update that was not made", ask(`mutation { updateOrdersByPk(id: "x", set: {status: "set"}) { id } }`), kept)
		}
		stand(true)
		instead(true)
		check("delete", ask(remove), c.remove)
		stand(true)
		instead(false)
		check("delete that was not made", ask(remove), c.undone)

		for _, done := range []bool{true, false} {
			want := c.insert
			if !done && want == yes {
				want = unknown
			}
			stand(false)
			instead(done)
			if want == yes {
				check("import", g.load(t, ann, "/import/orders?format=csv&batch=5", "id,status\nx,set\n"), `200 {"rows":1}`)
				continue
			}
			at := g.stops(t, ann, "/import/orders?format=csv&batch=5", "id,status\nx,set\n").Errors[0].Extensions
			got := at.Code
			if at.Unknown {
				got += " unknown"
			}
			check("import", got, want)
			if at.Unknown != (len(at.Unsure) == 1) || at.Unknown != (len(at.Refused) == 0) || at.Rows != 0 {
				t.Errorf("%d %s: an import says of its rows %+v", c.status, c.body, at)
			}
		}
	}
}

// An API that makes the keys answers the row that was inserted, and no other one of the tenant's.
func TestWritesOfAPIsWithoutKeys(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, c := range []struct {
		reply string
		known bool
	}{
		{`{"id": "1", "tenant": "a"}`, true},
		{`{"id": "1", "tenant": "a", "status": "open", "amount": 1.50, "tags": ["x", null], "doc": {"b": 1, "a": 2}, "at": "2026-01-02T04:04:05+01:00"}`, true},
		{`{"id": "1", "tenant": "a", "status": null}`, true},
		{`{"id": "1", "tenant": "a", "status": "paid"}`, false},
		{`{"id": "1", "tenant": "a", "amount": 1.51}`, false},
		{`{"id": "1", "tenant": "a", "tags": ["x"]}`, false},
		{`{"id": "1", "tenant": "a", "doc": {"a": 2}}`, false},
		{`{"id": "1", "tenant": "a", "created_by": "bob"}`, false},
		{`{"id": "1", "tenant": "b"}`, false},
	} {
		p.answerInstead(func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Method != http.MethodPost {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, c.reply)
			return true
		})
		want := `{"insertOrdersOne":{"id":"1"}}`
		if !c.known {
			want = `null UNAVAILABLE: the API of orders did not say of the row that it wrote it applied=0 unknown`
		}
		if got := called(t, g.query(t, ann, `mutation { insertOrdersOne(row: {status: "open", amount: 1.5, tags: ["x", null], doc: {a: 2, b: 1}, at: "2026-01-02T03:04:05Z"}) { id } }`)); got != want {
			t.Errorf("%s\n got %s\nwant %s", c.reply, got, want)
		}
	}
}

// Where the API tells repeated calls apart one is made again; a row that is gone is null.
func TestWritesOfAPIsAgain(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", func(text string) string {
		return strings.Replace(text, "insert: {}", "idempotency_key: Idempotency-Key\n          insert: {}", 1)
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		if r.Method == http.MethodPost && nth == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		if r.Method == http.MethodPatch || r.Method == http.MethodDelete {
			delete(p.rows, strings.TrimPrefix(r.URL.Path, "/orders/"))
		}
		return false
	})
	for _, line := range []struct{ text, want string }{
		{`{ orders(where: {id: {eq: "10"}}) { id } }`, `{"orders":[]}`},
		{`mutation { insertOrdersOne(row: {id: "10"}) { id } }`, `{"insertOrdersOne":{"id":"10"}}`},
		{`{ orders(where: {id: {eq: "10"}}) { id } }`, `{"orders":[{"id":"10"}]}`},
		{`mutation { updateOrdersByPk(id: "10", set: {status: "x"}) { id } }`, `{"updateOrdersByPk":null}`},
		{`mutation { deleteOrdersByPk(id: "1") { id } }`, `{"deleteOrdersByPk":null}`},
		{`mutation { updateOrders(where: {id: {eq: ".."}}, set: {status: "x"}) { affected } }`, `null BAD_USER_INPUT: the value of id names no row of the API applied=0`},
	} {
		if got := called(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	if len(p.keys) < 3 || p.keys[0] == "" || p.keys[0] != p.keys[1] || p.keys[2] == p.keys[1] {
		t.Errorf("the keys are %q", p.keys)
	}
	p.answerInstead(func(w http.ResponseWriter, _ *http.Request, _ int) bool { // a reply from before is none to decide by
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	if got := called(t, g.query(t, ann, `mutation { deleteOrders(where: {id: {eq: "10"}}) { affected } }`)); !strings.HasPrefix(got, "null UNAVAILABLE") {
		t.Errorf("a change of what nobody can read: %s", got)
	}
}

// Of a deletion whose answer is lost nobody knows, whatever the API says when it is told again; and one under a key
// that finds no row may be the one that has deleted it.
func TestDeletionsOfAPIsAgain(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", func(text string) string {
		return strings.Replace(text, "insert: {}", "idempotency_key: Idempotency-Key\n          insert: {}", 1)
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		if r.Method != http.MethodDelete || nth > 1 {
			return false
		}
		delete(p.rows, "1")
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	remove := func(extensions string) string {
		return called(t, plainAnswer(g.ask(t, ann, `{"query": "mutation { deleteOrdersByPk(id: \"1\") { id } }"`+extensions+`}`)))
	}
	g.query(t, ann, `{ orders { id } }`) // a call is made again when some were made before
	for _, c := range []struct{ extensions, want string }{
		{`, "extensions": {"idempotencyKey": "k"}`, `null UNAVAILABLE: the API of orders failed, and nobody knows whether it deleted the row applied=0 unknown`},
		{`, "extensions": {"idempotencyKey": "k"}`, `null UNAVAILABLE: no row of orders is found, and nobody knows whether the same mutation deleted it before unknown`},
		{``, `{"deleteOrdersByPk":null}`},
	} {
		if got := remove(c.extensions); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.extensions, got, c.want)
		}
	}
	if calls := strings.Count(p.said(), "DELETE"); calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

// A row of an API that is kept though it was deleted is deleted when it is read so, whatever the reply shows.
func TestDeletionsOfAPIsThatKeepRows(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", func(text string) string {
		text = strings.Replace(text, "    global_keys: true\n", "    global_keys: true\n    deleted: {at: gone}\n", 1)
		return strings.Replace(text, "created_by: String}", "created_by: String, gone: Timestamp}", 1)
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	deaf := true
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		id := strings.TrimPrefix(r.URL.Path, "/orders/")
		if r.Method != http.MethodPatch || id == "1" && !deaf {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(p.rows[id])
		return true
	})
	const remove = `mutation { deleteOrdersByPk(id: "1") { id } }`
	if got, want := called(t, g.query(t, ann, remove)), "null UNAVAILABLE: the API of orders took the call that deletes the row, and it is still there applied=0"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	deaf = false
	if got, want := called(t, g.query(t, ann, remove)), `{"deleteOrdersByPk":{"id":"1"}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := called(t, g.query(t, ann, remove)); got != `{"deleteOrdersByPk":null}` {
		t.Error(got)
	}
}

// An API that takes a call and does nothing is found out row by row, and what somebody else has deleted meanwhile is not
// told as deleted by this. One that keeps something else than it was sent has taken it.
func TestAPIsThatDoNothing(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	lies := func(answer func(id string, set map[string]any) (status int, row map[string]any, done bool)) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.rows = map[string]map[string]any{"u": {"id": "u", "tenant": "a", "status": "old", "paid": true}, "v": {"id": "v", "tenant": "a", "status": "old"}, "w": {"id": "w", "tenant": "a", "status": "old"}, "z": {"id": "z", "tenant": "b", "status": "old"}}
		p.instead = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			id := strings.TrimPrefix(r.URL.Path, "/orders/")
			if r.Method == http.MethodGet || r.Method == http.MethodPost {
				return false
			}
			status, row, done := answer(id, nil)
			if done && r.Method == http.MethodDelete {
				delete(p.rows, id)
			}
			if done && r.Method == http.MethodPatch {
				p.rows[id]["status"] = "SET"
			}
			w.Header().Set("Content-Type", "application/json")
			if w.WriteHeader(status); row != nil {
				_ = json.NewEncoder(w).Encode(row)
			}
			return true
		}
	}
	const (
		update = `mutation { updateOrders(where: {status: {eq: "old"}}, set: {status: "set"}) { affected rows(orderBy: [{id: ASC}]) { id status } } }`
		one    = `mutation { updateOrdersByPk(id: "u", set: {paid: true, status: "set"}) { status } }`
		same   = `mutation { updateOrdersByPk(id: "u", set: {paid: true, status: "old"}) { status } }`
		remove = `mutation { deleteOrders(where: {status: {eq: "old"}}) { affected rows(orderBy: [{id: ASC}]) { id } } }`
	)
	echo := func(id string, _ map[string]any) (int, map[string]any, bool) {
		return http.StatusOK, map[string]any{"id": id, "tenant": "a", "status": "set"}, false
	}
	lies(echo)
	for text, want := range map[string]string{
		update: `null UNAVAILABLE: the API of orders took the call, and status of the row is as it was (updateOrders.set.status) applied=0`,
		one:    `null UNAVAILABLE: the API of orders took the call, and status of the row is as it was (updateOrdersByPk.set.status) applied=0`,
		same:   `{"updateOrdersByPk":{"status":"old"}}`,
		remove: `null UNAVAILABLE: the API of orders took the call that deletes the row, and it is still there applied=0`,
	} {
		if got := called(t, g.query(t, ann, text)); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	some := func(id string, set map[string]any) (int, map[string]any, bool) {
		if id == "v" {
			return echo(id, set)
		}
		return http.StatusNoContent, nil, true
	}
	lies(some)
	if got, want := called(t, g.query(t, ann, update)), `null UNAVAILABLE: the API of orders took the call, and status of the row is as it was (updateOrders.set.status) applied=2`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	lies(some)
	if got, want := called(t, g.query(t, ann, remove)), `null UNAVAILABLE: the API of orders took the call that deletes the row, and it is still there applied=2`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	lies(func(id string, _ map[string]any) (int, map[string]any, bool) {
		if id == "v" {
			delete(p.rows, "v") // by somebody else
			return http.StatusNotFound, nil, false
		}
		return http.StatusNoContent, nil, true
	})
	if got, want := called(t, g.query(t, ann, remove)), `{"deleteOrders":{"affected":2,"rows":[{"id":"u"},{"id":"w"}]}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	lies(func(string, map[string]any) (int, map[string]any, bool) { return http.StatusNoContent, nil, true })
	if got, want := called(t, g.query(t, ann, update)), `{"updateOrders":{"affected":3,"rows":[{"id":"u","status":"SET"},{"id":"v","status":"SET"},{"id":"w","status":"SET"}]}}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// What an API has acknowledged, and what cannot be read afterwards, is unknown, in the answer and in the audit log, whatever it
// was and however reading fails.
func TestWritesOfAPIsThatCannotBeReadAfterwards(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openAPIImports(t, p, nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	fails := map[string]http.HandlerFunc{
		"a failure": says(http.StatusBadGateway, "poison"),
		"a refusal": says(http.StatusForbidden, "poison"),
		"nonsense":  says(http.StatusOK, `{"data": "poison"}`),
		"no reply":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	const unknown = "null UNAVAILABLE: the API of orders took the calls and cannot be read now, so nobody knows whether it "
	noted := 0
	for _, c := range []struct{ text, want string }{
		{`mutation { updateOrdersByPk(id: "u", set: {status: "set"}) { id } }`, "wrote the rows applied=1 unknown"},
		{`mutation { updateOrders(where: {status: {eq: "old"}}, set: {status: "set"}) { affected } }`, "wrote the rows applied=2 unknown"},
		{`mutation { deleteOrdersByPk(id: "u") { id } }`, "deleted the rows applied=1 unknown"},
		{`mutation { deleteOrders(where: {status: {eq: "old"}}) { affected rows { id } } }`, "deleted the rows applied=2 unknown"},
		{`mutation { insertOrdersOne(row: {id: "x"}) { id } }`, "wrote the rows applied=1 unknown"},
		{`mutation { insertOrders(rows: [{status: "made"}, {status: "made"}]) { affected } }`, "wrote the rows applied=2 unknown"},
		{"", ""}, // an import
	} {
		for how, fail := range fails {
			g.query(t, ann, `{ orders(limit: 1) { id } }`) // an API that fails again and again is left alone
			p.mu.Lock()
			p.rows = map[string]map[string]any{"u": {"id": "u", "tenant": "a", "status": "old"}, "v": {"id": "v", "tenant": "a", "status": "old"}}
			p.mu.Unlock()
			p.answerInstead(func(w http.ResponseWriter, r *http.Request, nth int) bool {
				if r.Method != http.MethodGet || nth == 0 {
					return false
				}
				fail(w, r)
				return true
			})
			noted++
			if c.text == "" {
				at := g.stops(t, ann, "/import/orders?format=csv&batch=5", "id,status\nx,set\ny,set\n").Errors[0]
				if e := at.Extensions; e.Code != "UNAVAILABLE" || !e.Unknown || e.Rows != 2 || !strings.HasPrefix("null UNAVAILABLE: "+at.Message, unknown) {
					t.Errorf("%s, an import: %+v", how, at)
				}
			} else if got := called(t, g.query(t, ann, c.text)); got != unknown+c.want {
				t.Errorf("%s, %s\n got %s\nwant %s", how, c.text, got, unknown+c.want)
			}
			p.answerInstead(nil)
		}
	}
	program.Soon(t, program.Patience, "what nobody knows is noted so", func() bool {
		return strings.Count(g.query(t, g.root, `{ admin { auditLog(filter: {kind: DATA, outcome: "unknown"}, limit: 200) { items { outcome } } } }`), "unknown") == noted
	})
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method == http.MethodPost {
			says(http.StatusOK, `{"id": "u", "tenant": "a"}`)(w, r)
		}
		return r.Method == http.MethodPost
	})
	if got, want := called(t, g.query(t, ann, `mutation { insertOrders(rows: [{}, {}]) { affected } }`)), "null UNAVAILABLE: the API of orders says that two rows are one applied=1 unknown"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// A row that no call could name afterwards is not made, and every other one is found again by the path that names it.
func TestKeysOfAPIsThatCannotBeNamed(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openAPIImports(t, p, nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	ask := func(text, id string) string {
		variables, _ := json.Marshal(map[string]string{"id": id})
		return called(t, g.withVariables(t, ann, text, string(variables)))
	}
	for _, id := range []string{"", ".", "..", "a/..", "../b", "a\\..", "/.", "a\tb", "a\n", "\u0085"} {
		const want = `null BAD_USER_INPUT: the value of id names no row of the API (insertOrders`
		if got := ask(`mutation ($id: String!) { insertOrdersOne(row: {id: $id}) { id } }`, id); got != want+`One.row.id)` {
			t.Errorf("%q: %s", id, got)
		}
		if got := ask(`mutation ($id: String!) { insertOrders(rows: [{}, {id: "fine"}, {id: $id}]) { affected } }`, id); got != want+`.rows.2.id)` {
			t.Errorf("%q: %s", id, got)
		}
	}
	if got := g.load(t, ann, "/import/orders?format=csv&batch=5", "id\nfine\n..\n"); got != failed(400, "the value of id names no row of the API", `,"line":3,"rows":0`) {
		t.Error(got)
	}
	if calls := p.said(); calls != "" {
		t.Errorf("there were calls: %s", calls)
	}
	for _, id := range []string{"a/b", "/", "a//b", "\\", "...", "a.", ".a", "%2e%2e", "%2F", "a b", " ", "a?b#c", "a;b=c", "a+b", "ä/é", "{id}", "😀", "a:b", "~"} {
		for _, text := range []string{
			`mutation ($id: String!) { done: insertOrdersOne(row: {id: $id}) { id } }`,
			`mutation ($id: String!) { done: updateOrdersByPk(id: $id, set: {status: "x"}) { id } }`,
			`mutation ($id: String!) { done: deleteOrdersByPk(id: $id) { id } }`,
		} {
			want, _ := json.Marshal(map[string]map[string]string{"done": {"id": id}})
			if got := ask(text, id); got != string(want) {
				t.Errorf("%q: %s: %s", id, text, got)
			}
		}
		if p.has(id) {
			t.Errorf("%q is still there", id)
		}
	}
}

// A mutation with a key makes its calls under keys that follow from it, so that the API makes
// each once, however often the mutation is sent. Without such a header a key is refused.
func TestWritesOfAPIsUnderAKey(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", func(text string) string {
		return strings.Replace(text, "insert: {}", "idempotency_key: Idempotency-Key\n          insert: {}", 1)
	})
	ann, bob := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), g.keyOf(t, "bob", "a", "READ_DATA, WRITE_DATA")
	down := true
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if down && r.Method == http.MethodPost && len(p.keys) > 1 { // the second row
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		if !down { // who tells calls apart by their keys answers a repeated one as before
			delete(p.rows, "20")
			delete(p.rows, "21")
		}
		return false
	})
	insert := func(who, key string) string {
		return called(t, plainAnswer(g.ask(t, who, `{"query": "mutation { insertOrders(rows: [{id: \"20\"}, {id: \"21\"}]) { affected } }", "extensions": {"idempotencyKey": "`+key+`"}}`)))
	}
	if got := insert(ann, "k"); !strings.Contains(got, "applied=1") {
		t.Fatalf("the first time: %s", got)
	}
	down = false
	first := slices.Clone(p.keys)
	insert(ann, "k")
	again := slices.Clone(p.keys[len(first):])
	if len(first) != 2 || len(again) != 2 || first[0] != again[0] || first[1] != again[1] || first[0] == first[1] {
		t.Errorf("the keys are %q, and then %q", first, again)
	}
	for who, key := range map[string]string{ann: "other", bob: "k"} {
		before := len(p.keys)
		insert(who, key)
		for _, k := range p.keys[before:] {
			if slices.Contains(first, k) {
				t.Errorf("a key of another mutation, or of somebody else's, is the same: %q", k)
			}
		}
	}
	plain := openCalled(t, newPartner(t), "gateway", "tenant", func(text string) string { return text })
	carl := plain.keyOf(t, "carl", "a", "READ_DATA, WRITE_DATA")
	if got := called(t, plainAnswer(plain.ask(t, carl, `{"query": "mutation { insertOrdersOne(row: {id: \"1\"}) { id } }", "extensions": {"idempotencyKey": "k"}}`))); !strings.Contains(got, "takes no idempotency keys") {
		t.Errorf("an API without keys: %s", got)
	}
}

// replaying is an API that tells calls by their keys alone: of one that it knows it answers what it has answered before.
func (p *partner) replaying() {
	type said struct {
		status int
		body   []byte
	}
	kept := make(map[string]said)
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		key := r.Header.Get("Idempotency-Key")
		if key == "" || r.Header.Get("Once") != "" {
			return false
		}
		if _, ok := kept[key]; !ok {
			r.Header.Set("Once", "1")
			_, body, _ := strings.Cut(p.calls[len(p.calls)-1], "{")
			r.Body = io.NopCloser(strings.NewReader("{" + body))
			reply := httptest.NewRecorder()
			p.mu.Unlock()
			p.ServeHTTP(reply, r)
			p.mu.Lock()
			kept[key] = said{reply.Code, reply.Body.Bytes()}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(kept[key].status)
		_, _ = w.Write(kept[key].body)
		return true
	})
}

// One key stands for calls of one mutation: another mutation under it is told what has become of that one, also by an API
// that answers a key it knows without a look at what it is sent. The same one makes the same calls, whenever and wherever it is sent.
func TestKeysOfAPIsAreOfOneMutation(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	p.replaying()
	open := func() (importing, string, string) {
		g := openAPIImports(t, p, func(text string) string {
			text = strings.Replace(text, "insert: {created_by: $subject}", "insert: {created_by: $subject, at: $now}, update: {at: $now}", 1)
			return strings.Replace(text, "insert: {}", "idempotency_key: Idempotency-Key\n          insert: {}", 1)
		})
		all := g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "all", allTenants: true, scopes: [READ_DATA, WRITE_DATA]}) { token } } }`, "token")
		return g, g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), all
	}
	g, ann, all := open()
	ask := func(who, text string) string {
		body, _ := json.Marshal(map[string]any{"query": "mutation { " + text + " }", "extensions": map[string]any{"idempotencyKey": "k"}})
		return called(t, plainAnswer(g.ask(t, who, string(body))))
	}
	lines := []struct {
		who        *string
		text, want string
	}{
		{&ann, `insertOrdersOne(row: {status: "x"}) { id status }`, `{"insertOrdersOne":{"id":"101","status":"x"}}`},
		{&ann, `insertOrdersOne(row: {status: "x"}) { id status }`, `{"insertOrdersOne":{"id":"101","status":"x"}}`},
		{&ann, `insertOrdersOne(row: {status: "y"}) { id status }`, `{"insertOrdersOne":{"id":"102","status":"y"}}`},
		{&ann, `insertOrdersOne(row: {status: "y", paid: null}) { id status }`, `{"insertOrdersOne":{"id":"103","status":"y"}}`},
		{&ann, `insertOrdersOne(row: {}) { id status }`, `{"insertOrdersOne":{"id":"104","status":null}}`},
		{&ann, `insertOrders(rows: [{status: "x"}, {status: "x"}]) { rows { id } }`, `{"insertOrders":{"rows":[{"id":"101"},{"id":"105"}]}}`}, // the first row is made
		{&ann, `insertOrdersOne(row: {id: "n", status: "x"}) { id status }`, `{"insertOrdersOne":{"id":"n","status":"x"}}`},
		{&ann, `insertOrdersOne(row: {id: "n", status: "x"}) { id status }`, `{"insertOrdersOne":{"id":"n","status":"x"}}`},
		{&ann, `insertOrdersOne(row: {id: "n", status: "y"}) { id status }`, `null CONFLICT: the change of orders collides with a row that is there applied=0`},
		{&ann, `updateOrdersByPk(id: "n", set: {status: "y"}) { id status }`, `{"updateOrdersByPk":{"id":"n","status":"y"}}`},
		{&ann, `updateOrdersByPk(id: "n", set: {status: "y"}) { id status }`, `{"updateOrdersByPk":{"id":"n","status":"y"}}`},
		{&ann, `updateOrdersByPk(id: "n", set: {status: "z"}) { id status }`, `{"updateOrdersByPk":{"id":"n","status":"z"}}`},
		{&ann, `updateOrdersByPk(id: "1", set: {status: "z"}) { id status }`, `{"updateOrdersByPk":{"id":"1","status":"z"}}`},
		{&ann, `deleteOrdersByPk(id: "n") { id status }`, `{"deleteOrdersByPk":{"id":"n","status":"z"}}`},
		{&all, `insertOrdersOne(tenant: "a", row: {status: "x"}) { tenant }`, `{"insertOrdersOne":{"tenant":"a"}}`},
		{&all, `insertOrdersOne(tenant: "b", row: {status: "x"}) { tenant }`, `{"insertOrdersOne":{"tenant":"b"}}`},
	}
	for _, line := range lines {
		if got := ask(*line.who, line.text); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
	load := func() {
		t.Helper()
		if status, text := g.send(t.Context(), t, ann, "/import/orders?format=csv&batch=5", strings.NewReader("status\nx\ny\n"), "Idempotency-Key", "k"); status != 200 || !strings.Contains(text, `"rows":2`) {
			t.Errorf("an import: %d %s", status, text)
		}
	}
	load()
	rows := p.count()
	load()
	g, ann, all = open()
	load()
	for _, line := range lines {
		if line.want[0] == '{' && strings.HasPrefix(line.text, "insert") && !strings.Contains(line.text, `"n"`) {
			if got := ask(*line.who, line.text); got != line.want {
				t.Errorf("from another gateway, %s\n got %s\nwant %s", line.text, got, line.want)
			}
		}
	}
	if n := p.count(); n != rows {
		t.Errorf("%d rows were made again", n-rows)
	}
}

// Rows that others refer to stay, whoever may see those; a role's filter holds before a change,
// its check after it, and what no reply would say is asked for.
func TestWritesOfAPIsByRoles(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", func(text string) string {
		text = strings.Replace(text, "delete: {path: \"/orders/{key.id}\"}", "delete: {method: post, path: \"/orders/{tenant_key}/delete\", body: {json: [\"{key.id}\", \"{tenant_key}/{key.id}\"]}}\n          row: none", 1)

		return text + `
roles:
  open:
    datasets:
      orders:
        insert: {check: {status: {in: [open, odd]}}}
        update: {columns: [status, paid], filter: {status: {eq: open}}, check: {status: {in: [open, sent]}}}
        delete: {filter: {status: {eq: open}}}
  odd:
    datasets:
      orders:
        update: {columns: [status], filter: {status: {eq: odd}}, check: {status: {eq: odd}}}
      customers: {}
`
	})

	p.answerInstead(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method == http.MethodGet {
			return false
		}
		w.Header().Set("Content-Type", "text/plain")
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/delete") {
			delete(p.rows, "1")
			_, _ = io.WriteString(w, "gone")
			return true
		}
		return false
	})
	ann := g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "ann", tenant: "a", scopes: [READ_DATA, WRITE_DATA], roles: ["open", "odd"]}) { token } } }`, "token")
	for _, line := range []struct{ text, want, calls string }{
		{`mutation { updateOrdersByPk(id: "1", set: {status: "odd"}) { id } }`, `null FORBIDDEN: what would be written to orders is not what you may write there`, ""}, // the check of another role
		{`mutation { updateOrdersByPk(id: "1", set: {status: "odd", paid: true}) { id } }`, `null FORBIDDEN: what would be written to orders is not what you may write there`, ""},
		{`mutation { updateOrdersByPk(id: "..", set: {status: "open"}) { id } }`, `{"updateOrdersByPk":null}`, ""}, // the filter of none
		{`mutation { updateOrdersByPk(id: "<&\"'>/ä", set: {status: "odd"}) { id } }`, `{"updateOrdersByPk":{"id":"<&\"'>/ä"}}`, `PATCH /orders/%3C&%22%27%3E%2F%C3%A4 a {"by":"ann","data":{"status":"odd"},"id":"<&\"'>/ä"}`},
		{`mutation { insertOrdersOne(row: {status: "open"}) { id } }`, `null BAD_USER_INPUT: id is missing: the API of orders makes none`, ""},
		{`mutation { insertOrdersOne(row: {id: "50", status: "paid"}) { id } }`, `null FORBIDDEN: what would be written to orders is not what you may write there`, ""},
		{`mutation { insertOrdersOne(row: {id: "50", status: "open"}) { id } }`, `{"insertOrdersOne":{"id":"50"}}`, `POST /orders a {"created_by":"ann","id":"50","status":"open","tenant":"a"}`},
		{`mutation { deleteOrders(where: {id: {in: ["1", "2", ".."]}}) { affected rows { id } } }`, `{"deleteOrders":{"affected":1,"rows":[{"id":"1"}]}}`, `POST /orders/a/delete a ["1","a/1"]`},
	} {
		if got := called(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
		if got := p.said(); got != line.calls {
			t.Errorf("%s\ncalls %s\n want %s", line.text, got, line.calls)
		}
	}
}

// An API that fails again and again is left alone, and what was not sent was not done.
func TestWritesOfAPIsThatFail(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	g := openCalled(t, p, "gateway", "tenant", nil)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	p.answerInstead(func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	for range 5 {
		if got := called(t, g.query(t, ann, `mutation { insertOrdersOne(row: {}) { id } }`)); got != "null UNAVAILABLE: the API of orders failed, and nobody knows whether it wrote the row applied=0 unknown" {
			t.Error(got)
		}
	}
	if calls := strings.Count(p.said(), "POST"); calls != 5 {
		t.Errorf("%d calls", calls)
	}
	program.Soon(t, program.Patience, "what nobody knows is noted so", func() bool {
		answer := g.query(t, g.root, `{ admin { auditLog(filter: {kind: DATA, outcome: "unknown"}) { items { detail } } } }`)
		return strings.Count(answer, `"insert orders`) == 5
	})
	got := called(t, g.query(t, ann, `mutation { insertOrdersOne(row: {}) { id } }`))
	if got != " UNAVAILABLE: the API of orders has failed several times in a row and is left alone for a moment applied=0" || p.said() != "" {
		t.Error(got)
	}
	p.Close()
}

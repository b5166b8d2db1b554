package gateway_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"usher/pgtest"
)

// onceTable is the statement of the manual that makes the table of keys.
func onceTable(t *testing.T) string {
	t.Helper()
	manual, err := os.ReadFile("../docs/writes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(manual), "```sql\nCREATE SCHEMA IF NOT EXISTS usher;\n")
	statements, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the manual has no statement for the table of keys")
	}
	return "CREATE SCHEMA IF NOT EXISTS usher;\n" + statements
}

// once sends a mutation with a key.
func (g writing) once(t *testing.T, token, key, text string, variables map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Idempotency-Key", key)
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, r)
	return plainAnswer(w)
}

func counted(t *testing.T, db pgtest.DB, query string) (n int) {
	t.Helper()
	if err := db.Open(t).QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What has a key is made once, and answered the same to the byte.
func TestMutationsWithKeysAreMadeOnce(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	ann, bob := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), g.keyOf(t, "bob", "b", "READ_DATA, WRITE_DATA")
	const add = `mutation ($n: Decimal) { updateOrders(where: {note: {neq: "x"}}, set: {status: "<&>"}, increment: {amount: $n}) { affected rows { id status amount version } } }`
	const insert = `mutation ($id: BigInt!) { insertBoxesOne(row: {id: $id}) { id } }`
	if got := g.once(t, ann, "k1", insert, map[string]any{"id": 100}); !strings.Contains(got, "NOT_IMPLEMENTED") {
		t.Errorf("without a table for keys: %s", got)
	}
	if n := counted(t, db, `SELECT count(*) FROM boxes`); n != 2 {
		t.Errorf("%d boxes", n)
	}
	db.Exec(t, onceTable(t))
	db.Exec(t, `UPDATE orders SET amount = 1`)
	first := g.once(t, ann, "k1", add, map[string]any{"n": 2.5})
	if !strings.HasPrefix(first, `200 {"data":{"updateOrders":{"affected":1,"rows":[{"id":1,"status":"<&>","amount":3.50,"version":2}]}}}`) {
		t.Fatal(first)
	}
	for range 3 {
		if again := g.once(t, ann, "k1", add, map[string]any{"n": 2.5}); again != first {
			t.Errorf("sent again it is answered\n%s, and was\n%s", again, first)
		}
	}
	for what, got := range map[string]string{
		"other values":         g.once(t, ann, "k1", add, map[string]any{"n": 3}),
		"no values":            g.once(t, ann, "k1", add, nil),
		"another text":         g.once(t, ann, "k1", add+" ", map[string]any{"n": 2.5}),
		"another mutation":     g.once(t, ann, "k1", insert, map[string]any{"id": 100}),
		"numbers written else": plainAnswer(g.ask(t, ann, `{"query": `+quoted(t, add)+`, "variables": {"n": 2.5}, "extensions": {"idempotencyKey": "k1", "numbers": "string"}}`)),
	} {
		if !strings.Contains(got, "CONFLICT") || strings.Contains(got, "affected") {
			t.Errorf("%s: %s", what, got)
		}
	}
	// The key is a tenant's and a subject's, and holds for one's rights.
	if got := g.once(t, bob, "k1", add, map[string]any{"n": 2.5}); !strings.Contains(got, `[{"id":2,"status":"<&>","amount":3.50,"version":2}]`) {
		t.Errorf("the other tenant's is answered %s", got)
	}
	if got := g.once(t, g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA, EXPLAIN"), "k1", add, map[string]any{"n": 2.5}); !strings.Contains(got, "CONFLICT") {
		t.Errorf("with other rights it is answered %s", got)
	}
	if got := plainAnswer(g.ask(t, ann, `{"query": `+quoted(t, add)+`, "variables": {"n": 2.5}, "extensions": {"idempotencyKey": "k1"}}`)); got != first {
		t.Errorf("with the key among the extensions it is answered %s", got)
	}
	// What fails leaves no key, and nothing of it.
	if got := g.once(t, ann, "k2", insert, map[string]any{"id": 2}); !strings.Contains(got, "CONFLICT") {
		t.Error(got)
	}
	db.Exec(t, `DELETE FROM boxes WHERE id = 2`)
	if got := g.once(t, ann, "k2", insert, map[string]any{"id": 2}); got != `200 {"data":{"insertBoxesOne":{"id":2}}}` {
		t.Error(got)
	}
	// Null is an answer.
	const absent = `mutation { updateOrdersByPk(id: 99, set: {note: "n"}) { id } }`
	for range 2 {
		if got := g.once(t, ann, "k3", absent, nil); got != `200 {"data":{"updateOrdersByPk":null}}` {
			t.Error(got)
		}
	}
	// What cannot be kept is not done.
	if got := g.once(t, ann, "k4", `mutation ($d: JSON) { insertOrdersOne(row: {id: 300, doc: $d}) { doc } }`, map[string]any{"d": strings.Repeat("x", 1<<20)}); !strings.Contains(got, "TOO_COMPLEX") {
		t.Errorf("a large answer: %.200s", got)
	}
	if n := counted(t, db, `SELECT count(*) FROM orders WHERE id = 300`); n != 0 {
		t.Error("it was changed all the same")
	}
	// A day later a key is another's, and those of others are gone.
	db.Exec(t, `UPDATE usher.idempotency SET made_at = now() - INTERVAL '25 hours'`)
	if got := g.once(t, ann, "k1", add, map[string]any{"n": 2.5}); !strings.Contains(got, `"amount":6.00`) {
		t.Errorf("a day later it is answered %s", got)
	}
	for what, got := range map[string]string{
		"a key of nothing":     g.once(t, ann, "", absent, nil),
		"a key with spaces":    g.once(t, ann, "a b", absent, nil),
		"a key of 256":         g.once(t, ann, strings.Repeat("k", 256), absent, nil),
		"a key that is null":   plainAnswer(g.ask(t, ann, `{"query": `+quoted(t, absent)+`, "extensions": {"idempotencyKey": null}}`)),
		"a key that is a list": plainAnswer(g.ask(t, ann, `{"query": `+quoted(t, absent)+`, "extensions": {"idempotencyKey": ["k"]}}`)),
		"of the control plane": g.once(t, g.root, "k9", `mutation { admin { createTenant(input: {id: "c"}) { id } } }`, nil),
	} {
		if !strings.Contains(got, "BAD_USER_INPUT") {
			t.Errorf("%s: %s", what, got)
		}
	}
	if got := short(t, g.once(t, ann, "k5", `{ orders(limit: 1) { id } }`, nil)); got != `{"orders":[{"id":1}]}` {
		t.Errorf("a question with a key: %s", got)
	}
	if keys := counted(t, db, `SELECT count(*) FROM usher.idempotency WHERE key IN ('k4', 'k9', 'k5')`); keys != 0 {
		t.Errorf("%d keys of what was not changed", keys)
	}
	if lies := counted(t, db, `SELECT count(*) FROM usher.idempotency i WHERE i::text ~ 'ann|bob'`); lies != 0 {
		t.Error("the table of keys names people")
	}
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	out, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// Many who send the same at once are answered the same, of one change.
func TestOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	db.Exec(t, onceTable(t))
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	answers := make([]string, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			answers[i] = g.once(t, ann, "k", `mutation { insertOrdersOne(row: {id: 50}) { id version } }`, nil)
		})
	}
	all.Wait()
	for _, got := range answers {
		if got != `200 {"data":{"insertOrdersOne":{"id":50,"version":1}}}` {
			t.Error(got)
		}
	}
	if n := counted(t, db, `SELECT count(*) FROM orders WHERE id = 50`); n != 1 {
		t.Errorf("it was made %d times", n)
	}
}

// cutter is between usher and the server. Armed, it lets COMMIT through and cuts the connection
// before the answer.
type cutter struct {
	net.Listener
	server string
	armed  atomic.Bool
}

func newCutter(t *testing.T, db pgtest.DB) *cutter {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, server: fmt.Sprintf("127.0.0.1:%d", db.Port)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", c.server)
			if err != nil {
				_ = client.Close()
				continue
			}
			var cutting atomic.Bool
			go c.requests(client, server, &cutting)
			go answersOf(client, server, &cutting)
		}
	}()
	return c
}

func (c *cutter) requests(client, server net.Conn, cutting *atomic.Bool) {
	defer func() { _ = server.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if bytes.Contains(buf[:n], []byte("COMMIT\x00")) && c.armed.CompareAndSwap(true, false) {
			cutting.Store(true)
		}
		if _, failed := server.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

func answersOf(client, server net.Conn, cutting *atomic.Bool) {
	defer func() { _ = client.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if cutting.Load() { // the server has answered, so it has committed
			return
		}
		if _, failed := client.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

// A connection that is lost after COMMIT leaves the sender in doubt, and the key ends it.
func TestKeysEndDoubts(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables)
	db.Exec(t, onceTable(t))
	cut := newCutter(t, db)
	through := db
	through.Port = cut.Addr().(*net.TCPAddr).Port
	g := openWrittenAs(t, through, func(text string) string { return text })
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	g.query(t, ann, `{ orders { id } }`)
	const add = `mutation { updateOrdersByPk(id: 1, set: {note: "doubt"}, increment: {amount: 1}) { note version } }`
	db.Exec(t, `UPDATE orders SET amount = 1`)
	g.query(t, g.root, `{ admin { configuration { warnings } } }`) // what accounts lack is asked beside, in a transaction that ends, too
	cut.armed.Store(true)
	got := g.once(t, ann, "k", add, nil)
	if !strings.Contains(got, `"data":null`) && !strings.HasPrefix(got, "503") || !strings.Contains(got, `"unknown":true`) || !strings.Contains(got, "UNAVAILABLE") {
		t.Fatalf("the connection was cut after COMMIT: %s", got)
	}
	for range 2 {
		if got := g.once(t, ann, "k", add, nil); got != `200 {"data":{"updateOrdersByPk":{"note":"doubt","version":2}}}` {
			t.Errorf("sent again it is answered %s", got)
		}
	}
	if n := counted(t, db, `SELECT amount::int FROM orders WHERE id = 1 AND tenant = 'a'`); n != 2 {
		t.Errorf("it was made %d times", n-1)
	}
	if got := short(t, g.query(t, ann, `{ orders { note version } }`)); got != `{"orders":[{"note":"doubt","version":2}]}` {
		t.Errorf("kept answers outlive a change of which nobody knows: %s", got)
	}
}

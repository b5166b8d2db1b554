package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/pgtest"
	"usher/test/program"
)

// Whoever writes reads what they wrote, whatever is kept and whoever asks the same meanwhile.
func TestWritersReadTheirOwnWrites(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	db.Exec(t, `INSERT INTO customers SELECT t, n, 'c' FROM generate_series(1, 9) n, unnest(ARRAY['a', 'b']) t ON CONFLICT DO NOTHING`)
	const each, fields = 250, 20 // of four writers: 20,000 changes
	var readers, writers sync.WaitGroup
	var starts []chan struct{}
	for _, tenant := range []string{"a", "b"} {
		watching := g.keyOf(t, "watch", tenant, "READ_DATA")
		begun := make(chan struct{}, 1)
		starts = append(starts, begun)
		readers.Go(func() { // has answers kept, and has them on their way when something is written
			for range begun {
				if got := g.query(t, watching, `{ orders(orderBy: [{id: ASC}]) { id note } }`); !strings.HasPrefix(got, "200") {
					t.Errorf("a reader is answered %s", got)
				}
			}
		})
		for w := range 2 {
			token, first := g.keyOf(t, fmt.Sprint("w", w), tenant, "READ_DATA, WRITE_DATA"), 1000+100*w
			writers.Go(func() {
				for i := range each {
					var rows, updates, wants, reads strings.Builder
					for n := range fields {
						note := fmt.Sprintf("%s-%d-%d", tenant, first+n, i)
						fmt.Fprintf(&rows, "{id: %d, note: %q},", first+n, note)
						fmt.Fprintf(&updates, "m%d: updateOrdersByPk(id: %d, set: {note: %q}) { note } ", n, first+n, note)
						fmt.Fprintf(&wants, `,"m%d":{"note":%q}`, n, note)
						fmt.Fprintf(&reads, `,{"id":%d,"note":%q}`, first+n, note)
					}
					mutation, want := "mutation { "+updates.String()+"}", "{"+wants.String()[1:]+"}"
					if i == 0 {
						mutation, want = "mutation { insertOrders(rows: ["+rows.String()+"]) { affected } }", fmt.Sprintf(`{"insertOrders":{"affected":%d}}`, fields)
					}
					select {
					case begun <- struct{}{}:
					default:
					}
					if got := short(t, g.query(t, token, mutation)); got != want {
						t.Errorf("%s\n got %s", mutation, got)
						return
					}
					if got := g.query(t, token, `{ orders(orderBy: [{id: ASC}]) { id note } }`); !strings.Contains(got, reads.String()[1:]) {
						t.Errorf("after %s is written, one reads %s", reads.String(), got)
						return
					}
				}
			})
		}
	}
	writers.Wait()
	for _, begun := range starts {
		close(begun)
	}
	readers.Wait()
}

// Other gateways of the store forget within a second what was changed through one.
func TestOtherGatewaysForgetWhatIsWritten(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db, store := server.Database(t), server.Database(t)
	db.Exec(t, writtenTables)
	inStore := func(text string) string {
		_, rest, _ := strings.Cut(text, "\n  key:")
		rest = strings.Replace(rest, "filter: {name: {neq: hidden}}", "relations: {orders: {to: orders, many: true, on: {id: customer_id}}}", 1)
		return "control:\n  " + inPostgres(store) + "\n  key:" + rest
	}
	one := openWrittenAs(t, db, inStore)
	two := serveWritten(t, db, inStore)
	ann := one.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	const notes = `{ orders { note } }`
	program.Soon(t, program.Patience, "the other gateway knows the key", func() bool { return strings.HasPrefix(two.query(t, ann, notes), "200") })
	one.query(t, ann, `mutation { updateOrdersByPk(id: 1, set: {note: "new"}) { id } }`)
	forgets := func(want string) {
		t.Helper()
		program.Soon(t, 3*time.Second, "the other gateway forgets", func() bool { return short(t, two.query(t, ann, notes)) == want })
	}
	forgets(`{"orders":[{"note":"new"}]}`)
	if got := short(t, one.query(t, ann, `mutation { insertCustomersOne(row: {id: 9, orders: [{id: 8, note: "nested"}]}) { id } }`)); got != `{"insertCustomersOne":{"id":9}}` {
		t.Fatal(got)
	}
	forgets(`{"orders":[{"note":"new"},{"note":"nested"}]}`)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/import/orders", strings.NewReader("id,note\n9,imported\n"))
	r.Header.Set("Authorization", "Bearer "+ann)
	r.Header.Set("Content-Type", "text/csv")
	answer := httptest.NewRecorder()
	one.Handler().ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		t.Fatal(answer.Body)
	}
	forgets(`{"orders":[{"note":"new"},{"note":"nested"},{"note":"imported"}]}`)
}

// What is written into a table is read anew by way of all datasets that are read from it: by the one who
// wrote at once, at other gateways within a second, and where another column says whose a row is, by everybody.
func TestOtherDatasetsOfATableForget(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db, store := server.Database(t), server.Database(t)
	db.Exec(t, writtenTables)
	db.Exec(t, `ALTER TABLE customers ADD seller text NOT NULL DEFAULT 'b'`)
	edit := func(text string) string {
		_, rest, _ := strings.Cut(text, "\n  key:")
		return "control:\n  " + inPostgres(store) + "\n  key:" + rest + `
  people: {tenant: tenant, cache: 1h, bind: {shop: {table: customers}}, columns: {id: BigInt!, tenant: String!, name: String}}
  sold: {tenant: seller, cache: 1h, bind: {shop: {table: customers}}, columns: {id: BigInt!, seller: String!, name: String}}
`
	}
	one := openWrittenAs(t, db, edit)
	two := serveWritten(t, db, edit)
	ann, bob := one.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), one.keyOf(t, "bob", "b", "READ_DATA")
	const people, sold = `{ people(where: {id: {in: [1, 9]}}) { name } }`, `{ sold(where: {id: {in: [1, 9]}}) { name } }`
	shows := func(g gate, names string) bool {
		rows := `[{"name":"` + strings.ReplaceAll(names, " ", `"},{"name":"`) + `"}]}`
		return short(t, g.query(t, ann, people)) == `{"people":`+rows && short(t, g.query(t, bob, sold)) == `{"sold":`+rows
	}
	program.Soon(t, program.Patience, "the other gateway knows the keys", func() bool { return shows(two, "Ann") })
	imported := func() string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/import/customers", strings.NewReader("id,name\n9,Zoe\n"))
		r.Header.Set("Authorization", "Bearer "+ann)
		r.Header.Set("Content-Type", "text/csv")
		answer := httptest.NewRecorder()
		one.Handler().ServeHTTP(answer, r)
		return answer.Body.String()
	}
	for _, line := range []struct {
		what  string
		write func() string
		names string
	}{
		{"nothing", func() string { return "" }, "Ann"},
		{"an update", func() string {
			return one.query(t, ann, `mutation { updateCustomersByPk(id: 1, set: {name: "Eve"}) { id } }`)
		}, "Eve"},
		{"an import", imported, "Eve Zoe"},
		{"a deletion", func() string { return one.query(t, ann, `mutation { deleteCustomersByPk(id: 9) { id } }`) }, "Eve"},
	} {
		said := line.write()
		if !shows(one.gate, line.names) {
			t.Errorf("after %s (%s) there are %s and %s", line.what, said, one.query(t, ann, people), one.query(t, bob, sold))
		}
		program.Soon(t, 3*time.Second, "the other gateway forgets after "+line.what, func() bool { return shows(two, line.names) })
	}
}

const changesLogged = `{ admin { auditLog(filter: {kind: DATA}) { items { subject tenant actedBy operation datasets source rows outcome detail } } } }`

// A mutation has an entry: who, as whose tenant, what, and how many rows.
func TestMutationsAreAudited(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	db.Exec(t, onceTable(t))
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	g.once(t, ann, "k", `mutation two { insertOrders(rows: [{id: 7, note: "secret"}, {id: 8}]) { affected } deleteOrders(where: {id: {eq: 8}}) { affected } }`, nil)
	g.once(t, ann, "k", `mutation two { insertOrders(rows: [{id: 7, note: "secret"}, {id: 8}]) { affected } deleteOrders(where: {id: {eq: 8}}) { affected } }`, nil)
	g.query(t, ann, `mutation lost { insertOrdersOne(row: {id: 7, note: "secret"}) { id } }`)
	g.query(t, ann, `mutation none { updateOrders(all: false, set: {note: "secret"}) { affected } }`)
	acting := g.text(t, g.root, `mutation { actAs(tenant: "b", reason: "ticket", minutes: 5, write: true) { token } }`, "token")
	g.query(t, acting, `mutation acts { updateOrdersByPk(id: 2, set: {note: "secret"}) { id } }`)
	var answer string
	program.Soon(t, program.Patience, "the entries are written", func() bool {
		answer = g.query(t, g.root, changesLogged)
		return strings.Count(answer, `"operation"`) == 5
	})
	for _, part := range []string{
		`{"subject":"ann","tenant":"a","actedBy":null,"operation":"two","datasets":["orders"],"source":"shop","rows":3,"outcome":"done","detail":"insert orders: 2, delete orders: 1"}`,
		`"operation":"two","datasets":["orders"],"source":"shop","rows":0,"outcome":"done","detail":"made before by the same key: insert orders, delete orders"}`,
		`"operation":"lost","datasets":["orders"],"source":"shop","rows":0,"outcome":"CONFLICT","detail":"insert orders"}`,
		`"operation":"none","datasets":["orders"],"source":null,"rows":0,"outcome":"BAD_USER_INPUT","detail":"update orders"}`,
		`"tenant":"b","actedBy":"`,
		`"operation":"acts","datasets":["orders"],"source":"shop","rows":1,"outcome":"done","detail":"update orders: 1"}`,
	} {
		if !strings.Contains(answer, part) {
			t.Errorf("%s\nlacks %s", answer, part)
		}
	}
	if strings.Contains(answer, "secret") {
		t.Errorf("the log holds a value: %s", answer)
	}
}

// Where the log is strict, nothing is changed of which it cannot be told.
func TestStrictAudit(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db, store := server.Database(t), server.Database(t)
	db.Exec(t, writtenTables)
	db.Exec(t, onceTable(t))
	g := openWrittenAs(t, db, func(text string) string {
		_, rest, _ := strings.Cut(text, "\n  key:")
		return "control:\n  audit: strict\n  " + inPostgres(store) + "\n  key:" + rest
	})
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	const logged = `SELECT string_agg(outcome || ' ' || row_count || ' ' || detail, '; ' ORDER BY id) FROM usher.audit WHERE operation = 'm'`
	said := func() (text string) {
		t.Helper()
		if err := store.Open(t).QueryRowContext(t.Context(), `SELECT coalesce((`+logged+`), '')`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	const update = `mutation m { updateOrdersByPk(id: 1, set: {note: "n"}) { note version } }`
	if got := short(t, g.query(t, ann, update)); got != `{"updateOrdersByPk":{"note":"n","version":2}}` {
		t.Fatal(got)
	}
	if got := said(); got != "intent 1 update orders: 1; done 1 update orders: 1" { // at once
		t.Errorf("the log says %q", got)
	}
	store.Exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''full''; END'`)
	refusing := func(outcome string) {
		t.Helper()
		store.Exec(t, `DROP TRIGGER IF EXISTS refuse ON usher.audit`)
		if outcome != "" {
			store.Exec(t, `CREATE TRIGGER refuse BEFORE INSERT ON usher.audit FOR EACH ROW WHEN (NEW.outcome = '`+outcome+`') EXECUTE FUNCTION refuse()`)
		}
	}
	refusing("intent")
	if got := g.query(t, ann, update); !strings.Contains(got, "UNAVAILABLE") || !strings.Contains(got, "nothing is changed without it") || strings.Contains(got, "applied") {
		t.Errorf("where the intent cannot be noted: %s", got)
	}
	if got := g.once(t, ann, "k", update, nil); !strings.Contains(got, "UNAVAILABLE") {
		t.Errorf("with a key, where the intent cannot be noted: %s", got)
	}
	version := `SELECT version FROM orders WHERE tenant = 'a' AND id = 1`
	if n := counted(t, db, version) + counted(t, db, `SELECT count(*) FROM usher.idempotency`); n != 2 {
		t.Errorf("the version and keys are %d: it was changed all the same", n)
	}
	refusing("done")
	got := g.query(t, ann, update)
	if !strings.Contains(got, "UNAVAILABLE") || !strings.Contains(got, `"applied":true`) || strings.Contains(got, `"version":3`) || counted(t, db, version) != 3 {
		t.Errorf("where the outcome cannot be noted: %s", got)
	}
	refusing("")
	program.Soon(t, program.Patience, "the outcome is noted when it can be", func() bool {
		return strings.HasSuffix(said(), "; intent 1 update orders: 1; done 1 update orders: 1") && strings.Count(said(), "done") == 2
	})
	if got := short(t, g.query(t, ann, `{ orders { version } }`)); got != `{"orders":[{"version":3}]}` {
		t.Errorf("questions are asked %s", got)
	}
	if strings.Contains(got, "Idempotency-Key") || !strings.Contains(got, "Do not make the change again") {
		t.Errorf("without a key it says %s", got)
	}
	refusing("done")
	if got := g.once(t, ann, "j", update, nil); !strings.Contains(got, "UNAVAILABLE") || !strings.Contains(got, "Send the same again with the same Idempotency-Key") {
		t.Errorf("with a key, where the outcome cannot be noted: %s", got)
	}
	refusing("")
	if got := g.once(t, ann, "j", update, nil); !strings.Contains(got, `"version":4`) || counted(t, db, version) != 4 {
		t.Errorf("the same again with its key: %s", got)
	}

	// An import is told of before its first COMMIT, and again when it is over.
	i := importing{writing: g, sql: db.Open(t)}
	i.serve(t)
	imports := func() (text string) {
		t.Helper()
		if err := store.Open(t).QueryRowContext(t.Context(), `SELECT coalesce(string_agg(outcome || ' ' || row_count, '; ' ORDER BY id), '') FROM usher.audit WHERE detail = 'import of csv' AND chain <> ''`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	const file = "id,customer_id\n70,1\n71,1\n"
	if got := i.load(t, ann, "/import/orders?format=csv&batch=1", file); got != `200 {"rows":2}` || imports() != "intent 0; done 2" {
		t.Errorf("an import is answered %s, and told of as %q", got, imports())
	}
	refusing("intent")
	if got := i.load(t, ann, "/import/orders?format=csv", strings.NewReplacer("70", "80", "71", "81").Replace(file)); !strings.HasPrefix(got, "503 ") || !strings.Contains(got, "nothing is changed without it") {
		t.Errorf("an import of which the log cannot be told: %s", got)
	}
	refusing("done")
	if got := i.load(t, ann, "/import/orders?format=csv", strings.NewReplacer("70", "90", "71", "91").Replace(file)); !strings.HasPrefix(got, "503 ") || !strings.Contains(got, "the rows were changed") {
		t.Errorf("an import whose outcome cannot be told: %s", got)
	}
	if got := i.rows(t, `SELECT string_agg(id::text, ' ' ORDER BY id) FROM orders WHERE tenant = 'a' AND id >= 70`); got != "70 71 90 91" {
		t.Errorf("the rows are %s", got)
	}
	refusing("")
}

// Tokens write if who makes them says so, who writes; and saved mutations are run by those
// that run nothing else, with their own rights.
func TestTokensThatWrite(t *testing.T) {
	t.Parallel()
	g, db := openWritten(t)
	writer := g.keyOf(t, "writer", "a", "CREATE_TOKENS, ADMINISTER, READ_DATA, WRITE_DATA")
	reader := g.keyOf(t, "reader", "a", "CREATE_TOKENS, READ_DATA")
	make := func(minter, rest string) string {
		t.Helper()
		return g.text(t, minter, `mutation { createToken(input: {subject: "page", `+rest+`}) { token } }`, "token")
	}
	const update = `mutation { updateOrdersByPk(id: 1, set: {note: "n"}) { created_by note } }`
	const none = "GRAPHQL_VALIDATION_FAILED"
	for _, rest := range []string{`savedOnly: false`, `write: false`} {
		if got := g.query(t, make(writer, rest), update); !strings.Contains(got, none) {
			t.Errorf("a token with %s writes: %s", rest, got)
		}
	}
	page := make(writer, `write: true`)
	if got := short(t, g.query(t, page, update)); got != `{"updateOrdersByPk":{"created_by":null,"note":"n"}}` {
		t.Errorf("a token that writes is answered %s", got)
	}
	for what, got := range map[string]string{
		"who reads hands on writing":   g.query(t, reader, `mutation { createToken(input: {subject: "page", write: true}) { token } }`),
		"who reads narrows to writing": g.query(t, reader, `mutation { narrowToken(input: {write: true}) { token } }`),
		"null":                         g.query(t, writer, `mutation { createToken(input: {subject: "page", write: null}) { token } }`),
	} {
		if !strings.Contains(got, "FORBIDDEN") && what != "null" || strings.Contains(got, `"token":"`) {
			t.Errorf("%s: %s", what, got)
		}
	}
	narrow := func(rest string) string {
		t.Helper()
		return g.text(t, writer, `mutation { narrowToken(input: {`+rest+`}) { token } }`, "token")
	}
	if got := g.query(t, narrow(`name: "less"`), update); !strings.Contains(got, none) {
		t.Errorf("a narrowed token writes unasked: %s", got)
	}
	if got := short(t, g.query(t, narrow(`name: "all", write: true`), update)); got != `{"updateOrdersByPk":{"created_by":null,"note":"n"}}` {
		t.Errorf("a narrowed token that writes is answered %s", got)
	}
	if got := g.query(t, narrow(`write: true, datasets: ["customers"]`), update); !strings.Contains(got, none) {
		t.Errorf("a narrowed token writes what it does not reach: %s", got)
	}
	// Saved mutations.
	g.text(t, writer, `mutation { createSavedQuery(input: {name: "note", ofTenant: true, document: "mutation ($n: String) { updateOrdersByPk(id: 1, set: {note: $n}) { note } }"}) { id } }`, "id")
	if got := g.query(t, g.keyOf(t, "adm", "a", "ADMINISTER, READ_DATA"), `mutation { createSavedQuery(input: {name: "x", ofTenant: true, document: "mutation { deleteOrders(all: true) { affected } }"}) { id } }`); !strings.Contains(got, `"errors"`) {
		t.Errorf("who does not write saves a mutation for others: %s", got)
	}
	run := func(token, note string) string {
		t.Helper()
		return short(t, plainAnswer(g.ask(t, token, `{"extensions": {"savedQuery": {"name": "note"}}, "variables": {"n": "`+note+`"}}`)))
	}
	only := make(writer, `write: true, savedOnly: true`)
	if got := run(only, "saved"); got != `{"updateOrdersByPk":{"note":"saved"}}` {
		t.Errorf("a saved mutation is answered %s", got)
	}
	if got := g.query(t, only, update); !strings.Contains(got, "FORBIDDEN") {
		t.Errorf("a token for saved queries writes what it likes: %s", got)
	}
	for what, token := range map[string]string{
		"that reads": make(writer, `savedOnly: true`), "that does not reach it": make(writer, `write: true, savedOnly: true, datasets: ["boxes"]`),
		"of the acting who read": g.text(t, g.root, `mutation { actAs(tenant: "a", reason: "r", minutes: 5) { token } }`, "token"),
	} {
		if got := run(token, "never"); !strings.Contains(got, none) {
			t.Errorf("a token %s runs the saved mutation: %s", what, got)
		}
	}
	if got := run(make(writer, `write: true, savedOnly: true, filters: [{dataset: "orders", where: {id: {neq: 1}}}]`), "never"); got != `{"updateOrdersByPk":null}` {
		t.Errorf("a token that does not see the row is answered %s", got)
	}
	acting := g.text(t, g.root, `mutation { actAs(tenant: "a", reason: "r", minutes: 5, write: true) { token } }`, "token")
	if got := run(acting, "acted"); got != `{"updateOrdersByPk":{"note":"acted"}}` {
		t.Errorf("who acts and writes is answered %s", got)
	}
	if n := counted(t, db, `SELECT count(*) FROM orders WHERE note IN ('acted', 'theirs')`); n != 2 {
		t.Errorf("%d rows are as they should be", n)
	}
}

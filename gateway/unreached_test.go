package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// Two sources: the strategy's, which is a server that is not there yet, and a
// file of common rows. What only the server can say is the enum of orders, all
// of events, and a foreign key of orders.
const outage = `
server: {numbers: exact}
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant, filters: /f, datasets: /d}}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}
  atlas: {kind: duckdb, path: atlas.duckdb}
strategies: {all: {kind: shared, source: shop}}
datasets:
  orders:
    tenant: tenant
    key: id
    columns: {id: BigInt!, tenant: String!, state: {type: Enum}, customer: BigInt}
    relations: {shopper: {to: customers, on: {customer: id}}}
  customers: {tenant: tenant, key: id, columns: {id: BigInt!, tenant: String!, name: String}}
  events: {tenant: tenant}
  countries: {common: true, source: atlas, columns: {code: String, name: String}, relations: {events: {to: events, many: true, on: {code: country}}}}
`

// tokenOf is a token of tenant a, with more claims.
func tokenOf(t *testing.T, more string) string {
	t.Helper()
	return program.Sign(t, `{"tenant": "a"`+more+`}`)
}

// gap is a server that is there only while it is open.
type gap struct {
	port int
	to   string
}

func newGap(t *testing.T, db pgtest.DB) *gap {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return &gap{port: listener.Addr().(*net.TCPAddr).Port, to: net.JoinHostPort(db.Host, fmt.Sprint(db.Port))}
}

func (g *gap) open(t *testing.T) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", g.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := new(net.Dialer).DialContext(t.Context(), "tcp", g.to)
			if err != nil {
				_ = from.Close()
				continue
			}
			go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
			go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
		}
	}()
}

func openOutage(t *testing.T, server *gap, db pgtest.DB, text string) *gateway.Gateway {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "atlas.duckdb"), "CREATE TABLE countries AS SELECT 'de' AS code, 'Germany' AS name")
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, text, server.port, db.Name, db.User), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// operators asks the listener of those who run usher.
func operators(t *testing.T, g *gateway.Gateway, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	g.AdminHandler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return fmt.Sprintf("%d %s", w.Code, w.Body)
}

// A source that cannot be reached when usher starts is its datasets' matter and
// nobody else's; when it is there, it is served without a restart.
func TestStartWithASourceDown(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TYPE state AS ENUM ('open', 'paid');
		CREATE TABLE customers (id bigint PRIMARY KEY, tenant text NOT NULL, name text);
		CREATE TABLE orders (id bigint PRIMARY KEY, tenant text NOT NULL, state state, customer bigint REFERENCES customers);
		CREATE TABLE events (id bigint PRIMARY KEY, tenant text NOT NULL, country text);
		INSERT INTO customers VALUES (1, 'a', 'Ann'), (2, 'b', 'Bob');
		INSERT INTO orders VALUES (10, 'a', 'open', 1), (20, 'b', 'paid', 2);
		INSERT INTO events VALUES (7, 'a', 'de'), (8, 'b', 'de')`)
	server := newGap(t, db)
	g := openOutage(t, server, db, outage)
	token := tokenOf(t, "")
	narrow := tokenOf(t, `, "d": ["events"]`)
	filtered := tokenOf(t, `, "f": [{"dataset": "events", "where": {"id": {"eq": 7}}}]`)
	ask := func(token, text string) string { return gate{g}.query(t, token, text) }

	questions := map[string]string{ // what the file says all of, what it does not, and what leads there
		`{ customers { name } }`:                         `{"data":{"customers":[{"name":"Ann"}]}}`,
		`{ orders { id state shopper { name } } }`:       `{"data":{"orders":[{"id":10,"state":"open","shopper":{"name":"Ann"}}]}}`,
		`{ events { id } }`:                              `{"data":{"events":[{"id":7}]}}`,
		`{ eventsByPk(id: 7) { country } }`:              `{"data":{"eventsByPk":{"country":"de"}}}`,
		`{ countries { events { id } } }`:                `{"data":{"countries":[{"events":[{"id":7}]}]}}`,
		`{ customers { name ordersByCustomer { id } } }`: ``, // the name of the foreign key's relation is the server's
	}
	for text := range questions {
		if got := ask(token, text); !strings.HasPrefix(got, "503 ") || !strings.Contains(got, `"UNAVAILABLE"`) || !strings.Contains(got, `"retryAfter"`) {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, who := range []string{narrow, filtered} { // what they say of events is nothing to others
		if got := ask(who, `{ events { id } }`); !strings.HasPrefix(got, "503 ") {
			t.Errorf("a token that grants what is not known: %s", got)
		}
	}
	if got := ask(narrow, `{ countries { name } }`); !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
		t.Errorf("a token that grants something else: %s", got)
	}
	if got, want := ask(filtered, `{ countries { name } }`), `200 {"data":{"countries":[{"name":"Germany"}]}}`; got != want {
		t.Errorf("a token that filters something else: %s", got)
	}
	if got, want := ask(token, `{ countries { name } }`), `200 {"data":{"countries":[{"name":"Germany"}]}}`; got != want {
		t.Errorf("the source that is there: %s", got)
	}
	if got := ask(token, `{ countries { nme } }`); !strings.HasPrefix(got, "400 ") && !strings.HasPrefix(got, "200 ") || !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
		t.Errorf("a mistake in what is known: %s", got)
	}
	if got, want := ask(token, `{ countries { name } customers { name } }`), `{"data":{"countries":[{"name":"Germany"}],"customers":null}`; !strings.Contains(got, want[:len(want)-1]) {
		t.Errorf("both at once: %s", got)
	}
	importing := func(dataset string) string {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/import/"+dataset, strings.NewReader("id\n1\n"))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "text/csv")
		g.Handler().ServeHTTP(w, r)
		return fmt.Sprintf("%d %s", w.Code, w.Body)
	}
	if got := importing("events"); !strings.HasPrefix(got, "503 ") || !strings.Contains(got, `"retryAfter"`) {
		t.Errorf("an import into what is left out: %s", got)
	}
	if got := importing("nothing"); !strings.HasPrefix(got, "404 ") {
		t.Errorf("an import into what is not: %s", got)
	}
	if got := ask(token, `{ table(query: {dataset: "events", columns: ["id"]}) { rows } }`); !strings.Contains(got, `"UNAVAILABLE"`) || !strings.Contains(got, `"retryAfter"`) {
		t.Errorf("a table of what is left out: %s", got)
	}
	if got := ask(token, `{ table(query: {dataset: "nothing", columns: ["id"]}) { rows } }`); !strings.Contains(got, `"NOT_FOUND"`) {
		t.Errorf("a table of what is not: %s", got)
	}
	ready := operators(t, g, "/health/ready")
	for _, want := range []string{
		`200 {"status":"ready","unreached":["shop"],"left_out":{"events":"`, ":16:3: datasets.events: list its `columns`; no database that was asked describes them",
		`"orders":"`, "datasets.orders.columns.state.labels: are missing, and no database that was asked says them",
	} {
		if !strings.Contains(ready, want) || strings.Contains(ready, "customers") {
			t.Errorf("readiness: %s\nwant %s", ready, want)
		}
	}
	if got, want := operators(t, g, "/health/sources"), `503 {"status":"unreached","unreached":["shop"]}`; got != want {
		t.Errorf("the sources: %s", got)
	}
	if got := operators(t, g, "/metrics"); !strings.Contains(got, `usher_source_unreached{source="shop"} 1`) || !strings.Contains(got, `usher_source_unreached{source="atlas"} 0`) {
		t.Error("the metrics do not tell")
	}

	server.open(t)
	await(t, func() bool { return len(g.Unreached()) == 0 })
	for text, want := range questions {
		if got := ask(token, text); want != "" && got != "200 "+want {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := ask(narrow, `{ events { id } }`); got != `200 {"data":{"events":[{"id":7}]}}` {
		t.Errorf("the token that grants it: %s", got)
	}
	if got, want := operators(t, g, "/health/ready"), `200 {"status":"ready"}`; got != want {
		t.Errorf("readiness: %s", got)
	}
	if got, want := operators(t, g, "/health/sources"), `200 {"status":"reached"}`; got != want {
		t.Errorf("the sources: %s", got)
	}
}

// await waits until something is so, for as long as it may take.
func await(t *testing.T, is func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !is() {
		select {
		case <-deadline:
			t.Fatal("it does not come to be so")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// What a source turns out to hold is judged as at the start: without the tenant
// column a table is not served, though the file says that there is one. That is the
// matter of this dataset, and of what leads there: the others are served.
func TestASourceThatDiffersWhenItComes(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `
		CREATE TABLE customers (id bigint PRIMARY KEY, name text);
		CREATE TABLE orders (id bigint PRIMARY KEY, tenant text NOT NULL, state text, customer bigint);
		CREATE TABLE events (id bigint PRIMARY KEY, tenant text NOT NULL, country text);
		INSERT INTO customers VALUES (1, 'Ann');
		INSERT INTO orders VALUES (10, 'a', 'open', 1), (20, 'b', 'open', 1);
		INSERT INTO events VALUES (7, 'a', 'de'), (8, 'b', 'de')`)
	server := newGap(t, db)
	g := openOutage(t, server, db, strings.Replace(outage, "{type: Enum}", "String", 1))
	token := tokenOf(t, "")
	server.open(t)
	await(t, func() bool { return len(g.Unreached()) == 0 })
	for _, text := range []string{`{ customers { name } }`, `{ customersByPk(id: 1) { name } }`, `{ orders { shopper { name } } }`} {
		got := (gate{g}).query(t, token, text)
		if !strings.HasPrefix(got, "503 ") || strings.Contains(got, "Ann") || strings.Contains(got, "retryAfter") || !strings.Contains(got, "does not fit what its source holds") {
			t.Errorf("%s: %s", text, got)
		}
	}
	for text, want := range map[string]string{
		`{ events { id } }`: `200 {"data":{"events":[{"id":7}]}}`, `{ orders { id } }`: `200 {"data":{"orders":[{"id":10}]}}`, `{ countries { name } }`: `200 {"data":{"countries":[{"name":"Germany"}]}}`,
	} {
		if got := (gate{g}).query(t, token, text); got != want {
			t.Errorf("%s of the same source, or another: %s", text, got)
		}
	}
	if got := operators(t, g, "/health/ready"); !strings.Contains(got, `"unfit":{"customers":"`) || !strings.Contains(got, "tenant") || strings.Contains(got, "unreached") {
		t.Errorf("operators are told: %s", got)
	}
	db.Exec(t, `ALTER TABLE customers ADD tenant text NOT NULL DEFAULT 'a'`)
	await(t, func() bool { return len(g.Unfit()) == 0 })
	if got, want := (gate{g}).query(t, token, `{ customers { name } }`), `200 {"data":{"customers":[{"name":"Ann"}]}}`; got != want {
		t.Errorf("when it is mended: %s", got)
	}
}

// A file that comes later is a source that comes later.
func TestAFileThatComesLater(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(`
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant, filters: /f, datasets: /d}}
sources: {shop: {kind: duckdb, path: shop.duckdb}}
strategies: {all: {kind: shared, source: shop}}
datasets: {notes: {tenant: tenant}}
`), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	token := tokenOf(t, "")
	if got := (gate{g}).query(t, token, `{ notes { text } }`); !strings.HasPrefix(got, "503 ") {
		t.Errorf("before: %s", got)
	}
	program.MakeDuckDB(t, filepath.Join(dir, "made.duckdb"), `CREATE TABLE notes AS SELECT * FROM (VALUES ('a', 'mine'), ('b', 'theirs')) n(tenant, text)`)
	if err := os.Rename(filepath.Join(dir, "made.duckdb"), filepath.Join(dir, "shop.duckdb")); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return len(g.Unreached()) == 0 })
	if got, want := (gate{g}).query(t, token, `{ notes { text } }`), `200 {"data":{"notes":[{"text":"mine"}]}}`; got != want {
		t.Errorf("after: %s", got)
	}
}

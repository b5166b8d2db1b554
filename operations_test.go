package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"usher/admit"
	"usher/auth"
	"usher/build"
	"usher/catalog"
	"usher/cli"
	"usher/datasource"
	"usher/datasource/upstream"
	"usher/gateway"
	"usher/graph/transport"
	"usher/logsink"
	"usher/pgtest"
	"usher/plugin"
	"usher/quota"
	"usher/resolvers"
	"usher/stage"
	"usher/test/program"
	"usher/trace/otlp"
	"usher/webhook"
)

// hookSecret signs the calls that tell of changes.
const hookSecret = "CANARY-hook-secret-of-32-bytes-or-more"

// office is a gateway with sources of every kind, watched by its operators.
// Whatever must not be told of it begins with CANARY.
type office struct {
	*program.Running
	admin string        // where its operators look
	down  *atomic.Bool  // the API fails
	sold  *atomic.Int64 // rows that the API has
	asked *atomic.Value // string: all of the last call to the API
}

const officeConfig = `
server: {admin_listen: "127.0.0.1:0", profile_rates: {mutex: 3, block: 1ms}}
issuers:
  tests:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    claims: {tenant: /tenant, roles: /roles, filters: /filters, parameters: /parameters, strategy: /strategy, metadata: /metadata}
    may_grant: {roles: [buyer], parameters: [channel], strategies: [shared, own, rest, broker], metadata: [key], explain: true}
  plain:
    issuer: plain
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    claims: {tenant: /tenant}
tenants:
  acme:
    key: CANARY-key
    accounts: {own: {user: $user, password: {file: pg}}}
parameters:
  channel: {type: String, default: web}
roles:
  buyer: {datasets: {orders: {filter: {region: {neq: CANARY-role}}, aggregate: true}, products: {}}}
sources:
  main: {kind: postgres, host: 127.0.0.1, port: $port, database: $database, user: $user, password: {file: pg}, sslmode: disable, webhook: {secret: {file: hook}}}
  own: {kind: postgres, host: 127.0.0.1, port: $port, database: $database, user: nobody, password: {file: pg}, sslmode: disable, template: true}
  files: {kind: duckdb, path: files.duckdb}
  rest:
    kind: api
    base_url: $rest
    allow_private: true
    isolation: upstream
    headers: {X-Key: "{metadata.key}", X-Fixed: {file: fixed}}
    query: {account: "{tenant_key}"}
    rows: /data
    stale_if_error: 5m
    webhook: {secret: {file: hook}}
    pushdown: {filters: {tenant: [eq], region: [eq, in], product_id: [in]}, limit: limit, order: sort}
  broker:
    kind: api
    protocol: plugin
    base_url: $broker
    allow_private: true
    isolation: gateway
    secret: {file: fixed}
    plugin: {protocol_version: "3.0.0", pushdown: true}
    properties: {Token: "{metadata.key}"}
strategies:
  shared: {kind: shared, source: main}
  own: {kind: database, source: own}
  rest: {kind: api, source: rest}
  broker: {kind: api, source: broker}
default_strategy: shared
datasets:
  orders:
    tenant: tenant
    key: id
    columns: {id: BigInt!, tenant: String!, region: String!, channel: String!, product_id: BigInt!, total: Int!}
    relations:
      product: {to: products, on: {product_id: id}}
    filter: {channel: {neq: $channel}}
    cache: 1m
    bind:
      main: {table: orders}
      own: {table: orders}
      rest: {path: "/tenants/{tenant}/orders"}
      broker: {dataset: shop.orders}
  products:
    common: true
    source: files
    key: id
    columns: {id: BigInt!, name: String!}
    relations: {}
`

func openOffice(t *testing.T) *office {
	t.Helper()
	return openOfficeIn(t, program.NoEnv, pgtest.Start(t).Database(t), officeConfig)
}

func openOfficeIn(t *testing.T, env func(string) (string, bool), db pgtest.DB, text string) *office {
	t.Helper()
	const rows = `(1, 'CANARY-key', 'EU', 'app', 7, 10), (2, 'CANARY-key', 'US', 'app', 8, 20), (3, 'other', 'EU', 'app', 7, 30)`
	db.Exec(t, `CREATE TABLE orders (id bigint PRIMARY KEY, tenant text NOT NULL, region text NOT NULL, channel text NOT NULL, product_id bigint NOT NULL, total int NOT NULL);
INSERT INTO orders VALUES `+rows)
	o := &office{down: &atomic.Bool{}, sold: &atomic.Int64{}, asked: &atomic.Value{}}
	o.sold.Store(2)
	rest := httptest.NewServer(http.HandlerFunc(o.serveREST))
	t.Cleanup(rest.Close)
	brokered, err := plugin.Handler(stall{}, plugin.Options{Secret: "CANARY-fixed-secret"})
	if err != nil {
		t.Fatal(err)
	}
	broker := httptest.NewServer(brokered)
	t.Cleanup(broker.Close)

	dir := t.TempDir()
	for name, text := range map[string]string{"secret": program.Secret, "pg": db.Password, "hook": hookSecret, "fixed": "CANARY-fixed-secret"} {
		program.WriteFile(t, filepath.Join(dir, name), text)
	}
	program.MakeDuckDB(t, filepath.Join(dir, "files.duckdb"), `CREATE TABLE products (id BIGINT NOT NULL, name VARCHAR NOT NULL); INSERT INTO products VALUES (7, 'bean'), (8, 'corn')`)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, os.Expand(text, func(name string) string {
		if name == "channel" {
			return "$channel"
		}
		return map[string]string{
			"user": db.User, "port": fmt.Sprint(db.Port), "database": db.Name, "rest": rest.URL, "broker": broker.URL,
		}[name]
	}))
	o.Running = program.StartIn(t, env, "serve", "-c", config, "--listen", "127.0.0.1:0")
	at := regexp.MustCompile(`metrics at (http://\S+)/metrics`).FindStringSubmatch(o.Stdout.String())
	if at == nil {
		t.Fatalf("no listener for operators: %s", o.Stdout)
	}
	o.admin = at[1]
	return o
}

func (o *office) serveREST(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	o.asked.Store(fmt.Sprint(r.URL, r.Header, string(body)))
	if o.down.Load() {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	var rows []string
	for i := range o.sold.Load() {
		rows = append(rows, fmt.Sprintf(`{"id":%d,"tenant":"CANARY-key","region":"EU","channel":"app","product_id":%d,"total":%d}`, i+1, 7+i%2, 10*(i+1)))
	}
	fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(rows, ","))
}

// stall is a plugin with two orders.
type stall struct{}

var stallOrders = plugin.Dataset{ID: "shop.orders", Columns: []plugin.DatasetColumn{
	{ID: "id", Type: plugin.Numeric},
	{ID: "tenant", Type: plugin.Hierarchy},
	{ID: "region", Type: plugin.Hierarchy},
	{ID: "channel", Type: plugin.Hierarchy},
	{ID: "product_id", Type: plugin.Numeric},
	{ID: "total", Type: plugin.Numeric},
}}

func (stall) Datasets(context.Context, plugin.Caller) ([]plugin.Dataset, error) {
	return []plugin.Dataset{stallOrders}, nil
}

func (stall) Query(_ context.Context, q plugin.Query, rows *plugin.Rows) error {
	columns, err := q.Of(stallOrders)
	if err != nil {
		return err
	}
	for i := range 2 {
		row := map[string]any{"id": i + 1, "tenant": "CANARY-key", "region": "EU", "channel": "app", "product_id": 7 + i, "total": 10 * (i + 1)}
		cells := make([]any, len(columns))
		for j, c := range columns {
			cells[j] = row[c.ID]
		}
		if err := rows.Write(cells...); err != nil {
			return err
		}
	}
	return nil
}

// claims are those of a buyer, with everything that must not be told.
func claims(strategy string) string {
	return `{"tenant": "acme", "roles": ["buyer"], "strategy": "` + strategy + `", "metadata": {"key": "CANARY-metadata"}, "parameters": {"channel": "CANARY-parameter"},
		"filters": [{"dataset": "orders", "where": {"region": {"notIn": ["CANARY-filter", "CANARY-list"]}}}]}`
}

// reply is an answer in its parts.
type reply struct {
	Data       json.RawMessage
	Errors     []struct{ Extensions struct{ Code string } }
	Extensions struct {
		Explain json.RawMessage
		Stale   []struct {
			Path []string
			AsOf time.Time
		}
		Cache []struct{ Path []string }
	}
}

func (o *office) ask(t *testing.T, claims, query, extensions string) reply {
	t.Helper()
	asked, err := json.Marshal(map[string]any{"query": query, "extensions": json.RawMessage(extensions)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.Base+"/graphql", bytes.NewReader(asked))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+program.Sign(t, claims))
	_, body := program.Fetch(t, r)
	var out reply
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return out
}

// told is what an explanation says, as far as the tests look at it.
type told struct {
	Path     []string
	Strategy string
	How      string
	With     []string
	Targets  []struct{ Source, Kind string }
	Levels   []struct {
		Where      string
		References []struct {
			Dataset, Source, Confined string
			Scope                     []string
		}
	}
	Steps []struct {
		Source, Dataset, SQL string
		Call                 *struct {
			Method, Path, OrderBy string
			Filters               []string
			Limited               bool
		}
		Rows int
	}
	Rows              int
	Cached, Coalesced bool
	Timings           map[string]float64
}

func (r reply) explained(t *testing.T) []told {
	t.Helper()
	var out []told
	if len(r.Errors) > 0 || json.Unmarshal(r.Extensions.Explain, &out) != nil {
		t.Fatalf("errors %v, explanation %s", r.Errors, r.Extensions.Explain)
	}
	return out
}

// TestExplain: every strategy tells how it answered, and nothing else.
func TestExplain(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const list, related, tiles = `{ orders(where: {region: {neq: "CANARY-where"}}, limit: 5) { id } }`,
		`{ orders(where: {product: {name: {neq: "CANARY-where"}}}) { id product { name } } }`,
		`{ a: ordersAggregate { count } b: ordersAggregate { key { region } total { sum } } }`
	const shown = `{ orders { id product { name } } }`
	for _, c := range []struct{ strategy, query, how, confined, source string }{
		{"shared", list, "one statement", "by tenant column", "main"},
		{"shared", tiles, "one statement", "by tenant column", "main"},
		{"shared", shown, "one statement, and columns of other sources looked up by key", "by tenant column", "main"},
		{"shared", related, "combined in the embedded engine", "by tenant column", "main"},
		{"own", list, "one statement", "by tenant column", "own"},
		{"rest", list, "combined in the embedded engine", "by upstream", "rest"},
		{"rest", related, "combined in the embedded engine", "by upstream", "rest"},
		{"broker", list, "combined in the embedded engine", "by tenant column", "broker"},
	} {
		name := c.strategy + " " + c.query
		plain := o.ask(t, claims(c.strategy), c.query, `{}`)
		got := o.ask(t, claims(c.strategy), c.query, `{"explain": true}`)
		if !bytes.Equal(plain.Data, got.Data) || plain.Extensions.Explain != nil {
			t.Errorf("%s: answered %s with an explanation and %s without", name, got.Data, plain.Data)
		}
		for _, word := range []string{"canary", "127.0.0.1", "localhost", "postgres://", "http:", "nobody", strings.ToLower(program.Secret)} {
			if strings.Contains(strings.ToLower(string(got.Extensions.Explain)), word) {
				t.Errorf("%s: %q is told: %s", name, word, got.Extensions.Explain)
			}
		}
		explained := got.explained(t)
		for i, e := range explained {
			first := e.Levels[0].References[0]
			switch {
			case e.Strategy != c.strategy || !strings.HasPrefix(e.How, c.how) || e.Targets[0].Source != c.source:
				t.Errorf("%s: %+v", name, e)
			case first.Dataset != "orders" || first.Source != c.source || !strings.HasPrefix(first.Confined, c.confined+":"):
				t.Errorf("%s: the reference is %+v", name, first)
			case len(first.Scope) < 4 || !strings.Contains(strings.Join(first.Scope, " "), "(t0.tenant = ?)"):
				t.Errorf("%s: the scope is %q", name, first.Scope)
			case len(e.Steps) == 0 || e.Rows == 0 || e.Timings["source"] <= 0 && !e.Cached:
				t.Errorf("%s: %+v", name, e)
			}
			if len(explained) > 1 && !slices.Equal(e.With, []string{[]string{"b", "a"}[i]}) {
				t.Errorf("%s: with %q", name, e.With)
			}
		}
	}
	t.Run("steps", func(t *testing.T) {
		call := o.ask(t, claims("rest"), related, `{"explain": true}`).explained(t)[0].Steps[0]
		if call.Call == nil || call.Call.Method != "GET" || call.Call.Path != "/tenants/{tenant}/orders" || !slices.Equal(call.Call.Filters, []string{"tenant eq"}) {
			t.Errorf("the call is %+v", call.Call)
		}
		if asked := o.asked.Load().(string); strings.Count(asked, "CANARY-") < 4 {
			t.Errorf("the API was not sent what must not be told: %s", asked)
		}
		for _, s := range o.ask(t, claims("broker"), list, `{"explain": true}`).explained(t)[0].Steps {
			if s.Call != nil && (s.Call.Method != "POST" || s.Call.Path != "/query" || !slices.Contains(s.Call.Filters, "tenant in")) {
				t.Errorf("the call is %+v", s.Call)
			}
		}
		statement := o.ask(t, claims("own"), list, `{"explain": true}`).explained(t)[0].Steps[0]
		if statement.Source != "own" || !strings.Contains(statement.SQL, "$1") || statement.Rows != 2 {
			t.Errorf("the statement is %+v", statement)
		}
		looked := o.ask(t, claims("shared"), shown, `{"explain": true}`).explained(t)[0].Steps
		if len(looked) != 2 || looked[1].Source != "files" || looked[1].Dataset != "products" || looked[1].Rows != 2 {
			t.Errorf("looked up by %+v", looked)
		}
		kept := o.ask(t, claims("shared"), list, `{"explain": true}`).explained(t)[0]
		if !kept.Cached || !strings.Contains(kept.Steps[0].SQL, "$1") {
			t.Errorf("a kept answer is %+v", kept)
		}
	})
	t.Run("a table", func(t *testing.T) {
		got := o.ask(t, claims("shared"), `{ table(query: {dataset: "orders", columns: ["id"]}) { rows } }`, `{"explain": true}`).explained(t)
		if len(got) != 1 || !slices.Equal(got[0].Path, []string{"table"}) || got[0].Rows != 2 || len(got[0].Steps) != 1 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("refused", func(t *testing.T) {
		plain := `{"iss": "plain", "tenant": "acme"}`
		for extensions, code := range map[string]string{`{"explain": true}`: "FORBIDDEN", `{"explain": "yes"}`: "BAD_USER_INPUT", `{"explain": false}`: "", `{"explain": null}`: "", `{}`: ""} {
			got := o.ask(t, plain, `{ authenticated }`, extensions)
			switch {
			case code == "" && (len(got.Errors) > 0 || got.Data == nil), code != "" && (len(got.Errors) != 1 || got.Errors[0].Extensions.Code != code || got.Data != nil):
				t.Errorf("%s: %s %v", extensions, got.Data, got.Errors)
			}
			if got.Extensions.Explain != nil {
				t.Errorf("%s is explained", extensions)
			}
		}
	})
}

// TestStaleAnswers: an API that dies is stood in for, the answer says so, and a
// change that is told ends it.
func TestStaleAnswers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const query = `{ fine: authenticated orders { id product { name } } table(query: {dataset: "orders", columns: ["id"]}) { rows } }`
	began := time.Now().Add(-time.Second)
	if got := o.ask(t, claims("rest"), query, `{}`); len(got.Errors) > 0 || got.Extensions.Stale != nil {
		t.Fatalf("%s %v", got.Data, got)
	}
	o.down.Store(true)
	got := o.ask(t, claims("rest"), query, `{"explain": true}`)
	if len(got.Errors) > 0 || len(got.Extensions.Stale) != 2 {
		t.Fatalf("%s %+v", got.Data, got)
	}
	for i, at := range []string{"orders", "table"} {
		stale := got.Extensions.Stale[i]
		if !slices.Equal(stale.Path, []string{at}) || stale.AsOf.Before(began) || stale.AsOf.After(time.Now()) {
			t.Errorf("stale: %+v", stale)
		}
	}
	if !bytes.Contains(got.Extensions.Explain, []byte(`"asOf":"20`)) {
		t.Errorf("the explanation does not say so: %s", got.Extensions.Explain)
	}
	o.tell(t, "rest", `{"dataset": "orders", "tenants": null}`, nil, http.StatusNoContent)
	if got := o.ask(t, claims("rest"), query, `{}`); len(got.Errors) != 2 || got.Errors[0].Extensions.Code != "UNAVAILABLE" {
		t.Errorf("after a change: %s %+v", got.Data, got)
	}
}

// tell posts a change as a source does.
func (o *office) tell(t *testing.T, source, body string, forge func(http.Header), want int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.Base+"/hooks/"+source, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	timestamp, signature := webhook.Sign([]byte(hookSecret), time.Now(), []byte(body))
	r.Header.Set(webhook.TimestampHeader, timestamp)
	r.Header.Set(webhook.SignatureHeader, signature)
	if forge != nil {
		forge(r.Header)
	}
	if status, answer := program.Fetch(t, r); status != want {
		t.Errorf("%s is told %s: %d %s", source, body, status, answer)
	}
}

// TestChangesAreForgotten: a signed call makes kept answers old, and no other
// does.
func TestChangesAreForgotten(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	kept := func() bool {
		t.Helper()
		got := o.ask(t, claims("shared"), `{ orders { id } }`, `{"explain": true}`)
		if len(got.Extensions.Cache) != 1 {
			t.Fatalf("%+v", got)
		}
		return got.explained(t)[0].Cached
	}
	const acme = `{"dataset": "orders", "tenants": ["acme"]}`
	if kept() || !kept() {
		t.Fatal("answers are not kept")
	}
	o.tell(t, "main", acme, func(h http.Header) { h.Del(webhook.SignatureHeader) }, http.StatusUnauthorized)
	o.tell(t, "main", acme, func(h http.Header) {
		_, signature := webhook.Sign([]byte("another secret"), time.Now(), []byte(acme))
		h.Set(webhook.SignatureHeader, signature)
	}, http.StatusUnauthorized)
	o.tell(t, "main", acme, func(h http.Header) { // of yesterday, signed then
		timestamp, signature := webhook.Sign([]byte(hookSecret), time.Now().Add(-24*time.Hour), []byte(acme))
		h.Set(webhook.TimestampHeader, timestamp)
		h.Set(webhook.SignatureHeader, signature)
	}, http.StatusUnauthorized)
	o.tell(t, "main", `{"dataset": "products", "tenants": null}`, nil, http.StatusBadRequest)     // it has none
	o.tell(t, "main", `{"dataset": "orders", "tenants": ["globex"]}`, nil, http.StatusBadRequest) // nobody is called so
	if !kept() {
		t.Error("forgotten without reason")
	}
	for _, change := range []string{acme, acme, `{"dataset": "orders", "tenants": null, "keys": [1]}`} {
		o.tell(t, "main", change, nil, http.StatusNoContent)
		if kept() || !kept() {
			t.Errorf("kept after %s", change)
		}
	}
	o.tell(t, "rest", acme, nil, http.StatusNoContent)
	if kept() {
		t.Error("the dataset has changed in another source: kept")
	}
}

// TestOperations: operators see what was asked, on their own listener alone.
func TestOperations(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	get := func(base, path string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		status, body := program.Fetch(t, r)
		return status, string(body)
	}
	for _, path := range []string{"/metrics", "/health/sources", "/debug/pprof/", "/debug/pprof/cmdline"} {
		if status, _ := get(o.Base, path); status != http.StatusNotFound {
			t.Errorf("the public listener has %s: %d", path, status)
		}
		if status, body := get(o.admin, path); status != http.StatusOK || body == "" {
			t.Errorf("operators get %s: %d", path, status)
		}
	}
	for _, base := range []string{o.Base, o.admin} {
		for path, want := range map[string]string{"/health/live": `{"status":"live"}`, "/health/ready": `{"status":"ready"}`} {
			if status, body := get(base, path); status != http.StatusOK || body != want {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	}
	if status, _ := get(o.admin, "/graphql"); status != http.StatusNotFound {
		t.Errorf("operators' listener answers GraphQL: %d", status)
	}

	// What is noted is what the configuration says.
	for path, want := range map[string]string{"mutex": "sampling period=3\n", "block": " @ 0x"} {
		if status, body := get(o.admin, "/debug/pprof/"+path+"?debug=1"); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("the profile %s does not have %q: %d\n%.300s", path, want, status, body)
		}
	}

	for range 2 {
		o.ask(t, claims("shared"), `{ orders { id } }`, `{}`)
	}
	o.ask(t, claims("rest"), `{ orders { id } }`, `{}`)
	o.ask(t, claims("shared"), `{ orders(limit: -1) { id } }`, `{}`)
	o.ask(t, claims("shared"), `{ orders { nothing } }`, `{}`)
	o.ask(t, `{"tenant": "acme", "$secret": "another secret than the one that is known"}`, `{ orders { id } }`, `{}`)
	_, metrics := get(o.admin, "/metrics")
	for _, line := range []string{
		`usher_build_info{goversion="` + runtime.Version() + `",revision="",version="devel"} 1`,
		`usher_requests_total{outcome="answered",status="200"} 3`,
		`usher_requests_total{outcome="errors",status="200"} 2`,
		`usher_requests_total{outcome="refused",status="401"} 1`,
		`usher_request_duration_seconds_count{outcome="answered"} 3`,
		`usher_stage_seconds_count{stage="authenticate"} 6`,
		`usher_stage_seconds_count{stage="validate"} 5`,
		`usher_stage_seconds_count{stage="plan"} 4`,
		`usher_stage_seconds_count{stage="source"} 3`,
		`usher_stage_seconds_count{stage="encode"} 3`,
		`usher_operations_total{kind="query"} 4`,
		`usher_errors_total{code="UNAUTHENTICATED"} 1`,
		`usher_errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1`,
		`usher_statements_total{source="main"} 1`,
		`usher_rows_total{source="main"} 2`,
		`usher_connections{source="main",state="idle"} 1`,
		`usher_connections{source="main",state="used"} 0`,
		`usher_connections_waiting{source="main"} 0`,
		`usher_accounts{source="main"} 1`,
		`usher_accounts{source="own"} 0`,
		`usher_cache_hits_total 1`,
		`usher_cache_misses_total 1`,
		`usher_known_operations_hits_total 1`,
		`usher_combined_total 1`,
		`usher_upstream_requests_total{source="rest"} 1`,
		`usher_upstream_rows_total{source="rest"} 2`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			t.Errorf("no %s, but\n%s", line, strings.Join(regexp.MustCompile(`(?m)^`+name+`.*$`).FindAllString(metrics, -1), "\n"))
		}
	}
	documented := documentedMetrics(t)
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (usher_\w+)`).FindAllStringSubmatch(metrics, -1) {
		if _, ok := documented[found[1]]; !ok {
			t.Errorf("docs/operations.md does not have %s", found[1])
		}
	}
	if strings.Count(metrics, "acme") != strings.Count(metrics, `usher_tenant_cost_seconds_total{tenant="acme"}`) || strings.Contains(metrics, "CANARY") {
		t.Error("metrics tell of a tenant more than what it costs")
	}
}

// documentedMetrics are the metrics in docs/operations.md, with their labels.
func documentedMetrics(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `(usher_\\w+)` \\|([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		out[row[1]] = strings.NewReplacer("`", "", " ", "").Replace(row[2])
	}
	return out
}

// TestMetricsAreDocumented: docs/operations.md lists all that there are, with
// their labels, and no others.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	sources, err := datasource.New(&catalog.Catalog{}, datasource.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sources.Close() })
	sink := logsink.New(io.Discard, logsink.JSON(slog.LevelInfo))
	t.Cleanup(sink.Close)
	described := make(map[string]string)
	form := regexp.MustCompile(`fqName: "(usher_\w+)".*variableLabels: \{([^}]*)\}`)
	for _, c := range []prometheus.Collector{transport.NewMetrics(), transport.NewExportMetrics(), transport.NewImportMetrics(), stage.New(), upstream.NewMetrics(), sources, resolvers.NewDatasets(sources, nil, false, resolvers.NewPlanned()), resolvers.NewPlanned(), sink, build.Metric(build.Read()), new(cli.CertificateExpiry), otlp.Metrics(), gateway.Upkeep(nil), gateway.SourcesUnreached(nil), gateway.DatasetsUnfit(nil), gateway.NewLoads(), gateway.Readiness(nil), new(auth.Verifier), quota.New(quota.Options{}), admit.NewTurns(1, 0, admit.Limits{}, nil)} {
		all := make(chan *prometheus.Desc, 100)
		c.Describe(all)
		close(all)
		for d := range all {
			part := form.FindStringSubmatch(d.String())
			if part == nil {
				t.Fatalf("a metric that is not usher's: %s", d)
			}
			described[part[1]] = part[2]
		}
	}
	if diff := cmp.Diff(described, documentedMetrics(t)); diff != "" {
		t.Errorf("docs/operations.md (-registered +documented):\n%s", diff)
	}
}

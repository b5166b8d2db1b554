package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// budgeted is a configuration with three kinds of sources; %s are limits.
const budgeted = `
server: {timeout: 20s}
sources:
  pg: {kind: postgres, host: %[1]q, port: %[2]d, database: %[3]q, user: %[4]q, password: {env: PG}, sslmode: disable}
  files: {kind: duckdb, path: shop.duckdb}
  partner: {kind: api, base_url: %[5]q, allow_private: true, isolation: gateway}
strategies: {shared: {source: pg, datasets: {notes: files, prices: partner}}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}, may_grant: {export: true, write: true}}
limits: {%[6]s}
datasets:
  orders: {tenant: tenant, key: id, writable: [insert], columns: {id: Int!, tenant: String!, text: String}}
  slow: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, nap: String}}
  notes: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, text: String}}
  prices: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, price: Float}, bind: {partner: {path: /prices}}}
`

type budgets struct {
	gate
	url   string
	calls func() int // of the API
	sent  func() int // statements
}

func openBudgets(t *testing.T, limits string) budgets {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE orders (id int, tenant text NOT NULL, text text, PRIMARY KEY (tenant, id));
		INSERT INTO orders SELECT i, CASE WHEN i % 2 = 0 THEN 'acme' ELSE 'globex' END, repeat('x', 1000) FROM generate_series(1, 40) i;
		CREATE VIEW slow AS SELECT id, tenant, (pg_sleep(0.05) IS NULL)::text AS nap FROM orders WHERE id <= 2`)
	calls := 0
	var mu sync.Mutex
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls++
		mu.Unlock()
		select {
		case <-time.After(15 * time.Millisecond): // more than the budgets of time
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[{"id":1,"tenant":"acme","price":1.5},{"id":3,"tenant":"acme","price":null}]`)
	}))
	t.Cleanup(partner.Close)
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, budgeted, db.Host, db.Port, db.Name, db.User, partner.URL, limits), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(g.Handler())
	t.Cleanup(func() {
		served.Close()
		_ = g.Close()
	})
	b := budgets{gate: gate{g}, url: served.URL, calls: func() int {
		mu.Lock()
		defer mu.Unlock()
		return calls
	}}
	b.sent = func() int {
		r := httptest.NewRecorder()
		g.AdminHandler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		n := 0
		for line := range strings.Lines(r.Body.String()) {
			if strings.HasPrefix(line, "usher_statements_total") {
				fields := strings.Fields(line)
				count, _ := strconv.Atoi(fields[len(fields)-1])
				n += count
			}
		}
		return n
	}
	return b
}

func (b budgets) token(t *testing.T, tenant, subject string) string {
	t.Helper()
	return program.Sign(t, fmt.Sprintf(`{"tenant": %q, "sub": %q}`, tenant, subject))
}

// send sends a request and returns its status, its body and when to come back.
func (b budgets) send(t *testing.T, token, path, media, body string) (status int, text string, after int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", media)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	after, _ = strconv.Atoi(response.Header.Get("Retry-After"))
	return response.StatusCode, string(all), after
}

// Each budget is measured in each way of using it, and refused with its name and the time to
// wait before a source is asked. Those of others are theirs.
func TestBudgets(t *testing.T) {
	t.Parallel()
	json := "application/json"
	query := func(text string) [3]string { return [3]string{"/graphql", json, fmt.Sprintf(`{"query":%q}`, text)} }
	orders := query("{ orders { text } }")
	ways := map[string][3]string{
		"a database": orders,
		"a file":     query("{ notes { text } }"),
		"an API":     query("{ prices { price } }"),
		"a change":   query(`mutation { insertOrders(rows: [{id: 901}, {id: 902}]) { affected } }`),
		"an export":  {"/export/orders", json, `{"query":"{ orders { text } }"}`},
		"an import":  {"/import/orders", "text/csv", "id,text\n903,a\n904,b\n"},
		"time":       query("{ slow { nap } }"),
	}
	for _, of := range []string{"tenant", "token"} {
		for _, budget := range []struct {
			limit, says string
			ways        []string
		}{
			{"requests: 1", "1 requests", []string{"a database", "an export", "an import"}},
			{"rows: 1", "1 rows", []string{"a database", "a file", "an API", "a change", "an export", "an import"}},
			{"bytes: 10", "10 bytes", []string{"a database", "a file", "an API", "an export", "an import"}},
			{"database_time: 10ms", "10ms of database time", []string{"time", "an API"}},
		} {
			t.Run(of+" "+budget.limit, func(t *testing.T) {
				t.Parallel()
				b := openBudgets(t, of+": {"+budget.limit+"}")
				for n, name := range budget.ways {
					way := ways[name]
					tenant := "acme"
					ann := b.token(t, tenant, "ann"+strconv.Itoa(n))
					if of == "tenant" && n > 0 { // it has used it up already
						continue
					}
					if status, text, _ := b.send(t, ann, way[0], way[1], way[2]); status != http.StatusOK || strings.Contains(text, `"errors"`) {
						t.Fatalf("%s: %d %s", name, status, text)
					}
					calls, sent, began := b.calls(), b.sent(), time.Now()
					for other, way := range ways {
						status, text, after := b.send(t, ann, way[0], way[1], way[2])
						if status != http.StatusTooManyRequests || after < 1 || !strings.Contains(text, budget.says) || !strings.Contains(text, "the "+of) || !strings.Contains(text, fmt.Sprintf(`"retryAfter":%d`, after)) {
							t.Errorf("after %s, %s: %d %s, %d", name, other, status, text, after)
						}
					}
					if b.calls() != calls || b.sent() != sent {
						t.Errorf("after %s a source was asked", name)
					}
					if took := time.Since(began); took > 5*time.Second {
						t.Errorf("refusing took %s", took)
					}
				}
				if status, text, _ := b.send(t, b.token(t, "globex", "bob"), orders[0], orders[1], orders[2]); status != http.StatusOK {
					t.Errorf("another tenant is answered %d %s", status, text)
				}
				if status, _, _ := b.send(t, b.token(t, "acme", "ben"), orders[0], orders[1], orders[2]); (status == http.StatusOK) != (of == "token") {
					t.Errorf("another token of the tenant is answered %d", status)
				}
			})
		}
	}
}

// The time of an API is a cost of the tenant that asked, as that of a database is.
func TestCostsOfAPIs(t *testing.T) {
	t.Parallel()
	b := openBudgets(t, "")
	costs := func(tenant string) float64 {
		r := httptest.NewRecorder()
		b.AdminHandler().ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		for line := range strings.Lines(r.Body.String()) {
			if text, is := strings.CutPrefix(line, `usher_tenant_cost_seconds_total{tenant="`+tenant+`"} `); is {
				seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
				if err != nil {
					t.Fatal(err)
				}
				return seconds
			}
		}
		return 0
	}
	for n := range 2 { // each call takes 15 ms at least
		if status, text, _ := b.send(t, b.token(t, "acme", "ann"+strconv.Itoa(n)), "/graphql", "application/json", `{"query":"{ prices { price } }"}`); status != http.StatusOK || b.calls() != n+1 {
			t.Fatalf("%d %s after %d calls", status, text, b.calls())
		}
	}
	if seconds := costs("acme"); seconds < 0.030 || seconds > 5 {
		t.Errorf("two calls of 15 ms cost %v s", seconds)
	}
	if seconds := costs("globex"); seconds != 0 {
		t.Errorf("who asked nothing has cost %v s", seconds)
	}
}

// What means nothing, or might mean two things, is refused with its place.
func TestBudgetsThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"limits: {tenant: {}}":                                 "",
		"limits: {tenant: {rows: null}}":                       "limits.tenant.rows: has no value",
		"limits: {tenant: null}":                               "has no value",
		"limits: {tenant: {rows: 0}}":                          "limits.tenant.rows: 0 is no value of it",
		"limits: {token: {bytes: -1}}":                         "limits.token.bytes: must be at least 1",
		"limits: {token: {requests: -1}}":                      "limits.token.requests: must be at least 1; leave it out",
		"limits: {token: {database_time: 0s}}":                 "limits.token.database_time: 0 is no value of it",
		"limits: {token: {database_time: 10us}}":               "limits.token.database_time: must be at least 1ms",
		"limits: {token: {database_time: 500}}":                "limits.token.database_time: must be a time",
		"limits: {token: {rows: 1.5}}":                         "must be a whole number",
		"limits: {tenant: {queries: 1}}":                       "unknown key",
		"tenants: {a: {weight: null}}":                         "tenants.a.weight: has no value",
		"tenants: {a: {weight: 100}}":                          "",
		"tenants: {a: {weight: 0}}":                            "tenants.a.weight: 0 is no value of it",
		"tenants: {a: {weight: -1}}":                           "tenants.a.weight: must be from 1 to 100",
		"tenants: {a: {weight: 101}}":                          "tenants.a.weight: must be from 1 to 100",
		"tenants: {a: {weight: many}}":                         "must be a whole number",
		"tenants: {a: {registered: false, weight: 2}}":         "",
		"tenants: {a: {registered: false, limits: {rows: 2}}}": "",
		"tenants: {a: {limits: {}}}":                           "",
		"tenants: {a: {limits: {rows: null}}}":                 "tenants.a.limits.rows: has no value",
		"tenants: {a: {limits: null}}":                         "has no value",
		"tenants: {a: {limits: {rows: 0}}}":                    "tenants.a.limits.rows: 0 is no value of it",
		"tenants: {a: {limits: {queries: 1}}}":                 "unknown key",
		"tenants: {a: {registered: false, weight: 2, key: x}}": "there are `bind`, `weight` and `limits` and nothing else",
	} {
		dir := t.TempDir()
		program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte("sources: {files: {kind: duckdb, path: shop.duckdb}}\nstrategies: {shared: {source: files}}\n"+
			"datasets: {notes: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, text: String}}}\n"+text+"\n"), func(string) (string, bool) { return "", false })
		if err == nil {
			var g *gateway.Gateway
			if g, err = gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)}); err == nil {
				_ = g.Close()
			}
		}
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What the file says of one tenant comes before what it says of all, more or less, limit by limit.
func TestLimitsOfOneTenant(t *testing.T) {
	t.Parallel()
	b := openBudgets(t, "tenant: {requests: 2, rows: 1000}}\ntenants: {acme: {limits: {requests: 4}}, globex: {limits: {rows: 1}}, initech: {}")
	for tenant, want := range map[string]int{"acme": 4, "globex": 1, "initech": 2} {
		token, answered := b.token(t, tenant, "ann"), 0
		for range 6 {
			if status, _, _ := b.send(t, token, "/graphql", "application/json", `{"query":"{ orders { id } }"}`); status == http.StatusOK {
				answered++
			}
		}
		if answered != want {
			t.Errorf("%s is answered %d times, want %d", tenant, answered, want)
		}
	}
}

// A client that repeats at once what was refused is slowed down, and leaves whoever waits no longer than it waits itself.
func TestRefusalsTakeTheirTime(t *testing.T) {
	t.Parallel()
	b := openBudgets(t, "tenant: {requests: 1}")
	token := b.token(t, "acme", "ann")
	b.send(t, token, "/graphql", "application/json", `{"query":"{ orders { id } }"}`)
	for path, body := range map[string][2]string{"/graphql": {"application/json", `{"query":"{ orders { id } }"}`}, "/export/orders": {"application/json", `{"query":"{ orders { text } }"}`}, "/import/orders": {"text/csv", "id,text\n1,a\n"}} {
		began := time.Now()
		for range 5 {
			if status, _, after := b.send(t, token, path, body[0], body[1]); status != http.StatusTooManyRequests || after < 1 {
				t.Errorf("%s: %d, %d", path, status, after)
			}
		}
		if took := time.Since(began); took < 5*10*time.Millisecond {
			t.Errorf("%s: five refusals after %s", path, took)
		}
	}
}

// Refusals are quick, however many there are at once.
func TestRefusalsAreQuick(t *testing.T) {
	t.Parallel()
	b := openBudgets(t, "tenant: {requests: 1}")
	token := b.token(t, "acme", "ann")
	b.send(t, token, "/graphql", "application/json", `{"query":"{ orders { id } }"}`)
	var mu sync.Mutex
	var took []time.Duration
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				began := time.Now()
				status, _, after := b.send(t, token, "/graphql", "application/json", `{"query":"{ orders { id } }"}`)
				if status != http.StatusTooManyRequests || after < 1 {
					t.Errorf("%d, %d", status, after)
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(took)
	if median := took[len(took)/2]; median > 50*time.Millisecond { // of a busy machine's some take as long as its turns last
		t.Errorf("every other refusal takes more than %s", median)
	}
}

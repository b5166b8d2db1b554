package gateway_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// A tenant's questions to a source that does not answer take no turns from its others, while
// another tenant asks.
func TestSilentSourcesTakeNoTurns(t *testing.T) {
	t.Parallel()
	silent, begun := make(chan struct{}), make(chan struct{}, 100)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-silent
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[{"id":1,"tenant":"acme"}]`))
	}))
	defer api.Close()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL); INSERT INTO notes VALUES (1, 'acme'), (2, 'globex')`)
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, `
sources:
  pg: {kind: postgres, host: %q, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}
  far: {kind: api, base_url: %q, allow_private: true, isolation: gateway}
strategies: {all: {source: pg, datasets: {orders: far}}}
default_strategy: all
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
datasets:
  notes: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!}, bind: {pg: {table: notes}}}
  orders: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!}, bind: {far: {path: /orders}}}
`, db.Host, db.Port, db.Name, db.User, api.URL), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	asks := func(tenant, text string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(fmt.Sprintf(`{"query":%q}`, text)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+program.Sign(t, fmt.Sprintf(`{"tenant":%q}`, tenant)))
		w := httptest.NewRecorder()
		g.Handler().ServeHTTP(w, r)
		return w.Body.String()
	}
	var group sync.WaitGroup
	for i := range 2 * runtime.GOMAXPROCS(0) {
		group.Go(func() {
			if got := asks("acme", fmt.Sprintf(`{ orders(where: {id: {gt: %d}}) { id } }`, -i)); got != `{"data":{"orders":[{"id":1}]}}` {
				t.Error(got)
			}
		})
	}
	<-begun
	for range 20 {
		for tenant, want := range map[string]string{"globex": `{"data":{"notes":[{"id":2}]}}`, "acme": `{"data":{"notes":[{"id":1}]}}`} {
			if got := asks(tenant, `{ notes { id } }`); got != want {
				t.Errorf("%s: %s", tenant, got)
			}
		}
	}
	close(silent)
	group.Wait()
}

package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// How much an API sends tells a tenant nothing of others' rows, nor of its own that the role hides.
func TestExplanationsCountNoHiddenRows(t *testing.T) {
	t.Parallel()
	const sold = 40
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rows := make([]map[string]any, 0, sold)
		from, _ := strconv.Atoi(r.URL.Query().Get("skip"))
		for i := from; i < min(from+10, sold); i++ {
			tenant := []string{"acme", "globex"}[i/10%2]
			if r.URL.Query().Has("of") {
				tenant = "acme"
			}
			rows = append(rows, map[string]any{"id": i, "tenant": tenant, "region": []string{"EU", "US"}[i%2], "cost": i})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(rows)
	}))
	defer api.Close()
	g := openConfigured(t, t.TempDir(), fmt.Sprintf(`
sources:
  far: {kind: api, base_url: %q, allow_private: true, isolation: gateway, pages: {kind: offset, param: skip, size: size, limit: 10}}
  told: {kind: api, base_url: %q, allow_private: true, isolation: upstream, query: {of: "{tenant}"}, pages: {kind: offset, param: skip, size: size, limit: 10}}
strategies: {far: {kind: api, source: far}, told: {kind: api, source: told}}
default_strategy: far
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted,
    claims: {tenant: /tenant, roles: /roles, all_tenants: /all, strategy: /strategy}, may_grant: {strategies: [far, told], roles: [full, eu, dear], explain: true, all_tenants: true}}
roles:
  full: {datasets: {orders: {}}}
  eu: {datasets: {orders: {filter: {region: {eq: EU}}}}}
  dear: {datasets: {orders: {columns: [id], filter: {cost: {gte: 5}}}}}
datasets:
  orders: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, region: String!, cost: Int!}, bind: {far: {path: /orders}, told: {path: /orders}}}
`, api.URL, api.URL), pgtest.DB{})
	type step struct {
		Source string
		Rows   *int
		Call   *struct{ Pages *int }
	}
	steps := func(claims string) step {
		var got struct {
			Extensions struct{ Explain []struct{ Steps []step } }
		}
		body := g.ask(t, program.Sign(t, claims), `{"query": "{ orders { id } }", "extensions": {"explain": true}}`).Body.Bytes()
		if err := json.Unmarshal(body, &got); err != nil || len(got.Extensions.Explain) != 1 {
			t.Fatalf("%s: %v: %s", claims, err, body)
		}
		first := got.Extensions.Explain[0].Steps[0]
		return first
	}
	if all := steps(`{"all": true, "roles": ["full"]}`); all.Rows == nil || *all.Rows != sold || all.Call == nil || all.Call.Pages == nil || *all.Call.Pages != sold/10+1 {
		t.Errorf("whoever is of all tenants is told %+v", all)
	}
	if own := steps(`{"tenant": "acme", "roles": ["full"]}`); own.Rows == nil || *own.Rows != sold/2 || own.Call == nil || own.Call.Pages != nil {
		t.Errorf("a tenant is told %+v", own)
	}
	if own := steps(`{"tenant": "acme", "roles": ["full"], "strategy": "told"}`); own.Rows == nil || *own.Rows != sold || own.Call == nil || own.Call.Pages == nil {
		t.Errorf("a tenant whose API sends its rows alone is told %+v", own)
	}
	if some := steps(`{"tenant": "acme", "roles": ["eu"]}`); some.Rows != nil || some.Call == nil || some.Call.Pages != nil {
		t.Errorf("a role with a filter is told %+v", some)
	}
	if blind := steps(`{"tenant": "acme", "roles": ["dear"]}`); blind.Rows != nil || blind.Call != nil {
		t.Errorf("a role whose filter is hidden is told %+v", blind)
	}
}

package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

const toldWorld = `
control:
  %[1]s
  key: {id: a, secret: {env: KEY}}
sources:
  rest: {kind: api, base_url: "%[2]s", allow_private: true, isolation: upstream, headers: {X-Tenant: "{tenant}", X-User: "{subject}", X-Key: shared}}
  plug:
    {kind: api, protocol: plugin, base_url: "%[2]s", allow_private: true, isolation: upstream, secret: {file: secret}, properties: {Tenant: "{tenant_key}", Region: eu},
     plugin: {protocol_version: 2.0.0}}
strategies:
  rest: {kind: api, source: rest}
  plug: {kind: api, source: plug}
default_strategy: rest
datasets:
  orders: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!}, bind: {rest: {path: /orders, columns: {tenant: ~}}, plug: {dataset: orders, columns: {tenant: ~}}}}
`

// TestNobodyElseSaysTheTenant: where an API is told whose rows are meant, no
// token's account says it in the source's place, and no tenant's record says
// another tenant.
func TestNobodyElseSaysTheTenant(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `[]`)
	}))
	t.Cleanup(api.Close)
	db := pgtest.Start(t).Database(t)
	g, err := assembleControlled(t, fmt.Sprintf(toldWorld, inPostgres(db), api.URL), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("close the gateway: %v", err)
		}
	})
	ctx := t.Context()
	root := principal.Principal{Subject: "root", Issuer: "idp", AllTenants: true, Scopes: []principal.Scope{principal.Administer, principal.CreateTokens, principal.ReadData}}
	for _, id := range []string{"acme", "globex", "initech"} {
		if _, err := g.Control().CreateTenant(ctx, root, tenancy.NewTenant{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	headers := func(name, text string) map[string]principal.Account {
		return map[string]principal.Account{"rest": {Headers: map[string]string{name: text}}}
	}
	properties := func(name, text string) map[string]principal.Account {
		return map[string]principal.Account{"plug": {Properties: map[string]string{name: text}}}
	}
	for _, c := range []struct {
		accounts map[string]principal.Account
		code     fault.Code // of a token of acme; "": it is made
	}{
		{headers("X-Tenant", "globex"), fault.BadUserInput},
		{headers("x-tenant", "GLOBEX"), fault.BadUserInput},
		{headers("X-Tenant", "nobody"), fault.BadUserInput},
		{properties("tenant", "globex"), fault.BadUserInput},
		{headers("X-Key", "acme's own"), ""},
		{properties("Region", "us"), ""},
	} {
		strategy := "rest"
		if c.accounts["plug"].Properties != nil {
			strategy = "plug"
		}
		_, err := g.Control().Mint(ctx, root, tenancy.TokenRequest{Tenant: "acme", Subject: "u", Strategy: strategy, Accounts: c.accounts})
		if (err == nil) != (c.code == "") || err != nil && fault.From(err).Code != c.code {
			t.Errorf("a token with %v: %v, want %q", c.accounts["rest"].Headers, err, c.code)
		}
	}
	for _, c := range []struct {
		accounts map[string]principal.Account
		code     fault.Code // of initech's record
	}{
		{headers("X-Tenant", "globex"), fault.Conflict},
		{headers("x-tenant", "globex"), fault.Conflict},
		{headers("X-Tenant", "client-883"), ""}, // what the API calls it
		{headers("X-Tenant", "initech"), ""},
		{nil, ""},
	} {
		if err := g.Control().SetTenantAccounts(ctx, root, "initech", c.accounts); (err == nil) != (c.code == "") || err != nil && fault.From(err).Code != c.code {
			t.Errorf("a record with %v: %v, want %q", c.accounts["rest"].Headers, err, c.code)
		}
	}
}

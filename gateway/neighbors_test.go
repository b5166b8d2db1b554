package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"usher/fault"
	"usher/gateway"
	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

const siloed = `
sources:
  shop: {kind: duckdb, path: shop.duckdb}
  silo: {kind: duckdb, path: silo.duckdb, template: true}
strategies:
  shared: {kind: shared, source: shop}
  silo: {kind: database, source: silo}
default_strategy: shared
control:
  %s
  key: {id: a, secret: {env: KEY}}
%s
datasets:
  notes:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: String}
    bind: {silo: {columns: {tenant: ~}}}
`

// However many gateways register at the same time, one tenant gets the place;
// and no gateway starts with a file that gives it to another.
func TestNeighborsOfTwoGateways(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	text := func(tenants string) string { return fmt.Sprintf(siloed, inPostgres(db), tenants) }
	var gates []*gateway.Gateway
	for range 2 {
		g, err := assembleControlled(t, text(""), db)
		if err != nil {
			t.Fatal(err)
		}
		gates = append(gates, g)
		t.Cleanup(func() {
			if err := g.Close(); err != nil {
				t.Errorf("close the gateway: %v", err)
			}
		})
	}
	root := principal.Principal{Subject: "root", Issuer: "idp", AllTenants: true, Scopes: []principal.Scope{principal.Administer}}
	in := func(schema string) map[string]principal.Account {
		return map[string]principal.Account{"silo": {Schema: schema}}
	}
	ctx := t.Context()
	for round := range 5 {
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = gates[i%2].Control().CreateTenant(ctx, root, tenancy.NewTenant{ID: fmt.Sprintf("t%d-%d", round, i), Accounts: in(fmt.Sprintf("s%d", round))})
			})
		}
		wg.Wait()
		errs = slices.DeleteFunc(errs, func(err error) bool { return err != nil && fault.From(err).Code == fault.Conflict })
		if len(errs) != 1 || errs[0] != nil {
			t.Fatalf("of eight that take the same place, these were not refused: %v", errs)
		}
	}
	if _, err := gates[0].Control().CreateTenant(ctx, root, tenancy.NewTenant{ID: "late"}); err != nil {
		t.Fatal(err)
	}
	if err := gates[1].Control().SetTenantAccounts(ctx, root, "late", in("s0")); fault.From(err).Code != fault.Conflict {
		t.Errorf("an account that leads to another's place: %v", err)
	}
	if err := gates[1].Control().SetTenantAccounts(ctx, root, "late", in("late")); err != nil {
		t.Error(err)
	}
	if err := gates[1].Control().SetTenantAccounts(ctx, root, "late", in("late")); err != nil {
		t.Errorf("a tenant is in its own way: %v", err)
	}
	for tenants, want := range map[string]string{
		`tenants: {filed: {accounts: {silo: {schema: free}}}}`: "",
		`tenants: {filed: {accounts: {silo: {schema: LATE}}}}`: "tenants.filed.accounts.silo",
	} {
		g, err := assembleControlled(t, text(tenants), db)
		if err == nil {
			err = g.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", tenants, err)
		}
	}
}

// A token's account leads no more to the place of another tenant than a tenant's
// own does, whichever gateway registered that one, and as things are now.
func TestTokensOfNeighbors(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	var gates []*gateway.Gateway
	for range 2 {
		g, err := assembleControlled(t, fmt.Sprintf(siloed, inPostgres(db), `tenants: {filed: {accounts: {silo: {schema: filed}}}}`), db)
		if err != nil {
			t.Fatal(err)
		}
		gates = append(gates, g)
		t.Cleanup(func() {
			if err := g.Close(); err != nil {
				t.Errorf("close the gateway: %v", err)
			}
		})
	}
	ctx := t.Context()
	root := principal.Principal{Subject: "root", Issuer: "idp", AllTenants: true, Scopes: []principal.Scope{principal.Administer, principal.CreateTokens, principal.ReadData}}
	in := func(schema string) map[string]principal.Account {
		return map[string]principal.Account{"silo": {Schema: schema}}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	create := func(g *gateway.Gateway, id string, accounts map[string]principal.Account) {
		t.Helper()
		_, err := g.Control().CreateTenant(ctx, root, tenancy.NewTenant{ID: id, Accounts: accounts})
		do(err)
	}
	mint := func(tenant, schema string, code fault.Code) {
		t.Helper()
		for _, g := range gates {
			_, err := g.Control().Mint(ctx, root, tenancy.TokenRequest{Tenant: tenant, Subject: "s", Strategy: "silo", Accounts: in(schema)})
			if (err == nil) != (code == "") || err != nil && (fault.From(err).Code != code || strings.Contains(err.Error(), "t2")) {
				t.Errorf("a token of %s in %s: %v, want %q", tenant, schema, err, code)
			}
		}
	}
	create(gates[0], "plain", nil)
	create(gates[0], "t2", in("own1"))
	mint("plain", "own1", fault.Conflict)
	mint("plain", "OWN1", fault.Conflict)
	mint("plain", "filed", fault.Conflict)
	mint("plain", "free", "")
	mint("t2", "own1", "")
	create(gates[1], "t3", in("free"))
	mint("plain", "free", fault.Conflict)
	do(gates[0].Control().SetTenantAccounts(ctx, root, "t3", in("elsewhere")))
	mint("plain", "free", "")
	mint("plain", "elsewhere", fault.Conflict)
	mint("t3", "elsewhere", "")
	do(gates[0].Control().SuspendTenant(ctx, root, "t3"))
	mint("plain", "elsewhere", fault.Conflict)
	do(gates[0].Control().DeleteTenant(ctx, root, "t3"))
	mint("plain", "elsewhere", fault.Conflict) // its rows are there
	do(gates[1].Control().ReleasePlaces(ctx, root, "t3"))
	mint("plain", "elsewhere", "")
	key, err := gates[0].Control().CreateKey(ctx, root, tenancy.KeyRequest{
		Name: "backend", AllTenants: true, Scopes: []principal.Scope{principal.CreateTokens}, MayGrant: tenancy.MayGrant{Strategies: []string{"silo"}, Accounts: []string{"silo"}},
	})
	do(err)
	holder, err := gates[0].Control().Authenticate(ctx, key.Token)
	do(err)
	for schema, code := range map[string]fault.Code{"own1": fault.Conflict, "mine": ""} {
		_, err := gates[0].Control().Mint(ctx, holder, tenancy.TokenRequest{Tenant: "plain", Subject: "s", Strategy: "silo", Accounts: in(schema)})
		if (err == nil) != (code == "") || err != nil && fault.From(err).Code != code {
			t.Errorf("a key's token in %s: %v", schema, err)
		}
	}
}

// Where the rows of a deleted tenant are nobody else is led, by whichever gateway it was deleted and whoever is
// registered there or minted for, until an administrator of all tenants says that they are gone.
func TestPlacesOfDeletedTenants(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	open := func() gate {
		g, err := assembleControlled(t, fmt.Sprintf(siloed, inPostgres(db), ""), db)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.Close() })
		return gate{g}
	}
	one, two := open(), open()
	root := one.bootstrap(t)
	create := func(g gate, id, schema string) string {
		return g.query(t, root, `mutation { admin { createTenant(input: {id: "`+id+`", accounts: [{source: "silo", schema: "`+schema+`"}]}) { id } } }`)
	}
	move := func(g gate, id, schema string) string {
		return g.query(t, root, `mutation { admin { setTenantAccounts(id: "`+id+`", accounts: [{source: "silo", schema: "`+schema+`"}]) { id } } }`)
	}
	release := func(g gate, token, tenant string) string {
		return g.query(t, token, `mutation { admin { releasePlaces(tenant: "`+tenant+`") { id accounts { source } status } } }`)
	}
	refused := func(what, answer string, parts ...string) {
		t.Helper()
		for _, part := range append(parts, `"code":"CONFLICT"`) {
			if !strings.Contains(answer, part) {
				t.Errorf("%s: %s lacks %s", what, answer, part)
			}
		}
	}
	done := func(what, answer string) {
		t.Helper()
		if !strings.HasPrefix(answer, "200") || strings.Contains(answer, `"errors"`) {
			t.Errorf("%s: %s", what, answer)
		}
	}
	done("ta", create(one, "ta", "sa"))
	done("tc", create(one, "tc", "sb"))
	refused("beside one that lives", move(two, "ta", "sb"), "another's place")
	refused("places of one that lives", release(one, root, "tc"), "tenant tc is active")
	done("deleted", one.query(t, root, `mutation { admin { deleteTenant(id: "tc") { id } } }`))
	for what, g := range map[string]gate{"where it was deleted": one, "elsewhere": two} {
		refused("an account, "+what, move(g, "ta", "SB"), "tenant tc, which is deleted,", "releasePlaces")
		refused("a new tenant, "+what, create(g, "td", "sb"), "tenant tc, which is deleted,")
	}
	admin := one.text(t, root, `mutation { admin { createServiceKey(input: {name: "boss", tenant: "ta", scopes: [ADMINISTER]}) { token } } }`, "token")
	if got := release(one, admin, "tc"); !strings.Contains(got, "Cannot query field") {
		t.Errorf("by a tenant's administrator: %s", got)
	}
	for range 2 { // the second time it is so already
		if got := release(two, root, "tc"); got != `200 {"data":{"admin":{"releasePlaces":{"id":"tc","accounts":[],"status":"DELETED"}}}}` {
			t.Errorf("released: %s", got)
		}
	}
	done("where nobody is", move(one, "ta", "sb"))
	if got := one.query(t, root, `{ admin { auditLog(filter: {operation: "releasePlaces", outcome: "done"}) { items { tenant } } } }`); strings.Count(got, `{"tenant":"tc"}`) != 2 {
		t.Errorf("the log says %s", got)
	}
	if got := release(one, root, "nobody"); !strings.Contains(got, "NOT_FOUND") {
		t.Errorf("of nobody: %s", got)
	}
}

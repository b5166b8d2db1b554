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

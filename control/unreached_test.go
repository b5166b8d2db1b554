package control_test

import (
	"iter"
	"testing"

	"usher/catalog"
	"usher/control"
	"usher/fault"
	"usher/principal"
)

// While a source is silent a tenant with nothing of its own is registered all the same:
// it is where everybody is. One with an account is not, and neither is any where a source
// has a place for each tenant.
func TestTenantsWhileASourceIsSilent(t *testing.T) {
	t.Parallel()
	nobody := iter.Seq2[principal.Principal, error](func(func(principal.Principal, error) bool) {})
	for _, template := range []bool{false, true} {
		spec := catalog.Spec{
			Sources: map[string]catalog.SourceSpec{
				"shop": {Kind: "postgres", Host: "h", Database: "d", User: "u"}, "atlas": {Kind: "duckdb", Path: "a"},
			},
			Strategies: map[string]catalog.StrategySpec{"all": {Kind: "shared", Source: "shop"}},
			Datasets:   map[string]catalog.DatasetSpec{"events": {Tenant: catalog.TenancySpec{Column: "t"}}},
		}
		if template {
			spec.Sources["each"] = catalog.SourceSpec{Kind: "duckdb", Path: "{tenant}.duckdb", Template: true}
		}
		cat, problems := catalog.CompileReached(spec, catalog.Introspected{}, []string{"shop"}, nil)
		if cat == nil {
			t.Fatal(problems)
		}
		neighbors, bad := control.Configured(cat)
		if bad != nil {
			t.Fatal(bad)
		}
		bare := principal.Principal{Tenant: "t4", TenantKey: "k4"}
		if err := neighbors.CheckDisjoint(bare, nobody); (err == nil) == template {
			t.Errorf("nothing of its own, template %v: %v", template, err)
		}
		bare.Routing.Accounts = map[string]principal.Account{"atlas": {Database: "x"}}
		if err := neighbors.CheckDisjoint(bare, nobody); fault.From(err).Code != fault.Unavailable || fault.From(err).RetryAfter == 0 {
			t.Errorf("an account: %v", err)
		}
	}
}

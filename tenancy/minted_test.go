package tenancy_test

import (
	"slices"
	"testing"

	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// Filters are judged as those of whoever adds them: with the minter's roles,
// datasets and filters, for the tenant of the token. Who may grant anything is
// not asked.
func TestFiltersAreJudgedAsTheMinters(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		var asked []principal.Principal
		s := open(tenancy.Options{CheckMinted: func(minter, token principal.Principal, added principal.Grant) error {
			asked = append(asked, minter)
			if len(token.Grant.Filters) != len(minter.Grant.Filters)+len(added.Filters) {
				t.Errorf("a token with %d filters, of which %d are added to %d", len(token.Grant.Filters), len(added.Filters), len(minter.Grant.Filters))
			}
			if slices.ContainsFunc(added.Filters, func(f principal.Filter) bool { return f.Dataset == "hidden" }) {
				return fault.New(fault.Forbidden, "there is no such dataset")
			}
			return nil
		}})
		tenant(t, s, "acme")
		minter := adminOf("acme")
		minter.Roles = []string{"viewer", "auditor"}
		minter.Grant.Datasets = []string{"orders", "hidden"}
		minter.Grant.Filters = []principal.Filter{{Dataset: "orders", Where: eq("region", "EU")}}
		request := func(dataset string) tenancy.TokenRequest {
			return tenancy.TokenRequest{
				Tenant: "acme", Subject: "s", Roles: []string{"viewer"}, Datasets: []string{"orders"},
				Filters: []principal.Filter{{Dataset: dataset, Where: eq("region", "US")}},
			}
		}
		if _, err := s.Mint(t.Context(), minter, request("orders")); err != nil {
			t.Fatal(err)
		}
		if len(asked) != 1 || len(asked[0].Roles) != 2 || len(asked[0].Grant.Datasets) != 2 || len(asked[0].Grant.Filters) != 1 || asked[0].TenantKey == "" {
			t.Errorf("judged as %+v", asked)
		}
		_, err := s.Mint(t.Context(), minter, request("hidden"))
		wantCode(t, err, fault.Forbidden)
		everywhere := minter
		everywhere.Tenant, everywhere.TenantKey, everywhere.AllTenants = "", "", true
		if _, err := s.Mint(t.Context(), everywhere, request("orders")); err != nil {
			t.Fatal(err)
		}
		if got := asked[len(asked)-1]; got.AllTenants || got.Tenant != "acme" {
			t.Errorf("judged as %+v", got)
		}
		before := len(asked)
		if _, err := s.Mint(t.Context(), root(), request("hidden")); err != nil || len(asked) != before {
			t.Errorf("who may grant anything is asked: %v", err)
		}
	})
}

// A token for which conditions were lifted is one that shows more than its roles say: the log names them, also of
// what was made with it.
func TestClearedIsAudited(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s, ctx := open(tenancy.Options{}), t.Context()
		tenant(t, s, "acme")
		made := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "boss", Cleared: []string{"desk", "region"}}))
		narrowed := must(s.Narrow(ctx, accepted(t, s, made.Token), tenancy.Narrowing{}))
		plain := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "ann"}))
		entries, _, err := s.Entries(ctx, root(), tenancy.AuditFilter{Tenant: "acme"}, tenancy.Page{Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		var details []string
		for _, e := range entries {
			if e.Operation == "createToken" || e.Operation == "narrowToken" {
				details = append(details, e.Detail)
			}
		}
		slices.Sort(details)
		want := []string{made.ID + " for boss; cleared desk, region", narrowed.ID + " for boss; cleared desk, region", plain.ID + " for ann"}
		slices.Sort(want)
		if !slices.Equal(details, want) {
			t.Errorf("the log says %q, not %q", details, want)
		}
	})
}

package tenancy_test

import (
	"testing"

	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// An account of one source is replaced as a whole, and those of others stay as they
// are, also for who has the record of before.
func TestAccountOfOneSource(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		must(s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme", Accounts: map[string]principal.Account{"silo": {User: "a", Password: "canary"}}}))
		routing := func() map[string]principal.Account {
			_, r, err := s.Tenant(ctx, "acme")
			if err != nil {
				t.Fatal(err)
			}
			return r.Accounts
		}
		before := routing()
		for _, err := range []error{
			s.SetTenantAccount(ctx, root(), "acme", "api", principal.Account{BaseURL: "https://acme.example"}),
			s.SetTenantAccount(ctx, root(), "acme", "api", principal.Account{Headers: map[string]string{"X-Key": "k"}}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := routing(); len(got) != 2 || got["silo"].Password != "canary" || got["api"].BaseURL != "" || got["api"].Headers["X-Key"] != "k" {
			t.Errorf("%+v", got)
		}
		if len(before) != 1 {
			t.Error("a record that somebody has was changed")
		}
		for _, source := range []string{"silo", "silo", "nothing"} { // what is not there is removed already
			if err := s.RemoveTenantAccount(ctx, root(), "acme", source); err != nil {
				t.Error(err)
			}
		}
		if got := routing(); len(got) != 1 || got["api"].Headers["X-Key"] != "k" {
			t.Errorf("%+v", got)
		}
		wantCode(t, s.SetTenantAccount(ctx, root(), "acme", "", principal.Account{User: "a"}), fault.BadUserInput)
		wantCode(t, s.RemoveTenantAccount(ctx, root(), "acme", ""), fault.BadUserInput)
		wantCode(t, s.SetTenantAccount(ctx, root(), "nobody", "silo", principal.Account{User: "a"}), fault.NotFound)
		wantCode(t, s.SetTenantAccount(ctx, adminOf("acme"), "acme", "silo", principal.Account{User: "a"}), fault.Forbidden)
	})
}

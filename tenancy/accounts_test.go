package tenancy_test

import (
	"reflect"
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

// Of a deleted tenant's accounts is kept where they led, so that nobody else is led there, and nothing that lets
// somebody in; of one whose places are released nothing is. An account that cannot be read is no reason to keep the tenant.
func TestAccountsOfDeletedTenants(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		ctx := t.Context()
		s := open(tenancy.Options{})
		account := principal.Account{Host: "db", Port: 5433, Database: "acme", Schema: "s", User: "u", Password: "hidden", Headers: map[string]string{"X-Key": "hidden too"}, Properties: map[string]string{"token": "also"}}
		for _, id := range []string{"acme", "globex"} {
			must(s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: id, Accounts: map[string]principal.Account{"silo": account}}))
		}
		if err := s.DeleteTenant(ctx, root(), "acme"); err != nil {
			t.Fatal(err)
		}
		want := account
		want.Password, want.Headers, want.Properties = "", map[string]string{"X-Key": principal.Digest("hidden too")}, map[string]string{"token": principal.Digest("also")}
		if got := must(s.KeptAccounts(ctx, "acme")); !reflect.DeepEqual(got, map[string]principal.Account{"silo": want}) {
			t.Error("what is kept is not where they led, or more than that")
		}
		if err := s.ReleasePlaces(ctx, root(), "acme"); err != nil {
			t.Fatal(err)
		}
		if got := must(s.KeptAccounts(ctx, "acme")); len(got) != 0 {
			t.Error("accounts are kept where nobody's rows are")
		}
		wantCode(t, s.ReleasePlaces(ctx, root(), "globex"), fault.Conflict)
		if err := s.Exec(ctx, "UPDATE store.tenants SET accounts = 'sealed.lost.AAAA' WHERE id = 'globex'"); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteTenant(ctx, root(), "globex"); err != nil {
			t.Error(err)
		}
	})
}

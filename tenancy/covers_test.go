package tenancy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/tenancy"
)

func eq(column, text string) query.Object {
	return query.Object{{Name: column, Value: query.Object{{Name: "eq", Value: query.Text(text)}}}}
}

// Each line is a minter, what it asks for, and why that is refused; an empty
// reason means that it is not.
func TestCovers(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now, MaxTokenLife: 30 * 24 * time.Hour})
		ctx := t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "other")

		plain := adminOf("acme")
		backend := accepted(t, s, must(s.CreateKey(ctx, root(), tenancy.KeyRequest{
			Name: "backend", Tenant: "acme", Scopes: []principal.Scope{principal.CreateTokens}, Roles: []string{"viewer"},
			MayGrant: tenancy.MayGrant{Strategies: []string{"database"}, Accounts: []string{"silo"}, Parameters: []string{"distributor"}, Metadata: []string{"plan"}},
		})).Token)
		everywhere := accepted(t, s, must(s.CreateKey(ctx, root(), tenancy.KeyRequest{
			Name: "platform", AllTenants: true, Scopes: []principal.Scope{principal.CreateTokens}, Roles: []string{"viewer"},
		})).Token)
		limited := plain
		limited.Grant = principal.Grant{
			Strategy: "shared", Datasets: []string{"orders"}, Filters: []principal.Filter{{Dataset: "orders", Where: eq("region", "EU")}},
			Parameters: map[string]query.Value{"distributor": query.List{query.Text("acme")}}, Metadata: map[string]query.Value{"plan": query.Text("free")},
			Accounts: map[string]principal.Account{"silo": {User: "a"}}, SavedOnly: true,
		}
		by := func(dataset, strategy string) map[string]string { return map[string]string{dataset: strategy} }
		fixed := plain
		fixed.Grant.Strategies = by("orders", "database")
		limited.Expires = c.Now().Add(time.Hour)
		limitedRoot := root()
		limitedRoot.Grant.Filters = limited.Grant.Filters
		noScope := plain
		noScope.Scopes = []principal.Scope{principal.Administer}
		acting := root()
		acting.Acting = &principal.Acting{Subject: "root", Reason: "x"}
		account := map[string]principal.Account{"silo": {User: "x", Password: "y"}}
		parameter := func(v query.Value) map[string]query.Value { return map[string]query.Value{"distributor": v} }

		for _, line := range []struct {
			who    string
			minter principal.Principal
			wanted tenancy.TokenRequest
			why    string
		}{
			{"plain", plain, tenancy.TokenRequest{}, ""},
			{"plain", plain, tenancy.TokenRequest{Roles: []string{"viewer"}, Datasets: []string{"orders"}, SavedOnly: true}, ""},
			{"plain", plain, tenancy.TokenRequest{Filters: limited.Grant.Filters}, ""},
			{"no scope", noScope, tenancy.TokenRequest{}, "needs the scope tokens:create"},
			{"nobody", principal.Principal{Scopes: plain.Scopes}, tenancy.TokenRequest{Tenant: "acme"}, "no valid token"},
			{"plain", plain, tenancy.TokenRequest{Tenant: "other"}, "another tenant"},
			{"plain", plain, tenancy.TokenRequest{Roles: []string{"auditor"}}, "does not hold role auditor"},
			{"plain", plain, tenancy.TokenRequest{Strategy: "database"}, "may not grant strategy database"},
			{"plain", plain, tenancy.TokenRequest{Accounts: account}, "may not grant an account of source silo"},
			{"plain", plain, tenancy.TokenRequest{Parameters: parameter(query.Text("x"))}, "may not grant parameter distributor"},
			{"plain", plain, tenancy.TokenRequest{Cleared: []string{"distributor"}}, "may not clear parameter distributor"},
			{"backend", backend, tenancy.TokenRequest{Cleared: []string{"distributor"}}, "may not clear parameter distributor"},
			{"limited", limited, tenancy.TokenRequest{Cleared: []string{"distributor"}}, "fixes parameter distributor"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Cleared: []string{"distributor"}}, ""},
			{"plain", plain, tenancy.TokenRequest{Metadata: map[string]query.Value{"plan": query.Text("gold")}}, "may not grant metadata plan"},

			{"backend", backend, tenancy.TokenRequest{
				Strategy: "database", Accounts: account, Parameters: parameter(query.Text("x")), Metadata: map[string]query.Value{"plan": query.Text("gold")}, Roles: []string{"viewer"},
			}, ""},
			{"backend", backend, tenancy.TokenRequest{Strategy: "shared"}, "strategy shared"},
			{"backend", backend, tenancy.TokenRequest{Strategies: by("orders", "database")}, ""},
			{"backend", backend, tenancy.TokenRequest{Strategies: by("orders", "shared")}, "strategy shared"},
			{"backend", backend, tenancy.TokenRequest{Strategies: map[string]string{"orders": "database", "people": "shared"}}, "strategy shared"},
			{"plain", plain, tenancy.TokenRequest{Strategies: by("orders", "database")}, "strategy database"},
			{"limited", limited, tenancy.TokenRequest{Strategies: by("orders", "shared")}, ""}, // its own, of all datasets
			{"limited", limited, tenancy.TokenRequest{Strategies: by("orders", "database")}, "strategy database"},
			{"fixed", fixed, tenancy.TokenRequest{Strategies: by("orders", "database")}, ""},
			{"fixed", fixed, tenancy.TokenRequest{Strategies: by("orders", "shared")}, "fixes the strategy of dataset orders"},
			{"fixed", fixed, tenancy.TokenRequest{Strategies: by("people", "database")}, "strategy database"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Strategies: by("orders", "shared")}, ""},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Strategies: by("orders", "")}, "strategy of dataset orders is missing"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Strategies: by("", "shared")}, "name of a dataset is missing"},
			{"backend", backend, tenancy.TokenRequest{Roles: []string{"auditor"}}, "role auditor"},
			{"backend", backend, tenancy.TokenRequest{Accounts: map[string]principal.Account{"warehouse": {}}}, "source warehouse"},
			{"backend", backend, tenancy.TokenRequest{Parameters: map[string]query.Value{"distributors": query.Text("x")}}, "parameter distributors"},
			{"backend", backend, tenancy.TokenRequest{Metadata: map[string]query.Value{"plans": query.Text("x")}}, "metadata plans"},
			{"backend", backend, tenancy.TokenRequest{Tenant: "other"}, "another tenant"},
			{"everywhere", everywhere, tenancy.TokenRequest{Tenant: "other", Roles: []string{"viewer"}}, ""},
			{"everywhere", everywhere, tenancy.TokenRequest{Tenant: "other", Roles: []string{"auditor"}}, "role auditor"},
			{"everywhere", everywhere, tenancy.TokenRequest{Tenant: "other", Accounts: account}, "source silo"},
			{"everywhere", everywhere, tenancy.TokenRequest{}, "say which tenant"},

			{"limited", limited, tenancy.TokenRequest{}, ""},
			{"limited", limited, tenancy.TokenRequest{Strategy: "shared", Datasets: []string{"orders"}, Parameters: parameter(query.List{query.Text("acme")})}, ""},
			{"limited", limited, tenancy.TokenRequest{Datasets: []string{"orders", "people"}}, "does not reach dataset people"},
			{"limited", limited, tenancy.TokenRequest{Strategy: "database"}, "strategy database"},
			{"limited", limited, tenancy.TokenRequest{Parameters: parameter(query.List{query.Text("b")})}, "fixes parameter distributor"},
			{"limited", limited, tenancy.TokenRequest{Parameters: parameter(query.Text("acme"))}, "fixes parameter distributor"},
			{"limited", limited, tenancy.TokenRequest{Metadata: map[string]query.Value{"plan": query.Text("gold")}}, "fixes metadata plan"},
			{"limited", limited, tenancy.TokenRequest{Accounts: account}, "fixes the account of source silo"},
			{"limited", limited, tenancy.TokenRequest{ExpiresAt: c.Now().Add(2 * time.Hour)}, "longer than the minter's own"},
			{"limited root", limitedRoot, tenancy.TokenRequest{Tenant: "acme", Roles: []string{"auditor"}}, "role auditor"},
			{"limited root", limitedRoot, tenancy.TokenRequest{Tenant: "acme", Accounts: account}, "source silo"},
			{"acting", acting, tenancy.TokenRequest{Tenant: "acme", Roles: []string{"auditor"}}, "role auditor"},

			{"root", root(), tenancy.TokenRequest{
				Tenant: "acme", Roles: []string{"auditor"}, Strategy: "x", Accounts: account, Parameters: parameter(query.Text("x")), Metadata: map[string]query.Value{"m": query.Text("v")},
			}, ""},

			// What is wrong by itself.
			{"root", root(), tenancy.TokenRequest{Tenant: "Acme"}, "id must have the form"},
			{"root", root(), tenancy.TokenRequest{Tenant: "nowhere"}, "no tenant nowhere"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Subject: " "}, "subject is missing"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a\x00"}, "control character"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Subject: "\xff"}, "not Unicode"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", ExpiresAt: c.Now()}, "expired already"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", ExpiresAt: c.Now().Add(30*24*time.Hour + 1)}, "would live longer than 30 days"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Inactivity: 119 * time.Second}, "at least 120 seconds"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Inactivity: -time.Second}, "at least 120 seconds"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Rate: -1}, "rate"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Timezone: "Local"}, "time zone"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Timezone: "Mars/Base"}, "time zone"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Timezone: strings.Repeat("Mars", 1<<18)}, `Mars…"`},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Email: " "}, "the email address is blank"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Roles: []string{"a", "a"}}, "twice"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Datasets: []string{""}}, "missing"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Filters: []principal.Filter{{Dataset: "orders"}}}, "no condition"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Filters: []principal.Filter{{Dataset: "orders", Where: query.Object{}}}}, "no condition"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Filters: []principal.Filter{{Dataset: "orders", Where: eq("a", "b"), Having: query.Object{}}}}, "no condition"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Filters: []principal.Filter{{Dataset: "orders", Having: query.List{}}}}, "no condition"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Filters: []principal.Filter{{Where: eq("a", "b")}}}, "dataset of a filter is missing"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Parameters: map[string]query.Value{"x": nil}}, "parameter x cannot be stored"},
			{"root", root(), tenancy.TokenRequest{Tenant: "acme", Metadata: map[string]query.Value{"x": query.Text(strings.Repeat("x", 5000))}}, "more than"},
		} {
			if line.wanted.Subject == "" {
				line.wanted.Subject = "alice"
			}
			made, err := s.Mint(ctx, line.minter, line.wanted)
			switch {
			case line.why == "" && err != nil:
				t.Errorf("%s was refused %+v: %v", line.who, line.wanted, err)
			case line.why == "":
				accepted(t, s, made.Token)
			case err == nil:
				t.Errorf("%s got %+v, want: %s", line.who, line.wanted, line.why)
			case !strings.Contains(fault.From(err).Message, line.why):
				t.Errorf("%s was refused because of %v, want: %s", line.who, err, line.why)
			}
		}

		// What restricts the minter restricts the token.
		groups := principal.Filter{Dataset: "orders", Having: eq("count", "5")}
		made := must(s.Mint(ctx, limited, tenancy.TokenRequest{Subject: "alice", Filters: []principal.Filter{{Dataset: "orders", Where: eq("status", "open")}}}))
		grouped := must(s.Mint(ctx, limited, tenancy.TokenRequest{Subject: "alice", Filters: []principal.Filter{groups}}))
		narrowed := must(s.Narrow(ctx, accepted(t, s, grouped.Token), tenancy.Narrowing{Filters: []principal.Filter{{Dataset: "orders", Where: eq("a", "b")}}}))
		if got := accepted(t, s, narrowed.Token).Grant.Filters; len(got) != 3 || !cmp.Equal(got[1], groups) || got[2].Having != nil {
			t.Errorf("of a condition on groups there is left %+v", got)
		}
		p := accepted(t, s, made.Token)
		g := p.Grant
		if len(g.Filters) != 2 || g.Strategy != "shared" || len(g.Datasets) != 1 || len(g.Parameters) != 1 || g.Metadata["plan"] != query.Text("free") ||
			g.Accounts["silo"].User != "a" || !g.SavedOnly || !p.Expires.Equal(limited.Expires) {
			t.Errorf("the token of a limited minter grants %+v until %s", g, p.Expires)
		}
		listed, _, err := s.Tokens(ctx, plain, tenancy.TokenFilter{Subject: "alice", Kind: tenancy.EmbedToken}, tenancy.Page{Limit: 500})
		if err != nil || len(listed) < 5 {
			t.Errorf("listed %d, %v", len(listed), err)
		}
	})
}

func TestCheckIsAsked(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		var asked []principal.Principal
		misspelled := fault.New(fault.BadUserInput, "dataset orders has no column reigon")
		s := open(tenancy.Options{Check: func(p principal.Principal) error {
			asked = append(asked, p)
			if len(p.Grant.Filters) > 0 {
				return misspelled
			}
			return nil
		}})
		must(s.CreateTenant(t.Context(), root(), tenancy.NewTenant{ID: "acme", Key: "17", Strategy: "database"}))
		asked = nil
		_, err := s.Mint(t.Context(), root(), tenancy.TokenRequest{
			Tenant: "acme", Subject: "a", Filters: []principal.Filter{{Dataset: "orders", Where: eq("reigon", "EU")}},
		})
		if !errors.Is(err, misspelled) {
			t.Errorf("the catalog's refusal became %v", err)
		}
		if len(asked) != 1 || asked[0].TenantKey != "17" || asked[0].Routing.Strategy != "database" {
			t.Errorf("the catalog was asked %+v", asked)
		}
		if tokens, _, _ := s.Tokens(t.Context(), root(), tenancy.TokenFilter{}, tenancy.Page{}); len(tokens) != 0 {
			t.Error("a refused token was stored")
		}
	})
}

func TestNarrow(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now})
		ctx := t.Context()
		tenant(t, s, "acme")
		made := must(s.Mint(ctx, root(), tenancy.TokenRequest{
			Tenant: "acme", Subject: "alice", Roles: []string{"viewer", "writer"}, Datasets: []string{"orders", "people"},
			Accounts: map[string]principal.Account{"silo": {Password: "canary"}}, Inactivity: 10 * time.Minute,
		}))
		holder := accepted(t, s, made.Token)
		narrow := must(s.Narrow(ctx, holder, tenancy.Narrowing{
			Roles: []string{"viewer"}, Datasets: []string{"orders"}, Filters: []principal.Filter{{Dataset: "orders", Where: eq("a", "b")}}, SavedOnly: true,
		}))
		p := accepted(t, s, narrow.Token)
		if p.Subject != "alice" || len(p.Roles) != 1 || len(p.Grant.Datasets) != 1 || len(p.Grant.Filters) != 1 || !p.Grant.SavedOnly ||
			p.Grant.Accounts["silo"].Password != "canary" || p.Expires.After(holder.Expires) {
			t.Errorf("narrowed to %+v", p)
		}
		for _, n := range []tenancy.Narrowing{
			{Roles: []string{"admin"}}, {Datasets: []string{"secrets"}}, {ExpiresAt: holder.Expires.Add(time.Second)},
		} {
			_, err := s.Narrow(ctx, holder, n)
			wantCode(t, err, fault.Forbidden)
		}
		_, err := s.Narrow(ctx, p, tenancy.Narrowing{Datasets: []string{"people"}})
		wantCode(t, err, fault.Forbidden)
		_, err = s.Narrow(ctx, adminOf("acme"), tenancy.Narrowing{})
		wantCode(t, err, fault.Forbidden)
		_, err = s.Mint(ctx, p, tenancy.TokenRequest{Subject: "alice"})
		wantCode(t, err, fault.Forbidden)

		// It ends with the one it was made of, and so do those made of it.
		third := must(s.Narrow(ctx, p, tenancy.Narrowing{}))
		ended, err := s.Revoke(ctx, root(), tenancy.Revocation{TokenID: made.ID})
		if err != nil || ended != 3 {
			t.Errorf("ended %d, %v", ended, err)
		}
		for _, token := range []string{made.Token, narrow.Token, third.Token} {
			refused(t, s, token, tenancy.ErrRevoked)
		}
		_, err = s.Narrow(ctx, holder, tenancy.Narrowing{})
		wantCode(t, err, fault.Unauthenticated)
	})
}

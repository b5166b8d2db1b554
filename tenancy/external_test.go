package tenancy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

// What an identity provider calls a tenant finds it, and nothing else does. One
// name is one tenant's, whether it is an id, a key or an external id.
func TestExternalIDs(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s, ctx := open(tenancy.Options{Configured: func(name string) bool { return name == "of-the-file" }}), t.Context()
		const org = "org_9ybsU1dN2d"
		long := strings.Repeat("ä", 255)
		made, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme", Key: "a1", ExternalIDs: []string{org, "42", long}})
		if err != nil || !slices.Equal(made.ExternalIDs, []string{org, "42", long}) {
			t.Fatalf("%q, %v", made.ExternalIDs, err)
		}
		tenant(t, s, "globex")
		is := func(external, want string) {
			t.Helper()
			got, err := s.TenantOf(ctx, external)
			if got != want || want == "" && !errors.Is(err, tenancy.ErrNoTenant) || want != "" && err != nil {
				t.Errorf("%.20q is %q, %v; want %q", external, got, err, want)
			}
		}
		for range 2 { // the second time it is remembered
			is(org, "acme")
			is("42", "acme")
			is(long, "acme")
			for _, nobodys := range []string{"", "ORG_9YBSU1DN2D", org + " ", org + "\x00", "acme", "a1", "globex", "null", "7", "042", strings.Repeat("x", 256)} {
				is(nobodys, "")
			}
		}
		for why, list := range map[string][]string{
			"another tenant's":        {org},
			"an id":                   {"acme"},
			"a key":                   {"a1"},
			"the configuration's":     {"of-the-file"},
			"an id, among good ones":  {"good", "acme"},
			"empty":                   {""},
			"blank":                   {" "},
			"a word for nobody":       {"undefined"},
			"one in capitals":         {"NULL"},
			"zero":                    {"0"},
			"two lines":               {"a\nb"},
			"a NUL":                   {"a\x00"},
			"too long":                {strings.Repeat("ä", 256)},
			"twice":                   {"x", "x"},
			"more than anybody needs": slices.Repeat([]string{"x"}, 101),
		} {
			err := s.SetTenantExternalIDs(ctx, root(), "globex", list)
			if err == nil {
				t.Errorf("%s is an external id", why)
				continue
			}
			if code := fault.From(err).Code; code != fault.Conflict && code != fault.BadUserInput {
				t.Errorf("%s: %v", why, err)
			}
		}
		is("good", "")
		// Its own id and key are its own.
		if err := s.SetTenantExternalIDs(ctx, root(), "globex", []string{"globex", "new"}); err != nil {
			t.Fatal(err)
		}
		is("globex", "globex")
		is("new", "globex")
		// An external id is nobody's id or key afterwards.
		for _, n := range []tenancy.NewTenant{{ID: "new"}, {ID: "newer", Key: "new"}, {ID: "42"}, {ID: "newer", ExternalIDs: []string{"a1"}}} {
			if _, err := s.CreateTenant(ctx, root(), n); err == nil || fault.From(err).Code != fault.Conflict {
				t.Errorf("%+v: %v", n, err)
			}
		}
		if taken, err := s.Taken(ctx, "nobody", "new"); err != nil || !taken["new"] || taken["nobody"] {
			t.Errorf("the configuration may call a tenant what another is called: %v", err)
		}
		// It moves in two steps, and back.
		wantCode(t, s.SetTenantExternalIDs(ctx, root(), "globex", []string{org}), fault.Conflict)
		for _, step := range []struct {
			tenant string
			ids    []string
		}{{"acme", []string{"42"}}, {"globex", []string{"globex", org}}, {"globex", nil}, {"acme", []string{org}}} {
			if err := s.SetTenantExternalIDs(ctx, root(), step.tenant, step.ids); err != nil {
				t.Fatalf("%s: %v", step.tenant, err)
			}
			if step.tenant == "globex" && step.ids != nil {
				is(org, "globex")
			}
		}
		is(org, "acme")
		is("42", "")
		is("globex", "")
		found, _, err := s.Tenants(ctx, root(), "9ybsu1", tenancy.Page{})
		if err != nil || len(found) != 1 || found[0].ID != "acme" {
			t.Errorf("the search finds %+v, %v", found, err)
		}
		// A deleted tenant is called nothing.
		if err := s.DeleteTenant(ctx, root(), "acme"); err != nil {
			t.Fatal(err)
		}
		is(org, "")
		if err := s.SetTenantExternalIDs(ctx, root(), "globex", []string{org}); err != nil {
			t.Fatal(err)
		}
		is(org, "globex")
	})
}

// Another gateway learns within its interval whose an external id is now; what it
// remembered of nobody's, too.
func TestExternalIDsOnAnotherGateway(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	one, other := open(t, spec, tenancy.Options{Poll: 20 * time.Millisecond}), open(t, spec, tenancy.Options{Poll: 20 * time.Millisecond})
	tenant(t, one, "acme")
	tenant(t, one, "globex")
	ctx := t.Context()
	become := func(want string) {
		t.Helper()
		deadline := time.Now().Add(10 * time.Second)
		for {
			got, err := other.TenantOf(ctx, "org")
			if got == want && (want != "") == (err == nil) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("it is %q, %v; want %q", got, err, want)
			}
		}
	}
	become("")
	for _, step := range []struct {
		tenant string
		ids    []string
		want   string
	}{{"acme", []string{"org"}, "acme"}, {"acme", nil, ""}, {"globex", []string{"org"}, "globex"}, {"globex", []string{"other"}, ""}} {
		if err := one.SetTenantExternalIDs(ctx, root(), step.tenant, step.ids); err != nil {
			t.Fatal(err)
		}
		become(step.want)
	}
}

// What a record says of datasets and of hosts is kept as it is said: nothing is not
// an empty list. It reaches whoever asks for the tenant, and the tenant's tokens.
func TestRoutingOfARecord(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		var judged principal.Routing
		s, ctx := open(tenancy.Options{Check: func(p principal.Principal) error {
			judged = p.Routing
			return nil
		}}), t.Context()
		by := map[string]string{"orders": "silo"}
		if _, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme", Strategies: by, AllowHosts: []string{}}); err != nil {
			t.Fatal(err)
		}
		has := func(strategies map[string]string, hosts []string) {
			t.Helper()
			_, routing, err := s.Tenant(ctx, "acme")
			record, err2 := s.GetTenant(ctx, root(), "acme")
			for _, got := range []struct {
				strategies map[string]string
				hosts      []string
			}{{routing.Strategies, routing.AllowHosts}, {record.Strategies, record.AllowHosts}, {judged.Strategies, judged.AllowHosts}} {
				if err != nil || err2 != nil || len(got.strategies) != len(strategies) || got.strategies["orders"] != strategies["orders"] ||
					(got.hosts == nil) != (hosts == nil) || !slices.Equal(got.hosts, hosts) {
					t.Errorf("%+v, %v, %v; want %v and %v", got, err, err2, strategies, hosts)
				}
			}
		}
		has(by, []string{})
		for _, change := range []func() error{
			func() error { return s.SetTenantAllowHosts(ctx, root(), "acme", []string{"a.example"}) },
			func() error { return s.SetTenantAccounts(ctx, root(), "acme", nil) },
			func() error { return s.RenameTenant(ctx, root(), "acme", "Acme") },
		} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			has(by, []string{"a.example"})
		}
		if err := s.SetTenantStrategy(ctx, root(), "acme", "shared", nil); err != nil {
			t.Fatal(err)
		}
		has(nil, []string{"a.example"})
		if err := s.SetTenantAllowHosts(ctx, root(), "acme", nil); err != nil {
			t.Fatal(err)
		}
		has(nil, nil)
		for _, bad := range []map[string]string{{"": "silo"}, {"orders": ""}, {" orders": "silo"}, {"orders": "a\nb"}} {
			wantCode(t, s.SetTenantStrategy(ctx, root(), "acme", "", bad), fault.BadUserInput)
		}
		wantCode(t, s.SetTenantAllowHosts(ctx, root(), "acme", []string{""}), fault.BadUserInput)
	})
}

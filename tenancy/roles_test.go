package tenancy_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// Who holds roles of the tenant's own carries what they say, as it is now, and
// hands on nothing that they restrict less.
func TestOwnRoles(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		var checked principal.Principal
		s := open(tenancy.Options{
			CheckRole: func(principal.Principal, string, string, json.RawMessage) error { return nil },
			Check:     func(p principal.Principal) error { checked = p; return nil },
		})
		ctx := t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "other")
		put := func(of, name, spec string) {
			t.Helper()
			if err := s.PutRole(ctx, adminOf(of), of, name, json.RawMessage(spec)); err != nil {
				t.Fatal(err)
			}
		}
		put("acme", "clerk", `{"a": 1}`)
		put("acme", "chief", `{"b": 1}`)
		put("other", "clerk", `{"c": 1}`)
		wants := func(p principal.Principal, want map[string]string) {
			t.Helper()
			if !maps.Equal(p.RoleSpecs, want) {
				t.Errorf("%s with %v carries %v, want %v", p.Subject, p.Roles, p.RoleSpecs, want)
			}
		}

		// Users, tokens and keys of the tenant.
		if _, err := s.CreateUser(ctx, adminOf("acme"), tenancy.NewUser{
			Tenant: "acme", Username: "sue", Password: password, Roles: []string{"viewer", "clerk"},
			Scopes: []principal.Scope{principal.Administer, principal.CreateTokens, principal.ReadData},
		}); err != nil {
			t.Fatal(err)
		}
		wants(checked, map[string]string{"clerk": `{"a": 1}`})
		session := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "sue", Password: password})).Token
		sue := accepted(t, s, session)
		wants(sue, map[string]string{"clerk": `{"a": 1}`})
		if !slices.Equal(sue.Roles, []string{"viewer", "clerk"}) {
			t.Errorf("sue has the roles %v", sue.Roles)
		}
		mint := func(p principal.Principal, roles ...string) (principal.Principal, error) {
			made, err := s.Mint(ctx, p, tenancy.TokenRequest{Subject: "browser", Roles: roles})
			if err != nil {
				return principal.Principal{}, err
			}
			return accepted(t, s, made.Token), nil
		}
		key := accepted(t, s, must(s.CreateKey(ctx, root(), tenancy.KeyRequest{
			Name: "backend", Tenant: "acme", Scopes: []principal.Scope{principal.CreateTokens}, Roles: []string{"viewer"},
		})).Token)
		wants(key, nil)

		// A token may be restricted by more than its minter, and never by less.
		for _, line := range []struct {
			by    principal.Principal
			roles []string
			want  map[string]string
			code  fault.Code
		}{
			{key, []string{"viewer"}, nil, ""},
			{key, []string{"viewer", "clerk", "chief"}, map[string]string{"clerk": `{"a": 1}`, "chief": `{"b": 1}`}, ""},
			{key, []string{"viewer", "unknown"}, nil, fault.Forbidden},
			{sue, []string{"viewer", "clerk"}, map[string]string{"clerk": `{"a": 1}`}, ""},
			{sue, []string{"clerk"}, map[string]string{"clerk": `{"a": 1}`}, ""},
			{sue, []string{"viewer"}, nil, fault.Forbidden},
			{sue, []string{"viewer", "chief"}, nil, fault.Forbidden},
			{sue, []string{"viewer", "clerk", "chief"}, nil, fault.Forbidden},
		} {
			p, err := mint(line.by, line.roles...)
			if line.code != "" {
				wantCode(t, err, line.code)
				continue
			}
			if err != nil {
				t.Errorf("%s grants %v: %v", line.by.Subject, line.roles, err)
				continue
			}
			wants(p, line.want)
		}
		_, err := s.Narrow(ctx, sue, tenancy.Narrowing{Roles: []string{"viewer"}})
		wantCode(t, err, fault.Forbidden)
		wants(accepted(t, s, must(s.Narrow(ctx, sue, tenancy.Narrowing{})).Token), map[string]string{"clerk": `{"a": 1}`})

		// Who is restricted hands out no rights and writes no roles.
		_, err = s.CreateUser(ctx, sue, tenancy.NewUser{Tenant: "acme", Username: "tom", Password: password, Roles: []string{"viewer"}})
		wantCode(t, err, fault.Forbidden)
		wantCode(t, s.PutRole(ctx, sue, "acme", "clerk", json.RawMessage(`{}`)), fault.Forbidden)

		// What changes is known at once; a role that is gone leaves its name.
		put("acme", "clerk", `{"a": 2}`)
		wants(accepted(t, s, session), map[string]string{"clerk": `{"a": 2}`})
		if err := s.DeleteRole(ctx, adminOf("acme"), "acme", "clerk"); err != nil {
			t.Fatal(err)
		}
		if p := accepted(t, s, session); p.RoleSpecs != nil || !slices.Contains(p.Roles, "clerk") {
			t.Errorf("without the role there is %v of %v", p.RoleSpecs, p.Roles)
		}

		// Nobody else's role of the same name counts.
		acting := accepted(t, s, must(s.ActAs(ctx, root(), tenancy.ActRequest{Tenant: "other", Reason: "to see", Roles: []string{"clerk"}})).Token)
		wants(acting, map[string]string{"clerk": `{"c": 1}`})
	})
}

package tenancy_test

import (
	"strings"
	"testing"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/tenancy"
	"usher/tenancy/database"
)

// refusals are the refused acts in the log of a tenant, as its administrator reads it.
func refusals(t *testing.T, s *tenancy.Store, reader principal.Principal) (entries []audit.Entry) {
	t.Helper()
	s.Flush(t.Context())
	all, _, err := s.Entries(t.Context(), reader, tenancy.AuditFilter{Tenant: reader.Tenant}, tenancy.Page{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Outcome != audit.Done {
			entries = append(entries, e)
		}
	}
	return entries
}

// What somebody tries with another tenant is told to their own administrators and
// to those of all: nobody writes into another tenant's log.
func TestRefusalsAreTheCallersOwn(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s, ctx := open(tenancy.Options{}), t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "globex")
		boss, read := adminOf("acme"), []principal.Scope{principal.ReadData}
		acts := map[string]func(p principal.Principal) error{
			"actAs": func(p principal.Principal) error {
				_, err := s.ActAs(ctx, p, tenancy.ActRequest{Tenant: "globex", Reason: "TEXT"})
				return err
			},
			"putRole":    func(p principal.Principal) error { return s.PutRole(ctx, p, "globex", "TEXT", []byte("{}")) },
			"deleteRole": func(p principal.Principal) error { return s.DeleteRole(ctx, p, "globex", "TEXT") },
			"createUser": func(p principal.Principal) error {
				_, err := s.CreateUser(ctx, p, tenancy.NewUser{Tenant: "globex", Username: "TEXT", Password: password})
				return err
			},
			"deleteUser":    func(p principal.Principal) error { return s.DeleteUser(ctx, p, "globex", "TEXT") },
			"setUserStatus": func(p principal.Principal) error { return s.SetUserStatus(ctx, p, "globex", "TEXT", tenancy.Active) },
			"setUserRights": func(p principal.Principal) error { return s.SetUserRights(ctx, p, "globex", "TEXT", nil, read) },
			"setPassword":   func(p principal.Principal) error { return s.SetPassword(ctx, p, "globex", "TEXT", password) },
			"createKey": func(p principal.Principal) error {
				_, err := s.CreateKey(ctx, p, tenancy.KeyRequest{Tenant: "globex", Name: "TEXT", Scopes: read})
				return err
			},
			"revoke": func(p principal.Principal) error {
				_, err := s.Revoke(ctx, p, tenancy.Revocation{Tenant: "globex", Subject: "TEXT"})
				return err
			},
			"testAccount": func(p principal.Principal) error {
				_, _, err := s.TestAccount(ctx, p, "globex")
				return err
			},
			"createTenant": func(p principal.Principal) error {
				_, err := s.CreateTenant(ctx, p, tenancy.NewTenant{ID: "globex"})
				return err
			},
			"createToken": func(p principal.Principal) error {
				_, err := s.Mint(ctx, p, tenancy.TokenRequest{Tenant: "globex", Subject: "TEXT"})
				return err
			},
			"renameTenant":         func(p principal.Principal) error { return s.RenameTenant(ctx, p, "globex", "TEXT") },
			"setTenantStrategy":    func(p principal.Principal) error { return s.SetTenantStrategy(ctx, p, "globex", "TEXT", nil) },
			"setTenantExternalIds": func(p principal.Principal) error { return s.SetTenantExternalIDs(ctx, p, "globex", []string{"TEXT"}) },
			"setTenantAllowHosts":  func(p principal.Principal) error { return s.SetTenantAllowHosts(ctx, p, "globex", []string{"TEXT"}) },
			"setTenantCell":        func(p principal.Principal) error { return s.SetTenantCell(ctx, p, "globex", "TEXT") },
			"setTenantAccounts":    func(p principal.Principal) error { return s.SetTenantAccounts(ctx, p, "globex", nil) },
			"setTenantAccount": func(p principal.Principal) error {
				return s.SetTenantAccount(ctx, p, "globex", "TEXT", principal.Account{})
			},
			"removeTenantAccount": func(p principal.Principal) error { return s.RemoveTenantAccount(ctx, p, "globex", "TEXT") },
			"unlockUser":          func(p principal.Principal) error { return s.UnlockUser(ctx, p, "globex", "TEXT") },
			"endUserSessions": func(p principal.Principal) error {
				_, err := s.EndUserSessions(ctx, p, "globex", "TEXT")
				return err
			},
			"suspendTenant": func(p principal.Principal) error { return s.SuspendTenant(ctx, p, "globex") },
			"resumeTenant":  func(p principal.Principal) error { return s.ResumeTenant(ctx, p, "globex") },
			"deleteTenant":  func(p principal.Principal) error { return s.DeleteTenant(ctx, p, "globex") },
		}
		for name, act := range acts {
			err := act(boss)
			wantCode(t, err, fault.Forbidden)
			wantCode(t, act(principal.Principal{Issuer: "idp", Tenant: "acme", Subject: "clerk"}), fault.Forbidden)
			_ = s.Refused(boss, name, "globex", "TEXT", err)
		}
		if seen := refusals(t, s, adminOf("globex")); len(seen) != 0 {
			t.Errorf("globex reads %+v", seen)
		}
		tried := map[string]int{}
		for _, e := range refusals(t, s, boss) {
			if e.Tenant != "acme" || e.Outcome != string(fault.Forbidden) || !strings.HasPrefix(e.Detail, "tenant globex:") || e.Issuer != "idp" {
				t.Errorf("acme reads %+v", e)
			}
			tried[e.Operation]++
		}
		for name := range acts {
			if tried[name] < 2 {
				t.Errorf("%s is %d times in acme's log", name, tried[name])
			}
		}
		// Of who is of all tenants, the one it would have been done to is told.
		minting := principal.Principal{Issuer: "idp", Subject: "backend", AllTenants: true, Scopes: []principal.Scope{principal.CreateTokens}}
		wantCode(t, acts["deleteUser"](minting), fault.Forbidden)
		seen := refusals(t, s, adminOf("globex"))
		if len(seen) != 1 || seen[0].Subject != "backend" || seen[0].Tenant != "globex" || seen[0].Detail != "TEXT" {
			t.Errorf("globex reads %+v", seen)
		}
	})
}

// Whatever is refused to who administers or mints is in the log, with its code.
func TestRefusalsOfAnyCode(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s, ctx := open(tenancy.Options{}), t.Context()
		tenant(t, s, "acme")
		boss, long := adminOf("acme"), strings.Repeat("x", 100_000)
		_, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme"})
		wantCode(t, err, fault.Conflict)
		wantCode(t, s.RenameTenant(ctx, root(), "nobody", "x"), fault.NotFound)
		wantCode(t, s.DeleteUser(ctx, boss, "acme", "zed"), fault.NotFound)
		wantCode(t, s.SetPassword(ctx, boss, "acme", "zed", "short"), fault.BadUserInput)
		_, err = s.CreateUser(ctx, boss, tenancy.NewUser{Tenant: "acme", Username: "zed", Password: "short"})
		wantCode(t, err, fault.BadUserInput)
		_, err = s.ActAs(ctx, root(), tenancy.ActRequest{Tenant: "acme", Reason: long})
		wantCode(t, err, fault.BadUserInput)
		_, err = s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "ann", Roles: []string{"viewer"}, Rate: -1})
		wantCode(t, err, fault.BadUserInput)
		_, err = s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "nobody", Subject: "ann"})
		wantCode(t, err, fault.NotFound)
		_, _, err = s.TestAccount(ctx, root(), "nobody")
		wantCode(t, err, fault.NotFound)
		// Who neither administers nor mints is noted for that alone.
		reader := principal.Principal{Issuer: "idp", Tenant: "acme", Subject: "reader", Scopes: []principal.Scope{principal.ReadData}}
		_ = s.Refused(reader, "createToken", "acme", "", fault.New(fault.BadUserInput, "x"))
		_ = s.Refused(reader, "createUser", "acme", "", fault.New(fault.BadUserInput, "x"))

		got := map[string]bool{}
		for _, e := range refusals(t, s, root()) {
			if len(e.Detail) > 1000 {
				t.Errorf("%s: a detail of %d bytes", e.Operation, len(e.Detail))
			}
			got[strings.Join([]string{e.Operation, e.Tenant, e.Outcome, e.Detail[:min(len(e.Detail), 30)]}, " ")] = true
		}
		for _, want := range []string{
			"createTenant acme CONFLICT ", "renameTenant nobody NOT_FOUND ", "deleteUser acme NOT_FOUND zed", "setPassword acme BAD_USER_INPUT zed",
			"createUser acme BAD_USER_INPUT zed", "actAs acme BAD_USER_INPUT " + long[:30], "createToken acme BAD_USER_INPUT for ann; roles viewer",
			"createToken nobody NOT_FOUND for ann", "testAccount nobody NOT_FOUND ",
		} {
			if !got[want] {
				t.Errorf("%q is missing in %v", want, got)
			}
			delete(got, want)
		}
		if len(got) != 0 {
			t.Errorf("beside them: %v", got)
		}
	})
}

// What is wrong with a token is said in words that help who asked for it.
func TestMintingSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := newClock()
	s, ctx := open(t, database.Spec{Path: t.TempDir() + "/control.duckdb"}, tenancy.Options{Clock: c.Now}), t.Context()
	tenant(t, s, "acme")
	for want, r := range map[string]tenancy.TokenRequest{
		"say which tenant the token is for":                    {Subject: "ann"},
		"the token would live longer than a year":              {Tenant: "acme", Subject: "ann", ExpiresAt: c.Now().AddDate(2, 0, 0)},
		"metadata id cannot be stored: a text holds a NUL":     {Tenant: "acme", Subject: "ann", Metadata: map[string]query.Value{"id": query.Text("a\x00")}},
		"parameter id cannot be stored: a text holds a NUL":    {Tenant: "acme", Subject: "ann", Parameters: map[string]query.Value{"id": query.Text("a\x00")}},
		"the inactivity interval must be at least 120 seconds": {Tenant: "acme", Subject: "ann", Inactivity: time.Second},
	} {
		_, err := s.Mint(ctx, root(), r)
		wantCode(t, err, fault.BadUserInput)
		if got := fault.From(err).Message; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

package tenancy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// logins are the users of all pages, by how they log in.
func logins(t *testing.T, s *tenancy.Store, p principal.Principal, f tenancy.UserFilter, limit int) []string {
	t.Helper()
	var all []string
	for page := (tenancy.Page{Limit: limit}); ; {
		users, next, err := s.Users(t.Context(), p, f, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			all = append(all, u.Login())
		}
		if next == "" {
			return all
		}
		page.After = next
	}
}

// Who administers all tenants finds the users of all; who administers one, their own.
func TestUsersOfAllTenants(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		if _, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme", Name: "Acme Burritos"}); err != nil {
			t.Fatal(err)
		}
		tenant(t, s, "globex")
		for _, n := range []tenancy.NewUser{
			{Tenant: "acme", Username: "ann", Name: "Ann Ämter", Email: "ann@acme.example"},
			{Tenant: "acme", Username: "bob", Name: "Bob"},
			{Tenant: "globex", Username: "ann", Email: "Boss@Globex.example"},
			{Username: "zoe", Name: "Zoe"},
		} {
			n.Password = password
			must(s.CreateUser(ctx, root(), n))
		}
		for f, want := range map[tenancy.UserFilter]string{
			{AllTenants: true}:                        "zoe acme|ann acme|bob globex|ann",
			{AllTenants: true, Search: "ANN"}:         "acme|ann globex|ann",
			{AllTenants: true, Search: "boss@"}:       "globex|ann",
			{AllTenants: true, Search: "ämter"}:       "acme|ann",
			{AllTenants: true, Search: "burritos"}:    "acme|ann acme|bob",
			{AllTenants: true, Search: "glob"}:        "globex|ann",
			{AllTenants: true, Search: "%"}:           "",
			{AllTenants: true, Search: "' OR 1=1 --"}: "",
			{Tenant: "acme"}:                          "acme|ann acme|bob",
			{Tenant: "acme", Search: "bo"}:            "acme|bob",
			{}:                                        "zoe",
			{Search: "acme"}:                          "",
		} {
			for _, limit := range []int{1, 2, 500} {
				if got := strings.Join(logins(t, s, root(), f, limit), " "); got != want {
					t.Errorf("%+v by %d: %s, want %s", f, limit, got, want)
				}
			}
		}
		if got := strings.Join(logins(t, s, adminOf("acme"), tenancy.UserFilter{Tenant: "acme", Search: "ann"}, 1), " "); got != "acme|ann" {
			t.Error(got)
		}
		reader := root()
		reader.Scopes = []principal.Scope{principal.ReadData}
		for who, p := range map[string]principal.Principal{"a tenant's": adminOf("acme"), "a reader": reader, "nobody": {}} {
			for _, f := range []tenancy.UserFilter{{AllTenants: true}, {AllTenants: true, Tenant: "acme"}, {AllTenants: true, Search: "ann"}, {Tenant: "globex"}, {}} {
				if users, _, err := s.Users(ctx, p, f, tenancy.Page{After: "acme|"}); err == nil {
					t.Errorf("%s lists %+v: %v", who, f, users)
				}
			}
		}
		_, _, err := s.Users(ctx, root(), tenancy.UserFilter{AllTenants: true, Search: "a\x00"}, tenancy.Page{})
		wantCode(t, err, fault.BadUserInput)
	})
}

// Ten thousand users and tenants are searched and paged through.
func TestTenThousand(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{Poll: time.Hour, MaxStale: time.Hour})
		ctx := t.Context()
		for _, text := range []string{
			`INSERT INTO store.tenants (id, tenant_key, name, status, strategy, accounts, created_at, changed_at, generation)
				SELECT 't' || n, 't' || n, 'Tenant ' || n, 'active', '', '', 1, 1, 1 FROM generate_series(1, 10000) AS g(n)`,
			`INSERT INTO store.users (id, tenant, username, name, email, password, status, roles, scopes, created_at, changed_at)
				SELECT 'u' || n, 't' || (n % 100), 'user' || n, 'User ' || n, '', 'x', 'active', '[]', '[]', 1, 1 FROM generate_series(1, 10000) AS g(n)`,
			`INSERT INTO store.tokens (id, kind, hash, tenant, subject, name, email, user_id, minter_issuer, minter_subject, minter_token, created_at, expires_at, inactivity, used_at, revoked_at, body, accounts)
				SELECT 'e' || n, 'et', '', 't1', 'subject' || n, '', '', '', '', 'm', '', 1, 0, 0, 0, 0, '{}', '' FROM generate_series(1, 10000) AS g(n)`,
		} {
			if err := s.Exec(ctx, text); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		all := logins(t, s, root(), tenancy.UserFilter{AllTenants: true}, 500)
		seen := make(map[string]bool)
		for _, login := range all {
			seen[login] = true
		}
		if len(all) != 10_000 || len(seen) != 10_000 {
			t.Errorf("%d users, %d different ones", len(all), len(seen))
		}
		if got := logins(t, s, root(), tenancy.UserFilter{AllTenants: true, Search: "user9999"}, 50); fmt.Sprint(got) != "[t99|user9999]" {
			t.Error(got)
		}
		tenants := 0
		for page := (tenancy.Page{Limit: 500}); ; {
			rows, next, err := s.Tenants(ctx, root(), "", page)
			if err != nil {
				t.Fatal(err)
			}
			if tenants += len(rows); next == "" {
				break
			}
			page.After = next
		}
		if tenants != 10_000 {
			t.Errorf("%d tenants", tenants)
		}
		tokens, next, err := s.Tokens(ctx, root(), tenancy.TokenFilter{Search: "SUBJECT1234"}, tenancy.Page{})
		if err != nil || len(tokens) != 1 || next != "" || tokens[0].ID != "e1234" {
			t.Errorf("%v, %v", tokens, err)
		}
		tokens, _, err = s.Tokens(ctx, adminOf("t2"), tenancy.TokenFilter{Search: "subject"}, tenancy.Page{})
		if err != nil || len(tokens) != 0 {
			t.Errorf("another tenant finds %v, %v", tokens, err)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

// A person logs in by tenant and name, however the two are given, and nobody else is
// meant by it.
func TestLoginForms(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{FreeAttempts: 1000, AddressFree: 1000})
		ctx := t.Context()
		for _, id := range []string{"t1", "t2"} {
			tenant(t, s, id)
			must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: id, Username: "alice", Password: password + id}))
		}
		must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "t2", Username: "t1|alice", Password: password + "odd"}))
		for _, c := range []struct{ tenant, username, password, want string }{
			{"t1", "alice", "t1", "t1 alice"},
			{"", "t1|alice", "t1", "t1 alice"},
			{"t1", "t1|alice", "t1", "t1 alice"},
			{"t1", "t1|Alice", "t1", "t1 alice"},
			{"t1", "t2|alice", "t2", ""},
			{"t2", "t1|alice", "t1", ""},
			{"t2", "t1|alice", "odd", "t2 t1|alice"},
			{"", "t2|t1|alice", "odd", "t2 t1|alice"},
			{"t1", "t1|t1|alice", "t1", ""},
			{"", "alice", "t1", ""},
			{"t1", "|alice", "t1", ""},
			{"", "|alice", "t1", ""},
			{"t1", "t1|", "t1", ""},
			{"t1|", "alice", "t1", ""},
			{"T1", "alice", "t1", ""},
			{"t1", "T1|alice", "t1", ""},
		} {
			made, err := s.Login(ctx, tenancy.Credentials{Tenant: c.tenant, Username: c.username, Password: password + c.password})
			got := ""
			if err == nil {
				p := accepted(t, s, made.Token)
				got = p.Tenant + " " + p.Subject
			} else {
				wantCode(t, err, fault.Unauthenticated)
			}
			if got != c.want {
				t.Errorf("%q %q logs in as %q, want %q", c.tenant, c.username, got, c.want)
			}
		}
		_, err := s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "t1", Username: "t1|bob", Password: password})
		wantCode(t, err, fault.BadUserInput)
	})
}

// A profile is replaced, shown at once in sessions, and changes no right.
func TestProfiles(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "acme", Username: "ann", Password: password, Roles: []string{"viewer"}}))
		session := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "ann", Password: password}))
		if err := s.SetUserProfile(ctx, adminOf("acme"), "acme", "ANN", "Ann Example", "ann@acme.example"); err != nil {
			t.Fatal(err)
		}
		u := must(s.GetUser(ctx, adminOf("acme"), "acme", "ann"))
		p := accepted(t, s, session.Token)
		if u.Name != "Ann Example" || u.Email != "ann@acme.example" || p.Name != u.Name || p.Email != u.Email || len(u.Roles) != 1 || u.Status != tenancy.Active {
			t.Errorf("%+v, %+v", u, p)
		}
		must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "ann", Password: password}))
		for name, email := range map[string]string{"a\nb": "", "x": "a\x00", strings.Repeat("x", 300): "", "y": " ", "z": " ann@acme.example", "\u00a0": ""} {
			wantCode(t, s.SetUserProfile(ctx, root(), "acme", "ann", name, email), fault.BadUserInput)
		}
		wantCode(t, s.SetUserProfile(ctx, root(), "acme", "gone", "x", ""), fault.NotFound)
		if err := s.SetUserProfile(ctx, root(), "acme", "ann", "", ""); err != nil {
			t.Error(err)
		}
		if u := must(s.GetUser(ctx, root(), "acme", "ann")); u.Name != "" || u.Email != "" {
			t.Errorf("%+v", u)
		}
	})
}

// Whoever signs out everywhere ends their own sessions and what was made with them, and
// nobody else's.
func TestRevokeSessions(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "other")
		for _, of := range []string{"acme", "other"} {
			for _, name := range []string{"ann", "bob"} {
				must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: of, Username: name, Password: password, Scopes: []principal.Scope{principal.CreateTokens, principal.ReadData, principal.Administer}}))
			}
		}
		login := func(tenant, name string) principal.Principal {
			return accepted(t, s, must(s.Login(ctx, tenancy.Credentials{Tenant: tenant, Username: name, Password: password})).Token)
		}
		here, there := login("acme", "ann"), login("acme", "ann")
		bob, foreign := login("acme", "bob"), login("other", "ann")
		minted := accepted(t, s, must(s.Mint(ctx, there, tenancy.TokenRequest{Subject: "x"})).Token)
		key := accepted(t, s, must(s.CreateKey(ctx, there, tenancy.KeyRequest{Name: "k", Tenant: "acme", Scopes: []principal.Scope{principal.ReadData}})).Token)
		acting := principal.Principal{Tenant: "acme", Issuer: tenancy.Issuer, TokenID: here.TokenID, Acting: &principal.Acting{Subject: "root"}}
		jwt := principal.Principal{Tenant: "acme", Subject: "ann", Issuer: "idp", TokenID: here.TokenID}
		for who, p := range map[string]principal.Principal{"an embed token": minted, "a key": key, "who acts": acting, "a JWT": jwt, "nobody": {}} {
			if n, err := s.RevokeSessions(ctx, p); err == nil {
				t.Errorf("%s has ended %d", who, n)
			}
		}
		if n, err := s.RevokeSessions(ctx, here); err != nil || n != 3 {
			t.Errorf("%d have ended, %v", n, err)
		}
		for who, p := range map[string]principal.Principal{"here": here, "there": there, "minted": minted} {
			if !s.Revoked(p) {
				t.Errorf("%s goes on", who)
			}
		}
		for who, p := range map[string]principal.Principal{"bob": bob, "another tenant's ann": foreign, "the key": key} {
			if s.Revoked(p) {
				t.Errorf("%s has ended", who)
			}
		}
		login("acme", "ann")
	})
}

package tenancy_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/query"
	"usher/quota"
	"usher/tenancy"
	"usher/tenancy/database"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var key = tenancy.SealKey{ID: "k1", Secret: []byte("0123456789abcdef0123456789abcdef")}

// cheap makes passwords quick to hash.
var cheap = tenancy.PasswordCost{MemoryKiB: 64, Passes: 1}

func postgresOf(db pgtest.DB) database.Spec {
	return database.Spec{Postgres: &database.Postgres{
		Hosts: []database.Host{{Name: db.Host, Port: db.Port}}, Database: db.Name, User: db.User, Password: db.Password, SSLMode: "disable",
	}}
}

func open(t testing.TB, spec database.Spec, opts tenancy.Options) *tenancy.Store {
	t.Helper()
	opts.Password = cheap
	if opts.Key.ID == "" {
		opts.Key = key
	}
	s, err := tenancy.Open(t.Context(), spec, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// each runs a test on both databases.
func each(t *testing.T, test func(*testing.T, func(tenancy.Options) *tenancy.Store)) {
	t.Helper()
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := pgtest.Start(t).Database(t)
		test(t, func(o tenancy.Options) *tenancy.Store { return open(t, postgresOf(db), o) })
	})
	t.Run("duckdb", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "store", "control.duckdb")
		test(t, func(o tenancy.Options) *tenancy.Store { return open(t, database.Spec{Path: path}, o) })
	})
}

// root is an administrator of all tenants with every right.
func root() principal.Principal {
	return principal.Principal{
		Subject: "root", Issuer: "idp", AllTenants: true,
		Scopes: []principal.Scope{principal.Administer, principal.CreateTokens, principal.ReadData},
	}
}

func adminOf(tenant string) principal.Principal {
	return principal.Principal{
		Subject: "boss", Issuer: "idp", Tenant: tenant, TenantKey: tenant, Roles: []string{"viewer"},
		Scopes: []principal.Scope{principal.Administer, principal.CreateTokens, principal.ReadData},
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func tenant(t *testing.T, s *tenancy.Store, id string) {
	t.Helper()
	if _, err := s.CreateTenant(t.Context(), root(), tenancy.NewTenant{ID: id}); err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, s *tenancy.Store, token string, cause error) {
	t.Helper()
	_, err := s.Authenticate(t.Context(), token)
	wantCode(t, err, fault.Unauthenticated)
	if !errors.Is(err, cause) {
		t.Errorf("refused because of %v, want %v", err, cause)
	}
}

func accepted(t *testing.T, s *tenancy.Store, token string) principal.Principal {
	t.Helper()
	p, err := s.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// eventually tries until it holds, for a second: the bound for what happens
// in other processes.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Second)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("within a second it did not happen: %s", what)
		case <-ticker.C:
		}
	}
}

func TestTenants(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now, Check: func(p principal.Principal) error {
			if p.Routing.Strategy == "nonsense" {
				return fault.New(fault.BadUserInput, "there is no strategy %s", p.Routing.Strategy)
			}
			return nil
		}})
		ctx := t.Context()
		acme := must(s.CreateTenant(ctx, root(), tenancy.NewTenant{
			ID: "acme", Key: "17", Name: "Acme Ltd", Strategy: "database",
			Accounts: map[string]principal.Account{"silo": {Database: "acme", User: "acme", Password: "canary-password"}},
		}))
		if acme.Key != "17" || acme.Status != tenancy.Active || len(acme.Accounts) != 1 || acme.Accounts[0].Source != "silo" || !slices.Equal(acme.Accounts[0].Set, []string{"database", "user", "password"}) || !acme.Created.Equal(c.Now()) {
			t.Errorf("made %+v", acme)
		}
		key, routing, err := s.Tenant(ctx, "acme")
		if err != nil || key != "17" || routing.Strategy != "database" || routing.Accounts["silo"].Password != "canary-password" {
			t.Errorf("Tenant: %s, %+v, %v", key, routing.Accounts["silo"].User, err)
		}
		for _, id := range []string{"", "A", "Acme", "-a", "a b", "a|b", "ä", "acme\n", strings.Repeat("a", 64), "a.b", "а", "no_tenant", "null", "undefined", "system", "admin", "all"} {
			_, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: id})
			wantCode(t, err, fault.BadUserInput)
		}
		_, err = s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme"})
		wantCode(t, err, fault.Conflict)
		_, err = s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "other", Key: "17"})
		wantCode(t, err, fault.Conflict)
		_, err = s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "other", Strategy: "nonsense"})
		wantCode(t, err, fault.BadUserInput)
		wantCode(t, s.SetTenantStrategy(ctx, root(), "acme", "nonsense", nil), fault.BadUserInput)
		wantCode(t, s.RenameTenant(ctx, root(), "nowhere", "x"), fault.NotFound)

		if err := s.RenameTenant(ctx, adminOf("acme"), "acme", "Ünited"); err != nil {
			t.Error(err)
		}
		for _, id := range []string{"b1", "b2", "b3"} {
			tenant(t, s, id)
		}
		first, next, err := s.Tenants(ctx, root(), "", tenancy.Page{Limit: 3})
		if err != nil || len(first) != 3 || next != "b2" {
			t.Errorf("first page: %v, %q, %v", first, next, err)
		}
		rest, next, err := s.Tenants(ctx, root(), "", tenancy.Page{Limit: 3, After: next})
		if err != nil || len(rest) != 1 || next != "" || rest[0].ID != "b3" {
			t.Errorf("last page: %v, %q, %v", rest, next, err)
		}
		found, _, err := s.Tenants(ctx, root(), "NITED", tenancy.Page{})
		if err != nil || len(found) != 1 || found[0].Name != "Ünited" {
			t.Errorf("search: %v, %v", found, err)
		}
		if found, _, _ := s.Tenants(ctx, root(), "%", tenancy.Page{}); len(found) != 0 {
			t.Errorf("a wildcard found %v", found)
		}

		// Who may: an administrator, of this tenant or of all.
		viewer := adminOf("acme")
		viewer.Scopes = []principal.Scope{principal.ReadData}
		acting := root()
		acting.Acting = &principal.Acting{Subject: "x"}
		nobody := principal.Principal{Scopes: root().Scopes}
		for _, p := range []principal.Principal{viewer, adminOf("b1"), acting, nobody, {}} {
			if _, err := s.GetTenant(ctx, p, "acme"); err == nil {
				t.Errorf("%+v got the record", p)
			}
			if err := s.RenameTenant(ctx, p, "acme", "stolen"); err == nil {
				t.Errorf("%+v renamed", p)
			}
		}
		for _, p := range []principal.Principal{adminOf("acme"), viewer, acting, {}} {
			for _, err := range []error{
				s.SuspendTenant(ctx, p, "acme"), s.DeleteTenant(ctx, p, "acme"), s.SetTenantStrategy(ctx, p, "acme", "shared", nil),
				s.SetTenantAccounts(ctx, p, "acme", nil),
			} {
				if err == nil {
					t.Errorf("%+v changed the tenant", p)
				}
			}
		}

		// A deleted tenant's id and key are nobody's again.
		if err := s.DeleteTenant(ctx, root(), "acme"); err != nil {
			t.Fatal(err)
		}
		_, _, err = s.Tenant(ctx, "acme")
		wantCode(t, err, fault.Unauthenticated)
		_, err = s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme"})
		wantCode(t, err, fault.Conflict)
		_, err = s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme2", Key: "17"})
		wantCode(t, err, fault.Conflict)
		wantCode(t, s.ResumeTenant(ctx, root(), "acme"), fault.Conflict)
		if got := must(s.GetTenant(ctx, root(), "acme")); got.Status != tenancy.Deleted || len(got.Accounts) != 0 {
			t.Errorf("the tombstone is %+v", got)
		}
	})
}

func TestSuspension(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		made := must(s.Mint(ctx, adminOf("acme"), tenancy.TokenRequest{Subject: "alice", Roles: []string{"viewer"}}))
		p := accepted(t, s, made.Token)
		if p.Subject != "alice" || p.Tenant != "acme" || p.TenantKey != "acme" || p.AllTenants || !slices.Equal(p.Roles, []string{"viewer"}) ||
			!slices.Equal(p.Scopes, []principal.Scope{principal.ReadData}) || p.TokenID != made.ID || p.Issuer != tenancy.Issuer {
			t.Errorf("the token says %+v", p)
		}
		if err := s.SuspendTenant(ctx, root(), "acme"); err != nil {
			t.Fatal(err)
		}
		refused(t, s, made.Token, tenancy.ErrTenant)
		_, err := s.Mint(ctx, adminOf("acme"), tenancy.TokenRequest{Subject: "alice"})
		wantCode(t, err, fault.Conflict)
		if err := s.ResumeTenant(ctx, root(), "acme"); err != nil {
			t.Fatal(err)
		}
		accepted(t, s, made.Token)
		_, err = s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acmee", Subject: "alice"})
		wantCode(t, err, fault.NotFound)
	})
}

func TestAuthenticate(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now})
		ctx := t.Context()
		tenant(t, s, "acme")
		mint := func(r tenancy.TokenRequest) string {
			r.Subject, r.Tenant = "alice", "acme"
			return must(s.Mint(ctx, root(), r)).Token
		}
		full := tenancy.TokenRequest{
			Roles: []string{"viewer"}, Strategy: "database", Timezone: "Europe/Berlin", SavedOnly: true, Datasets: []string{},
			Filters: []principal.Filter{{Dataset: "orders", Where: query.Object{{Name: "region", Value: query.Object{{Name: "in", Value: query.List{
				query.Text("EU"), query.Null{}, query.Number("1.50"), query.Bool(true), query.Enum("DESC"),
			}}}}}}},
			Parameters: map[string]query.Value{"distributor": query.List{query.Text("acme")}},
			Metadata:   map[string]query.Value{"region": query.Text("\"eu\"")},
			Accounts:   map[string]principal.Account{"silo": {User: "u", Password: "canary-password", Headers: map[string]string{"x": "canary-header"}}},
		}
		token := mint(full)
		for range 2 { // from the store, and from memory
			p := accepted(t, s, token)
			g := p.Grant
			where := g.Filters[0].Where.(query.Object)[0].Value.(query.Object)[0].Value.(query.List)
			if len(where) != 5 || where[2] != query.Number("1.50") || where[1] != (query.Null{}) || where[4] != query.Text("DESC") {
				t.Errorf("the filter became %v", where)
			}
			if g.Strategy != "database" || !g.SavedOnly || g.Datasets == nil || len(g.Datasets) != 0 || g.Timezone != "Europe/Berlin" ||
				g.Metadata["region"] != query.Text(`"eu"`) || g.Accounts["silo"].Password != "canary-password" || g.Accounts["silo"].Headers["x"] != "canary-header" ||
				len(g.Parameters["distributor"].(query.List)) != 1 {
				t.Error("the grant has changed in the store")
			}
		}

		wrong := []string{
			"", "usher_et_", token + "0", token[:len(token)-1], strings.ToUpper(token), " " + token,
			strings.Replace(token, "_et_", "_st_", 1), strings.Replace(token, "_et_", "_sk_", 1), "usher_et_" + strings.Repeat("0", 16) + token[25:],
			token[:len(token)-1] + "u", strings.Repeat("usher_et_", 100000),
		}
		last := byte('0')
		if token[len(token)-1] == last {
			last = '1'
		}
		for _, text := range append(wrong, token[:len(token)-1]+string(last)) {
			refused(t, s, text, tenancy.ErrUnknown)
		}

		// Expiry: up to the moment, not at it.
		short := mint(tenancy.TokenRequest{ExpiresAt: c.Now().Add(10 * time.Minute)})
		idle := mint(tenancy.TokenRequest{Inactivity: 5 * time.Minute})
		accepted(t, s, idle)
		c.pass(4 * time.Minute)
		accepted(t, s, idle)
		c.pass(4 * time.Minute)
		accepted(t, s, idle)
		c.pass(2*time.Minute - time.Microsecond)
		accepted(t, s, short)
		c.pass(time.Microsecond)
		refused(t, s, short, tenancy.ErrExpired)
		s.Flush(ctx)
		c.pass(7 * time.Minute)
		refused(t, s, idle, tenancy.ErrIdle)
		c.pass(24 * time.Hour)
		refused(t, s, token, tenancy.ErrExpired)
	})
}

func TestRate(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now})
		ctx := t.Context()
		tenant(t, s, "acme")
		made := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a", Rate: 3}))
		holder := accepted(t, s, made.Token)
		// What is narrowed takes from the same allowance.
		narrow := must(s.Narrow(ctx, holder, tenancy.Narrowing{Rate: 100}))
		accepted(t, s, narrow.Token)
		accepted(t, s, made.Token)
		for _, token := range []string{made.Token, narrow.Token} {
			_, err := s.Authenticate(ctx, token)
			wantCode(t, err, fault.TooManyRequests)
			if f := fault.From(err); f.RetryAfter <= 0 {
				t.Error("when to try again is not said")
			}
		}
		if _, err := s.Authenticate(quota.Again(ctx), made.Token); err != nil { // of a request that was counted
			t.Error(err)
		}
		c.pass(20 * time.Second)
		accepted(t, s, made.Token)
	})
}

// What is narrowed from a token takes from its limits and those of all that one was narrowed from, whatever it says of itself.
func TestLimitsOfTokens(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		wide := principal.Budget{Requests: 100, Rows: 1000}
		first := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a", Limits: wide}))
		holder := accepted(t, s, first.Token)
		own := []principal.Allowance{{Limits: wide}}
		if !slices.Equal(holder.Allowances, own) {
			t.Errorf("the token has %+v", holder.Allowances)
		}
		of := []principal.Allowance{{Token: first.ID, Limits: wide}}
		plain := accepted(t, s, must(s.Narrow(ctx, holder, tenancy.Narrowing{})).Token)
		if !slices.Equal(plain.Allowances, of) {
			t.Errorf("what says nothing has %+v", plain.Allowances)
		}
		less := principal.Budget{Requests: 500, Rows: 10, DatabaseTime: time.Second}
		second := must(s.Narrow(ctx, holder, tenancy.Narrowing{Limits: less}))
		narrow := accepted(t, s, second.Token)
		if want := append([]principal.Allowance{{Limits: less}}, of...); !slices.Equal(narrow.Allowances, want) {
			t.Errorf("narrowed to %+v", narrow.Allowances)
		}
		third := must(s.Narrow(ctx, narrow, tenancy.Narrowing{Limits: principal.Budget{Bytes: 5}}))
		want := append([]principal.Allowance{{Limits: principal.Budget{Bytes: 5}}, {Token: second.ID, Limits: less}}, of...)
		if got := accepted(t, s, third.Token).Allowances; !slices.Equal(got, want) {
			t.Errorf("narrowed again to %+v", got)
		}
		listed, _, err := s.Tokens(ctx, root(), tenancy.TokenFilter{Search: third.ID}, tenancy.Page{})
		if err != nil || len(listed) != 1 || listed[0].Limits != (principal.Budget{Requests: 100, Rows: 10, DatabaseTime: time.Second, Bytes: 5}) {
			t.Errorf("listed as %+v, %v", listed, err)
		}
		for _, wrong := range []principal.Budget{{Requests: -1}, {Rows: -1}, {Bytes: -1}, {DatabaseTime: -time.Millisecond}, {DatabaseTime: time.Microsecond}, {DatabaseTime: 1 << 62}} {
			_, err := s.Narrow(ctx, holder, tenancy.Narrowing{Limits: wrong})
			wantCode(t, err, fault.BadUserInput)
			_, err = s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a", Limits: wrong})
			wantCode(t, err, fault.BadUserInput)
		}
	})
}

// Nothing secret is in any table: no password, header, or text of a token.
func TestSecretsAtRest(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		accounts := map[string]principal.Account{"silo": {Password: "canary-a", Headers: map[string]string{"h": "canary-b"}, Properties: map[string]string{"p": "canary-c"}}}
		must(s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme", Accounts: accounts}))
		secrets := []string{"canary"}
		embed := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a", Accounts: accounts}))
		service := must(s.CreateKey(ctx, root(), tenancy.KeyRequest{Name: "backend", AllTenants: true, Scopes: root().Scopes}))
		must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "acme", Username: "alice", Password: "canary-password"}))
		session := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "alice", Password: "canary-password"}))
		for _, i := range []tenancy.Issued{embed, service, session} {
			secrets = append(secrets, i.Token[26:])
		}
		_, err := s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "alice", Password: "canary-wrong"})
		wantCode(t, err, fault.Unauthenticated)
		s.Flush(ctx)
		texts := must(s.Texts(ctx))
		if len(texts) < 100 {
			t.Fatalf("only %d texts were looked at", len(texts))
		}
		for _, text := range texts {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%q is in the store", text)
				}
			}
		}
		listed, _, err := s.Tokens(ctx, root(), tenancy.TokenFilter{}, tenancy.Page{})
		if err != nil || len(listed) != 3 {
			t.Errorf("listed %d tokens, %v", len(listed), err)
		}

		// An encrypted text is of its row and of its key.
		tenant(t, s, "other")
		if err := s.Exec(ctx, "UPDATE store.tenants SET accounts = (SELECT accounts FROM store.tenants WHERE id = 'acme') WHERE id = 'other'"); err != nil {
			t.Fatal(err)
		}
		_, _, err = s.Tenant(ctx, "other")
		wantCode(t, err, fault.Internal)
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "control.duckdb")
	ctx := t.Context()
	withSecret := map[string]principal.Account{"silo": {Password: "canary"}}

	none, err := tenancy.Open(ctx, database.Spec{Path: path}, tenancy.Options{Password: cheap})
	if err != nil {
		t.Fatal(err)
	}
	_, err = none.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme", Accounts: withSecret})
	wantCode(t, err, fault.BadUserInput)
	if !strings.Contains(err.Error(), "no key") {
		t.Errorf("the refusal does not say why: %v", err)
	}
	must(none.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme", Accounts: map[string]principal.Account{"silo": {Database: "acme"}}}))
	if err := none.Close(); err != nil {
		t.Fatal(err)
	}

	first := open(t, database.Spec{Path: path}, tenancy.Options{})
	if err := first.SetTenantAccounts(ctx, root(), "acme", withSecret); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	another := tenancy.SealKey{ID: "k2", Secret: []byte("abcdef0123456789abcdef0123456789")}
	rotated := must(tenancy.Open(ctx, database.Spec{Path: path}, tenancy.Options{Password: cheap, Key: another, OldKeys: []tenancy.SealKey{key}}))
	if _, routing, err := rotated.Tenant(ctx, "acme"); err != nil || routing.Accounts["silo"].Password != "canary" {
		t.Errorf("with the old key: %v", err)
	}
	if err := rotated.Close(); err != nil {
		t.Fatal(err)
	}
	lost := must(tenancy.Open(ctx, database.Spec{Path: path}, tenancy.Options{Password: cheap, Key: another}))
	_, _, err = lost.Tenant(ctx, "acme")
	wantCode(t, err, fault.Unavailable)
	if f := fault.From(err); !strings.Contains(f.Hint, "control.old_keys") || f.RetryAfter != 0 || strings.Contains(f.Message+f.Hint, key.ID) || !strings.Contains(fmt.Sprint(f.Unwrap()), key.ID) {
		t.Errorf("without the key it is said: %v, %s (%v)", f, f.Hint, f.Unwrap())
	}
	if err := lost.Close(); err != nil {
		t.Fatal(err)
	}
	// Sealed anew, the old key can go; what is sealed already stays as it is.
	rotated = must(tenancy.Open(ctx, database.Spec{Path: path}, tenancy.Options{Password: cheap, Key: another, OldKeys: []tenancy.SealKey{key}}))
	for _, want := range []int{1, 0} {
		if n, err := rotated.Reseal(ctx); err != nil || n != want {
			t.Errorf("%d rows were sealed anew, want %d: %v", n, want, err)
		}
	}
	if err := rotated.Close(); err != nil {
		t.Fatal(err)
	}
	without := must(tenancy.Open(ctx, database.Spec{Path: path}, tenancy.Options{Password: cheap, Key: another}))
	if _, routing, err := without.Tenant(ctx, "acme"); err != nil || routing.Accounts["silo"].Password != "canary" {
		t.Errorf("sealed anew: %v", err)
	}
	if err := without.Close(); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []tenancy.SealKey{{ID: "k", Secret: []byte("short")}, {Secret: key.Secret}, {ID: "a.b", Secret: key.Secret}} {
		_, err := tenancy.Open(ctx, database.Spec{Path: path}, tenancy.Options{Password: cheap, Key: bad})
		wantCode(t, err, fault.Internal)
	}
}

package tenancy_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

var everyScope = []principal.Scope{principal.Administer, principal.CreateTokens, principal.ReadData}

// minting is a user who has minted in every way.
type minting struct {
	session string
	id      string
	made    map[string]string
}

func mintingUser(t *testing.T, s *tenancy.Store, username string) minting {
	t.Helper()
	ctx := t.Context()
	must(s.CreateUser(ctx, root(), tenancy.NewUser{
		Tenant: "acme", Username: username, Password: password, Roles: []string{"viewer", "auditor"}, Scopes: everyScope,
	}))
	session := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: username, Password: password}))
	who := accepted(t, s, session.Token)
	embed := must(s.Mint(ctx, who, tenancy.TokenRequest{Subject: "x", Roles: []string{"auditor"}}))
	narrow := must(s.Narrow(ctx, who, tenancy.Narrowing{}))
	narrower := must(s.Narrow(ctx, accepted(t, s, narrow.Token), tenancy.Narrowing{}))
	key := must(s.CreateKey(ctx, who, tenancy.KeyRequest{Name: "k", Tenant: "acme", Roles: []string{"auditor"}, Scopes: everyScope}))
	byKey := must(s.Mint(ctx, accepted(t, s, key.Token), tenancy.TokenRequest{Subject: "y", Roles: []string{"auditor"}}))
	return minting{session.Token, session.ID, map[string]string{
		"embed token": embed.Token, "narrowed": narrow.Token, "narrowed twice": narrower.Token, "key": key.Token, "minted by the key": byKey.Token,
	}}
}

// What is taken from a user is taken from all that they have minted.
func TestTakenRights(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{CheckRole: func(principal.Principal, string, string, json.RawMessage) error { return nil }})
		ctx := t.Context()
		tenant(t, s, "acme")
		if err := s.PutRole(ctx, root(), "acme", "regional", json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
		for i, line := range []struct {
			what    string
			ends    bool
			session bool
			do      func(username string) error
		}{
			{"a role", true, true, func(u string) error {
				return s.SetUserRights(ctx, root(), "acme", u, []string{"viewer"}, everyScope)
			}},
			{"a scope", true, true, func(u string) error {
				return s.SetUserRights(ctx, root(), "acme", u, []string{"viewer", "auditor"}, everyScope[1:])
			}},
			{"a role that restricts is added", true, true, func(u string) error {
				return s.SetUserRights(ctx, root(), "acme", u, []string{"viewer", "auditor", "regional"}, everyScope)
			}},
			{"nothing: rights are added", false, true, func(u string) error {
				return s.SetUserRights(ctx, root(), "acme", u, []string{"auditor", "writer", "viewer"}, append(everyScope, principal.WriteData))
			}},
			{"all, disabled", true, false, func(u string) error { return s.SetUserStatus(ctx, root(), "acme", u, tenancy.Disabled) }},
			{"all, deleted", true, false, func(u string) error { return s.DeleteUser(ctx, root(), "acme", u) }},
		} {
			u := mintingUser(t, s, fmt.Sprintf("user%d", i))
			if err := line.do(fmt.Sprintf("user%d", i)); err != nil {
				t.Fatal(err)
			}
			for what, token := range u.made {
				if got := ended(t, s, token); got != line.ends {
					t.Errorf("taken: %s: the %s ended: %t", line.what, what, got)
				}
			}
			if got := !ended(t, s, u.session); got != line.session {
				t.Errorf("taken: %s: the session lives: %t", line.what, got)
			}
		}
	})
}

// A key that was made with a session of long ago ends with its maker's rights.
func TestTakenRightsOfOldSessions(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now})
		ctx := t.Context()
		tenant(t, s, "acme")
		u := mintingUser(t, s, "ann")
		for range 3 {
			c.pass(60 * 24 * time.Hour)
			if err := s.Prune(ctx); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, s, u.session, tenancy.ErrExpired)
		accepted(t, s, u.made["key"])
		if err := s.SetUserRights(ctx, root(), "acme", "ann", []string{"viewer"}, everyScope); err != nil {
			t.Fatal(err)
		}
		refused(t, s, u.made["key"], tenancy.ErrRevoked)
	})
}

// What is taken on one gateway is taken on the other within a second, and
// whoever asks in between with rights that are gone is refused.
func TestTakenRightsElsewhere(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	one, two := open(t, spec, tenancy.Options{}), open(t, spec, tenancy.Options{})
	ctx := t.Context()
	tenant(t, one, "acme")
	u := mintingUser(t, one, "ann")
	for _, token := range u.made {
		accepted(t, two, token)
	}
	before := accepted(t, two, u.session)
	if err := one.SetUserRights(ctx, root(), "acme", "ann", []string{"viewer"}, everyScope); err != nil {
		t.Fatal(err)
	}
	_, err := two.Mint(ctx, before, tenancy.TokenRequest{Subject: "x", Roles: []string{"auditor"}})
	wantCode(t, err, fault.Conflict)
	_, err = two.CreateKey(ctx, before, tenancy.KeyRequest{Name: "k", Tenant: "acme", Roles: []string{"auditor"}, Scopes: everyScope})
	wantCode(t, err, fault.Conflict)
	_, err = two.CreateUser(ctx, before, tenancy.NewUser{Tenant: "acme", Username: "bob", Password: password, Roles: []string{"auditor"}})
	wantCode(t, err, fault.Conflict)
	for what, token := range u.made {
		eventually(t, what+" ends elsewhere", func() bool { return ended(t, two, token) })
	}
	eventually(t, "the session has what is left", func() bool { return len(accepted(t, two, u.session).Roles) == 1 })
}

// However minting and taking meet, nothing keeps what was taken.
func TestTakenWhileMinting(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		for i := range 3 {
			name := fmt.Sprintf("user%d", i)
			u := mintingUser(t, s, name)
			who := accepted(t, s, u.session)
			var wg sync.WaitGroup
			minted := make(chan string, 200)
			started := make(chan struct{}, 4)
			for range 4 {
				wg.Go(func() {
					for n := range 50 {
						made, err := s.Mint(ctx, who, tenancy.TokenRequest{Subject: "x", Roles: []string{"auditor"}})
						if err != nil {
							wantCode(t, err, fault.Conflict)
							return
						}
						minted <- made.Token
						if n == 0 {
							started <- struct{}{}
						}
					}
				})
			}
			<-started
			if err := s.SetUserRights(ctx, root(), "acme", name, []string{"viewer"}, everyScope); err != nil {
				t.Fatal(err)
			}
			wg.Wait()
			close(minted)
			for token := range minted {
				refused(t, s, token, tenancy.ErrRevoked)
			}
		}
	})
}

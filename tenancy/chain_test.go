package tenancy_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// chain is a session and all that somebody can make with it, key after key.
type chain struct {
	id      string // of the session
	holder  principal.Principal
	session string
	keyID   string            // of the first key
	made    map[string]string // token by how it was made
}

func chainOf(t *testing.T, s *tenancy.Store, username, password string) chain {
	t.Helper()
	ctx := t.Context()
	session := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: username, Password: password}))
	c := chain{id: session.ID, session: session.Token, holder: accepted(t, s, session.Token), made: map[string]string{}}
	at, by := "s", c.holder
	c.made["s>narrowed"] = must(s.Narrow(ctx, by, tenancy.Narrowing{})).Token
	for i := range 3 {
		c.made[at+">token"] = must(s.Mint(ctx, by, tenancy.TokenRequest{Subject: "x"})).Token
		at = fmt.Sprintf("%s>k%d", at, i+1)
		key := must(s.CreateKey(ctx, by, tenancy.KeyRequest{Name: fmt.Sprintf("k%d", i+1), Tenant: "acme", Scopes: everyScope}))
		if i == 0 {
			c.keyID = key.ID
		}
		c.made[at] = key.Token
		by = accepted(t, s, key.Token)
	}
	c.made[at+">token"] = must(s.Mint(ctx, by, tenancy.TokenRequest{Subject: "x"})).Token
	c.made["s>k1>narrowed"] = must(s.Narrow(ctx, accepted(t, s, c.made["s>k1"]), tenancy.Narrowing{})).Token
	return c
}

// living are the links of the chain that still open something.
func (c chain) living(t *testing.T, s *tenancy.Store) []string {
	t.Helper()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(c.made)) {
		if !ended(t, s, c.made[name]) {
			out = append(out, name)
		}
	}
	return out
}

// Whoever had a password may have made keys with it, and keys with those: another
// password ends all of it, of sessions that have ended too. Logging out leaves
// service keys, and what is kept on purpose is kept of sessions as of keys.
func TestChainsEnd(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now})
		ctx := t.Context()
		tenant(t, s, "acme")
		const another = "another long password"
		ofKeys := []string{"s>k1", "s>k1>k2", "s>k1>k2>k3", "s>k1>k2>k3>token", "s>k1>k2>token", "s>k1>narrowed", "s>k1>token"}
		for i, line := range []struct {
			what  string
			do    func(username string, c chain) error
			lives []string
		}{
			{"setPassword", func(u string, _ chain) error { return s.SetPassword(ctx, root(), "acme", u, another) }, nil},
			{"setPassword after the session has ended", func(u string, _ chain) error {
				c.pass(13 * time.Hour)
				return s.SetPassword(ctx, root(), "acme", u, another)
			}, nil},
			{"setPassword after logout", func(u string, c chain) error {
				if err := s.RevokeOwn(ctx, c.holder); err != nil {
					return err
				}
				return s.SetPassword(ctx, root(), "acme", u, another)
			}, nil},
			{"logout", func(_ string, c chain) error { return s.RevokeOwn(ctx, c.holder) }, ofKeys},
			{"the session revoked", func(_ string, c chain) error {
				_, err := s.Revoke(ctx, root(), tenancy.Revocation{TokenID: c.id})
				return err
			}, nil},
			{"the session revoked, minted kept", func(_ string, c chain) error {
				_, err := s.Revoke(ctx, root(), tenancy.Revocation{TokenID: c.id, KeepMinted: true})
				return err
			}, append(slices.Clone(ofKeys), "s>token")},
			{"the first key revoked, minted kept", func(_ string, c chain) error {
				_, err := s.Revoke(ctx, root(), tenancy.Revocation{TokenID: c.keyID, KeepMinted: true})
				return err
			}, []string{"s>k1>k2", "s>k1>k2>k3", "s>k1>k2>k3>token", "s>k1>k2>token", "s>k1>token", "s>narrowed", "s>token"}},
		} {
			username := fmt.Sprintf("user%d", i)
			must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "acme", Username: username, Password: password, Scopes: everyScope}))
			made := chainOf(t, s, username, password)
			if err := line.do(username, made); err != nil {
				t.Fatal(err)
			}
			if got := made.living(t, s); !slices.Equal(got, line.lives) {
				t.Errorf("%s: %v live, want %v", line.what, got, line.lives)
			}
		}

		// One's own new password ends what other sessions have made, and nothing of this one.
		must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "acme", Username: "ann", Password: password, Scopes: everyScope}))
		thief, own := chainOf(t, s, "ann", password), chainOf(t, s, "ann", password)
		if err := s.ChangePassword(ctx, own.holder, password, another); err != nil {
			t.Fatal(err)
		}
		if got := thief.living(t, s); got != nil || !ended(t, s, thief.session) {
			t.Errorf("of another session %v live", got)
		}
		if got := own.living(t, s); len(got) != len(own.made) || ended(t, s, own.session) {
			t.Errorf("of one's own session only %v live", got)
		}
	})
}

// Who says nothing does not mean everything, not even of their own tenant.
func TestRevokingNothingInParticular(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		token := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "x"}))
		for _, by := range []principal.Principal{root(), adminOf("acme")} {
			for _, r := range []tenancy.Revocation{{}, {KeepMinted: true}} {
				_, err := s.Revoke(ctx, by, r)
				wantCode(t, err, fault.BadUserInput)
			}
		}
		accepted(t, s, token.Token)
		must(s.Revoke(ctx, adminOf("acme"), tenancy.Revocation{Tenant: "acme"}))
		refused(t, s, token.Token, tenancy.ErrRevoked)
	})
}

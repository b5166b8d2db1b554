package tenancy_test

import (
	"fmt"
	"sync"
	"testing"

	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

// Uses are written while tokens are ended, and neither waits for the other in a circle.
func TestTouchesAndEnds(t *testing.T) {
	t.Parallel()
	s := open(t, postgresOf(pgtest.Start(t).Database(t)), tenancy.Options{})
	ctx := t.Context()
	tenant(t, s, "acme")
	for round := range 15 {
		username := fmt.Sprintf("user%d", round)
		must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "acme", Username: username, Password: password, Scopes: []principal.Scope{principal.CreateTokens, principal.ReadData}}))
		session := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: username, Password: password}))
		holder := accepted(t, s, session.Token)
		for range 60 {
			accepted(t, s, must(s.Mint(ctx, holder, tenancy.TokenRequest{Subject: "x"})).Token)
		}
		var wg sync.WaitGroup
		wg.Go(func() { s.Flush(ctx) })
		wg.Go(func() {
			if err := s.SetUserStatus(ctx, root(), "acme", username, tenancy.Disabled); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
}

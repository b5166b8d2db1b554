package tenancy_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/tenancy"
)

// guesses tries passwords at once, at each store in turn, and counts those that
// were compared.
func guesses(t *testing.T, n int, username string, stores ...*tenancy.Store) int {
	t.Helper()
	var tried atomic.Int64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			_, err := stores[i%len(stores)].Login(t.Context(), tenancy.Credentials{
				Tenant: "acme", Username: username, Password: fmt.Sprintf("wrong password %d", i), Address: fmt.Sprintf("192.0.2.%d", i),
			})
			switch fault.From(err).Code {
			case fault.Unauthenticated:
				tried.Add(1)
			case fault.TooManyRequests:
			default:
				t.Errorf("guess %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	return int(tried.Load())
}

// However many guess at once, no more is tried than one after the other.
func TestParallelGuesses(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now, FreeAttempts: 5})
		tenant(t, s, "acme")
		user(t, s, "acme", "alice")
		for _, username := range []string{"alice", "nobody"} {
			if tried := guesses(t, 40, username, s); tried != 5 {
				t.Errorf("of 40 guesses for %s %d were tried", username, tried)
			}
		}
	})
}

// The count is one, on whichever gateway is asked, and outlives them.
func TestGuessesOnTwoGateways(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	c := newClock()
	opts := tenancy.Options{Clock: c.Now, FreeAttempts: 5}
	one, two := open(t, spec, opts), open(t, spec, opts)
	tenant(t, one, "acme")
	user(t, one, "acme", "alice")
	if tried := guesses(t, 40, "alice", one, two); tried != 5 {
		t.Errorf("of 40 guesses %d were tried", tried)
	}
	three := open(t, spec, opts)
	_, err := three.Login(t.Context(), tenancy.Credentials{Tenant: "acme", Username: "alice", Password: password})
	wantCode(t, err, fault.TooManyRequests)
}

func TestAttemptsOfAddresses(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now, FreeAttempts: 5, AddressFree: 8})
		ctx := t.Context()
		tenant(t, s, "acme")
		user(t, s, "acme", "alice")
		login := func(username, password, address string) error {
			_, err := s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: username, Password: password, Address: address})
			return err
		}
		// Whoever gets it right in the end takes nothing from the others of the
		// office, however often.
		for range 10 {
			for range 4 {
				wantCode(t, login("alice", "wrong", "192.0.2.1"), fault.Unauthenticated)
			}
			if err := login("alice", password, "192.0.2.1"); err != nil {
				t.Fatal(err)
			}
		}
		if n := must(s.Count(ctx, "attempts")); n != 1 {
			t.Errorf("%d counts are left, want the address's", n)
		}
		for i := range 8 {
			wantCode(t, login(fmt.Sprintf("name%d", i), "wrong", "192.0.2.1"), fault.Unauthenticated)
		}
		for _, same := range []string{"192.0.2.1", "::ffff:192.0.2.1"} {
			wantCode(t, login("alice", password, same), fault.TooManyRequests)
		}
		if err := login("alice", password, "192.0.2.2"); err != nil {
			t.Error(err)
		}
		// In a network of IPv6 everybody has more addresses than there are.
		for i := range 8 {
			wantCode(t, login(fmt.Sprintf("more%d", i), "wrong", fmt.Sprintf("2001:db8:0:1::%d", i)), fault.Unauthenticated)
		}
		wantCode(t, login("alice", password, "2001:db8:0:1:ffff::1"), fault.TooManyRequests)
		wantCode(t, login("alice", password, "2001:db8:0:1::1%eth0"), fault.TooManyRequests)
		if err := login("alice", password, "2001:db8:0:2::1"); err != nil {
			t.Error(err)
		}
		// After a quiet day everything begins anew, and nothing is left of it.
		c.pass(25 * time.Hour)
		if err := login("alice", password, "192.0.2.1"); err != nil {
			t.Error(err)
		}
		c.pass(25 * time.Hour)
		if err := s.Prune(ctx); err != nil {
			t.Fatal(err)
		}
		if n := must(s.Count(ctx, "attempts")); n != 0 {
			t.Errorf("%d counts are left after a quiet day", n)
		}
		// What is kept is bounded; whoever has to wait is forgotten last.
		for range 5 {
			wantCode(t, login("alice", "wrong", ""), fault.Unauthenticated)
		}
		for i := range 20 {
			wantCode(t, login(fmt.Sprintf("name%d", i), "wrong", ""), fault.Unauthenticated)
		}
		if err := s.KeepAttempts(ctx, 10); err != nil {
			t.Fatal(err)
		}
		if n := must(s.Count(ctx, "attempts")); n != 10 {
			t.Errorf("%d counts are kept, want 10", n)
		}
		wantCode(t, login("alice", password, ""), fault.TooManyRequests)
		// What was typed is in the store nowhere.
		for _, text := range must(s.Texts(ctx)) {
			if strings.Contains(text, "2001:db8:0:1::/64") {
				t.Errorf("the store holds %q", text)
			}
		}
	})
}

// An attempt that came to no comparison is not counted.
func TestUntriedAttempts(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{FreeAttempts: 2, Logins: 1})
		tenant(t, s, "acme")
		user(t, s, "acme", "alice")
		done := s.Hashing()
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			_, err := s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "alice", Password: password, Address: "192.0.2.1"})
			cancel()
			if code := fault.From(err).Code; code == fault.Unauthenticated || code == fault.TooManyRequests {
				t.Errorf("while nothing is compared: %v", err)
			}
		}
		done()
		if _, err := s.Login(t.Context(), tenancy.Credentials{Tenant: "acme", Username: "alice", Password: password, Address: "192.0.2.1"}); err != nil {
			t.Error(err)
		}
	})
}

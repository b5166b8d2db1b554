package tenancy_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

func TestRevoke(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now})
		ctx := t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "other")
		mint := func(minter principal.Principal, of, subject string) string {
			minter.Issued = c.Now()
			return must(s.Mint(ctx, minter, tenancy.TokenRequest{Tenant: of, Subject: subject})).Token
		}
		jwt := func(of, subject, id string) principal.Principal {
			return principal.Principal{Issuer: "idp", Tenant: of, Subject: subject, TokenID: id, Issued: c.Now()}
		}
		type revocation = tenancy.Revocation
		for _, line := range []struct {
			what                   string
			by                     principal.Principal
			r                      revocation
			alice, bob, foreign    bool // whose embed tokens end
			jwtAlice, jwtOfForeign bool
		}{
			{"subject", root(), revocation{Tenant: "acme", Subject: "alice"}, true, false, false, true, false},
			{"subject of usher", root(), revocation{Tenant: "acme", Subject: "alice", Issuer: tenancy.Issuer}, true, false, false, false, false},
			{"tenant", root(), revocation{Tenant: "acme"}, true, true, false, true, false},
			{"own tenant", adminOf("acme"), revocation{Tenant: "acme"}, true, true, false, true, false},
			{"issuer", root(), revocation{Issuer: tenancy.Issuer}, true, true, true, false, false},
			{"minting issuer", root(), revocation{Issuer: "idp"}, true, true, true, true, true},
			{"minting issuer, kept", root(), revocation{Issuer: "idp", KeepMinted: true}, false, false, false, true, true},
			{"all before", root(), revocation{IssuedBefore: c.Now()}, false, false, false, false, false},
			{"another tenant's JWT", adminOf("other"), revocation{Issuer: "idp", TokenID: "j1"}, false, false, false, false, false},
			{"one JWT", root(), revocation{Issuer: "idp", TokenID: "j1"}, false, false, false, true, false},
		} {
			c.pass(time.Minute)
			if !line.r.IssuedBefore.IsZero() {
				line.r.IssuedBefore = c.Now()
			}
			alice, bob, foreign := mint(root(), "acme", "alice"), mint(root(), "acme", "bob"), mint(root(), "other", "alice")
			jwtAlice, jwtForeign := jwt("acme", "alice", "j1"), jwt("other", "alice", "j2")
			accepted(t, s, alice)
			c.pass(time.Second)
			if _, err := s.Revoke(ctx, line.by, line.r); err != nil {
				t.Errorf("%s: %v", line.what, err)
			}
			for i, got := range []bool{ended(t, s, alice), ended(t, s, bob), ended(t, s, foreign), s.Revoked(jwtAlice), s.Revoked(jwtForeign)} {
				if want := []bool{line.alice, line.bob, line.foreign, line.jwtAlice, line.jwtOfForeign}[i]; got != want {
					t.Errorf("%s: token %d ended: %t, want %t", line.what, i, got, want)
				}
			}
			// What is issued afterwards is good, except one of the same id.
			c.pass(time.Second)
			accepted(t, s, mint(root(), "acme", "alice"))
			if line.r.TokenID == "" && s.Revoked(jwt("acme", "alice", "j9")) {
				t.Errorf("%s: a later JWT is revoked", line.what)
			}
		}

		// All that was issued before a time.
		before := mint(root(), "acme", "alice")
		c.pass(time.Second)
		moment := c.Now()
		after := mint(root(), "acme", "alice")
		if _, err := s.Revoke(ctx, root(), revocation{IssuedBefore: moment}); err != nil {
			t.Error(err)
		}
		refused(t, s, before, tenancy.ErrRevoked)
		accepted(t, s, after)
		if !s.Revoked(principal.Principal{Issuer: "idp", Tenant: "acme"}) {
			t.Error("a token that does not say when it was issued is taken for new")
		}

		for _, line := range []struct {
			by   principal.Principal
			r    revocation
			code fault.Code
		}{
			{root(), revocation{}, fault.BadUserInput},
			{root(), revocation{Tenant: "acme", IssuedBefore: c.Now().Add(time.Hour)}, fault.BadUserInput},
			{adminOf("acme"), revocation{Tenant: "other"}, fault.Forbidden},
			{principal.Principal{Tenant: "acme"}, revocation{Tenant: "acme"}, fault.Forbidden},
		} {
			_, err := s.Revoke(ctx, line.by, line.r)
			wantCode(t, err, line.code)
		}

		// A holder ends its own.
		if err := s.RevokeOwn(ctx, accepted(t, s, after)); err != nil {
			t.Error(err)
		}
		refused(t, s, after, tenancy.ErrRevoked)
	})
}

func ended(t *testing.T, s *tenancy.Store, token string) bool {
	t.Helper()
	_, err := s.Authenticate(t.Context(), token)
	if err != nil {
		wantCode(t, err, fault.Unauthenticated)
	}
	return err != nil
}

// What one gateway changes, another on the same database follows within a
// second, by asking alone and with announcements.
func TestTwoGateways(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	one, two := open(t, spec, tenancy.Options{}), open(t, spec, tenancy.Options{})
	ctx := t.Context()
	for i := range 5 {
		id := fmt.Sprintf("t%d", i)
		if _, _, err := two.Tenant(ctx, id); err == nil {
			t.Fatal("an unknown tenant is known")
		}
		tenant(t, one, id)
		eventually(t, "the tenant is known", func() bool { _, _, err := two.Tenant(ctx, id); return err == nil })
		first := must(one.Mint(ctx, root(), tenancy.TokenRequest{Tenant: id, Subject: "a"}))
		second := must(two.Mint(ctx, root(), tenancy.TokenRequest{Tenant: id, Subject: "b"}))
		for _, s := range []*tenancy.Store{one, two} {
			accepted(t, s, first.Token)
			accepted(t, s, second.Token)
		}
		must(one.Revoke(ctx, root(), tenancy.Revocation{TokenID: first.ID}))
		refused(t, one, first.Token, tenancy.ErrRevoked)
		eventually(t, "the token is revoked", func() bool { return ended(t, two, first.Token) })
		accepted(t, two, second.Token)
		if err := two.SuspendTenant(ctx, root(), id); err != nil {
			t.Fatal(err)
		}
		refused(t, two, second.Token, tenancy.ErrTenant)
		eventually(t, "the tenant is suspended", func() bool { return ended(t, one, second.Token) })
		if err := one.ResumeTenant(ctx, root(), id); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the tenant is resumed", func() bool { return !ended(t, two, second.Token) })
	}
}

// PostgreSQL announces changes: with a poll that never comes, they arrive.
func TestAnnouncements(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	one := open(t, spec, tenancy.Options{})
	two := open(t, spec, tenancy.Options{Poll: time.Hour, MaxStale: time.Hour})
	ctx := t.Context()
	tenant(t, one, "acme")
	made := must(one.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"}))
	// The listener connects in its own time: changes are made until one arrives.
	deadline := time.After(10 * time.Second)
	for revoked := false; !revoked; {
		must(one.Revoke(ctx, root(), tenancy.Revocation{TokenID: made.ID}))
		select {
		case <-deadline:
			t.Fatal("no announcement has arrived")
		case <-time.After(20 * time.Millisecond):
			revoked = two.Revoked(principal.Principal{Issuer: tenancy.Issuer, Tenant: "acme", TokenID: made.ID})
		}
	}
}

// What is minted while its key is being revoked does not outlive it.
func TestMintingWhileRevoked(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		for range 5 {
			key := must(s.CreateKey(ctx, root(), tenancy.KeyRequest{Name: "minter", Tenant: "acme", Scopes: []principal.Scope{principal.CreateTokens}}))
			holder := accepted(t, s, key.Token)
			var wg sync.WaitGroup
			minted := make(chan string, 1000)
			started := make(chan struct{})
			for i := range 3 {
				wg.Go(func() {
					for j := range 50 {
						made, err := s.Mint(ctx, holder, tenancy.TokenRequest{Subject: "a"})
						if i == 0 && j == 0 {
							close(started)
						}
						if err != nil {
							wantCode(t, err, fault.Unauthenticated)
							return
						}
						minted <- made.Token
					}
				})
			}
			<-started
			must(s.Revoke(ctx, root(), tenancy.Revocation{TokenID: key.ID}))
			wg.Wait()
			close(minted)
			for token := range minted {
				refused(t, s, token, tenancy.ErrRevoked)
			}
		}
	})
}

// Who logs out, and whoever is revoked by the id of a token, leaves a revocation until
// that token would have ended; that of a subject stays for as long as any
// token of theirs may live.
func TestMarksEnd(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now, SessionLife: time.Hour})
		ctx := t.Context()
		tenant(t, s, "acme")
		user(t, s, "acme", "alice")
		revocations := func(want int) {
			t.Helper()
			if err := s.Prune(ctx); err != nil {
				t.Fatal(err)
			}
			if got, kept := s.Revocations(), must(s.Count(ctx, "marks")); got != want || kept != want {
				t.Errorf("%d revocations in memory, %d in the store, want %d", got, kept, want)
			}
		}
		const logins = 40
		for range logins {
			made := must(s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "alice", Password: password}))
			narrowed := must(s.Narrow(ctx, accepted(t, s, made.Token), tenancy.Narrowing{}))
			if err := s.RevokeOwn(ctx, accepted(t, s, made.Token)); err != nil {
				t.Fatal(err)
			}
			refused(t, s, made.Token, tenancy.ErrRevoked)
			refused(t, s, narrowed.Token, tenancy.ErrRevoked)
		}
		if _, err := s.Revoke(ctx, root(), tenancy.Revocation{TokenID: "no such token"}); fault.From(err).Code != fault.NotFound {
			t.Errorf("a token that there is not: %v", err)
		}
		revocations(2 * logins)
		c.pass(59 * time.Minute)
		revocations(2 * logins)
		c.pass(7 * time.Minute)
		revocations(0)
		must(s.Revoke(ctx, root(), tenancy.Revocation{Tenant: "acme", Subject: "alice"}))
		key := must(s.CreateKey(ctx, root(), tenancy.KeyRequest{Name: "k", AllTenants: true, Scopes: []principal.Scope{principal.ReadData}}))
		must(s.Revoke(ctx, root(), tenancy.Revocation{TokenID: key.ID}))
		c.pass(365 * 24 * time.Hour)
		revocations(2)
		c.pass(25 * time.Hour)
		revocations(0)
	})
}

// A gateway started later knows what was revoked before.
func TestRevocationsSurvive(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	one := open(t, spec, tenancy.Options{})
	must(one.Revoke(t.Context(), root(), tenancy.Revocation{Issuer: "idp", TokenID: "j1"}))
	if !open(t, spec, tenancy.Options{}).Revoked(principal.Principal{Issuer: "idp", Tenant: "acme", TokenID: "j1"}) {
		t.Error("a new gateway accepts a revoked JWT")
	}
}

// lines are those of a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) count(line string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), line)
}

// While the store is silent, tokens are accepted from memory for MaxStale and
// then refused as unavailable; nothing hangs.
func TestSilentStore(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	spec := postgresOf(server.Database(t))
	spec.Postgres.Timeout = 300 * time.Millisecond
	told := new(lines)
	s := open(t, spec, tenancy.Options{MaxStale: 2 * time.Second, Log: slog.New(slog.NewTextHandler(told, nil))})
	ctx := t.Context()
	tenant(t, s, "acme")
	made := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"}))
	accepted(t, s, made.Token)
	server.Freeze(t)
	accepted(t, s, made.Token)
	start := time.Now()
	_, err := s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"})
	wantCode(t, err, fault.Unavailable)
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("a silent store was waited for %s", took)
	}
	deadline := time.After(10 * time.Second)
	for s.Ready() == nil {
		select {
		case <-deadline:
			t.Fatal("the store is silent and still trusted")
		case <-time.After(20 * time.Millisecond):
		}
	}
	_, err = s.Authenticate(ctx, made.Token)
	wantCode(t, err, fault.Unavailable)
	_, _, err = s.Tenant(ctx, "acme")
	wantCode(t, err, fault.Unavailable)
	_, err = s.Login(ctx, tenancy.Credentials{Tenant: "acme", Username: "a", Password: "b"})
	wantCode(t, err, fault.Unavailable)
	server.Thaw(t)
	deadline = time.After(10 * time.Second)
	for s.Ready() != nil {
		select {
		case <-deadline:
			t.Fatal("the store answers and is not trusted")
		case <-time.After(20 * time.Millisecond):
		}
	}
	accepted(t, s, made.Token)
	const again = `level=INFO msg="the control store answers again"`
	<-time.After(1200 * time.Millisecond) // in which it is read twice
	if n := told.count(again); n != 1 {
		t.Errorf("the log says %d times that it answers again", n)
	}
}

// Once one has waited for a silent store in vain, nobody else does, though what is known is trusted for long, and
// when it answers again all are answered. Who waits for a connection when that comes out waits no longer.
func TestSilenceIsKnown(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	spec := postgresOf(server.Database(t))
	spec.Postgres.Timeout = time.Second
	const patience = 2 * time.Second // a second more
	s := open(t, spec, tenancy.Options{MaxStale: time.Hour})
	tenant(t, s, "acme")
	var mu sync.Mutex
	mint := func() (quick bool) {
		began := time.Now()
		_, err := s.Mint(t.Context(), root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"})
		took := time.Since(began)
		mu.Lock()
		defer mu.Unlock()
		if f := fault.From(err); err == nil || f.Code != fault.Unavailable || f.RetryAfter != time.Second {
			t.Errorf("a silent store: %v", err)
		}
		if took > 2*patience {
			t.Errorf("it was waited for %s", took)
		}
		return took < patience/2
	}
	server.Freeze(t)
	began := time.Now()
	var group sync.WaitGroup
	for range 40 { // connections are eight
		group.Go(func() { mint() })
	}
	group.Wait()
	t.Logf("all of 40 were told after %s", time.Since(began))
	slow, quick := 0, 0
	for began := time.Now(); time.Since(began) < 2*patience; {
		if mint() {
			quick++
		} else {
			slow++
		}
	}
	if slow > 3 || quick < 100 {
		t.Errorf("%d were told at once, %d waited", quick, slow)
	}
	if err := s.Ready(); err != nil {
		t.Error(err)
	}
	server.Thaw(t)
	began = time.Now()
	for {
		_, err := s.Mint(t.Context(), root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"})
		if err == nil {
			break
		}
		if wantCode(t, err, fault.Unavailable); time.Since(began) > 10*time.Second {
			t.Fatal("the store answers and is not asked")
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Logf("answered %s after it went on; %d were told at once, %d waited", time.Since(began), quick, slow)
}

package tenancy_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/quota"
	"usher/tenancy"
)

// Two gateways of a store allow what one would.
func TestBudgetsOfTwoGateways(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	c := newClock()
	opts := tenancy.Options{Clock: c.Now, Patience: 10 * time.Second}
	stores := []*tenancy.Store{open(t, spec, opts), open(t, spec, opts)}
	ctx := t.Context()
	tenant(t, stores[0], "acme")
	made := must(stores[0].Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a", Rate: 60}))
	narrow := must(stores[0].Narrow(ctx, accepted(t, stores[0], made.Token), tenancy.Narrowing{Rate: 5}))
	c.pass(time.Minute)
	flood := func(token string) int64 {
		var allowed atomic.Int64
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				for range 25 {
					_, err := stores[w%2].Authenticate(ctx, token)
					switch {
					case err == nil:
						allowed.Add(1)
					case fault.From(err).Code != fault.TooManyRequests || fault.From(err).RetryAfter <= 0:
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		return allowed.Load()
	}
	if n := flood(narrow.Token); n != 5 {
		t.Errorf("of the narrower one %d were allowed", n)
	}
	if n := flood(made.Token); n != 55 { // of the same allowance
		t.Errorf("of the wider one %d were allowed", n)
	}
	// What one has used is the other's debt.
	h := quota.Holder{Of: quota.Tenant, Name: [3]string{"acme"}, Limits: quota.Limits{quota.Rows: 600}}
	begin := func(s *tenancy.Store) *quota.Account {
		with, err := s.Budgets().Begin(ctx, h)
		if err != nil {
			t.Fatal(err)
		}
		return quota.From(with)
	}
	first := begin(stores[0])
	if err := first.Admit(ctx); err != nil {
		t.Fatal(err)
	}
	first.Spend(0, 1800, 0)
	c.pass(time.Second)
	stores[0].Budgets().Tick(ctx)
	err := begin(stores[1]).Admit(ctx)
	wantCode(t, err, fault.TooManyRequests)
	if f := fault.From(err); f.RetryAfter < 119*time.Second || f.RetryAfter > 121*time.Second {
		t.Errorf("it says to come back in %s, want two minutes", f.RetryAfter)
	}
	// Nothing is left of it when it is full again.
	c.pass(time.Hour)
	for _, s := range stores {
		s.Budgets().Return(ctx)
	}
	if err := stores[0].Prune(ctx); err != nil {
		t.Fatal(err)
	}
	if n := must(stores[0].Count(ctx, "budgets")); n != 0 {
		t.Errorf("%d budgets are kept", n)
	}
}

// While the store is silent each of two gateways has half.
func TestBudgetsOfASilentStore(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	spec := postgresOf(server.Database(t))
	c := newClock()
	stores := []*tenancy.Store{open(t, spec, tenancy.Options{Clock: c.Now}), open(t, spec, tenancy.Options{Clock: c.Now})}
	stores[0].Appear(t.Context())
	server.Freeze(t)
	defer server.Thaw(t)
	h := quota.Holder{Of: quota.Tenant, Name: [3]string{"acme"}, Limits: quota.Limits{quota.Requests: 60}}
	for i, s := range stores {
		n, slowest := 0, time.Duration(0)
		for range 100 {
			began := time.Now()
			if err := s.Budgets().Take(context.WithoutCancel(t.Context()), h); err == nil {
				n++
			}
			slowest = max(slowest, time.Since(began))
		}
		if n != 30 {
			t.Errorf("gateway %d allows %d of 60", i, n)
		}
		if slowest > time.Second {
			t.Errorf("a request waited %s for the store", slowest)
		}
	}
}

// Where the store is a round trip of 30 ms away gateways count together all the same, and a time that was told holds.
func TestBudgetsOfAStoreFarAway(t *testing.T) {
	t.Parallel()
	away := pgtest.Start(t).Database(t).Away(t, 30*time.Millisecond)
	stores := []*tenancy.Store{open(t, postgresOf(away.DB), tenancy.Options{}), open(t, postgresOf(away.DB), tenancy.Options{})}
	h := quota.Holder{Of: quota.Tenant, Name: [3]string{"acme"}, Limits: quota.Limits{quota.Requests: 600, quota.Rows: 600}}
	var took []time.Duration
	ask := func(n, rows int) error {
		began := time.Now()
		with, err := stores[n%2].Budgets().Begin(t.Context(), h)
		a := quota.From(with)
		if err == nil {
			err = a.Admit(with)
		}
		took = append(took, time.Since(began))
		if err == nil {
			a.Spend(0, rows, 0)
		}
		return err
	}
	for n := range 100 {
		if err := ask(n, 1); err != nil {
			t.Fatal(err)
		}
		<-time.After(20 * time.Millisecond)
	}
	slices.Sort(took)
	t.Logf("a question waits %s at the median, %s at the 99th percentile", took[len(took)/2], took[len(took)*99/100])
	if took[len(took)/2] > 10*time.Millisecond {
		t.Errorf("half of the questions wait %s for the store", took[len(took)/2])
	}
	late := time.After(20 * time.Second)
	for i, s := range stores { // one that an answer came late to, as it does on a busy machine, counts with the others when the next one comes
		for s.Budgets().Alone() {
			select {
			case <-late:
				t.Fatalf("gateway %d counts alone", i)
			case <-time.After(20 * time.Millisecond):
				_ = ask(i, 0)
			}
		}
	}
	// Who comes when they were told to is served, anywhere, once each has heard what the other has used.
	for n := 0; ask(n, 60) == nil; n++ {
		if n > 30 {
			t.Fatal("nobody is refused")
		}
	}
	<-time.After(2500 * time.Millisecond)
	told := time.Duration(0)
	if err := ask(0, 1); err != nil {
		told = fault.From(err).RetryAfter
	}
	<-time.After(told)
	if err := ask(1, 1); err != nil {
		t.Errorf("told %s: %v", told, err)
	}
}

// What is administered waits for the store a few times, and not for each part of a statement.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	away := pgtest.Start(t).Database(t).Away(t, 0)
	s := open(t, postgresOf(away.DB), tenancy.Options{})
	tenant(t, s, "acme")
	n := 0
	for name, c := range map[string]struct {
		most int64
		run  func() error
	}{
		"a token": {9, func() error {
			_, err := s.Mint(t.Context(), root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"})
			return err
		}},
		"a name": {14, func() error { return s.RenameTenant(t.Context(), root(), "acme", fmt.Sprint("Acme ", n)) }},
		"a budget": {1, func() error {
			return s.Budgets().Take(t.Context(), quota.Holder{Of: quota.Tenant, Name: [3]string{fmt.Sprint(n)}, Limits: quota.Limits{quota.Requests: 60}})
		}},
	} {
		trips := int64(1000)
		for range 10 { // the store is looked at in the background, too
			before := away.Trips()
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
			trips = min(trips, away.Trips()-before)
			n++
		}
		if t.Logf("%s: %d round trips", name, trips); trips > c.most || trips == 0 {
			t.Errorf("%s: the store is waited for %d times, want %d at most", name, trips, c.most)
		}
	}
}

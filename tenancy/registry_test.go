package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

// A tenant that was never there is told from one that may not ask; an id and
// a key stay taken for ever.
func TestRegistry(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s, ctx := open(tenancy.Options{}), t.Context()
		taken := func(id, key string, want bool) {
			t.Helper()
			if got, err := s.Taken(ctx, id, key); err != nil || (len(got) > 0) != want {
				t.Errorf("%s with key %s: %v, %v", id, key, got, err)
			}
		}
		taken("acme", "42", false)
		if _, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "acme", Key: "42"}); err != nil {
			t.Fatal(err)
		}
		if key, _, err := s.Tenant(ctx, "acme"); err != nil || key != "42" {
			t.Errorf("got %q, %v", key, err)
		}
		if _, _, err := s.Tenant(ctx, "globex"); !errors.Is(err, tenancy.ErrNoTenant) || !errors.Is(err, tenancy.ErrTenant) {
			t.Errorf("an unknown tenant: %v", err)
		}
		for _, stop := range []func() error{
			func() error { return s.SuspendTenant(ctx, root(), "acme") },
			func() error { return s.DeleteTenant(ctx, root(), "acme") },
		} {
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Tenant(ctx, "acme"); errors.Is(err, tenancy.ErrNoTenant) || !errors.Is(err, tenancy.ErrTenant) {
				t.Errorf("a tenant that may not ask: %v", err)
			}
			taken("acme", "other", true)
			taken("other", "42", true)
			taken("42", "other", true)
			taken("other", "acme", true)
			taken("other", "other", false)
		}
	})
}

// Whoever names the key of a tenant names no tenant, whatever became of the
// one whose key it is, and on every gateway.
func TestKeysAreNoTenants(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	one, two := open(t, spec, tenancy.Options{}), open(t, spec, tenancy.Options{})
	ctx := t.Context()
	for _, s := range []*tenancy.Store{one, two} { // it is remembered that there is none
		if _, _, err := s.Tenant(ctx, "ky"); !errors.Is(err, tenancy.ErrNoTenant) {
			t.Fatalf("an unknown tenant: %v", err)
		}
	}
	if _, err := one.CreateTenant(ctx, root(), tenancy.NewTenant{ID: "yy", Key: "ky"}); err != nil {
		t.Fatal(err)
	}
	foreign := func(s *tenancy.Store) bool {
		key, _, err := s.Tenant(ctx, "ky")
		if err == nil {
			t.Fatalf("the key of a tenant is one with key %q", key)
		}
		return errors.Is(err, tenancy.ErrForeignKey) && errors.Is(err, tenancy.ErrTenant) && !errors.Is(err, tenancy.ErrNoTenant)
	}
	if !foreign(one) {
		t.Error("the gateway that has registered a tenant does not know its key")
	}
	eventually(t, "the other gateway knows the key", func() bool { return foreign(two) })
	for _, change := range []func(context.Context, principal.Principal, string) error{one.SuspendTenant, one.ResumeTenant, one.DeleteTenant} {
		if err := change(ctx, root(), "yy"); err != nil {
			t.Fatal(err)
		}
		if !foreign(one) || !foreign(two) {
			t.Error("the key of a tenant is free")
		}
	}
	third := open(t, spec, tenancy.Options{})
	if !foreign(third) {
		t.Error("the key of a deleted tenant is free")
	}
	if key, _, err := third.Tenant(ctx, "yy"); !errors.Is(err, tenancy.ErrTenant) || errors.Is(err, tenancy.ErrNoTenant) {
		t.Errorf("a deleted tenant has key %q, %v", key, err)
	}
	// A key does not stand for the tenant where its record is looked for.
	wantCode(t, one.SetTenantAccounts(ctx, root(), "ky", nil), fault.NotFound)
	_, err := one.Login(ctx, tenancy.Credentials{Tenant: "ky", Username: "ann", Password: password})
	wantCode(t, err, fault.Unauthenticated)
}

// Ids and keys are one set of names: no two tenants share any of them, whatever
// their statuses and in whatever order they are registered.
func TestIDsAndKeysDoNotCross(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s, ctx := open(tenancy.Options{}), t.Context()
		create := func(id, key string) error {
			_, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: id, Key: key})
			return err
		}
		if err := create("p", "q"); err != nil {
			t.Fatal(err)
		}
		crossing := func(when string) {
			t.Helper()
			for _, n := range [][2]string{{"q", "z"}, {"w", "p"}, {"q", ""}, {"p", "z"}, {"w", "q"}, {"q", "p"}, {"p", "q"}} {
				if err := create(n[0], n[1]); err == nil || fault.From(err).Code != fault.Conflict {
					t.Errorf("%s: id %q with key %q beside p with key q: %v", when, n[0], n[1], err)
				}
			}
		}
		crossing("active")
		if err := s.SuspendTenant(ctx, root(), "p"); err != nil {
			t.Fatal(err)
		}
		crossing("suspended")
		if err := s.DeleteTenant(ctx, root(), "p"); err != nil {
			t.Fatal(err)
		}
		crossing("deleted")
		if err := errors.Join(create("w", "z"), create("v", "")); err != nil {
			t.Error(err)
		}
	})
}

// Of two that cross and are registered at the same time, on two gateways, one is.
func TestCrossingAtTheSameTime(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	stores := []*tenancy.Store{open(t, spec, tenancy.Options{}), open(t, spec, tenancy.Options{})}
	for i := range 20 {
		names := [2]string{fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i)}
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for n, s := range stores {
			wg.Go(func() {
				_, errs[n] = s.CreateTenant(t.Context(), root(), tenancy.NewTenant{ID: names[n], Key: names[1-n]})
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("the two got %v", errs)
		}
	}
}

func TestEmpty(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		if empty, err := s.Empty(t.Context()); err != nil || !empty {
			t.Errorf("a new store: %t, %v", empty, err)
		}
		made, err := s.Bootstrap(t.Context(), "first")
		if err != nil {
			t.Fatal(err)
		}
		if empty, err := s.Empty(t.Context()); err != nil || empty {
			t.Errorf("with a key: %t, %v", empty, err)
		}
		p, err := s.Authenticate(t.Context(), made.Token)
		if err != nil || p.Kind != principal.ServiceKey {
			t.Errorf("the key is of kind %q, %v", p.Kind, err)
		}
	})
}

package tenancy_test

import (
	"errors"
	"testing"

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
			if got, err := s.Taken(ctx, id, key); err != nil || got != want {
				t.Errorf("%s with key %s: %t, %v", id, key, got, err)
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
			taken("other", "other", false)
		}
	})
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

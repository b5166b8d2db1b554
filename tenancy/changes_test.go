package tenancy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/pgtest"
	"usher/tenancy"
)

// heard are the changes that a store was told of.
type heard struct {
	mu  sync.Mutex
	all []string
}

func (h *heard) hear(c tenancy.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, fmt.Sprintf("%s %s %d %v", c.Source, c.Dataset, len(c.Tenants), c.Tenants))
}

// since takes what was heard since the last time.
func (h *heard) since() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { h.all = nil }()
	slices.Sort(h.all)
	return slices.Compact(h.all)
}

func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	ctx := context.WithoutCancel(t.Context())
	c := newClock()
	spec := postgresOf(pgtest.Start(t).Database(t))
	one, two := open(t, spec, tenancy.Options{Clock: c.Now}), open(t, spec, tenancy.Options{Clock: c.Now, Poll: time.Hour, MaxStale: 24 * time.Hour})
	var here, there heard
	one.OnChange(here.hear)
	two.OnChange(there.hear)
	hears := func(what string, want ...string) {
		t.Helper()
		if err := two.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if got := there.since(); !slices.Equal(got, want) {
			t.Errorf("%s: heard %q, want %q", what, got, want)
		}
	}
	tell := func(c tenancy.Change) {
		t.Helper()
		if err := one.TellChange(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	hears("nothing yet")
	tell(tenancy.Change{Source: "shop", Dataset: "orders", Tenants: []string{"acme", "globex"}})
	tell(tenancy.Change{Source: "shop", Dataset: "notes"})
	hears("changes", "shop notes 0 []", "shop orders 2 [acme globex]")
	hears("once")
	tell(tenancy.Change{Source: "shop", Dataset: "orders", Tenants: strings.Fields(strings.Repeat("acme ", 101))})
	hears("of more tenants than are kept", "shop orders 0 []")

	// Whoever was deaf for longer than changes are kept forgets everything. An
	// announcement from before may end the deafness; then once more.
	forgot := func() bool {
		two.Deafen(time.Hour)
		if err := one.Exec(ctx, "UPDATE store.generation SET n = n + 1"); err != nil {
			t.Fatal(err)
		}
		if err := two.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		return slices.Equal(there.since(), []string{"  0 []"})
	}
	if !slices.ContainsFunc(make([]int, 20), func(int) bool { return forgot() }) {
		t.Error("a store that was deaf goes on as if it had heard all")
	}
	if err := one.Exec(ctx, `INSERT INTO store.changes SELECT 'c' || g, 'shop', 'd' || g, '', 'another', 0, (SELECT n + 1 FROM store.generation) FROM generate_series(1, 1001) g`); err != nil {
		t.Fatal(err)
	}
	if err := one.Exec(ctx, "UPDATE store.generation SET n = n + 1"); err != nil {
		t.Fatal(err)
	}
	hears("more than are read", "  0 []")
	if got := here.since(); !slices.Equal(got, []string{"  0 []"}) && len(got) != 0 {
		t.Errorf("who was told is told again: %q", got)
	}
	c.pass(59 * time.Minute)
	count := func(want int) {
		t.Helper()
		if err := one.Prune(ctx); err != nil {
			t.Fatal(err)
		}
		if n := must(one.Count(ctx, "changes")); n != want {
			t.Errorf("%d changes are kept, want %d", n, want)
		}
	}
	count(3)
	c.pass(2 * time.Minute)
	count(0)
}

// Tenants that there were are known; an embedded store is one gateway's, and
// keeps nothing for others.
func TestUnregistered(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := context.WithoutCancel(t.Context())
		tenant(t, s, "acme")
		var ids []string
		for i := range 1200 {
			ids = append(ids, fmt.Sprint("t", i))
		}
		ids[700] = "acme"
		if got := must(s.Unregistered(ctx, ids)); len(got) != 1199 || slices.Contains(got, "acme") {
			t.Errorf("%d of 1200 are unknown", len(got))
		}
		if got := must(s.Unregistered(ctx, nil)); len(got) != 0 {
			t.Errorf("of none: %q", got)
		}
		if err := s.DeleteTenant(ctx, root(), "acme"); err != nil {
			t.Fatal(err)
		}
		if got := must(s.Unregistered(ctx, []string{"acme"})); len(got) != 0 {
			t.Error("rows of a deleted tenant may change still")
		}
		if err := s.TellChange(ctx, tenancy.Change{Source: "shop", Dataset: "orders"}); err != nil {
			t.Fatal(err)
		}
		if n := must(s.Count(ctx, "changes")); (n > 0) != s.Shared() {
			t.Errorf("%d changes are kept", n)
		}
	})
}

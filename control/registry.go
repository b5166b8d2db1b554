package control

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/principal"
	"usher/tenancy"
)

// Tenants are those that a control store has, served or only looked at.
type Tenants interface {
	Taken(ctx context.Context, names ...string) (map[string]bool, error)
	Routings(ctx context.Context) iter.Seq2[principal.Principal, error]
}

// CheckDisjoint refuses tenants of the file that the store knows, or has known: two
// registries that disagree would let one tenant in as the other.
func CheckDisjoint(ctx context.Context, cfg *config.Config, known *Neighbors, store Tenants) error {
	called := func(t catalog.Tenant) []string { return append([]string{t.ID, t.Key}, t.ExternalIDs...) }
	var names []string
	for _, t := range known.cat.Tenants {
		names = append(names, called(t)...)
	}
	taken, err := store.Taken(ctx, names...)
	if err != nil {
		return err
	}
	var problems []catalog.Problem
	for _, id := range slices.Sorted(maps.Keys(known.cat.Tenants)) {
		if slices.ContainsFunc(called(known.cat.Tenants[id]), func(name string) bool { return taken[name] }) {
			problems = append(problems, catalog.Problem{
				Path:    []string{"tenants", id},
				Message: "the control store has, or had, a tenant of this id or key, or calls one so, or one for the other; a tenant is registered in one place",
			})
		}
	}
	if err := cfg.Locate(problems); err != nil {
		return err
	}
	return known.settled(ctx, cfg, store)
}

// Registry looks up the tenants that the configuration registers, and those of
// the store, if there is one. What is the key of either's tenant is no other
// tenant: whoever names it would be shown that one's rows.
func Registry(cat *catalog.Catalog, store *tenancy.Store) func(context.Context, string) (string, principal.Routing, error) {
	return func(ctx context.Context, id string) (string, principal.Routing, error) {
		if t, ok := cat.Tenants[id]; ok {
			return t.Key, t.Routing(), nil
		}
		if cat.TenantOfKey(id) != "" || cat.TenantOf(id) != "" {
			return "", principal.Routing{}, auth.ErrForeignKey
		}
		if store == nil {
			return "", principal.Routing{}, auth.ErrNotRegistered
		}
		key, routing, err := store.Tenant(ctx, id)
		switch {
		case errors.Is(err, tenancy.ErrNoTenant):
			err = auth.ErrNotRegistered
		case errors.Is(err, tenancy.ErrForeignKey):
			err = auth.ErrForeignKey
		case errors.Is(err, tenancy.ErrTenant):
			err = auth.ErrSuspended
		}
		return key, routing, err
	}
}

// TenantOf looks up the tenant that an identity provider calls so, in the
// configuration and in the store, if there is one. Nobody becomes a tenant by
// being named.
func TenantOf(cat *catalog.Catalog, store *tenancy.Store) func(context.Context, string) (string, error) {
	return func(ctx context.Context, externalID string) (string, error) {
		if id := cat.TenantOf(externalID); id != "" {
			return id, nil
		}
		if store == nil {
			return "", auth.ErrNotRegistered
		}
		id, err := store.TenantOf(ctx, externalID)
		if errors.Is(err, tenancy.ErrNoTenant) {
			err = auth.ErrNotRegistered
		}
		return id, err
	}
}

package resolvers

import (
	"context"
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/graph"
	"usher/principal"
	"usher/tenancy"
)

// configuredTenants is a page of what the configuration says of tenants.
func (r *Resolver) configuredTenants(ctx context.Context, search, after *string, limit int) (*graph.ConfiguredTenantPage, error) {
	store, who, _, err := r.listing(ctx, after, limit)
	if err == nil {
		err = store.Administers(who, "")
	}
	if err == nil && limit > 500 {
		err = fault.New(fault.BadUserInput, "a page has 1 to 500 rows")
	}
	if err != nil {
		return nil, err
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	page := &graph.ConfiguredTenantPage{Items: []graph.ConfiguredTenant{}}
	for _, id := range cat.Configured() {
		if id <= given(after) || !mentions(cat.Tenants[id], id, strings.ToLower(given(search))) {
			continue
		}
		if len(page.Items) == limit {
			page.Next = &page.Items[limit-1].ID
			break
		}
		page.Items = append(page.Items, describeConfigured(cat, id))
	}
	return page, nil
}

// mentions tells whether a text occurs in what a tenant is called.
func mentions(t catalog.Tenant, id, text string) bool {
	holds := func(name string) bool { return strings.Contains(strings.ToLower(name), text) }
	return holds(id) || holds(t.Name) || slices.ContainsFunc(t.ExternalIDs, holds)
}

// configuredTenant is what the configuration says of one tenant, also to who
// administers it.
func (r *Resolver) configuredTenant(ctx context.Context, id string) (*graph.ConfiguredTenant, error) {
	store, who, err := r.control(ctx)
	if err == nil && id == "" {
		err = fault.New(fault.BadUserInput, "the tenant's id is empty")
	}
	if err == nil {
		err = store.Administers(who, id)
	}
	if err != nil {
		return nil, err
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(cat.Configured(), id) {
		return nil, nil //nolint:nilnil // null says that there is nothing to say
	}
	told := describeConfigured(cat, id)
	return &told, nil
}

func describeConfigured(cat *catalog.Catalog, id string) graph.ConfiguredTenant {
	t, registered := cat.Tenants[id]
	share := cat.Share(id, principal.Share{})
	return graph.ConfiguredTenant{
		ID: id, Registered: registered, Key: optional(t.Key), Name: optional(t.Name), Strategy: optional(t.Strategy), Cell: optional(t.Cell),
		Strategies: describeStrategies(t.Strategies), Bindings: describeBindings(t.Bindings), Accounts: each(tenancy.AccountsOf(t.Accounts), describeAccount),
		ExternalIds: always(t.ExternalIDs), AllowHosts: describeHosts(t.AllowHosts), Weight: share.Weight, Limits: describeLimits(share.Limits), Bound: always(cat.Bound(id)),
	}
}

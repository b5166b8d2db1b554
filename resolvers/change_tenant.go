package resolvers

import (
	"context"

	"usher/catalog"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// planChange plans a change: for a principal of all tenants that names one, as that one's. One that names none
// changes nothing of tenants that could not be named.
func (d *Datasets) planChange(ctx context.Context, asked query.Change, cat *catalog.Catalog, who principal.Principal) (plan.Change, error) {
	id, named := plan.NamedTenant(asked)
	switch {
	case who.AllTenants && !named && d.Closed != nil && !asked.Kind.Inserts() && !asked.Kind.One():
		closed, err := d.Closed(ctx)
		if err != nil {
			return plan.Change{}, err
		}
		return plan.BuildChangeOfAll(closed, asked, cat, who, graph.Started(ctx))
	case !named || !who.AllTenants:
		return plan.BuildChange(asked, cat, who, graph.Started(ctx))
	}
	if d.Tenant == nil {
		return plan.Change{}, fault.New(fault.NotImplemented, "nothing here knows which tenants there are")
	}
	tenant, err := d.Tenant(ctx, id)
	if err != nil {
		return plan.Change{}, err
	}
	return plan.BuildChangeOf(tenant, asked, cat, who, graph.Started(ctx))
}

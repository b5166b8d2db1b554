package control

import (
	"context"
	"errors"
	"slices"

	"usher/auth"
	"usher/fault"
	"usher/plan"
	"usher/principal"
)

// NamedTenant finds the tenant that somebody names who may see all of them. One that nobody has
// registered is a tenant only where an issuer is trusted with its tenants.
func NamedTenant(registry func(context.Context, string) (string, principal.Routing, error), issuers []auth.IssuerSpec) func(context.Context, string) (plan.Tenant, error) {
	trusting := slices.ContainsFunc(issuers, func(i auth.IssuerSpec) bool { return i.Tenants == "trusted" })
	return func(ctx context.Context, id string) (plan.Tenant, error) {
		unknown := fault.New(fault.NotFound, "there is no such tenant").WithHint("name a tenant by its id")
		if principal.CheckTenantID(id) != nil {
			return plan.Tenant{}, unknown
		}
		key, routing, err := registry(ctx, id)
		switch {
		case errors.Is(err, auth.ErrNotRegistered) && trusting:
			return plan.Tenant{ID: id, Key: id}, nil
		case errors.Is(err, auth.ErrNotRegistered), errors.Is(err, auth.ErrForeignKey):
			return plan.Tenant{}, unknown
		case errors.Is(err, auth.ErrSuspended):
			return plan.Tenant{}, fault.New(fault.Forbidden, "the tenant is suspended, and nothing of it is written")
		case err != nil:
			return plan.Tenant{}, err
		}
		return plan.Tenant{ID: id, Key: key, Routing: routing}, nil
	}
}

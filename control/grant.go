package control

import (
	"encoding/json"
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/principal"
)

// CheckGrant is what the catalog says of a tenant's record, a user, a key or a
// token before it is made.
func CheckGrant(current func() *catalog.Catalog) func(principal.Principal) error {
	return func(p principal.Principal) error {
		cat := current()
		if taken(cat, p.Tenant, p.TenantKey) {
			return fault.New(fault.Conflict, "the configuration registers a tenant of this id or key").
				WithHint("Choose another, or take it out of the configuration's tenants.")
		}
		record := p.Subject == ""
		switch {
		case record && len(p.Home.Accounts) == 0:
			if p.Home.Strategy != "" && cat.Strategies[p.Home.Strategy] == nil {
				return fault.New(fault.BadUserInput, "there is no strategy %q", p.Home.Strategy)
			}
			return nil
		case !record && (p.AllTenants || !slices.Contains(p.Scopes, principal.ReadData)):
			// What of it can be reached is decided where it is asked for.
			if _, err := cat.View(p); err != nil {
				return fault.New(fault.BadUserInput, "this does not fit the configuration: %s", err)
			}
			return nil
		}
		return plan.CheckGrant(p, cat)
	}
}

// CheckRole is what the catalog says of a role that a tenant owns.
func CheckRole(current func() *catalog.Catalog) func(tenant, name string, spec json.RawMessage) error {
	return func(tenant, name string, spec json.RawMessage) error {
		_, err := catalog.CompileRole(current(), tenant, name, spec)
		return err
	}
}

// taken tells whether the configuration registers a tenant of an id or a key.
func taken(cat *catalog.Catalog, id, key string) bool {
	if id == "" {
		return false
	}
	if _, ok := cat.Tenants[id]; ok {
		return true
	}
	for _, t := range cat.Tenants {
		if t.Key == key {
			return true
		}
	}
	return false
}

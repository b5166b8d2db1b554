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
		case record && len(p.Routing.Accounts) == 0:
			if p.Routing.Strategy != "" && cat.Strategies[p.Routing.Strategy] == nil {
				return fault.New(fault.BadUserInput, "there is no strategy %q", p.Routing.Strategy)
			}
			return nil
		// What of these can be reached is decided where it is asked for.
		case !record && p.AllTenants:
			if _, err := cat.View(p); err != nil && cat.Unreached.Incomplete() {
				return catalog.NotYet().Because(err)
			} else if err != nil {
				return fault.New(fault.BadUserInput, "this does not fit the configuration: %s", err)
			}
			return nil
		case !record && !slices.Contains(p.Scopes, principal.ReadData):
			return plan.CheckDatasets(p, cat)
		}
		return plan.CheckGrant(p, cat)
	}
}

// CheckFilters is what the catalog says of filters that somebody puts into a
// token.
func CheckFilters(current func() *catalog.Catalog) func(minter, token principal.Principal, added []principal.Filter) error {
	return func(minter, token principal.Principal, added []principal.Filter) error {
		return plan.CheckMinted(minter, token, added, current())
	}
}

// CheckRole is what the catalog says of a role that a tenant owns, to whoever
// writes it. Administrators of all tenants know the whole catalog.
func CheckRole(current func() *catalog.Catalog) func(writer principal.Principal, tenant, name string, spec json.RawMessage) error {
	return func(writer principal.Principal, tenant, name string, spec json.RawMessage) error {
		cat := current()
		if writer.AllTenants {
			return notYet(cat, catalog.JudgeRole(cat, nil, tenant, name, spec))
		}
		view, err := cat.View(writer)
		if err != nil && cat.Unreached.Incomplete() {
			return catalog.NotYet().Because(err)
		}
		if err != nil {
			return fault.New(fault.Forbidden, "your own roles do not fit the configuration: %s", err)
		}
		return notYet(cat, catalog.JudgeRole(cat, view, tenant, name, spec))
	}
}

// notYet is what is said instead while datasets are left out of the catalog: what is
// not there may be one of them.
func notYet(cat *catalog.Catalog, err error) error {
	if err != nil && cat.Unreached.Incomplete() {
		return catalog.NotYet().Because(err)
	}
	return err
}

// taken tells whether an id or a key is the id or the key of a tenant that the
// configuration registers.
func taken(cat *catalog.Catalog, id, key string) bool {
	if id == "" {
		return false
	}
	for _, name := range []string{id, key} {
		if _, ok := cat.Tenants[name]; ok || cat.TenantOfKey(name) != "" {
			return true
		}
	}
	return false
}

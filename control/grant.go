package control

import (
	"encoding/json"
	"slices"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/tenancy"
)

// CheckGrant is what the catalog says of a tenant's record, a user, a key or a
// token before it is made. Now is the clock.
func CheckGrant(current func() *catalog.Catalog, now func() time.Time) func(principal.Principal) error {
	return func(p principal.Principal) error {
		cat := current()
		if taken(cat, p.Tenant, p.TenantKey) {
			return fault.New(fault.Conflict, "the configuration registers a tenant of this id or key").
				WithHint("Choose another, or take it out of the configuration's tenants.")
		}
		record := p.Subject == ""
		if cell := p.Routing.Cell; record && cell != "" && !slices.Contains(cat.Cells(), cell) {
			return fault.New(fault.BadUserInput, "no source has a cell %s", fault.Quote(cell))
		}
		if record {
			if err := cat.CheckBindings(p.Tenant, p.Routing.Bindings); err != nil {
				return fault.New(fault.BadUserInput, "%s", err).WithHint("`admin { configuration { bindings } }` has those that there are.")
			}
		}
		switch {
		case record && len(p.Routing.Accounts) == 0:
			return checkRecord(cat, p.Routing)
		// What of these can be reached is decided where it is asked for.
		case !record && p.AllTenants:
			if _, err := cat.View(p); err != nil {
				return notYet(cat.Unreached.Awaits, err.Error(), fault.New(fault.BadUserInput, "this does not fit the configuration: %s", err))
			}
			return nil
		case !record && !slices.Contains(p.Scopes, principal.ReadData):
			return plan.CheckDatasets(p, cat)
		}
		return plan.CheckGrant(p, cat, now())
	}
}

// CheckMinted is what the catalog says of filters and strategies of datasets
// that somebody puts into a token.
func CheckMinted(current func() *catalog.Catalog, now func() time.Time) func(minter, token principal.Principal, added principal.Grant) error {
	return func(minter, token principal.Principal, added principal.Grant) error {
		return plan.CheckMinted(minter, token, added, current(), now())
	}
}

// CheckMayGrant refuses to let a key grant what there is not: it would be refused
// wherever it is granted. Names of metadata are free.
func CheckMayGrant(current func() *catalog.Catalog) func(tenancy.MayGrant) error {
	return func(m tenancy.MayGrant) error {
		cat := current()
		for _, list := range []struct {
			what  string
			names []string
			known func(string) bool
		}{
			{"strategy", m.Strategies, func(name string) bool { return cat.Strategies[name] != nil }},
			{"source", m.Accounts, func(name string) bool { return cat.Sources[name] != nil }},
			{"parameter", slices.Concat(m.Parameters, m.Clear), func(name string) bool { return cat.Parameters[name] != nil }},
		} {
			for _, name := range list.names {
				if !list.known(name) {
					return fault.New(fault.BadUserInput, "there is no %s %s that the key could grant", list.what, fault.Quote(name))
				}
			}
		}
		return nil
	}
}

// CheckRole is what the catalog says of a role that a tenant owns, to whoever
// writes it. Administrators of all tenants know the whole catalog.
func CheckRole(current func() *catalog.Catalog) func(writer principal.Principal, tenant, name string, spec json.RawMessage) error {
	return func(writer principal.Principal, tenant, name string, spec json.RawMessage) error {
		cat := current()
		if writer.AllTenants {
			return notYet(cat.Unreached.AwaitsOf, string(spec), catalog.JudgeRole(cat, nil, tenant, name, spec))
		}
		view, err := cat.View(writer)
		if err != nil {
			return notYet(cat.Unreached.Awaits, err.Error(), fault.New(fault.Forbidden, "your own roles do not fit the configuration: %s", err))
		}
		return notYet(cat.Unreached.Awaits, string(spec), catalog.JudgeRole(cat, view, tenant, name, spec))
	}
}

// checkRecord judges a record that leads nowhere of its own: what it says must
// mean something, and its datasets need not be reached yet.
func checkRecord(cat *catalog.Catalog, r principal.Routing) error {
	if r.Strategy != "" && cat.Strategies[r.Strategy] == nil {
		return fault.New(fault.BadUserInput, "there is no strategy %s", fault.Quote(r.Strategy))
	}
	if err := cat.CheckStrategies(r.Strategies); err != nil {
		return fault.New(fault.BadUserInput, "%s", err)
	}
	if _, err := catalog.ParseDestinations(r.AllowHosts); err != nil {
		return fault.New(fault.BadUserInput, "%s", err)
	}
	return nil
}

// KnownName tells whether a text is the id, the key or an external id of a tenant
// that the configuration registers.
func KnownName(current func() *catalog.Catalog) func(name string) bool {
	return func(name string) bool { return taken(current(), name, name) }
}

// notYet is what is said in the place of an error about a text which speaks of what
// a source may say that has not been reached.
func notYet(awaits func(text string) *fault.Error, text string, err error) error {
	if err == nil {
		return nil
	}
	if refusal := awaits(text); refusal != nil {
		return refusal.Because(err)
	}
	return err
}

// taken tells whether an id or a key is the id, the key or an external id of a
// tenant that the configuration registers.
func taken(cat *catalog.Catalog, id, key string) bool {
	if id == "" {
		return false
	}
	for _, name := range []string{id, key} {
		if _, ok := cat.Tenants[name]; ok || cat.TenantOfKey(name) != "" || cat.TenantOf(name) != "" {
			return true
		}
	}
	return false
}

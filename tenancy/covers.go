package tenancy

import (
	"maps"
	"slices"

	"usher/principal"
	"usher/query"
)

// MayGrant caps what a service key may put into tokens beyond what it holds
// itself. Empty lists allow nothing.
type MayGrant struct {
	Strategies []string `json:"strategies,omitempty"`
	Accounts   []string `json:"accounts,omitempty"` // by source
	Parameters []string `json:"parameters,omitempty"`
	Clear      []string `json:"clear,omitempty"` // parameters
	Metadata   []string `json:"metadata,omitempty"`
}

// IsZero tells that it allows nothing.
func (m MayGrant) IsZero() bool {
	return len(m.Strategies)+len(m.Accounts)+len(m.Parameters)+len(m.Clear)+len(m.Metadata) == 0
}

// minter is who asks for a token, and what it may grant beyond what it holds.
type minter struct {
	principal.Principal
	mayGrant MayGrant
	owned    []string // roles of the tenant's own, which only restrict
}

// administersAll tells whether the minter is an administrator of all tenants
// who is not restricted: such a one may grant anything.
func (m minter) administersAll() bool {
	return m.AllTenants && m.Acting == nil && has(m.Principal, principal.Administer) && unrestricted(m.Principal) == nil
}

// covers returns the grant that results when the minter grants what is wanted:
// whatever restricts the minter restricts the token too. It is the list of
// what must hold; each line refuses with a message of its own.
func covers(m minter, wanted TokenRequest) (principal.Grant, error) {
	for _, check := range []func(minter, TokenRequest) error{
		coversTenant,
		coversRoles,
		coversWriting,
		coversStrategy,
		coversStrategies,
		coversDatasets,
		coversDashboards,
		coversParameters,
		coversCleared,
		coversMetadata,
		coversAccounts,
		coversExpiry,
	} {
		if err := check(m, wanted); err != nil {
			return principal.Grant{}, err
		}
	}
	own := m.Grant
	g := principal.Grant{
		Strategy:   wanted.Strategy,
		Strategies: merged(own.Strategies, wanted.Strategies),
		Filters:    slices.Concat(own.Filters, wanted.Filters), // all of them apply
		Parameters: merged(own.Parameters, wanted.Parameters),
		Cleared:    slices.Clone(wanted.Cleared),
		Metadata:   merged(own.Metadata, wanted.Metadata),
		Accounts:   merged(own.Accounts, wanted.Accounts),
		Datasets:   slices.Clone(wanted.Datasets),
		SavedOnly:  own.SavedOnly || wanted.SavedOnly,
		Dashboards: slices.Clone(wanted.Dashboards),
		Timezone:   wanted.Timezone,
	}
	if g.Strategy == "" {
		g.Strategy = own.Strategy
	}
	if g.Datasets == nil {
		g.Datasets = slices.Clone(own.Datasets)
	}
	if g.Dashboards == nil {
		g.Dashboards = slices.Clone(own.Dashboards)
	}
	if g.Timezone == "" {
		g.Timezone = own.Timezone
	}
	return g, nil
}

// merged has what the minter holds and what is wanted; where both name
// something, the checks have made sure that they say the same.
func merged[V any](own, wanted map[string]V) map[string]V {
	if len(own)+len(wanted) == 0 {
		return nil
	}
	all := make(map[string]V, len(own)+len(wanted))
	maps.Copy(all, wanted)
	maps.Copy(all, own)
	return all
}

func coversTenant(m minter, wanted TokenRequest) error {
	if !m.AllTenants && wanted.Tenant != m.Tenant {
		return forbidden("the token would be for another tenant than the minter's")
	}
	return nil
}

func coversRoles(m minter, wanted TokenRequest) error {
	for _, role := range wanted.Roles {
		if !slices.Contains(m.Roles, role) && !slices.Contains(m.owned, role) && !m.administersAll() {
			return forbidden("the minter does not hold role %s", role)
		}
	}
	return nil
}

// coversWriting: who does not write hands it to nobody, whatever else they may grant.
func coversWriting(m minter, wanted TokenRequest) error {
	if wanted.Write && !has(m.Principal, principal.WriteData) {
		return forbidden("a token that writes needs a minter with the scope %s", principal.WriteData)
	}
	return nil
}

// coversOwnRoles refuses a token that the tenant's own roles restrict less than
// its minter. They add up among themselves, and all of them together restrict:
// who holds some grants some of them, and no others.
func coversOwnRoles(p principal.Principal, wanted principal.Principal) error {
	if len(p.RoleSpecs) == 0 {
		return nil
	}
	if len(wanted.RoleSpecs) == 0 {
		return forbidden("the minter is restricted by roles of the tenant's own; the token needs one of them")
	}
	for _, name := range sortedKeys(wanted.RoleSpecs) {
		if _, held := p.RoleSpecs[name]; !held {
			return forbidden("the minter does not hold role %s", name)
		}
	}
	return nil
}

func coversStrategy(m minter, wanted TokenRequest) error {
	switch {
	case wanted.Strategy == "", wanted.Strategy == m.Grant.Strategy, m.administersAll():
		return nil
	case m.Grant.Strategy == "" && slices.Contains(m.mayGrant.Strategies, wanted.Strategy):
		return nil
	}
	return forbidden("the minter may not grant strategy %s", wanted.Strategy)
}

// coversStrategies: a strategy of a single dataset is one that the minter's own
// token names for it, or else one that it may grant.
func coversStrategies(m minter, wanted TokenRequest) error {
	for _, dataset := range sortedKeys(wanted.Strategies) {
		name := wanted.Strategies[dataset]
		own, held := m.Grant.Strategies[dataset]
		if !held {
			own, held = m.Grant.Strategy, m.Grant.Strategy != ""
		}
		_, fixed := m.Grant.Strategies[dataset]
		switch {
		case held && own == name:
		case fixed:
			return forbidden("the minter's own token fixes the strategy of dataset %s", dataset)
		case m.administersAll():
		case held || !slices.Contains(m.mayGrant.Strategies, name):
			return forbidden("the minter may not grant strategy %s", name)
		}
	}
	return nil
}

func coversDatasets(m minter, wanted TokenRequest) error {
	if m.Grant.Datasets == nil {
		return nil
	}
	for _, dataset := range wanted.Datasets {
		if !slices.Contains(m.Grant.Datasets, dataset) {
			return forbidden("the minter's own token does not reach dataset %s", dataset)
		}
	}
	return nil
}

// coversDashboards: who runs nothing but some dashboards hands on some of those, and
// who runs nothing but saved queries hands on none.
func coversDashboards(m minter, wanted TokenRequest) error {
	own := m.Grant
	switch {
	case own.SavedOnly && wanted.Dashboards != nil:
		return forbidden("the minter's own token is for saved queries only")
	case own.Dashboards != nil && wanted.SavedOnly:
		return forbidden("the minter's own token is for dashboards only")
	case own.Dashboards == nil:
		return nil
	}
	for _, name := range wanted.Dashboards {
		if !slices.Contains(own.Dashboards, name) {
			return forbidden("the minter's own token is for other dashboards than %s", name)
		}
	}
	return nil
}

func coversParameters(m minter, wanted TokenRequest) error {
	for _, name := range sortedKeys(wanted.Parameters) {
		own, held := m.Grant.Parameters[name]
		switch {
		case held && sameValue(own, wanted.Parameters[name]), m.administersAll():
		case held:
			return forbidden("the minter's own token fixes parameter %s", name)
		case !slices.Contains(m.mayGrant.Parameters, name):
			return forbidden("the minter may not grant parameter %s", name)
		}
	}
	return nil
}

// coversCleared: to clear a parameter shows more rows, so it is a right of its own.
func coversCleared(m minter, wanted TokenRequest) error {
	for _, name := range wanted.Cleared {
		_, fixed := m.Grant.Parameters[name]
		switch {
		case fixed:
			return forbidden("the minter's own token fixes parameter %s", name)
		case slices.Contains(m.Grant.Cleared, name), m.administersAll(), slices.Contains(m.mayGrant.Clear, name):
		default:
			return forbidden("the minter may not clear parameter %s", name)
		}
		if _, given := wanted.Parameters[name]; given {
			return unusable("parameter %s is given and cleared", name)
		}
	}
	return nil
}

func coversMetadata(m minter, wanted TokenRequest) error {
	for _, name := range sortedKeys(wanted.Metadata) {
		own, held := m.Grant.Metadata[name]
		switch {
		case held && sameValue(own, wanted.Metadata[name]):
		case held:
			return forbidden("the minter's own token fixes metadata %s", name)
		case m.administersAll():
		case !slices.Contains(m.mayGrant.Metadata, name):
			return forbidden("the minter may not grant metadata %s", name)
		}
	}
	return nil
}

func coversAccounts(m minter, wanted TokenRequest) error {
	for _, source := range sortedKeys(wanted.Accounts) {
		_, held := m.Grant.Accounts[source]
		switch {
		case held:
			return forbidden("the minter's own token fixes the account of source %s", source)
		case m.administersAll():
		case !slices.Contains(m.mayGrant.Accounts, source):
			return forbidden("the minter may not grant an account of source %s", source)
		}
	}
	return nil
}

func coversExpiry(m minter, wanted TokenRequest) error {
	if !m.Expires.IsZero() && wanted.ExpiresAt.After(m.Expires) {
		return forbidden("the token would live longer than the minter's own")
	}
	return nil
}

// checkFilters refuses filters that do not say what they restrict.
func checkFilters(filters []principal.Filter) error {
	for _, f := range filters {
		if err := checkPresent("the dataset of a filter", f.Dataset, maxName); err != nil {
			return err
		}
		if f.Where == nil && f.Having == nil {
			return unusable("the filter of dataset %s has no condition", f.Dataset)
		}
		for _, v := range []query.Value{f.Where, f.Having} {
			if o, ok := v.(query.Object); v != nil && (!ok || len(o) == 0) {
				return unusable("the filter of dataset %s has no condition", f.Dataset)
			}
		}
	}
	return nil
}

package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"usher/principal"
	"usher/value"
)

// tenants registers the tenants of the configuration, after the datasets whose
// tenant columns their keys must fit. Two tenants with one key would share
// their rows; with the id of another for a key, it would depend on the registry
// whose rows a token shows that names it.
func (c *compiler) tenants() {
	byKey := make(map[string]string)
	c.catalog.byKey, c.catalog.byExternalID = byKey, make(map[string]string)
	c.catalog.shares = make(map[string]principal.Share)
	ids := slices.Sorted(maps.Keys(c.spec.Tenants))
	named := make(map[string][]string) // the tenants of an id or a key
	for _, id := range ids {
		named[id] = append(named[id], id)
		if key := c.spec.Tenants[id].Key; key != "" && key != id {
			named[key] = append(named[key], id)
		}
	}
	for _, id := range ids {
		spec, at := c.spec.Tenants[id], c.at("tenants", id)
		if err := principal.CheckTenantID(id); err != nil {
			at.problem("%s", err)
			continue
		}
		for _, dataset := range slices.Sorted(maps.Keys(spec.Bind)) {
			if c.catalog.byName[dataset] == nil {
				at.in("bind", dataset).problem("%s", unknown("dataset", dataset, c.spec.Datasets))
			}
		}
		c.share(at, id, spec)
		if spec.Registered != nil && !*spec.Registered {
			if spec.Key != "" || spec.Name != "" || spec.Strategy != "" || spec.Cell != "" || len(spec.Strategies)+len(spec.Bindings) > 0 || spec.ExternalIDs != nil || spec.AllowHosts != nil || len(spec.Accounts) > 0 || len(spec.Bind) == 0 && spec.Weight == nil && spec.Limits == (BudgetSpec{}) {
				at.in("registered").problem("the control store says what the tenant is; beside `registered: false` there are `bind`, `weight` and `limits` and nothing else")
			}
			continue
		}
		t := Tenant{ID: id, Key: cmp.Or(spec.Key, id), Name: cmp.Or(spec.Name, id), Strategy: spec.Strategy}
		t.Cell = spec.Cell
		if spec.Cell != "" && !slices.Contains(c.catalog.Cells(), spec.Cell) {
			at.in("cell").problem("no source has a cell %s", spec.Cell)
		}
		if other, taken := byKey[t.Key]; taken {
			at.problem("has the key of %s, %q, and would see its rows", other, t.Key)
		}
		byKey[t.Key] = id
		if _, crosses := c.spec.Tenants[t.Key]; crosses && t.Key != id {
			at.problem("its key %q is the id of another tenant; a key is either the tenant's own id or nobody's", t.Key)
		}
		c.canonicalKey(at, t.Key)
		if spec.Strategy != "" && c.catalog.Strategies[spec.Strategy] == nil {
			at.in("strategy").problem("%s", unknown("strategy", spec.Strategy, c.catalog.Strategies))
		}
		if err := c.catalog.CheckStrategies(spec.Strategies); err != nil {
			at.in("strategies").problem("%s", err)
		}
		if err := c.catalog.CheckBindings(id, spec.Bindings); err != nil {
			at.in("bindings").problem("%s", err)
		}
		t.Strategies, t.Bindings = spec.Strategies, spec.Bindings
		allowed, err := ParseDestinations(spec.AllowHosts)
		if err != nil {
			at.in("allow_hosts").problem("%s", err)
		}
		t.AllowHosts, t.ExternalIDs = spec.AllowHosts, spec.ExternalIDs
		t.Accounts = c.accounts(at.in("accounts"), spec.Accounts, allowed)
		c.externalIDs(at.in("external_ids"), t, spec.ExternalIDs, named)
		c.catalog.Tenants[id] = t
	}
}

// externalIDs notes what identity providers call a tenant. One of them is one
// tenant's alone, and no other's id or key.
func (c *compiler) externalIDs(at place, t Tenant, ids []string, named map[string][]string) {
	for i, id := range ids {
		at := at.in(strconv.Itoa(i))
		other, taken := c.catalog.byExternalID[id]
		if err := principal.CheckExternalID(id); err != nil {
			at.problem("%s", err)
		} else if taken {
			at.problem("%q is an external id of %s already", id, other)
		}
		for _, name := range named[id] {
			if name != t.ID {
				at.problem("%q is the id or the key of %s", id, name)
			}
		}
		c.catalog.byExternalID[id] = t.ID
	}
}

// canonicalKey refuses a key that some tenant column would print in another
// way: 007 must not meet 7.
func (c *compiler) canonicalKey(at place, key string) {
	for _, d := range c.catalog.Datasets {
		if d.Tenant == nil {
			continue
		}
		if v, err := value.Parse(d.Tenant.Type, key); err != nil || v.Text() != key {
			at.problem("the key %q is no value of %s.%s as %s writes it; give the tenant another `key`", key, d.Name, d.Tenant.Name, d.Tenant.Type.GraphQL())
			return
		}
	}
}

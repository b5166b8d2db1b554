package catalog

import (
	"cmp"
	"maps"
	"slices"

	"usher/principal"
	"usher/value"
)

// tenants registers the tenants of the configuration, after the datasets whose
// tenant columns their keys must fit. Two tenants with one key would share
// their rows; with the id of another for a key, it would depend on the registry
// whose rows a token shows that names it.
func (c *compiler) tenants() {
	byKey := make(map[string]string)
	c.catalog.byKey = byKey
	for _, id := range slices.Sorted(maps.Keys(c.spec.Tenants)) {
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
		if spec.Registered != nil && !*spec.Registered {
			if spec.Key != "" || spec.Name != "" || spec.Strategy != "" || spec.Cell != "" || len(spec.Accounts) > 0 || len(spec.Bind) == 0 {
				at.in("registered").problem("the control store says what the tenant is; beside `registered: false` there is `bind` and nothing else")
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
		t.Accounts = c.accounts(at.in("accounts"), spec.Accounts)
		c.catalog.Tenants[id] = t
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

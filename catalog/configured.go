package catalog

import (
	"maps"
	"slices"
)

// Configured are the tenants of which the configuration says anything, by id: those
// that it registers, and those that it gives a share or tables of their own.
func (c *Catalog) Configured() []string {
	all := make(map[string]bool, len(c.Tenants))
	for id := range c.Tenants {
		all[id] = true
	}
	for id := range c.shares {
		all[id] = true
	}
	for _, d := range c.Datasets {
		for _, own := range d.Own {
			if own.Name == "" {
				all[own.Tenant] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Bound are the datasets that a tenant reads in tables of its own, by name.
func (c *Catalog) Bound(tenant string) []string {
	var names []string
	for _, d := range c.Datasets {
		if d.Own[tenant] != nil {
			names = append(names, d.Name)
		}
	}
	slices.Sort(names)
	return names
}

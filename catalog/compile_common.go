package catalog

import (
	"maps"
	"slices"
	"strings"
)

// noteCommon tells of common datasets whose table or view has the column by which
// other datasets of the source know their tenants: what is everybody's there
// was perhaps meant to be a tenant's. It may be right, so it is a note.
func (c *compiler) noteCommon() {
	tenants := make(map[string]map[string][]string) // datasets by source and tenant column
	for _, d := range c.catalog.Datasets {
		if d.Common || d.Tenant == nil || slices.Equal(d.Key, []*Column{d.Tenant}) {
			continue // the last are the tenants themselves, whose column is called id, as many are
		}
		for source, b := range d.Bindings {
			stored := b.Columns[d.Tenant.Name]
			if stored.Missing || stored.Name == "" {
				continue
			}
			if tenants[source] == nil {
				tenants[source] = make(map[string][]string)
			}
			tenants[source][stored.Name] = append(tenants[source][stored.Name], d.Name)
		}
	}
	for _, d := range c.catalog.Datasets {
		if !d.Common {
			continue
		}
		table, ok := c.work[d.Name].found[d.Source]
		if !ok {
			continue
		}
		for _, column := range slices.Sorted(maps.Keys(tenants[d.Source])) {
			if _, has := table.column(column); has {
				rows := "all its rows"
				if d.Filter != nil {
					rows = "all the rows that its filter leaves"
				}
				c.work[d.Name].at.in("common").note("%s is common although its table has %s, the tenant column of %s: every tenant is shown %s. "+
					"Name the column as `tenant` if they are not everybody's", d.Name, column, some(tenants[d.Source][column]), rows)
			}
		}
	}
}

// some are names, the first three of many.
func some(names []string) string {
	if len(names) > 3 {
		return strings.Join(names[:3], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

func (c *compiler) roles() {
	for _, name := range slices.Sorted(maps.Keys(c.spec.Roles)) {
		at := c.at("roles", name)
		if bad := badPlain(name); bad != "" {
			at.problem("%s", bad)
		}
		role := &Role{Name: name, Datasets: make(map[string]*Right)}
		c.catalog.Roles[name] = role
		rights := c.spec.Roles[name].Datasets
		for _, dataset := range slices.Sorted(maps.Keys(rights)) {
			at := at.in("datasets", dataset)
			d := c.catalog.byName[dataset]
			if d == nil {
				at.problem("%s", unknown("dataset", dataset, c.spec.Datasets))
				continue
			}
			role.Datasets[dataset] = c.right(at, d, name, rights[dataset])
		}
	}
}

func (c *compiler) right(at place, d *Dataset, role string, spec RightSpec) *Right {
	r := &Right{Filter: spec.Filter, Aggregate: spec.Aggregate}
	if spec.Columns != nil {
		r.Columns = make(map[string]bool, len(spec.Columns))
		if len(spec.Columns) == 0 {
			at.in("columns").problem("is empty; a role that may see nothing of the dataset leaves it out")
		}
	}
	for i, name := range spec.Columns {
		if c.nameable(d, name) == nil && len(d.Columns) > 0 {
			at.in("columns", strconv.Itoa(i)).problem("%s has no column %s", d.Name, name)
		}
		r.Columns[name] = true
	}
	if spec.Limit != nil {
		if r.Limit = *spec.Limit; r.Limit < 1 || r.Limit > d.MaxLimit {
			at.in("limit").problem("must be %s", limitForm(d))
		}
	}
	c.policy(at.in("filter"), d, spec.Filter)
	c.writeGrants(at, d, role, r, spec)
	return r
}

func limitForm(d *Dataset) string {
	return fmt.Sprintf("a whole number from 1 to the dataset's maximum, %d", d.MaxLimit)
}

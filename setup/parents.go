package setup

import (
	"slices"

	"usher/catalog"
)

// parents finds tables whose rows are a tenant's by what they reference, over as
// many steps as it takes. References that every row has come first, then those
// that part of its key is, then the others: a row without one is nobody's.
func parents(tables []*table) {
	for _, fits := range []func(*table, catalog.ForeignKey) bool{
		func(t *table, fk catalog.ForeignKey) bool { return t.always(fk) && t.keyed(fk) },
		(*table).always,
		func(*table, catalog.ForeignKey) bool { return true },
	} {
		for changed := true; changed; { // tables that are nearer to the tenant first
			var found []*table
			for _, t := range tables {
				if t.open() && !t.view {
					if t.through = t.up(tables, fits); t.through != nil {
						found = append(found, t)
					}
				}
			}
			for _, t := range found {
				t.parent = t.through
			}
			changed = len(found) > 0
		}
	}
}

// up is the first reference of a table that fits and leads to rows of tenants.
func (t *table) up(tables []*table, fits func(*table, catalog.ForeignKey) bool) *through {
	for _, fk := range t.ForeignKeys {
		to := find(tables, fk.RefSchema, fk.RefTable, t.Schema)
		if to != nil && to != t && (to.tenant != "" || to.parent != nil) && fits(t, fk) {
			return &through{key: fk, to: to}
		}
	}
	return nil
}

// always tells whether every row has a reference.
func (t *table) always(fk catalog.ForeignKey) bool {
	return !slices.ContainsFunc(fk.Columns, func(name string) bool {
		c, ok := t.column(name)
		return !ok || c.Nullable
	})
}

// keyed tells whether a reference is part of the table's key.
func (t *table) keyed(fk catalog.ForeignKey) bool {
	return !slices.ContainsFunc(fk.Columns, func(name string) bool { return !slices.Contains(t.PrimaryKey, name) })
}

// relationUp is the relation that the reference to the parent becomes.
func (d *Draft) relationUp(names *catalog.Catalog, t *table) string {
	ds := names.Dataset(d.served(t.dataset))
	if ds == nil {
		return ""
	}
	for _, rel := range ds.Relations {
		same := !rel.Many && rel.To.Name == d.served(t.parent.to.dataset) && len(rel.On) == len(t.parent.key.Columns)
		for _, p := range rel.On {
			same = same && slices.Contains(t.parent.key.Columns, ds.Bindings[d.source.Name].Columns[p.From.Name].Name)
		}
		if same {
			return rel.Name
		}
	}
	return ""
}

package setup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
)

// Exposed says of each dataset that is everybody's which of its columns look as if its rows were not: they are called
// like a tenant column, or like a reference to rows of tenants, and which of its relations leads to one such row.
func Exposed(cat *catalog.Catalog) []string {
	var tables []*table
	of := make(map[*table]*catalog.Dataset)
	for _, d := range cat.Datasets {
		names := []string{d.Name}
		for _, b := range d.Bindings {
			if b.Table != "" && !slices.Contains(names, b.Table) {
				names = append(names, b.Table)
			}
		}
		for _, name := range names {
			t := &table{Table: catalog.Table{Name: name}, dataset: d.Name}
			for _, c := range d.Columns {
				t.Columns = append(t.Columns, catalog.TableColumn{Name: c.Name, Type: c.Type, Supported: true})
			}
			for _, c := range d.Key {
				t.PrimaryKey = append(t.PrimaryKey, c.Name)
			}
			tables, of[t] = append(tables, t), d
		}
	}
	var out []string
	for _, t := range tables {
		if d := of[t]; d.Common && t.Name == d.Name {
			if looks := t.exposed(d, tables, of); len(looks) > 0 {
				out = append(out, fmt.Sprintf("datasets.%s: it is common, so every tenant sees all of it; but %s", d.Name, strings.Join(looks, ", ")))
			}
		}
	}
	return out
}

func (t *table) exposed(d *catalog.Dataset, tables []*table, of map[*table]*catalog.Dataset) []string {
	var out []string
	for i, c := range d.Columns {
		if related(d, c) {
			continue
		}
		names := []catalog.TableColumn{t.Columns[i]}
		for _, b := range d.Bindings {
			if s := b.Columns[c.Name]; s.Name != "" && s.Name != c.Name {
				names = append(names, catalog.TableColumn{Name: s.Name, Type: c.Type})
			}
		}
		for _, tc := range names {
			other, same := tenantOf(tc.Name, tables, of)
			if same {
				break // the catalog itself says so
			}
			if other != "" {
				out = append(out, fmt.Sprintf("its column %s ends like the tenant column of %s", c.Name, other))
				break
			}
			if to, _ := t.pointsTo(tc, tables); to != nil && !of[to].Common {
				out = append(out, fmt.Sprintf("its column %s looks like a reference to %s, whose rows are tenants'", c.Name, of[to].Name))
				break
			}
		}
	}
	for _, r := range d.Relations {
		if !r.Many && !r.To.Common {
			out = append(out, fmt.Sprintf("its relation %s leads to one row of %s, whose rows are tenants' (`tenant: {through: %s}`?)", r.Name, r.To.Name, r.Name))
		}
	}
	return out
}

// tenantOf is a dataset whose tenant column a name ends like, empty if there is none, and tells whether the name is
// that of the column.
func tenantOf(column string, tables []*table, of map[*table]*catalog.Dataset) (dataset string, same bool) {
	for _, t := range tables {
		d := of[t]
		if d.Tenant == nil || slices.Equal(d.Key, []*catalog.Column{d.Tenant}) {
			continue // the last are the tenants themselves, whose column is called id, as many are
		}
		names := []string{d.Tenant.Name}
		for _, b := range d.Bindings {
			names = append(names, b.Columns[d.Tenant.Name].Name)
		}
		for _, name := range names {
			if parts := words(name); len(parts) > 0 && ends(words(column), [][]string{parts}) {
				dataset, same = cmp.Or(dataset, d.Name), same || name == column
			}
		}
	}
	return dataset, same
}

// related tells whether a relation says to which row the column leads.
func related(d *catalog.Dataset, c *catalog.Column) bool {
	return slices.ContainsFunc(d.Relations, func(r *catalog.Relation) bool {
		return !r.Many && slices.ContainsFunc(r.On, func(p catalog.Pair) bool { return p.From == c })
	})
}

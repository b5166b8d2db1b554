package setup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
)

// What columns are called in lists of people, and hardly in others: a phone code is a country's, and an address an airport's.
var ofPeople = phrases(`
	email, email address, first name, last name, full name, given name, family name, surname, middle name, birth date, birthdate, birthday, date of birth, dob, salary, wage, username, user name, phone number, mobile`)

// Exposed says of each dataset that is everybody's which of its columns look as if its rows were not: they are called
// like a tenant column, like a reference to rows of tenants, like a secret or like what people have, and which of its
// relations leads to one row of a tenant; and it says so of what is called after people.
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
	out := t.peoples(d)
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

// peoples tells what of a dataset is called like people, what these have, or a secret.
func (t *table) peoples(d *catalog.Dataset) []string {
	var out []string
	names := []string{t.Name}
	for _, b := range d.Bindings {
		names = append(names, b.Table)
	}
	for _, name := range names {
		if word := last(name); slices.Contains(people, word) {
			out = append(out, fmt.Sprintf("it is called after people (%s)", word))
			break
		}
	}
	for _, c := range d.Columns {
		stored := []string{c.Name}
		for _, b := range d.Bindings {
			stored = append(stored, b.Columns[c.Name].Name)
		}
		is := func(what func(name string) bool) bool { return slices.ContainsFunc(stored, what) }
		switch {
		case !measures(c.Type) && is(func(name string) bool { return secretOf(t.Name, name) }):
			out = append(out, fmt.Sprintf("its column %s reads like a secret", c.Name))
		case is(func(name string) bool { return ends(parted(name), ofPeople) }):
			out = append(out, fmt.Sprintf("its column %s is hardly for everybody", c.Name))
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

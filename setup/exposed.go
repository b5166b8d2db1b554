package setup

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/catalog"
)

// What columns are called in lists of people, and hardly in others: a phone code is a country's, and an address an airport's.
var ofPeople = phrases(`
	email, email address, first name, last name, full name, given name, family name, surname, middle name, birth date, birthdate, birthday, date of birth, dob, salary, wage, username, user name, phone number, mobile`)

// Exposed says of each dataset that is everybody's which of its columns look as if its rows were not: they are called
// like a tenant column, like a reference to rows of tenants, like a secret or like what people have, and which of its
// relations leads to one row of a tenant; and it says so of what is called after people, what they do and what programs keep, and
// of views. What a first configuration would not serve to everybody by the tables that sources were found to hold, is told here.
func Exposed(cat *catalog.Catalog, found catalog.Introspected) []string {
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
			looks := t.exposed(d, tables, of, found)
			if source := shows(cat, d, found); source != "" {
				looks = append(looks, fmt.Sprintf("it is a view of %s, and nobody confines what that shows, or sums up, of rows that are tenants'", source))
			}
			if len(looks) > 0 {
				out = append(out, fmt.Sprintf("datasets.%s: it is common, so every tenant sees all of it; but %s", d.Name, strings.Join(looks, ", ")))
			}
		}
	}
	return out
}

// shows names a source in which a dataset is a view of tables, and no file; empty if there is none.
func shows(cat *catalog.Catalog, d *catalog.Dataset, found catalog.Introspected) string {
	for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
		held, _ := found.Bound(source, d.Bindings[source])
		if s := cat.Sources[source]; held.View && s != nil && len(s.DuckDB.Files) == 0 {
			return source
		}
	}
	return ""
}

func (t *table) exposed(d *catalog.Dataset, tables []*table, of map[*table]*catalog.Dataset, found catalog.Introspected) []string {
	out := t.peoples(d, found)
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

// peoples tells what of a dataset is called like people, what these have or do, what programs keep, or a secret.
func (t *table) peoples(d *catalog.Dataset, found catalog.Introspected) []string {
	var out []string
	names := []string{t.Name}
	for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
		names = append(names, d.Bindings[source].Table)
	}
	for _, name := range names {
		if of := calledAfter(name); of != "" {
			out = append(out, "it is called "+of)
			break
		}
	}
	for _, c := range d.Columns {
		switch secret, persons := t.looks(d, c, found); {
		case secret:
			out = append(out, fmt.Sprintf("its column %s reads like a secret", c.Name))
		case persons:
			out = append(out, fmt.Sprintf("its column %s is hardly for everybody", c.Name))
		}
	}
	return out
}

// calledAfter says what a name tells of rows that are hardly everybody's; empty: nothing.
func calledAfter(table string) string {
	word, does := last(table), recorded(table)
	switch {
	case slices.Contains(people, word):
		return fmt.Sprintf("after people (%s)", word)
	case does != "":
		return fmt.Sprintf("like one of what people are or do (%s)", does)
	case slices.Contains(machinery, word):
		return fmt.Sprintf("like one of what programs keep (%s)", word)
	}
	return ""
}

// looks tells whether a column of a dataset reads like a secret, or like what is hardly for everybody, in any source. What is
// known of a table tells more than the name of a column; facts have addresses and codes of phones, which are nobody's.
func (t *table) looks(d *catalog.Dataset, c *catalog.Column, found catalog.Introspected) (secret, persons bool) {
	fact := t.fact() || t.kind()
	judge := func(name string, of *table, known bool) {
		tc := catalog.TableColumn{Name: name, Type: c.Type, Nullable: c.Nullable}
		secret = secret || !measures(c.Type) && secretOf(of.Name, name) || known && of.closed(tc) != ""
		persons = persons || ends(parted(name), ofPeople) || known && !fact && of.sensitive(tc)
	}
	judge(c.Name, t, false)
	for source, b := range d.Bindings {
		held, known := found.Bound(source, b)
		held.Name = b.Table
		if stored := b.Columns[c.Name]; !stored.Missing && stored.Name != "" {
			judge(stored.Name, &table{Table: held}, known)
		}
	}
	return secret, persons
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

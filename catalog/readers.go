package catalog

import (
	"maps"
	"slices"
	"strings"
)

// Reader is a dataset that shows rows of a table which another one is read from, too.
type Reader struct {
	Dataset string
	Apart   bool // what is one tenant's there may be another's, or everybody's, here
}

// Readers are the datasets that show rows of the tables of a dataset: itself first, then those that
// are bound to one of its tables in the same source, by whichever of their bindings. What has changed one of them has
// changed the others. Views, and names of one file that only its engine knows to be one, are tables of their own.
func (c *Catalog) Readers(dataset string) []Reader {
	return append([]Reader{{Dataset: dataset}}, c.readers[dataset]...)
}

// seat is a table of a source as it is called there. Its schema is none of it: it may be the account's,
// or each tenant's, and to take two tables for one does no harm here.
type seat struct{ source, table string }

// seated is a dataset at a table.
type seated struct {
	dataset string
	tenants []string // what says there whose a row is: the tenant column's name; empty: something else. None: all rows are one tenant's
}

// apart tells whether one tenant's rows of a dataset may be another's of the other.
func (s *seated) apart(other *seated) bool {
	return slices.ContainsFunc(s.tenants, func(by string) bool {
		return slices.ContainsFunc(other.tenants, func(otherwise string) bool { return by == "" || by != otherwise })
	})
}

// readersOf finds for each dataset the others at its tables.
func readersOf(cat *Catalog) map[string][]Reader {
	at := make(map[seat][]*seated)
	for _, d := range cat.Datasets {
		for name, b := range d.Bindings {
			d.sit(at, cat.Sources[name], b, false)
		}
		for _, o := range d.Own {
			d.sit(at, cat.Sources[o.Source], &o.Binding, o.Tenant != "")
		}
	}
	found := make(map[string]map[string]bool) // whether they are apart, by both names
	for _, there := range at {
		for _, d := range there {
			for _, other := range there {
				if other == d {
					continue
				}
				if found[d.dataset] == nil {
					found[d.dataset] = make(map[string]bool)
				}
				found[d.dataset][other.dataset] = found[d.dataset][other.dataset] || d.apart(other)
			}
		}
	}
	out := make(map[string][]Reader, len(found))
	for name, others := range found {
		for _, other := range slices.Sorted(maps.Keys(others)) {
			out[name] = append(out[name], Reader{other, others[other]})
		}
	}
	return out
}

// sit adds the dataset to those at the tables of one of its bindings, of which there may be one for each tenant.
func (d *Dataset) sit(at map[seat][]*seated, source *Source, b *Binding, alone bool) {
	if source == nil || b == nil {
		return
	}
	by := ""
	if d.Tenant != nil && !b.Columns[d.Tenant.Name].Missing {
		by = b.Columns[d.Tenant.Name].Name
	}
	for _, table := range b.tables(source) {
		here := seat{source.Name, table}
		last := len(at[here]) - 1
		if last < 0 || at[here][last].dataset != d.Name { // datasets come one after the other
			at[here] = append(at[here], &seated{dataset: d.Name})
			last++
		}
		if of := at[here][last]; !alone && !source.Template && !slices.Contains(of.tenants, by) {
			of.tenants = append(of.tenants, by)
		}
	}
}

// tables are the names by which rows of a binding may be known to other bindings of its source.
func (b *Binding) tables(source *Source) []string {
	switch source.Kind {
	case API:
		return []string{b.Path}
	case DuckDB:
		if file := source.DuckDB.Files[b.Table]; file != "" {
			return []string{file}
		}
		return []string{strings.ToLower(b.Table)}
	case Postgres:
	}
	names := []string{b.Table}
	if b.Target != nil {
		for _, member := range b.Target.Members { // by TableKey; rows of a part are the whole's
			if name := strings.Trim(member[strings.LastIndex(member, ".")+1:], `"`); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

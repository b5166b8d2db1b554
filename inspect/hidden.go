package inspect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"usher/catalog"
)

// hidden names the tables of which row-level security shows the account that reads no row. Where the role is another for each
// tenant nothing is known of theirs.
func hidden(cat *catalog.Catalog, tables catalog.Introspected) (notes []string) {
	for _, d := range cat.Datasets {
		for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
			b, s := d.Bindings[source], cat.Sources[source].Postgres
			if tables[source][catalog.TableKey(b.Schema, b.Table)].Hidden && !s.Session.NamesTenant() {
				notes = append(notes, fmt.Sprintf("datasets.%s: row-level security of %s in %s has no policy by which %s is shown any row of it",
					d.Name, catalog.TableKey(b.Schema, b.Table), source, cmp.Or(s.Session.Role, s.User)))
			}
		}
	}
	return notes
}

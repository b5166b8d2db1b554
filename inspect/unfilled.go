package inspect

import (
	"fmt"
	"maps"
	"slices"

	"usher/catalog"
	"usher/sqlgen"
)

// unfilled names the materialized views that cannot be read before somebody fills them.
func unfilled(cat *catalog.Catalog, tables catalog.Introspected) []string {
	var out []string
	for _, d := range cat.Datasets {
		for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
			b := d.Bindings[source]
			if tables[source][catalog.TableKey(b.Schema, b.Table)].Unfilled {
				out = append(out, fmt.Sprintf("datasets.%s: its materialized view in %s has not been filled yet, and every question is refused until it is: REFRESH MATERIALIZED VIEW %s.%s;",
					d.Name, source, sqlgen.Identifier(b.Schema), sqlgen.Identifier(b.Table)))
			}
		}
	}
	return out
}

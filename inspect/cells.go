package inspect

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"usher/catalog"
	"usher/config"
	"usher/datasource"
)

// cells looks into every cell of the sources, and returns a line for each that cannot be
// looked into, or whose tables are not what the catalog, which was made of one of them, says.
func cells(ctx context.Context, cfg *config.Config, cat *catalog.Catalog) []string {
	type cell struct{ source, name string }
	var all []cell
	for _, source := range slices.Sorted(maps.Keys(cat.Sources)) {
		for _, name := range slices.Sorted(maps.Keys(cat.Sources[source].Postgres.Cells)) {
			all = append(all, cell{source, name})
		}
	}
	said := make([][]string, len(all))
	var group errgroup.Group
	group.SetLimit(maxLooks)
	for i, c := range all {
		group.Go(func() error {
			source := cat.Sources[c.source]
			tables, err := datasource.Introspect(ctx, source.InCell(c.name), cfg.Spec.Schemas(source)...)
			if err != nil {
				said[i] = []string{fmt.Sprintf("source %s: cell %s could not be looked into, so nothing about it was checked: %v", c.source, c.name, err)}
				return nil
			}
			for _, line := range differences(cat, c.source, slices.Collect(maps.Values(tables))) {
				said[i] = append(said[i], fmt.Sprintf("source %s: cell %s: %s", c.source, c.name, line))
			}
			return nil
		})
	}
	_ = group.Wait() // each has its own lines
	return slices.Concat(said...)
}

// differences says how the tables of a database are not what the datasets promise.
func differences(cat *catalog.Catalog, source string, tables []catalog.Table) []string {
	var out []string
	for _, d := range cat.Datasets {
		b := d.Bindings[source]
		if b == nil {
			continue
		}
		here := slices.DeleteFunc(slices.Clone(tables), func(t catalog.Table) bool { return t.Schema != b.Schema })
		drift := d.Drift(b, here)
		if drift.Missing {
			if i := slices.IndexFunc(here, func(t catalog.Table) bool { return t.Name == b.Table }); i >= 0 {
				out = append(out, fmt.Sprintf("datasets.%s: %s", d.Name, here[i].Unread.Lacks("the table "+catalog.TableKey(b.Schema, b.Table))))
				continue
			}
			out = append(out, fmt.Sprintf("datasets.%s: there is no table %s.%s", d.Name, b.Schema, b.Table))
		}
		for _, column := range slices.Sorted(maps.Keys(drift.Columns)) {
			out = append(out, fmt.Sprintf("datasets.%s.columns.%s: %s", d.Name, column, drift.Columns[column]))
		}
		for _, by := range drift.Shared {
			out = append(out, fmt.Sprintf("datasets.%s.tenant.through: nothing keeps two rows of %s from having one key there, so rows of %[1]s could be two tenants', and are not read", by, d.Name))
		}
		for _, bad := range d.WriteDrift(b, here) {
			out = append(out, fmt.Sprintf("datasets.%s.writable: %s", d.Name, bad))
		}
	}
	return out
}

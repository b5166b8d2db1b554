package inspect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/catalog"
	"usher/sqlgen"
	"usher/value"
)

// indexes names the indexes that tables in PostgreSQL lack: one that finds a
// tenant's rows, by the tenant's column or by what leads to the parents that have
// it, and one for each text column that is in another order than
// usher's, which its own index does not help.
func indexes(cat *catalog.Catalog, tables catalog.Introspected) []string {
	var out []string
	for _, d := range cat.Datasets {
		for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
			b := d.Bindings[source]
			t, ok := tables[source][catalog.TableKey(b.Schema, b.Table)]
			if !ok || t.View || cat.Sources[source].Kind != catalog.Postgres {
				continue
			}
			if column, ok := tenantColumn(d, b); ok && !slices.ContainsFunc(t.Indexes, func(index []string) bool { return index[0] == column }) {
				out = append(out, fmt.Sprintf("datasets.%s: no index of %s begins with the tenant's column, so each question reads the rows of all tenants: %s",
					d.Name, source, createIndex(b, sqlgen.Identifier(column))))
			}
			if columns := toParent(d, b); columns != nil && !slices.ContainsFunc(t.Indexes, func(index []string) bool { return begins(index, columns) }) {
				out = append(out, fmt.Sprintf("datasets.%s: no index of %s begins with what leads to %s, so each question reads the rows of all tenants: %s",
					d.Name, source, d.Parent.Name, createIndex(b, quoted(columns))))
			}
			for _, col := range d.Columns {
				stored := b.Columns[col.Name]
				if !col.Type.Text() || stored.ByCode || stored.Form != value.Plain || stored.Missing || col.Collation || col == d.Tenant {
					continue
				}
				out = append(out, fmt.Sprintf("datasets.%s.columns.%s: ordering by it needs an index of its own in %s, since usher orders by code point: %s",
					d.Name, col.Name, source, codePointIndex(d, b, stored.Name)))
			}
		}
	}
	return out
}

// tenantColumn is the tenant's column in a table, if it has one.
func tenantColumn(d *catalog.Dataset, b *catalog.Binding) (string, bool) {
	if d.Tenant == nil {
		return "", false
	}
	stored := b.Columns[d.Tenant.Name]
	return stored.Name, !stored.Missing
}

// toParent are the columns of a table that lead to the rows whose tenant's its
// rows are.
func toParent(d *catalog.Dataset, b *catalog.Binding) []string {
	if d.Parent == nil {
		return nil
	}
	var out []string
	for _, p := range d.Parent.On {
		out = append(out, b.Columns[p.From.Name].Name)
	}
	return out
}

// begins tells whether an index begins with columns, in whatever order.
func begins(index, columns []string) bool {
	return len(index) >= len(columns) && !slices.ContainsFunc(index[:len(columns)], func(c string) bool { return !slices.Contains(columns, c) })
}

func quoted(columns []string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = sqlgen.Identifier(c)
	}
	return strings.Join(out, ", ")
}

// codePointIndex is the one that keeps an order fast.
func codePointIndex(d *catalog.Dataset, b *catalog.Binding, column string) string {
	columns := sqlgen.Identifier(column) + ` COLLATE "C"`
	if column, ok := tenantColumn(d, b); ok {
		columns = sqlgen.Identifier(column) + ", " + columns
	}
	return createIndex(b, columns)
}

// createIndex is a statement for people to run.
func createIndex(b *catalog.Binding, columns string) string {
	return fmt.Sprintf("CREATE INDEX ON %s.%s (%s);", sqlgen.Identifier(b.Schema), sqlgen.Identifier(b.Table), columns)
}

package inspect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/catalog"
	"usher/sqlgen"
)

// writing says what people should know of the datasets that are written: columns that tell a
// tenant how many rows others make, columns that nobody can give a value, and rows
// that nobody can insert.
func writing(cat *catalog.Catalog, tables catalog.Introspected) []string {
	var out []string
	for _, d := range cat.Datasets {
		if d.Writes == nil {
			continue
		}
		for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
			b := d.Bindings[source]
			if t, ok := tables[source][catalog.TableKey(b.Schema, b.Table)]; ok && d.WritableIn(b) {
				out = append(out, counted(cat.Sources[source], d, b, t)...)
				out = append(out, astray(d, b, t)...)
				out = append(out, readerWrites(cat.Sources[source], d, b, t)...)
			}
		}
		if !d.Writes.Insert {
			continue
		}
		for _, col := range d.Columns {
			if may, _ := d.Writes.Gives(col, false); d.Writes.Required(col) && !may && !d.Common {
				out = append(out, fmt.Sprintf("datasets.%s.columns.%s: no tenant may give it, and nothing else fills it in, so no tenant can insert a row; give it a default or a preset", d.Name, col.Name))
			}
		}
	}
	return out
}

// readerWrites says that the account that reads could write as well, where another one is there for that.
func readerWrites(source *catalog.Source, d *catalog.Dataset, b *catalog.Binding, t catalog.Table) []string {
	if source.Kind != catalog.Postgres || source.Postgres.Writer.User == "" || !t.Writable {
		return nil
	}
	return []string{fmt.Sprintf("datasets.%s: %s could write to it as well, though %s is there for that: REVOKE INSERT, UPDATE, DELETE ON %s.%s FROM %s;",
		d.Name, source.Postgres.User, source.Postgres.Writer.User, sqlgen.Identifier(b.Schema), sqlgen.Identifier(b.Table), sqlgen.Identifier(source.Postgres.User))}
}

// counted names the columns that a sequence fills for all tenants together.
func counted(source *catalog.Source, d *catalog.Dataset, b *catalog.Binding, t catalog.Table) []string {
	if _, ok := tenantColumn(d, b); d.Common || source.Template || !d.Writes.Insert || !ok && d.Parent == nil {
		return nil
	}
	var out []string
	for _, col := range d.Columns {
		stored := b.Columns[col.Name]
		i := slices.IndexFunc(t.Columns, func(tc catalog.TableColumn) bool { return !stored.Missing && tc.Name == stored.Name })
		if i < 0 || t.Columns[i].Made != catalog.Counted {
			continue
		}
		line := fmt.Sprintf("datasets.%s.columns.%s: %s counts it for all tenants together, so its values tell a tenant how many rows others insert; a uuid tells nothing",
			d.Name, col.Name, source.Name)
		if source.Kind == catalog.Postgres && !t.View {
			name := sqlgen.Identifier(stored.Name)
			table := sqlgen.Identifier(b.Schema) + "." + sqlgen.Identifier(b.Table)
			line += fmt.Sprintf(": ALTER TABLE %[1]s ALTER COLUMN %[2]s DROP IDENTITY IF EXISTS; ALTER TABLE %[1]s ALTER COLUMN %[2]s DROP DEFAULT, "+
				"ALTER COLUMN %[2]s TYPE uuid USING gen_random_uuid(), ALTER COLUMN %[2]s SET DEFAULT gen_random_uuid();", table, name)
		}
		out = append(out, line)
	}
	return out
}

// astray names the foreign keys of which nobody can say whose row they lead to.
func astray(d *catalog.Dataset, b *catalog.Binding, t catalog.Table) []string {
	var out []string
	for i, r := range b.Target.References {
		if !r.Astray() || i >= len(t.ForeignKeys) {
			continue
		}
		fk := t.ForeignKeys[i]
		out = append(out, fmt.Sprintf("datasets.%s: (%s) refers to %s, and no dataset says whose rows those are, so nobody gives it a value; serve that table as a dataset, or let the foreign key pair the tenants",
			d.Name, strings.Join(fk.Columns, ", "), catalog.TableKey(fk.RefSchema, fk.RefTable)))
	}
	return out
}

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
				out = append(out, deferred(d, b)...)
				out = append(out, readerWrites(cat.Sources[source], d, b, t)...)
			}
		}
		out = append(out, unused(cat, d)...)
		if !d.Writes.Insert {
			continue
		}
		for _, col := range d.Columns {
			if d.Writes.Lacks(col, d.Common) {
				out = append(out, fmt.Sprintf("datasets.%s.columns.%s: nobody who writes rows may give it, and nothing else fills it in, so no insert is offered but by a role that presets it; give it a default or a preset", d.Name, col.Name))
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
		if i < 0 || t.Columns[i].Made != catalog.Counted || col == d.Owner() { // with other values all rows would be of nobody
			continue
		}
		line := fmt.Sprintf("datasets.%s.columns.%s: %s counts it for all tenants together, so its values tell a tenant how many rows others insert; a uuid tells nothing",
			d.Name, col.Name, source.Name)
		from := t.Referrers[:0:0]
		for _, r := range t.Referrers {
			if slices.Contains(r.RefColumns, stored.Name) {
				from = append(from, r)
			}
		}
		switch {
		case len(from) > 0: // the columns there are of its type, and have its values
			line += fmt.Sprintf(": foreign keys lead to it (%d), so those columns become uuids by a migration of its own, with the values that it gets", len(from))
		case source.Kind == catalog.Postgres && !t.View:
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

// deferred names the keys that the database would check when a transaction ends. All is checked
// after each statement, since what was written is read again before the end.
func deferred(d *catalog.Dataset, b *catalog.Binding) []string {
	var names []string
	for _, k := range b.Target.Keys {
		if k.Deferrable {
			names = append(names, "the key "+k.Name)
		}
	}
	for _, r := range b.Target.References {
		if r.Deferrable && r.Dataset != nil {
			names = append(names, "the foreign key to "+r.Dataset.Name)
		}
	}
	var out []string
	for _, name := range names {
		out = append(out, fmt.Sprintf("datasets.%s: %s is deferrable, and is checked after each statement all the same: rows that take each other's value, or lead to one that comes later, go by a value that is free between two fields, or by nested rows", d.Name, name))
	}
	return out
}

// unused names what the file lets nobody do after all: there are roles, and none grants it.
func unused(cat *catalog.Catalog, d *catalog.Dataset) []string {
	if len(cat.Roles) == 0 {
		return nil
	}
	grants := func(r *catalog.Role, of *catalog.Dataset, op string) bool {
		right := r.Datasets[of.Name]
		return right != nil && (op == catalog.InsertRows && right.Insert != nil || op == catalog.UpdateRows && right.Update != nil || op == catalog.DeleteRows && right.Delete != nil)
	}
	by := func(op string) (out []*catalog.Role) {
		for _, name := range slices.Sorted(maps.Keys(cat.Roles)) {
			if grants(cat.Roles[name], d, op) {
				out = append(out, cat.Roles[name])
			}
		}
		return out
	}
	var out []string
	for op, may := range map[string]bool{catalog.InsertRows: d.Writes.Insert, catalog.UpdateRows: d.Writes.Update, catalog.DeleteRows: d.Writes.Delete} {
		if may && len(by(op)) == 0 {
			out = append(out, fmt.Sprintf("datasets.%s.writable: %s, and no role grants it, so nobody does", d.Name, op))
		}
	}
	slices.Sort(out)
	for _, rel := range d.Relations {
		op := map[catalog.OnDelete]string{catalog.Cascade: catalog.DeleteRows, catalog.Unlink: catalog.UpdateRows}[rel.OnDelete]
		deleting := by(catalog.DeleteRows)
		if op == "" || len(deleting) == 0 || slices.ContainsFunc(deleting, func(r *catalog.Role) bool { return grants(r, rel.To, op) }) {
			continue
		}
		out = append(out, fmt.Sprintf("datasets.%s.relations.%s.on_delete: %s, and no role that deletes %s may %s %s, so whoever deletes a row that any of those refer to is refused",
			d.Name, rel.Name, rel.OnDelete, d.Name, op, rel.To.Name))
	}
	return out
}

package inspect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/catalog"
	"usher/setup"
	"usher/sqlgen"
)

// writing says what people should know of the datasets that are written: columns that tell a
// tenant how many rows others make, columns that nobody can give a value, and rows
// that nobody can insert.
func writing(cat *catalog.Catalog, tables catalog.Introspected) []string {
	var out []string
	pointing := make(map[string]*setup.Pointing, len(tables))
	for source, held := range tables {
		pointing[source] = setup.NewPointing(held)
	}
	for _, d := range cat.Datasets {
		if d.Writes == nil || len(d.Key) == 0 && !d.Unsettled { // of which nothing is written, which the catalog tells
			continue
		}
		by := insertersOf(cat, d)
		var strays []*catalog.Column // of which it is said that nobody gives them a value
		for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
			b := d.Bindings[source]
			if t, ok := tables[source][catalog.TableKey(b.Schema, b.Table)]; ok && d.WritableIn(b) {
				out = append(out, counted(cat, cat.Sources[source], d, b, t, pointing[source])...)
				said, of := astray(d, b, t, tables[source], by)
				if strays = append(strays, of...); !by.none || len(granting(cat, d, catalog.UpdateRows)) > 0 {
					out = append(out, said...)
				}
				out = append(out, deferred(d, b)...)
				out = append(out, demanded(d, b, t, by)...)
				out = append(out, unjudged(cat, cat.Sources[source], d, b, tables[source], pointing[source])...)
				out = append(out, readerWrites(cat.Sources[source], d, b, t)...)
			}
		}
		out = append(out, unlinked(cat, d)...)
		for _, col := range d.Columns {
			if by.lack(d, col) && !slices.Contains(strays, col) {
				out = append(out, fmt.Sprintf("datasets.%s.columns.%s: nobody who writes rows may give it, and nothing else fills it in, so %s; give it a default or a preset", d.Name, col.Name, by.offered(col)))
			}
		}
	}
	return append(out, unused(cat)...)
}

// inserters are those who insert rows of a dataset: roles, or whoever writes where there are none.
type inserters struct {
	grants []*catalog.WriteGrant // by the roles' names
	none   bool                  // there are roles, and none inserts
}

func insertersOf(cat *catalog.Catalog, d *catalog.Dataset) (out inserters) {
	for _, r := range granting(cat, d, catalog.InsertRows) {
		out.grants = append(out.grants, r.Datasets[d.Name].Insert)
	}
	out.none = len(cat.Roles) > 0 && out.grants == nil
	return out
}

// preset are the names of the roles that fill in a column.
func (by inserters) preset(col *catalog.Column) (out []string) {
	for _, g := range by.grants {
		if slices.ContainsFunc(g.Presets, func(p catalog.Preset) bool { return p.Column == col }) {
			out = append(out, g.Role)
		}
	}
	return out
}

// all tells whether whoever inserts has a column filled in.
func (by inserters) all(col *catalog.Column) bool {
	return len(by.grants) > 0 && len(by.preset(col)) == len(by.grants)
}

// lack tells whether somebody is offered no insert for lack of a column.
func (by inserters) lack(d *catalog.Dataset, col *catalog.Column) bool {
	return !by.none && d.Writes.Inserts() && d.Writes.Lacks(col, d.Common) && !by.all(col)
}

// offered says to whom an insert is offered all the same.
func (by inserters) offered(col *catalog.Column) string {
	if roles := by.preset(col); roles != nil {
		return "an insert is offered by the roles that preset it only: " + strings.Join(roles, ", ")
	}
	return "no insert is offered but by a role that presets it"
}

// demanded names the columns that whoever inserts has to give, though a trigger that runs before may fill them in.
func demanded(d *catalog.Dataset, b *catalog.Binding, t catalog.Table, by inserters) []string {
	if by.none || !d.Writes.Inserts() {
		return nil
	}
	var names, types []string
	for _, col := range d.Columns {
		if s := b.Columns[col.Name]; !s.Missing && slices.Contains(t.Filled, s.Name) && d.Writes.Required(col) && !by.all(col) && !slices.Contains(d.Key, col) {
			names, types = append(names, col.Name), append(types, col.Name+": "+col.Type.GraphQL())
		}
	}
	if names == nil {
		return nil
	}
	return []string{fmt.Sprintf("datasets.%s: whoever inserts has to give %s, which a BEFORE INSERT trigger of %s names and may fill in: `%s` under `columns`, without !, lets a row leave it out, as docs/writes.md says",
		d.Name, strings.Join(names, ", "), catalog.TableKey(b.Schema, b.Table), strings.Join(types, ", "))}
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
func counted(cat *catalog.Catalog, source *catalog.Source, d *catalog.Dataset, b *catalog.Binding, t catalog.Table, names *setup.Pointing) []string {
	if !mixed(source, d, b) || !d.Writes.Inserts() {
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
		keys, led := slices.Concat(t.Unique, [][]string{t.PrimaryKey}), 0
		for _, r := range t.Referrers {
			if slices.Contains(r.RefColumns, stored.Name) {
				led++
			}
		}
		looks := names.Leading(catalog.TableKey(b.Schema, b.Table), stored.Name)
		switch {
		case led > 0: // the columns there are of its type, and have its values
			line += fmt.Sprintf(": foreign keys lead to it (%d), so those columns become uuids by a migration of its own, with the values that it gets", led)
		case ledTo(cat, d, col):
			line += ": relations lead to it, so those columns become uuids by a migration of its own, with the values that it gets"
		case len(looks) > 0:
			line += fmt.Sprintf(": %s %s to it, so what leads to it becomes uuids by a migration of its own, with the values that it gets", strings.Join(looks[:min(3, len(looks))], ", "), either(looks, "looks like a reference", "and others look like references"))
		case !t.View && !slices.ContainsFunc(keys, func(key []string) bool { return slices.Contains(key, stored.Name) }):
			line += "; it is of no key, so it may be left out of the dataset as well"
		case source.Kind == catalog.Postgres && !t.View:
			name := sqlgen.Identifier(stored.Name)
			table := sqlgen.Identifier(b.Schema) + "." + sqlgen.Identifier(b.Table)
			line += fmt.Sprintf("; this makes uuids of it, and so gives each row that is there another value, of which nothing elsewhere may have kept the one it has: ALTER TABLE %[1]s ALTER COLUMN %[2]s DROP IDENTITY IF EXISTS; "+
				"ALTER TABLE %[1]s ALTER COLUMN %[2]s DROP DEFAULT, ALTER COLUMN %[2]s TYPE uuid USING gen_random_uuid(), ALTER COLUMN %[2]s SET DEFAULT gen_random_uuid();", table, name)
		}
		out = append(out, line)
	}
	return out
}

// ledTo tells whether rows lead to others by a column, as relations say.
func ledTo(cat *catalog.Catalog, d *catalog.Dataset, col *catalog.Column) bool {
	from := func(p catalog.Pair) bool { return p.From == col }
	return slices.ContainsFunc(d.Relations, func(rel *catalog.Relation) bool { return slices.ContainsFunc(rel.On, from) }) ||
		slices.ContainsFunc(cat.Datasets, func(other *catalog.Dataset) bool {
			return slices.ContainsFunc(other.Relations, func(rel *catalog.Relation) bool {
				return rel.To == d && slices.ContainsFunc(rel.On, func(p catalog.Pair) bool { return p.To == col })
			})
		})
}

// astray names the foreign keys of which nobody can say whose row they lead to, and their columns.
func astray(d *catalog.Dataset, b *catalog.Binding, t catalog.Table, tables map[string]catalog.Table, by inserters) (out []string, of []*catalog.Column) {
	for i, r := range b.Target.References {
		if !r.Astray() || i >= len(t.ForeignKeys) {
			continue
		}
		fk, filled, lacks := t.ForeignKeys[i], len(r.Some()) > 0, ""
		for _, col := range r.Some() {
			filled = filled && (by.all(col) || d.Writes.Presets(col))
			if by.lack(d, col) {
				lacks = ", and " + by.offered(col)
			}
		}
		of = append(of, r.Some()...)
		if filled {
			continue
		}
		out = append(out, fmt.Sprintf("datasets.%s: (%s) refers to %s, and no dataset says whose rows those are, so nobody gives it a value%s: %s",
			d.Name, strings.Join(fk.Columns, ", "), catalog.TableKey(fk.RefSchema, fk.RefTable), lacks, owner(d, b, fk, tables)))
	}
	return out, of
}

// owner says what would tell whose rows they are that a foreign key leads to.
func owner(d *catalog.Dataset, b *catalog.Binding, fk catalog.ForeignKey, tables map[string]catalog.Table) string {
	serve := "serve that table as a dataset, or let the foreign key pair the tenants"
	to, known := tables[catalog.TableKey(fk.RefSchema, fk.RefTable)]
	tenant, own := tenantColumn(d, b)
	if !own && d.Parent != nil && d.Ancestor().Tenant != nil {
		tenant = d.Ancestor().Tenant.Name
	}
	if !known || tenant == "" || slices.ContainsFunc(to.Columns, func(c catalog.TableColumn) bool { return c.Name == tenant }) {
		return serve
	}
	preset := "where its rows are of several tenants, let roles preset it, as with $subject"
	pairs, itself := members(tenant, fk, tables), catalog.TableKey(b.Schema, b.Table)
	switch {
	case !own || slices.ContainsFunc(pairs, func(m string) bool { return strings.HasSuffix(m, ") of "+itself) }): // whoever makes people says where they are
		return preset + ", as docs/writes.md says"
	case pairs == nil:
		pairs = []string{"a table of who is in which tenant"}
	}
	return preset + ", or let the foreign key pair the tenants by leading to " + strings.Join(pairs, " or ") + ", as docs/writes.md says"
}

// members are the tables that say which rows of another are in which tenant, with what a foreign key would lead to.
func members(tenant string, fk catalog.ForeignKey, tables map[string]catalog.Table) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(tables)) {
		for _, of := range tables[key].ForeignKeys {
			pair := append([]string{tenant}, of.Columns...)
			if of.RefSchema == fk.RefSchema && of.RefTable == fk.RefTable && len(pair) == 2 &&
				slices.ContainsFunc(tables[key].UniqueSets(), func(set []string) bool { return len(set) == 2 && begins(set, pair) }) {
				out = append(out, "("+strings.Join(pair, ", ")+") of "+key)
			}
		}
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

// roleGrants tells whether a role lets rows of a dataset be written in a way.
func roleGrants(r *catalog.Role, of *catalog.Dataset, op string) bool {
	right := r.Datasets[of.Name]
	return right != nil && (op == catalog.InsertRows && right.Insert != nil || op == catalog.UpdateRows && right.Update != nil || op == catalog.DeleteRows && right.Delete != nil)
}

// granting are the roles that do, by name.
func granting(cat *catalog.Catalog, of *catalog.Dataset, op string) (out []*catalog.Role) {
	for _, name := range slices.Sorted(maps.Keys(cat.Roles)) {
		if roleGrants(cat.Roles[name], of, op) {
			out = append(out, cat.Roles[name])
		}
	}
	return out
}

// unused names in one line what the file lets nobody do after all: there are roles, and none grants it.
func unused(cat *catalog.Catalog) []string {
	if len(cat.Roles) == 0 {
		return nil
	}
	var ways []string
	of := make(map[string][]string) // datasets, by what nobody does
	for _, d := range cat.Datasets {
		w := d.Writes
		if w == nil || len(d.Key) == 0 && !d.Unsettled {
			continue
		}
		var ops []string
		for _, each := range []struct {
			op  string
			may bool
		}{{catalog.InsertRows, w.Inserts()}, {catalog.UpdateRows, w.Update}, {catalog.DeleteRows, w.Delete}} {
			if each.may && len(granting(cat, d, each.op)) == 0 {
				ops = append(ops, each.op)
			}
		}
		if way := strings.Join(ops, ", "); ops != nil {
			if of[way] == nil {
				ways = append(ways, way)
			}
			of[way] = append(of[way], d.Name)
		}
	}
	if ways == nil {
		return nil
	}
	slices.Sort(ways)
	for i, way := range ways {
		ways[i] = way + " of " + strings.Join(of[way], ", ")
	}
	return []string{"roles: what `writable` says of these no role grants, so nobody does it: " + strings.Join(ways, "; ")}
}

// unlinked names what is refused whenever rows are left behind: who deletes may not do to them what a relation says.
func unlinked(cat *catalog.Catalog, d *catalog.Dataset) (out []string) {
	for _, rel := range d.Relations {
		op := map[catalog.OnDelete]string{catalog.Cascade: catalog.DeleteRows, catalog.Unlink: catalog.UpdateRows}[rel.OnDelete]
		deleting := granting(cat, d, catalog.DeleteRows)
		if op == "" || len(deleting) == 0 || slices.ContainsFunc(deleting, func(r *catalog.Role) bool { return roleGrants(r, rel.To, op) }) {
			continue
		}
		out = append(out, fmt.Sprintf("datasets.%s.relations.%s.on_delete: %s, and no role that deletes %s may %s %s, so whoever deletes a row that any of those refer to is refused",
			d.Name, rel.Name, rel.OnDelete, d.Name, op, rel.To.Name))
	}
	return out
}

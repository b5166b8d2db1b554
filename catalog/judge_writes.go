package catalog

import (
	"maps"
	"slices"
	"strings"

	"usher/value"
)

// judgeWrites refuses what must not be writable: where rows of two tenants could
// collide, and where the database would change rows that usher did not look at.
func (c *compiler) judgeWrites(d *draft) {
	c.judgeOnDelete(d)
	if d.Writes == nil {
		return
	}
	places := 0
	for _, source := range d.sources {
		b := d.Bindings[source]
		if b != nil && b.Writes != nil {
			places++
			c.judgeAPIWrites(d, source, b)
			continue
		}
		if b == nil || b.Target == nil {
			d.at.in("writable").note("rows of %s are not written in %s: it is an API, or reads files", d.Name, source)
			continue
		}
		places++
		if c.silent[source] { // nobody writes there before it was looked into, and it is judged then
			continue
		}
		t, known := d.found[source]
		for _, bad := range c.unwritable(d, source, b, t, known) {
			d.at.in("writable").problem("in %s %s", source, bad)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.own)) {
		o := d.own[id]
		if o.Target == nil {
			o.at.note("this tenant's rows are not written: %s is an API, or reads files", o.Source)
			continue
		}
		places++
		for _, bad := range c.unwritable(d, o.Source, &o.Binding, o.table, o.known) {
			o.at.note("this tenant's rows are not written: %s", bad)
			o.Target.refused = true
		}
	}
	if places == 0 && len(d.Bindings)+len(d.own) > 0 {
		d.at.in("writable").problem("no source of it is a database whose rows could be written")
	}
}

// unwritable says what stands in the way of writing to a place, each with what
// mends it.
func (c *compiler) unwritable(d *draft, source string, b *Binding, t Table, known bool) []string {
	var out []string
	say := func(words ...string) { // once, though two indexes or two foreign keys are alike
		if bad := strings.Join(words, ""); !slices.Contains(out, bad) {
			out = append(out, bad)
		}
	}
	w, table := d.Writes, sqlTable(b)
	if known && t.Kind == Materialized {
		say(table, " is a materialized view, to which nothing is written; leave `writable` out")
		return out
	}
	if known && t.hides() && c.catalog.Sources[source].Kind == DuckDB {
		say(table, " is ", t.kindText(), ", to which DuckDB writes nothing; leave `writable` out")
		return out
	}
	if known && t.Rules && len(d.spec.Keys) == 0 {
		say(table, " has rules, so rows go nobody can see where, and nobody can see by what they collide; declare under `keys` all columns there that no two rows share, the key among them, or make triggers of the rules")
		return out
	}
	if known && t.hides() && len(d.declaredKeys()) == 0 {
		say(table, " is ", t.kindText(), ", so nobody can see which rows collide; declare `key`, and under `keys` all other columns that no two rows share")
	}
	if !known || t.hides() {
		for _, k := range b.Target.Keys {
			if !k.Tenant && !w.GlobalKeys {
				say("the declared key ", k.Name, " holds no tenant, so rows of two tenants could collide; add the tenant column to it, ",
					"or say `global_keys: true` if a tenant may learn that a value is taken")
			}
		}
	} else {
		for _, k := range b.Target.Keys {
			if !k.Tenant && !k.Made && !w.GlobalKeys {
				say(d.collides(b, t, k, c.catalog.Sources[source].Kind == Postgres))
			}
		}
	}
	if d.removes() {
		for _, r := range b.Target.Referrers {
			if bad := r.takesAlong(); bad != "" {
				say(bad)
			}
		}
	}
	return out
}

// kindText is what a table is, for people.
func (t Table) kindText() string {
	switch {
	case t.Kind != OrdinaryTable:
		return "a " + string(t.Kind)
	case t.View:
		return "a view"
	case t.Rules:
		return "a table with rules"
	}
	return "a table"
}

// collides says that rows of two tenants collide by a key, and how to mend that;
// alters says that the database can drop a constraint.
func (d *draft) collides(b *Binding, t Table, k *UniqueKey, alters bool) string {
	table, name := sqlTable(b), k.index.Name
	alike := b.Target.alike(k)
	what := "the unique index " + name
	if len(alike) > 1 {
		what = "each of the unique indexes " + strings.Join(alike.names(), ", ")
	}
	primary := len(t.PrimaryKey) > 0 && !k.index.Expression && !k.Exclusion && !k.Partial && slices.Equal(k.index.Columns, t.PrimaryKey)
	switch {
	case primary:
		what = "the primary key (" + strings.Join(k.index.Columns, ", ") + ")"
	case k.Exclusion:
		what = "the exclusion constraint " + name
	case name == "":
		what = "the unique key (" + strings.Join(k.index.Columns, ", ") + ")"
	}
	out := what + " holds no tenant, so rows of two tenants could collide: say `global_keys: true` if a tenant may learn that a value is taken, or "
	if by := d.reliedBy(b, k.index.Columns); len(by) > 0 { // without the key nobody could say whose those are
		return out + "give " + strings.Join(by, ", ") + " a tenant column first: whose their rows are is known by this key alone, so it has to stay as long as they say `tenant: {through: …}`"
	}
	if alters && len(k.index.Columns) == 1 && !k.index.Expression && !k.index.Partial && t.keptUUID(k.index.Columns[0]) && !d.leadsBy(b, t, k.index.Columns[0]) {
		out += "ALTER TABLE " + table + " ALTER COLUMN " + quotedName(k.index.Columns[0]) + " SET DEFAULT gen_random_uuid(); for values that nobody gives and no other row has, or "
	}
	if by := t.referredBy(k.index.Columns); len(by) > 0 {
		return out + "let the foreign keys of " + strings.Join(by, ", ") + " pair the tenants first, which need the key as it is"
	}
	cols := d.tenantColumns(b)
	if i := slices.IndexFunc(t.Columns, func(c TableColumn) bool { return primary && c.Nullable && slices.Contains(cols, c.Name) }); i >= 0 {
		return out + "give every row a " + t.Columns[i].Name + ", and make a primary key that begins with it"
	}
	if len(cols) == 0 || k.index.Expression || k.Exclusion || k.Partial || name == "" || !alters {
		return out + "make one that begins with what says whose a row is, and drop it"
	}
	if slices.ContainsFunc(b.Target.Keys, func(other *UniqueKey) bool { return other.within(cols) }) {
		return out + "drop it, if rows may have the same: " + strings.Join(cols, ", ") + " is one row's alone, so an index that begins with it would keep no two rows apart"
	}
	all := slices.Concat(cols, k.index.Columns)
	then := d.keyThen(b, k, all)
	for i, col := range all {
		all[i] = quotedName(col)
	}
	list := strings.Join(all, ", ")
	if primary {
		return out + strings.Join(append(alike.dropIndexes(b), "ALTER TABLE "+table+" "+strings.Join(append(alike.dropConstraints(), "ADD PRIMARY KEY ("+list+")"), ", ")), "; ") + ";" + then
	}
	mend := []string{"CREATE UNIQUE INDEX ON " + table + " (" + list + ")"}
	if constraints := alike.dropConstraints(); constraints != nil {
		mend = append(mend, "ALTER TABLE "+table+" "+strings.Join(constraints, ", "))
	}
	return out + strings.Join(append(mend, alike.dropIndexes(b)...), "; ") + ";" + then
}

// keyThen says what the file's `key` has to become where it is a key that holds no tenant and makes room for one of these columns:
// rows of two tenants may have the same by then, and one that says which row is meant would mean both.
func (d *draft) keyThen(b *Binding, k *UniqueKey, columns []string) string {
	said := d.columnsIn(b, k.index.Columns)
	if len(d.spec.Key) == 0 || len(said) != len(d.Key) || slices.ContainsFunc(said, func(col *Column) bool { return !slices.Contains(d.Key, col) }) {
		return ""
	}
	key := make([]string, len(columns))
	for i, col := range d.columnsIn(b, columns) {
		key[i] = col.Name
	}
	if slices.Contains(key, "") {
		return " then a `key` that begins with what says whose a row is, too, says which row is meant"
	}
	return " then `key: [" + strings.Join(key, ", ") + "]` says which row is meant, as " + strings.Join(k.index.Columns, ", ") + " alone does no longer"
}

// sameIndexes are those of a table that hold the same columns.
type sameIndexes []*UniqueKey

// alike are the key and the others that keep the same rows apart, of which one would be enough.
func (t *Target) alike(k *UniqueKey) (out sameIndexes) {
	whole := func(k *UniqueKey) bool { return !k.index.Expression && !k.Partial && !k.Exclusion }
	for _, other := range t.Keys {
		if other == k || whole(k) && whole(other) && slices.Equal(other.index.Columns, k.index.Columns) {
			out = append(out, other)
		}
	}
	return out
}

func (s sameIndexes) names() (out []string) {
	for _, k := range s {
		out = append(out, k.index.Name)
	}
	return out
}

func (s sameIndexes) dropConstraints() (out []string) {
	for _, k := range s {
		if k.index.Constraint {
			out = append(out, "DROP CONSTRAINT "+quotedName(k.index.Name))
		}
	}
	return out
}

func (s sameIndexes) dropIndexes(b *Binding) (out []string) {
	for _, k := range s {
		if name := quotedName(k.index.Name); k.index.Constraint {
			continue
		} else if b.Schema == "" {
			out = append(out, "DROP INDEX "+name)
		} else {
			out = append(out, "DROP INDEX "+quotedName(b.Schema)+"."+name)
		}
	}
	return out
}

// within tells a key that some of these columns are by themselves.
func (k *UniqueKey) within(columns []string) bool {
	return !k.Partial && !k.Exclusion && !k.index.Expression && len(k.index.Columns) > 0 &&
		!slices.ContainsFunc(k.index.Columns, func(name string) bool { return !slices.Contains(columns, name) })
}

// keptUUID tells a column of UUIDs that the database makes none of.
func (t Table) keptUUID(column string) bool {
	return slices.ContainsFunc(t.Columns, func(c TableColumn) bool {
		return c.Name == column && c.Type.Scalar == value.UUID && c.Default == NoDefault
	})
}

// leadsBy tells whether rows lead to others by a column, so that a value of its own would lead nowhere.
func (d *draft) leadsBy(b *Binding, t Table, column string) bool {
	if slices.ContainsFunc(t.ForeignKeys, func(fk ForeignKey) bool { return slices.Contains(fk.Columns, column) }) {
		return true
	}
	cols := d.columnsIn(b, []string{column})
	return cols != nil && slices.ContainsFunc(d.Relations, func(rel *Relation) bool {
		return !rel.Many && slices.ContainsFunc(rel.On, func(p Pair) bool { return p.From == cols[0] })
	})
}

// referredBy names the tables whose foreign keys need a key of exactly these columns.
func (t Table) referredBy(key []string) []string {
	var out []string
	for _, r := range t.Referrers {
		if name := TableKey(r.Schema, r.Table); len(r.RefColumns) == len(key) && !slices.Contains(out, name) &&
			!slices.ContainsFunc(r.RefColumns, func(column string) bool { return !slices.Contains(key, column) }) {
			out = append(out, name)
		}
	}
	return out
}

// reliedBy names the datasets whose rows are whose the rows here are, by columns that a key tells apart.
func (d *draft) reliedBy(b *Binding, key []string) []string {
	var out []string
	for _, r := range d.relied {
		if d.Bindings[r.source] == b && !slices.ContainsFunc(key, func(name string) bool { return !slices.Contains(r.Columns, name) }) {
			out = append(out, r.by)
		}
	}
	return out
}

// tenantColumns are those of a place that say whose a row is.
func (d *draft) tenantColumns(b *Binding) []string {
	switch {
	case d.Tenant != nil:
		return []string{b.Columns[d.Tenant.Name].Name}
	case d.Parent != nil:
		var out []string
		for _, p := range d.Parent.On {
			out = append(out, b.Columns[p.From.Name].Name)
		}
		return out
	}
	return nil
}

// takesAlong says that the database would delete or change rows of others with one
// that is deleted, or is empty. Only rows may go along that are the same tenant's for
// certain and that usher deletes as well, and not those that it would only stamp.
func (r *Reference) takesAlong() string {
	from := quotedName(r.at.Table)
	if r.at.Schema != "" {
		from = quotedName(r.at.Schema) + "." + from
	}
	deletes := r.Dataset != nil && slices.Contains(r.Dataset.writable, DeleteRows)
	updates := r.Dataset != nil && slices.Contains(r.Dataset.writable, UpdateRows)
	keepsTenant := r.Dataset != nil && !r.Parent && len(r.at.Sets) > 0 && (r.Dataset.Tenant == nil || !slices.Contains(r.sets, r.Dataset.Tenant))
	switch {
	case r.OnDelete == NoAction:
	case r.OnDelete == CascadeTo && deletes && r.Dataset.Deleted != nil:
		return "deleting removes rows of " + from + " for good, which `deleted:` of " + r.Dataset.Name + " is to keep (ON DELETE CASCADE): say `deleted:` here as well, or make the foreign key ON DELETE NO ACTION"
	case r.OnDelete == CascadeTo && r.Tenant && deletes:
	case r.OnDelete != CascadeTo && r.Tenant && updates && keepsTenant:
	case r.OnDelete == CascadeTo:
		which, enough := r.mayGoAlong(from, deletes)
		return "deleting takes rows of " + from + " along, which " + which + " (ON DELETE CASCADE): make the foreign key ON DELETE NO ACTION and say " +
			"`on_delete` at the relation that leads there, or " + enough
	default:
		return "deleting changes rows of " + from + ", which may be another tenant's or are not to be changed (ON DELETE " + strings.ToUpper(string(r.OnDelete)) + "): make the foreign key " +
			"ON DELETE NO ACTION and say `on_delete: unlink` at the relation that leads there"
	}
	return ""
}

// mayGoAlong says of rows that must not go along why, and what is enough that they may.
func (r *Reference) mayGoAlong(from string, deletes bool) (which, enough string) {
	const same = "let the foreign key pair the tenant columns of both, or make those rows a tenant's by it (`tenant: {through: …}`)"
	switch {
	case r.Dataset == nil:
		return "no dataset serves", "serve " + from + " as a dataset with all columns of the foreign key and `writable: [delete]`, and " + same
	case r.Tenant:
		return "are not to be deleted", "say `writable: [delete]` for " + r.Dataset.Name
	case r.Columns == nil || r.Others == nil:
		which, enough = "may be another tenant's", "make all columns of the foreign key columns of both datasets, and "+same
	default:
		which, enough = "may be another tenant's", same
	}
	if !deletes {
		which, enough = which+", and are not to be deleted", enough+", and say `writable: [delete]` for "+r.Dataset.Name
	}
	return which, enough
}

// judgeOnDelete looks at what relations say of rows that are left behind.
func (c *compiler) judgeOnDelete(d *draft) {
	for _, e := range d.spec.Relations {
		rel, at := d.relations[e.Name], d.at.in("relations", e.Name, "on_delete")
		if e.Value.OnDelete == "" || rel == nil || len(d.Columns) == 0 || len(rel.To.Columns) == 0 {
			continue
		}
		back := make([]Pair, len(rel.On))
		for i, p := range rel.On {
			back[i] = Pair{From: p.To, To: p.From}
		}
		may := rel.To.writable
		switch rel.OnDelete {
		case Restrict, Cascade, Unlink:
		case LeaveToSource:
		default:
			at.problem("must be restrict, cascade or unlink")
			continue
		}
		switch {
		case !slices.Contains(d.writable, DeleteRows):
			at.problem("no row of %s is deleted; say `writable: [delete]`, or leave it out", d.Name)
		case rel.Through != nil:
			at.problem("%s are linked by rows of %s; say it at a relation that leads to those", rel.To.Name, rel.Through.Name)
		case !leadsToOne(back, d):
			at.problem("leads from rows that name one of %s; say it at the relation from the row that is named to those that name it", rel.To.Name)
		case rel.OnDelete == Cascade && c.referredInFile(d, rel.To):
			at.problem("a DuckDB file deletes no row in the transaction that deletes those that refer to it, where it declares the foreign key of %s; make that table without it, or restrict here", rel.To.Name)
		case rel.OnDelete == Cascade && !slices.Contains(may, DeleteRows):
			at.problem("no row of %s is deleted; say `writable: [delete]` there, or restrict here", rel.To.Name)
		case rel.OnDelete == Unlink && !slices.Contains(may, UpdateRows):
			at.problem("no row of %s is changed; say `writable: [update]` there, or restrict here", rel.To.Name)
		case rel.OnDelete == Unlink:
			for _, p := range rel.On {
				if p.To == rel.To.Tenant {
					continue
				}
				if !p.To.Nullable || slices.Contains(rel.To.Key, p.To) {
					at.problem("%s of %s has to be null in a row that is linked to nothing, and cannot; restrict or cascade", p.To.Name, rel.To.Name)
				}
			}
		}
	}
}

// referredInFile tells whether a DuckDB file declares a foreign key from one dataset to
// the other.
func (c *compiler) referredInFile(d *draft, from *Dataset) bool {
	return slices.ContainsFunc(d.sources, func(source string) bool {
		b := d.Bindings[source]
		return c.catalog.Sources[source].Kind == DuckDB && b != nil && b.Target != nil &&
			slices.ContainsFunc(b.Target.Referrers, func(r *Reference) bool { return r.Dataset == from })
	})
}

// sqlTable is a place in a database, for statements that people read.
func sqlTable(b *Binding) string {
	if b.Schema == "" {
		return quotedName(b.Table)
	}
	return quotedName(b.Schema) + "." + quotedName(b.Table)
}

// quotedName is an identifier of SQL for people: in quotes where it needs them.
func quotedName(name string) string {
	plain := name != "" && (name[0] < '0' || name[0] > '9')
	for i := range len(name) {
		plain = plain && (name[i] == '_' || name[i] >= 'a' && name[i] <= 'z' || name[i] >= '0' && name[i] <= '9')
	}
	if plain {
		return name
	}
	return Identifier(name)
}

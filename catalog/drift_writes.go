package catalog

import (
	"slices"
	"strings"
)

// WriteDrift says how a table, which stands where another was looked into, must not be
// written to though that one may: rows of tenants could collide in it, or it takes
// others along.
func (d *Dataset) WriteDrift(b *Binding, tables []Table) []string {
	j := d.Rejudge(b, tables)
	out := slices.Concat(j.Rows, j.Deletes)
	if t, ok := j.table, j.Found; ok && t.Triggers && !b.Target.Triggers {
		out = append(out, sqlTable(b)+" has triggers, and the table that was looked into has none")
	}
	return out
}

// Judgement is what speaks against writing to a table as it is now, though it may be written
// to as it was when the catalog was made.
type Judgement struct {
	Found   bool     // there is such a table
	Rows    []string // against writing at all
	Deletes []string // against deleting
	Shape   int64    // of the table that was judged
	Parts   bool

	Triggers bool // the table that was judged has some
	Single   bool // Target.Single of that table
	Checks   []CheckedBy

	table Table
}

// Rejudge judges a table that is another than the one of which the catalog was made, or has
// become another: as that one was judged, and where that is not known, against it.
func (d *Dataset) Rejudge(b *Binding, tables []Table) Judgement {
	i := slices.IndexFunc(tables, func(t Table) bool { return t.Name == b.Table })
	if i < 0 || !d.WritableIn(b) {
		return Judgement{}
	}
	t, work := tables[i], &draft{Dataset: d}
	j := Judgement{Found: true, Shape: t.Shape, Parts: t.Parts, Triggers: t.Triggers, Single: work.single(b, t), Checks: t.Checks, table: t}
	against := func(words ...string) { j.Rows = append(j.Rows, strings.Join(words, "")) }
	alone := b.Target.alone
	for _, by := range t.colliding() {
		k := work.uniqueKey(b, by, t, alone)
		known := k.Made && !slices.ContainsFunc(k.made, func(col *Column) bool { return !b.Target.makes(col) }) // so that no tenant gives it
		if !t.hides() && !k.Tenant && !known && !d.Writes.GlobalKeys {
			against(work.collides(b, t, k, true))
		}
	}
	if t.hides() != b.Target.Unsure {
		against(sqlTable(b), " is ", t.kindText(), ", and the table that was looked into is not so")
	}
	for _, fk := range t.ForeignKeys {
		known := alone || d.Tenant != nil && slices.Contains(work.someIn(b, fk.Columns), d.Tenant) ||
			slices.ContainsFunc(b.Target.References, func(r *Reference) bool { return sameReference(r.key, fk) })
		if !known {
			against("(", strings.Join(fk.Columns, ", "), ") refers to ", TableKey(fk.RefSchema, fk.RefTable), ", and pairs no tenants, which it did not in the table that was looked into")
		}
	}
	for _, r := range d.relied {
		if d.Bindings[r.source] == b && !work.tellsApart(t, b, r.columns) {
			against("rows of ", r.by, " are whose their one row of ", d.Name, " is, and its key is unique no more: two tenants would see one row")
		}
	}
	for _, r := range t.Referrers {
		known := slices.ContainsFunc(b.Target.Referrers, func(k *Reference) bool { return k.sameReferrer(b.Schema, r, t.Schema) })
		from := quotedName(r.Schema) + "." + quotedName(r.Table)
		if r.OnUpdate != NoAction && !known && !alone {
			against("updating changes rows of ", from, " (ON UPDATE ", strings.ToUpper(string(r.OnUpdate)), "), which it does not in the table that was looked into")
		}
		switch {
		case r.OnDelete == NoAction || known || !d.removes(), alone && d.does(b, t, r):
		case alone:
			j.Deletes = append(j.Deletes, "deleting changes rows of "+from+" (ON DELETE "+strings.ToUpper(string(r.OnDelete))+"), and what becomes of those is for the file to say: "+
				"`on_delete: "+string(r.OnDelete.asked())+"` at the relation that leads there")
		default:
			j.Deletes = append(j.Deletes, "deleting changes rows of "+from+" (ON DELETE "+strings.ToUpper(string(r.OnDelete))+"), which it does not in the table that was looked into")
		}
	}
	for _, k := range b.Target.Referrers { // usher deletes, or changes, such rows itself, by the rights of whoever asks
		gone := !slices.ContainsFunc(t.Referrers, func(r Referrer) bool { return k.sameReferrer(b.Schema, r, t.Schema) })
		if k.OnDelete != NoAction && gone && d.removes() {
			j.Deletes = append(j.Deletes, "deleting changed rows of "+quotedName(k.at.Schema)+"."+quotedName(k.at.Table)+" (ON DELETE "+strings.ToUpper(string(k.OnDelete))+
				") in the table that was looked into, which it does no more")
		}
	}
	return j
}

// asked is what a file says at a relation to have usher do what a foreign key does.
func (a Action) asked() OnDelete {
	if a == CascadeTo {
		return Cascade
	}
	return Unlink
}

// does tells whether usher does itself what a foreign key onto a table does, since the file says so at a relation: then that
// finds nothing left to do.
func (d *Dataset) does(b *Binding, t Table, r Referrer) bool {
	for source, here := range d.Bindings {
		if here != b {
			continue
		}
		return slices.ContainsFunc(d.Relations, func(rel *Relation) bool {
			there := rel.To.Bindings[source]
			if rel.OnDelete != r.OnDelete.asked() || rel.Through != nil || there == nil || len(rel.On) > len(r.Columns) {
				return false
			}
			if beside := there.Schema == b.Schema && r.Schema == t.Schema; there.Table != r.Table || !beside && there.Schema != r.Schema { // each tenant may have a schema of its own
				return false
			}
			return !slices.ContainsFunc(rel.On, func(p Pair) bool {
				i := slices.Index(r.RefColumns, b.Columns[p.From.Name].Name)
				return i < 0 || r.Columns[i] != there.Columns[p.To.Name].Name
			})
		})
	}
	return false
}

// relied are columns of a dataset that have to tell its rows apart, whoever's they are: those
// of another belong to the tenant of the row that they lead to by them.
type relied struct {
	source  string
	by      string // the other dataset
	columns []*Column
	Alone
}

// sameReference tells whether two foreign keys lead from the same columns to the same.
func sameReference(a, b ForeignKey) bool {
	return a.RefTable == b.RefTable && slices.Equal(a.Columns, b.Columns) && slices.Equal(a.RefColumns, b.RefColumns)
}

// sameReferrer tells whether a foreign key onto a table is the one that is known of another
// such table, which may be in a schema of its own, as whatever refers to it.
func (r *Reference) sameReferrer(schema string, other Referrer, otherSchema string) bool {
	same := r.at.Schema == other.Schema || r.at.Schema == schema && other.Schema == otherSchema
	return same && r.at.Table == other.Table && r.OnDelete == other.OnDelete && r.OnUpdate == other.OnUpdate &&
		slices.Equal(r.at.Columns, other.Columns) && slices.Equal(r.at.Sets, other.Sets)
}

// Package grants owns what an account of PostgreSQL has to be allowed for rows to be written with it: which
// privileges the statements of writable datasets need, and which of these an account lacks, each with the statement
// that grants it. It writes nothing and grants nothing.
package grants

import (
	"slices"

	"usher/catalog"
	"usher/plan"
)

// need is a privilege on a table that statements need which write rows, and what for.
type need struct {
	place, schema, table, privilege, reason string
	columns                                 []string // each of them
	one                                     bool     // or any of the table's
	some                                    bool     // only some statements need it: those whose answers ask for it
}

// Needs are privileges, each of a table once.
type Needs []*need

// needs are what writing in one source needs, each privilege of a table once.
type needs struct {
	binding func(*catalog.Dataset) *catalog.Binding // nil: the dataset is not there
	schema  func(*catalog.Binding) string
	all     Needs
}

// Of are those of all datasets whose rows may be written in a source.
func Of(cat *catalog.Catalog, source string) Needs {
	return needs{
		binding: func(d *catalog.Dataset) *catalog.Binding { return d.Bindings[source] },
		schema:  func(b *catalog.Binding) string { return b.Schema },
	}.in(cat, source)
}

// OfTenant are those of the datasets that trials lead to an account of a source, with what is common there.
func OfTenant(cat *catalog.Catalog, at plan.Target, trials []plan.Trial) Needs {
	source := cat.Sources[at.Source]
	led := make(map[string]*catalog.Binding)
	for _, t := range trials {
		if t.Source() == source.Name {
			led[t.Dataset()] = t.Binding()
		}
	}
	return needs{
		binding: func(d *catalog.Dataset) *catalog.Binding {
			if d.Common {
				return d.Bindings[source.Name]
			}
			return led[d.Name]
		},
		schema: func(b *catalog.Binding) string { return plan.SchemaOf(source, b, at) },
	}.in(cat, source.Name)
}

func (n needs) in(cat *catalog.Catalog, source string) Needs {
	for _, d := range cat.Datasets {
		if d.WritableIn(n.binding(d)) && (len(d.Key) > 0 || d.Unsettled) { // without a key no mutation is offered
			n.write(cat, d)
		}
	}
	if len(n.all) == 0 {
		return nil
	}
	for _, privilege := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
		n.all = append(n.all, &need{
			place: "sources." + source, schema: "usher", table: "idempotency", privilege: privilege, reason: "to keep the keys of what is made once",
			columns: []string{"tenant", "subject", "key", "asked", "answer", "made_at"},
		})
	}
	return n.all
}

// add adds what a dataset needs on the table of another, or its own.
func (n *needs) add(d, of *catalog.Dataset, more need, columns ...*catalog.Column) {
	b := n.binding(of)
	if b == nil {
		return
	}
	more.place, more.schema, more.table = "datasets."+d.Name+".writable", n.schema(b), b.Table
	for _, col := range columns {
		if stored := b.Columns[col.Name]; !stored.Missing {
			more.columns = append(more.columns, stored.Name)
		}
	}
	i := slices.IndexFunc(n.all, func(known *need) bool {
		return known.schema == more.schema && known.table == more.table && known.privilege == more.privilege
	})
	if i < 0 {
		n.all = append(n.all, &more)
		return
	}
	switch known := n.all[i]; {
	case known.one && !more.one, known.some && !more.some: // what is known is a part of it
		n.all[i] = &more
	case more.one, more.some:
	default:
		for _, column := range more.columns {
			if !slices.Contains(known.columns, column) {
				known.columns = append(known.columns, column)
			}
		}
	}
}

// write adds what writing rows of a dataset needs.
func (n *needs) write(cat *catalog.Catalog, d *catalog.Dataset) {
	w := d.Writes
	var inserts, updates []*catalog.Column
	for _, col := range d.Columns {
		insert, update := w.Gives(col, true)
		if insert || col == d.Tenant || col == w.Version || presetIn(w.InsertPresets, col) || presetByRole(cat, d, col) {
			inserts = append(inserts, col)
		}
		if update || col == w.Version || presetIn(w.UpdatePresets, col) {
			updates = append(updates, col)
		}
	}
	n.add(d, d, need{privilege: "SELECT", reason: "to choose rows, and to check and answer what was written"}, d.Columns...)
	if w.Inserts() {
		n.add(d, d, need{privilege: "INSERT", reason: "to insert"}, inserts...)
	}
	if w.Update {
		n.add(d, d, need{privilege: "UPDATE", reason: "to update"}, updates...)
	}
	if w.Delete {
		n.remove(d, d)
	}
	for _, rel := range d.Relations {
		if d.Refers(rel) && slices.ContainsFunc(rel.On, func(p catalog.Pair) bool {
			return p.From != d.Owner() && (w.Inserts() && slices.Contains(inserts, p.From) || w.Update && slices.Contains(updates, p.From))
		}) {
			n.up(d, rel.To, "to lock what a row leads to")
		}
		if w.Delete && rel.OnDelete != catalog.LeaveToSource {
			n.left(d, rel)
		}
	}
	if d.Parent != nil {
		n.up(d, d.Parent.To, "to lock the parents, whose tenant a row is")
	}
	n.related(d, d, nil)
}

// remove deletes rows, or stamps them as deleted.
func (n *needs) remove(d, of *catalog.Dataset) {
	if of.Deleted == nil {
		n.add(d, of, need{privilege: "DELETE", reason: "to delete"})
		n.lock(d, of, "to lock what is deleted")
		return
	}
	columns := []*catalog.Column{of.Deleted.At}
	if of.Deleted.By != nil {
		columns = append(columns, of.Deleted.By)
	}
	if of.Writes != nil && of.Writes.Version != nil {
		columns = append(columns, of.Writes.Version)
	}
	n.add(d, of, need{privilege: "UPDATE", reason: "to stamp what is deleted"}, columns...)
}

// left are the rows that lead to one that is deleted.
func (n *needs) left(d *catalog.Dataset, rel *catalog.Relation) {
	n.add(d, rel.To, need{privilege: "SELECT", reason: "to find what leads to a row that is deleted"}, rel.To.Columns...)
	switch rel.OnDelete {
	case catalog.Cascade:
		n.remove(d, rel.To)
	case catalog.Unlink:
		for _, p := range rel.On {
			if p.To != rel.To.Tenant {
				n.add(d, rel.To, need{privilege: "UPDATE", reason: "to unlink what leads to a row that is deleted"}, p.To)
			}
		}
	case catalog.Restrict, catalog.LeaveToSource:
	}
}

// up reads what a row leads to and, where it is a tenant's, locks it and that by which it is.
func (n *needs) up(d, of *catalog.Dataset, reason string) {
	n.add(d, of, need{privilege: "SELECT", reason: "to find what a row leads to"}, of.Columns...)
	if of.Common {
		return
	}
	n.lock(d, of, reason)
	if of.Parent != nil {
		n.up(d, of.Parent.To, reason)
	}
}

// lock needs the privilege to update any column.
func (n *needs) lock(d, of *catalog.Dataset, reason string) {
	if columns := slices.Concat(of.Key, of.Columns); len(columns) > 0 {
		n.add(d, of, need{privilege: "UPDATE", reason: reason, one: true}, columns[0])
	}
}

// related is what relations lead to: answers may ask for it, and conditions look at it.
func (n *needs) related(d, of *catalog.Dataset, seen []*catalog.Dataset) []*catalog.Dataset {
	if of == nil || slices.Contains(seen, of) || n.binding(of) == nil {
		return seen
	}
	seen = append(seen, of)
	if of != d {
		n.add(d, of, need{privilege: "SELECT", reason: "for mutations that ask for " + of.Name, some: true}, of.Columns...)
	}
	for _, rel := range of.Relations {
		seen = n.related(d, rel.Through, n.related(d, rel.To, seen))
	}
	return seen
}

func presetIn(list []catalog.Preset, col *catalog.Column) bool {
	return slices.ContainsFunc(list, func(p catalog.Preset) bool { return p.Column == col })
}

func presetByRole(cat *catalog.Catalog, d *catalog.Dataset, col *catalog.Column) bool {
	for _, role := range cat.Roles {
		if right := role.Datasets[d.Name]; right != nil && right.Insert != nil && presetIn(right.Insert.Presets, col) {
			return true
		}
	}
	return false
}

package catalog

import (
	"slices"
	"strings"
)

// Writing is what a principal may write of a dataset. It needs the scope data:write,
// a dataset that is writable and, where there are roles, a grant of one of them.
type Writing struct {
	Of                     *Writes
	Insert, Update, Delete *Granted // nil: it may not

	Named    bool // whose rows are written is named: it is of all tenants, and they are not common
	Restores bool // Update has the column that says when a row was deleted: to null it may be set
}

// Granted is one way of writing, as far as a principal may. For each row one of
// Roles has to hold as a whole and, if there are any, one of Own.
type Granted struct {
	Columns []*Column     // that may be given a value, in declared order; none of a delete
	Roles   []*WriteGrant // by name; without roles in the catalog, one that grants everything
	Own     []*WriteGrant // of its tenant's own roles, by name; nil: it holds none
}

// Column returns a column that may be given a value, or nil.
func (g *Granted) Column(name string) *Column {
	if i := slices.IndexFunc(g.Columns, func(col *Column) bool { return col.Name == name }); i >= 0 {
		return g.Columns[i]
	}
	return nil
}

// Presets tells whether one of the roles fills in a column of rows that are inserted, so that
// a row may leave it out.
func (g *Granted) Presets(col *Column) bool {
	return slices.ContainsFunc(g.Roles, func(w *WriteGrant) bool { return presets(w.Presets, col) })
}

// Writing is what the principal may write of the dataset, or nil.
func (d *Visible) Writing() *Writing { return d.writing }

// IncludesDeleted tells whether the principal may ask for deleted rows: without
// roles nobody may.
func (d *Visible) IncludesDeleted() bool {
	may := func(r *Right) bool { return r.IncludeDeleted }
	return d.Dataset.Deleted != nil && slices.ContainsFunc(d.rights, may) && (d.granted == nil || slices.ContainsFunc(d.own, may))
}

// Required tells whether a row cannot be inserted without a column, whoever inserts
// it: nothing else fills it in.
func (w *Writes) Required(col *Column) bool {
	g := w.given[col]
	return g.insert && !g.left
}

// Lacks tells whether a row cannot be inserted for a column that has to have a value: nothing fills
// it in, and no principal, of one tenant or of all, may give it, as far as no role matters.
func (w *Writes) Lacks(col *Column, allTenants bool) bool {
	g := w.given[col]
	return !g.left && !g.triggered && (!g.insert || !g.tenants && !allTenants)
}

func (d *Visible) writingOf(allTenants bool) *Writing {
	w := d.Dataset.Writes
	if w == nil {
		return nil
	}
	out := &Writing{Of: w, Named: allTenants && !d.Dataset.Common}
	if w.Inserts() {
		out.Insert = d.granting(func(r *Right) *WriteGrant { return r.Insert }, func(g giving) bool { return g.insert && (g.tenants || allTenants) })
	}
	if in := out.Insert; in != nil && slices.ContainsFunc(d.Dataset.Columns, func(col *Column) bool { return w.Lacks(col, allTenants) && !in.Presets(col) }) {
		out.Insert = nil // it would never succeed, which usher check tells
	}
	if w.Update {
		restores := d.IncludesDeleted()
		out.Update = d.granting(func(r *Right) *WriteGrant { return r.Update }, func(g giving) bool {
			return g.update && (g.tenants || allTenants) || g.restores && restores
		})
		out.Restores = restores && out.Update != nil && out.Update.Column(d.Dataset.Deleted.At.Name) != nil
		if out.Update != nil && len(out.Update.Columns) == 0 {
			out.Update = nil
		}
	}
	if w.Delete {
		out.Delete = d.granting(func(r *Right) *WriteGrant { return r.Delete }, nil)
	}
	if out.Insert == nil && out.Update == nil && out.Delete == nil {
		return nil
	}
	return out
}

// granting is one way of writing; given says which columns anybody may give.
func (d *Visible) granting(of func(*Right) *WriteGrant, given func(giving) bool) *Granted {
	grants := func(rights []*Right) []*WriteGrant {
		var out []*WriteGrant
		for _, r := range rights {
			if g := of(r); g != nil {
				out = append(out, g)
			}
		}
		return out
	}
	out := &Granted{Roles: grants(d.rights), Own: grants(d.own)}
	if len(d.rights) == 0 { // visible, and so in a catalog without roles
		out.Roles = []*WriteGrant{everyGrant}
	}
	if len(out.Roles) == 0 || d.granted != nil && len(out.Own) == 0 {
		return nil
	}
	if given == nil {
		return out
	}
	covered := func(by []*WriteGrant, col *Column) bool {
		return slices.ContainsFunc(by, func(g *WriteGrant) bool { return g.Covers(col.Name) })
	}
	for _, col := range d.Columns() {
		if given(d.Dataset.Writes.given[col]) && covered(out.Roles, col) && (d.granted == nil || covered(out.Own, col)) {
			out.Columns = append(out.Columns, col)
		}
	}
	return out
}

// writingText is equal for views that let the same be written; the grants
// themselves are the plan's to read.
func (d *Visible) writingText(b *strings.Builder) {
	if d.IncludesDeleted() {
		b.WriteString(",~")
	}
	w := d.writing
	if w == nil {
		return
	}
	if w.Named {
		b.WriteString(",@")
	}
	for i, g := range []*Granted{w.Insert, w.Update, w.Delete} {
		if g == nil {
			continue
		}
		b.WriteString(",!" + [...]string{InsertRows, UpdateRows, DeleteRows}[i])
		for _, col := range g.Columns {
			b.WriteString("," + col.Name)
			if g.Presets(col) {
				b.WriteString("?")
			}
		}
	}
}

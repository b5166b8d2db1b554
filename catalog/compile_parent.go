package catalog

import (
	"maps"
	"slices"
	"strings"

	"usher/query"
)

// Rows that have no tenant column are the tenant's of the row that a relation
// leads to, `tenant: {through: order}`, over as many steps as it takes.

// inheritedName is what Owner calls the column of a dataset with a Parent. No
// column of a dataset can have its name.
const inheritedName = "__tenant"

// Owner is the column that says whose a row is: the tenant column or, with a
// Parent, one that no source has, whose value is the tenant of the row at the
// end of the parents. It is nil for a common dataset.
func (d *Dataset) Owner() *Column {
	if d.Parent != nil {
		return d.inherited
	}
	return d.Tenant
}

// Inherits tells the column that Owner makes up.
func (d *Dataset) Inherits(c *Column) bool { return c != nil && c == d.inherited }

// Ancestor is the dataset at the end of the parents: the one with the tenant
// column. Without a Parent it is the dataset itself.
func (d *Dataset) Ancestor() *Dataset {
	for d.Parent != nil {
		d = d.Parent.To
	}
	return d
}

// ParentBy tells whether pairs of columns lead to the dataset's parent, so that
// rows on both sides are one tenant's without a look.
func (d *Dataset) ParentBy(to *Dataset, on []Pair) bool {
	return d.Parent != nil && d.Parent.To == to && SamePairs(d.Parent.On, on)
}

// SamePairs tells whether two relations pair the same columns, in whatever order.
func SamePairs(a, b []Pair) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(p Pair) bool { return !slices.Contains(b, p) })
}

// parent finds the relation through which rows are a tenant's.
func (c *compiler) parent(d *draft) {
	name := d.spec.Tenant.Through
	if d.Common || name == "" {
		return
	}
	at := d.at.in("tenant", "through")
	rel := d.relations[name]
	switch {
	case rel == nil:
		at.problem("%s", unknown("relation", name, d.relations))
	case rel.Many:
		at.problem("%s leads to many rows; a row is one tenant's, so it must lead to one", name)
	case rel.Only != nil:
		at.problem("%s is only some tenants', and says whose everybody's rows are", name)
	case rel.To.Common:
		at.problem("%s leads to %s, whose rows are everybody's; name a relation to rows of tenants", name, rel.To.Name)
	default:
		d.Parent = rel
	}
}

// checkParents follows the parents to the tenant column, and refuses what could
// make one row two tenants'. A row has to lead to one parent among those of all
// tenants, so a key that holds within a tenant is none here.
func (c *compiler) checkParents(d *draft) {
	if d.Parent == nil {
		return
	}
	at := d.at.in("tenant", "through")
	seen := []*Dataset{d.Dataset}
	for next := d.Parent; next != nil; next = next.To.Parent {
		if slices.Contains(seen, next.To) {
			at.problem("leads back to %s, and to no tenant column", next.To.Name)
			d.Parent = nil
			return
		}
		seen = append(seen, next.To)
	}
	end := d.Ancestor()
	if end.Tenant == nil {
		return // reported there
	}
	if kind := end.kindOfOwner(); kind != "" && !d.demands(d.Filter, kind) {
		way := "{" + kind + ": {…}}"
		for i := len(seen) - 2; i >= 0; i-- {
			way = "{" + seen[i].Parent.Name + ": " + way + "}"
		}
		at.problem("a row of %s is a tenant's only where its %s says so, and filters of parents hide none of the rows here: those that lead to one of another kind, whose %s is somebody else's, would be the tenant's. "+
			"Say `filter: %s` here as well", end.Name, kind, end.Tenant.Name, way)
	}
	owner := *end.Tenant
	owner.Name, owner.Nullable = inheritedName, true
	d.inherited = &owner
	for _, source := range d.sources {
		c.checkParentIn(at, d, source, seen)
	}
	d.sources = slices.DeleteFunc(d.sources, func(source string) bool { return d.Bindings[source] == nil })
	if len(d.Bindings) == 0 && !d.PerTenant {
		at.problem("no source can tell whose these rows are")
	}
	for _, up := range seen[1:] {
		if up.PerTenant && !d.PerTenant {
			at.problem("each tenant has rows of its own of %s, and these are everybody's; say `bound: %s` here too", up.Name, boundPerTenant)
		}
		for _, id := range slices.Sorted(maps.Keys(up.Own)) {
			if d.Own[id] == nil && up.Own[id].Tenant != "" {
				c.work[up.Name].own[id].at.problem("%s is this tenant's through %s, which has rows elsewhere for it; bind %s as well", d.Name, up.Name, d.Name)
			}
		}
	}
}

// kindOfOwner is the column by which the filter of a dataset says of what kind its owners are that are tenants, as owner_type
// says it of owner_id (a polymorphic association); empty: there is none.
func (d *Dataset) kindOfOwner() (kind string) {
	plain := func(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }
	thing, is := strings.CutSuffix(plain(d.Tenant.Name), "id")
	if !is || thing == "" {
		return ""
	}
	d.named(d.Filter, func(of *Dataset, col *Column) {
		if says, ends := strings.CutPrefix(plain(col.Name), thing); of == d && ends && slices.Contains([]string{"type", "kind", "class", "model"}, says) {
			kind = col.Name
		}
	}, func(*Dataset, *Relation) {})
	return kind
}

// demands tells whether rows for which a where is true have to lead, by the parents, to one that is judged by the column.
// What the filters of parents themselves say does not count: none is heeded within a filter.
func (d *Dataset) demands(where query.Value, column string) (judged bool) {
	if d.Parent == nil { // in whichever way: the filter of its own is judged no better
		d.named(where, func(of *Dataset, col *Column) { judged = judged || of == d && col.Name == column }, func(*Dataset, *Relation) {})
		return judged
	}
	o, _ := where.(query.Object)
	return slices.ContainsFunc(o, func(m query.Member) bool {
		all, _ := m.Value.(query.List)
		return m.Name == d.Parent.Name && d.Parent.To.demands(m.Value, column) ||
			m.Name == "and" && slices.ContainsFunc(all, func(v query.Value) bool { return d.demands(v, column) })
	})
}

// checkParentIn looks at the first step up, where a source says which tenant's a
// row is by it: further steps are those of the parent itself.
func (c *compiler) checkParentIn(at place, d *draft, source string, chain []*Dataset) {
	src, to := c.catalog.Sources[source], c.work[d.Parent.To.Name]
	if src.Kind == API {
		if src.API.Isolation != ByUpstream {
			// A row of another tenant that cannot be read would fail the question: it is
			// known to be another's only when its parents are there.
			at.note("%s sends everybody's rows, and none of them says whose it is, so it does not serve this dataset", source)
			delete(d.Bindings, source)
		}
		return
	}
	for _, up := range chain[1:] {
		if up.Bindings[source] == nil {
			at.problem("%s is not in %s, where %s is; a row and whose it is are in one source", up.Name, source, d.Name)
			return
		}
	}
	end := chain[len(chain)-1]
	if end.Bindings[source].Columns[end.Tenant.Name].Missing {
		return // all rows there are one tenant's
	}
	var cols []*Column
	for _, p := range d.Parent.On {
		from, _ := d.found[source].column(d.Bindings[source].Columns[p.From.Name].Name)
		there, _ := to.found[source].column(to.Bindings[source].Columns[p.To.Name].Name)
		if from.Form.Merges() || there.Form.Merges() {
			at.problem("%s pairs texts that %s takes for equal though they differ, so a row could be two tenants'", d.Parent.Name, source)
		} else if from.Form.Converted() || there.Form.Converted() {
			at.problem("%s pairs columns that are not compared as %s keeps them (%s and %s), so a row could be two tenants'", d.Parent.Name, source, from.Native, there.Native)
		}
		cols = append(cols, p.To)
	}
	declared := len(to.Key) > 0 && !slices.ContainsFunc(to.Key, func(col *Column) bool { return !slices.Contains(cols, col) })
	t, known := to.found[source]
	enforced := known && to.tellsApart(t, to.Bindings[source], cols)
	switch {
	case enforced && slices.Contains(cols, to.Tenant): // two of one key are one tenant's
	case enforced:
		to.relied = append(to.relied, relied{source: source, by: d.Name, columns: cols, Alone: to.aloneIn(t, to.Bindings[source], cols)})
	case known && t.Inherited:
		at.problem("tables inherit from %s, and no key tells their rows from its own, so a row of %s could lead to two", to.Name, d.Name)
	case declared && !known:
	case t.View && src.Kind == Postgres && !d.spec.Tenant.BelieveKey:
		at.problem("%s leads to %s, which is a view in %s, and a view promises nothing: with two rows of one key both their tenants would see what leads to it. "+
			"Name a relation to a table; or, if the view shows no key twice among the rows of all tenants, whatever is written, say `believe_key: true` beside `through`", d.Parent.Name, to.Name, source)
	case declared && len(t.UniqueSets()) == 0 && (t.View || src.Kind != Postgres): // where a constraint is not to be had
		at.note("nothing in %s says that a row of %s has its key for itself among the rows of all tenants; with two of one key, both their tenants would see what leads to it", source, to.Name)
	default:
		at.problem("%s leads to one row of a tenant, but not to one among those of all: what it pairs must be unique in %s, whoever's the rows are, "+
			"or two tenants would see one row", d.Parent.Name, to.Name)
	}
}

// tellsApart tells whether no two rows that are read of the table agree in cols.
func (d *draft) tellsApart(t Table, b *Binding, cols []*Column) bool {
	return !t.Inherited && d.uniqueIn(t, b, cols)
}

// aloneIn says how it is known of a table in which cols tell rows apart.
func (d *draft) aloneIn(t Table, b *Binding, cols []*Column) Alone {
	out := Alone{Parts: t.Parts}
	for _, col := range cols {
		out.Columns = append(out.Columns, b.Columns[col.Name].Name)
	}
	late := slices.ContainsFunc(t.Colliding, func(by CollidingBy) bool { return by.Deferrable && slices.Equal(by.Columns, t.PrimaryKey) })
	out.Primary = len(t.PrimaryKey) > 0 && !late && !t.Parts &&
		!slices.ContainsFunc(t.PrimaryKey, func(name string) bool { return !slices.Contains(out.Columns, name) })
	return out
}

// Alone are columns of a table by which no two of its rows agree, whoever's they are. Whose rows of
// others are that lead there follows from it, so who reads those has to see to it that it still holds.
type Alone struct {
	Columns []string // as the source names them
	Primary bool     // the primary key is in them
	Parts   bool     // partitions hold the rows
}

// Alone is what whose-the-rows-are relies on in a source where they lead to the dataset by pairs; nil: on
// nothing, or nothing that the source promises.
func (d *Dataset) Alone(source string, on []Pair) *Alone {
	for i := range d.relied {
		if r := &d.relied[i]; r.source == source && len(r.columns) == len(on) &&
			!slices.ContainsFunc(on, func(p Pair) bool { return !slices.Contains(r.columns, p.To) }) {
			return &r.Alone
		}
	}
	return nil
}

// uniqueIn tells whether a table of the dataset promises that no two rows agree
// in cols.
func (d *draft) uniqueIn(t Table, b *Binding, cols []*Column) bool {
	return slices.ContainsFunc(t.UniqueSets(), func(set []string) bool {
		return !slices.ContainsFunc(set, func(physical string) bool {
			return !slices.ContainsFunc(cols, func(col *Column) bool { return b.Columns[col.Name].Name == physical })
		})
	})
}

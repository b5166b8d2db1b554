package catalog

import (
	"maps"
	"slices"
	"strings"
)

// targets finds for each place of a dataset what is to be known of it for writing.
// Where nobody has looked, what the file declares is all that is known.
func (c *compiler) targets(d *draft) {
	for _, source := range d.sources {
		if b := d.Bindings[source]; b != nil {
			t, known := d.found[source]
			b.Target = c.target(d, c.catalog.Sources[source], b, t, known)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.own)) {
		o := d.own[id]
		o.Target = c.target(d, c.catalog.Sources[o.Source], &o.Binding, o.table, o.known)
	}
}

func (c *compiler) target(d *draft, src *Source, b *Binding, t Table, known bool) *Target {
	if b.Writes != nil {
		return new(Target) // what rows collide by is the API's to know
	}
	if src.Kind == API || src.inPlace() || t.Kind == ReadFile {
		return nil
	}
	alone := d.alone(src, b)
	out := &Target{Triggers: t.Triggers, Unsure: t.hides(), Checks: t.Checks, Shape: t.Shape, Parts: t.Parts, Members: t.Members, Single: known && d.single(b, t), fills: t.Fills, alone: alone}
	if known {
		out.unfilled = d.unfilled(b, t)
	}
	if known && !t.hides() {
		for _, by := range t.colliding() {
			out.Keys = append(out.Keys, d.uniqueKey(b, by, t, alone))
		}
	} else {
		for _, cols := range d.declaredKeys() {
			out.Keys = append(out.Keys, &UniqueKey{Name: d.keyName(cols), Columns: cols, Tenant: alone || d.holdsTenant(cols), Declared: true})
		}
	}
	for _, fk := range t.ForeignKeys {
		ref := &Reference{Columns: d.columnsIn(b, fk.Columns), OnDelete: fk.OnDelete, OnUpdate: fk.OnUpdate, Deferrable: fk.Deferrable, some: d.someIn(b, fk.Columns), key: fk}
		ref.Tenant = d.Tenant != nil && slices.Contains(ref.some, d.Tenant)
		ref.astray = !alone && !ref.Tenant
		if to := c.tableOf(src.Name, fk.RefSchema, fk.RefTable); to != nil {
			ref.Dataset, ref.Others = to.Dataset, to.columnsIn(to.Bindings[src.Name], fk.RefColumns)
			ref.Tenant, ref.Parent = referenceOfTenants(d.Dataset, ref.Columns, to.Dataset, ref.Others)
			ref.astray = ref.astray && ref.Others == nil
		}
		if !alone && !ref.Tenant {
			var blind bool
			ref.alike, blind = c.unnamed(d, src, fk, ref.Columns)
			ref.astray = ref.astray || blind
		}
		ref.Tenant = ref.Tenant || alone && !d.Common
		out.References = append(out.References, ref)
	}
	for _, r := range t.Referrers {
		ref := &Reference{Columns: d.columnsIn(b, r.RefColumns), OnDelete: r.OnDelete, OnUpdate: r.OnUpdate, Deferrable: r.Deferrable, some: d.someIn(b, r.RefColumns), at: r}
		if from := c.tableOf(src.Name, r.Schema, r.Table); from != nil {
			ref.Dataset, ref.Others = from.Dataset, from.columnsIn(from.Bindings[src.Name], r.Columns)
			ref.backs = !alone && d.backedBy(from.Dataset, ref)
			ref.sets = from.columnsIn(from.Bindings[src.Name], r.Sets)
			ref.Tenant, ref.Parent = referenceOfTenants(from.Dataset, ref.Others, d.Dataset, ref.Columns)
		}
		ref.Tenant = ref.Tenant || alone && !d.Common
		out.Referrers = append(out.Referrers, ref)
	}
	return out
}

// unnamed is what a foreign key of a table leads to, as a relation, where none of the dataset leads there as it is written. Of
// several datasets of the table it is the first whose rows are tenants'; there is none where all are everybody's. Blind says
// that there are such, and that their columns do not tell which row it is.
func (c *compiler) unnamed(d *draft, src *Source, fk ForeignKey, from []*Column) (rel *Relation, blind bool) {
	for _, to := range c.catalog.Datasets {
		work := c.work[to.Name]
		t, ok := work.found[src.Name]
		if !ok || t.Name != fk.RefTable || t.Schema != fk.RefSchema && fk.RefSchema != "" {
			continue
		}
		on := leading(d, from, work, work.columnsIn(work.Bindings[src.Name], fk.RefColumns))
		switch {
		case on != nil && (d.ParentBy(to, on) || slices.ContainsFunc(d.Relations, func(rel *Relation) bool { return rel.To == to && d.Refers(rel) && SamePairs(rel.On, on) })):
			return nil, false
		case to.Common || rel != nil:
		case on == nil:
			blind = true
		default:
			rel = &Relation{Name: strings.Join(fk.Columns, ",") + " to " + to.Name, To: to, On: on, Only: onlyOf(on...)}
		}
	}
	return rel, blind && rel == nil
}

// leading pairs columns of both ends of a foreign key; nil where one is no column of its dataset, or they cannot be compared.
func leading(from *draft, columns []*Column, to *draft, others []*Column) (on []Pair) {
	if columns == nil || others == nil {
		return nil
	}
	for i, col := range columns {
		if col == nil || others[i] == nil || from.merges(col) || to.merges(others[i]) || !comparable(col.Type, others[i].Type) {
			return nil
		}
		on = append(on, Pair{From: col, To: others[i]})
	}
	return on
}

// single tells a table where nothing becomes of rows but what is written to it: no code of the database's
// owner runs, and no other table has some of them. The dataset's key names one row at most of a tenant's.
func (d *draft) single(b *Binding, t Table) bool {
	key := slices.Clone(d.Key)
	if d.Tenant != nil && !b.Columns[d.Tenant.Name].Missing {
		key = append(key, d.Tenant)
	}
	return !t.hides() && !t.Triggers && !t.Parts && len(d.Key) > 0 && d.tellsApart(t, b, key)
}

// hides tells whether what is written to a table may become something else.
func (t Table) hides() bool { return t.Kind != OrdinaryTable || t.View || t.Rules }

// colliding is all by which rows of the table collide.
func (t Table) colliding() []CollidingBy {
	out := slices.Clone(t.Colliding)
	for _, set := range t.UniqueSets() {
		if !slices.ContainsFunc(out, func(by CollidingBy) bool { return slices.Equal(by.Columns, set) }) {
			out = append(out, CollidingBy{Columns: set})
		}
	}
	return out
}

// alone tells whether every row of a place is one tenant's, or everybody's.
func (d *draft) alone(src *Source, b *Binding) bool {
	switch {
	case d.Common, src.Template:
		return true
	case d.Tenant != nil:
		return b.Columns[d.Tenant.Name].Missing
	case d.Parent != nil:
		end := d.Ancestor()
		there := end.Bindings[src.Name]
		return there != nil && end.Tenant != nil && there.Columns[end.Tenant.Name].Missing
	}
	return false
}

func (d *draft) uniqueKey(b *Binding, by CollidingBy, t Table, alone bool) *UniqueKey {
	k := &UniqueKey{Partial: by.Partial, Exclusion: by.Exclusion, Deferrable: by.Deferrable, index: by}
	known := d.someIn(b, by.Columns)
	for _, name := range by.Columns {
		if tc, _ := t.column(name); tc.Made != NotMade {
			k.Made = true
			k.made = append(k.made, d.someIn(b, []string{name})...)
		}
	}
	k.Tenant = alone || d.holdsTenant(known)
	if !by.Expression {
		k.Columns = d.columnsIn(b, by.Columns)
	}
	k.Name = d.keyName(known)
	return k
}

// someIn are those of the columns that the dataset has.
func (d *draft) someIn(b *Binding, physical []string) []*Column {
	var out []*Column
	for _, name := range physical {
		out = append(out, d.columnsIn(b, []string{name})...)
	}
	return out
}

// holdsTenant tells whether rows that agree in the columns are one tenant's: the
// tenant column is among them, or what leads to the row whose tenant's they are.
func (d *draft) holdsTenant(cols []*Column) bool {
	if d.Tenant != nil {
		return slices.Contains(cols, d.Tenant)
	}
	return d.Parent != nil && !slices.ContainsFunc(d.Parent.On, func(p Pair) bool { return !slices.Contains(cols, p.From) })
}

// keyName is what a key is called: its columns but the tenant's.
func (d *draft) keyName(cols []*Column) string {
	var names []string
	for _, col := range cols {
		if col != d.Tenant || len(cols) == 1 {
			names = append(names, col.Name)
		}
	}
	return strings.Join(names, "_")
}

// declaredKeys are those that the file declares.
func (d *draft) declaredKeys() [][]*Column {
	var out [][]*Column
	if len(d.Key) > 0 {
		out = append(out, d.Key)
	}
	for _, names := range d.spec.Keys {
		var cols []*Column
		for _, name := range names {
			if col := d.columns[name]; col != nil {
				cols = append(cols, col)
			}
		}
		if len(cols) == len(names) && len(cols) > 0 && !slices.ContainsFunc(out, func(k []*Column) bool { return sameColumns(k, cols) }) {
			out = append(out, cols)
		}
	}
	return out
}

// columnsIn are the columns that a place calls so; nil: one of them is none.
func (d *draft) columnsIn(b *Binding, physical []string) []*Column {
	if b == nil {
		return nil
	}
	var out []*Column
	for _, name := range physical {
		i := slices.IndexFunc(d.Columns, func(col *Column) bool {
			s := b.Columns[col.Name]
			return !s.Missing && s.Name == name
		})
		if i < 0 {
			return nil
		}
		out = append(out, d.Columns[i])
	}
	return out
}

// referenceOfTenants tells whether a foreign key pairs the tenant columns of both ends, and
// whether it is by it that the referring row is a tenant's.
func referenceOfTenants(from *Dataset, cols []*Column, to *Dataset, others []*Column) (tenant, parent bool) {
	if cols == nil || others == nil {
		return false, false
	}
	on := make([]Pair, len(cols))
	for i := range cols {
		on[i] = Pair{From: cols[i], To: others[i]}
	}
	parent = from.ParentBy(to, on)
	return parent || from.Tenant != nil && slices.Contains(on, Pair{From: from.Tenant, To: to.Tenant}), parent
}

// backedBy tells whether a foreign key onto the dataset is held by the rows that its own are a tenant's by.
func (d *draft) backedBy(from *Dataset, r *Reference) bool {
	if d.Parent == nil || d.Parent.To != from || len(r.Columns) == 0 || len(r.Columns) != len(r.Others) {
		return false
	}
	for i, col := range r.Columns {
		if !slices.Contains(d.Parent.On, Pair{From: col, To: r.Others[i]}) {
			return false
		}
	}
	return true
}

// makes tells whether a column is made by the place, where a value that is given could
// meet another tenant's.
func (t *Target) makes(col *Column) bool {
	return slices.ContainsFunc(t.Keys, func(k *UniqueKey) bool { return k.Made && !k.Tenant && slices.Contains(k.made, col) })
}

// followed tells whether rows of others change with a column.
func (t *Target) followed(col *Column) bool {
	return slices.ContainsFunc(t.Referrers, func(r *Reference) bool { return r.OnUpdate != NoAction && slices.Contains(r.some, col) })
}

// strays tells whether a column refers to rows of which nobody can say whose they are.
func (t *Target) strays(col *Column) bool {
	return slices.ContainsFunc(t.References, func(r *Reference) bool { return r.astray && slices.Contains(r.some, col) })
}

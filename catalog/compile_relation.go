package catalog

import (
	"maps"
	"slices"
	"strings"

	"usher/value"
)

func (c *compiler) relations(d *draft) {
	for _, e := range d.spec.Relations {
		at := d.at.in("relations", e.Name)
		if bad := badField(e.Name); bad != "" {
			at.problem("%s", bad)
		}
		to := c.work[e.Value.To]
		if to == nil {
			at.in("to").problem("%s", unknown("dataset", e.Value.To, c.spec.Datasets))
			continue
		}
		rel := &Relation{Name: e.Name, To: to.Dataset, Many: e.Value.Many, OnDelete: OnDelete(e.Value.OnDelete), Description: e.Value.Description}
		if e.Value.Through != "" {
			c.through(at, d, to, rel, e.Value)
			continue
		}
		if len(e.Value.ToOn) > 0 {
			at.in("to_on").problem("belongs to a relation `through` another dataset")
		}
		rel.On = pairs(at.in("on"), d, to, e.Value.On)
		rel.Only = onlyOf(rel.On...)
		if !rel.Many && len(rel.On) > 0 && len(rel.On) == len(e.Value.On) && !leadsToOne(rel.On, to) {
			at.problem("a row may lead to several rows of %s; add `many: true`, or make the columns its `key`", to.Name)
		}
		d.relate(rel)
	}
}

// through completes a relation of many rows to many, which the rows of a third
// dataset link.
func (c *compiler) through(at place, from, to *draft, rel *Relation, spec RelationSpec) {
	link := c.work[spec.Through]
	switch {
	case link == nil:
		at.in("through").problem("%s", unknown("dataset", spec.Through, c.spec.Datasets))
		return
	case !spec.Many:
		at.problem("leads to many rows; add `many: true`")
	}
	rel.Through = link.Dataset
	rel.On = pairs(at.in("on"), from, link, spec.On)
	rel.ToOn = pairs(at.in("to_on"), link, to, spec.ToOn)
	rel.Only = onlyOf(rel.On...).and(onlyOf(rel.ToOn...))
	from.relate(rel)
}

func (d *draft) relate(rel *Relation) {
	d.Dataset.Relations = append(d.Dataset.Relations, rel)
	d.Dataset.relations[rel.Name] = rel
}

func pairs(at place, from, to *draft, on map[string]string) []Pair {
	if len(on) == 0 {
		at.problem("must pair columns: `on: {column of %s: column of %s}`", from.Name, to.Name)
	}
	var out []Pair
	for _, name := range slices.Sorted(maps.Keys(on)) {
		p := Pair{From: from.columns[name], To: to.columns[on[name]]}
		if p.From == nil && len(from.Columns) > 0 {
			at.in(name).problem("there is no column %s in %s", name, from.Name)
		}
		if p.To == nil && len(to.Columns) > 0 {
			at.in(name).problem("there is no column %s in %s", on[name], to.Name)
		}
		if p.From == nil || p.To == nil {
			continue
		}
		if from.merges(p.From) || to.merges(p.To) {
			at.in(name).problem("%s or %s takes different texts for equal, so it leads to no row for certain", name, on[name])
		} else if !comparable(p.From.Type, p.To.Type) {
			at.in(name).problem("%s is %s and %s is %s, which are never equal",
				name, p.From.Type.GraphQL(), on[name], p.To.Type.GraphQL())
		}
		out = append(out, p)
	}
	return out
}

// comparable tells whether columns of the types can be joined.
func comparable(a, b value.Type) bool {
	switch {
	case !a.Groupable() || !b.Groupable():
		return false
	case a.Exact() && b.Exact(), a.Text() && b.Text():
		return true
	case a.Scalar == value.Enum:
		return b.Scalar == value.Enum && a.EnumName == b.EnumName
	}
	return a.Scalar == b.Scalar
}

// leadsToOne tells whether the pairs settle a row of the dataset: they cover
// its key, or a unique constraint. Its tenant column counts as covered, since
// every reference is scoped to a tenant.
func leadsToOne(on []Pair, to *draft) bool {
	cols := make([]*Column, 0, len(on)+1)
	for _, p := range on {
		cols = append(cols, p.To)
	}
	if to.Tenant != nil {
		cols = append(cols, to.Tenant)
	}
	uncovered := func(col *Column) bool { return !slices.Contains(cols, col) }
	if len(to.Key) > 0 && !slices.ContainsFunc(to.Key, uncovered) {
		return true
	}
	t, known := to.main()
	return known && to.uniqueBy(t, cols)
}

// Relations of datasets that declare neither columns nor relations come from
// foreign keys: one from the row with the key to the row it names, and one
// back, to many rows or, where the key is unique, to one.

// foreign is a foreign key between two datasets.
type foreign struct {
	from, to *draft
	on       []Pair
}

func (d *draft) wantsForeign() bool { return len(d.spec.Columns) == 0 && d.spec.Relations == nil }

// foreignKeys are the foreign keys of the dataset's main table that lead to
// tables of datasets in the same source.
func (c *compiler) foreignKeys(d *draft) []foreign {
	if d.foreign == nil {
		d.foreign = append([]foreign{}, c.findForeignKeys(d)...)
	}
	return d.foreign
}

func (c *compiler) findForeignKeys(d *draft) []foreign {
	var out []foreign
	for _, source := range d.sources {
		t, ok := d.found[source]
		if !ok {
			continue
		}
		keys := slices.Clone(t.ForeignKeys)
		slices.SortFunc(keys, func(a, b ForeignKey) int { return slices.Compare(a.Columns, b.Columns) })
		for _, fk := range keys {
			to := c.tableOf(source, fk.RefSchema, fk.RefTable)
			if to == nil {
				continue
			}
			if on := foreignPairs(d, to, fk); on != nil {
				out = append(out, foreign{from: d, to: to, on: on})
			}
		}
		break
	}
	return out
}

// tableOf is the first dataset, by name, that the table belongs to.
func (c *compiler) tableOf(source, schema, table string) *draft {
	for _, d := range c.catalog.Datasets {
		if t, ok := c.work[d.Name].found[source]; ok && t.Name == table && (t.Schema == schema || schema == "") {
			return c.work[d.Name]
		}
	}
	return nil
}

func foreignPairs(from, to *draft, fk ForeignKey) []Pair {
	columns, others := make([]*Column, len(fk.Columns)), make([]*Column, len(fk.Columns))
	for i, name := range fk.Columns {
		columns[i], others[i] = from.storedAs(name), to.storedAs(fk.RefColumns[i])
	}
	return leading(from, columns, to, others)
}

func (c *compiler) foreignToOne(d *draft) {
	if !d.wantsForeign() {
		return
	}
	for _, fk := range c.foreignKeys(d) {
		if !leadsToOne(fk.on, fk.to) {
			continue
		}
		cols := fk.columns()
		base := fk.to.Name
		if len(cols) == 1 {
			for _, suffix := range []string{"_id", "Id", "ID"} {
				if short, ok := strings.CutSuffix(cols[0], suffix); ok && short != "" {
					base = short
					break
				}
			}
		}
		d.relate(&Relation{Name: d.relationName(base, false, cols), To: fk.to.Dataset, On: fk.on})
	}
}

// ledToByOne tells whether at most one row of a dataset has a foreign key to the
// same row. Rows that are everybody's are led to by rows of every tenant, so
// there no tenant column makes the key unique.
func ledToByOne(back []Pair, d, from *draft) bool {
	if d.Tenant == nil && d.spec.Tenant.Through == "" && from.Tenant != nil {
		cols := make([]*Column, 0, len(back))
		for _, p := range back {
			cols = append(cols, p.To)
		}
		t, known := from.main()
		return known && from.uniqueBy(t, cols)
	}
	return leadsToOne(back, from)
}

func (c *compiler) foreignToMany(d *draft) {
	if !d.wantsForeign() {
		return
	}
	for _, other := range c.catalog.Datasets {
		name := other.Name
		var here []foreign
		for _, fk := range c.foreignKeys(c.work[name]) {
			if fk.to == d {
				here = append(here, fk)
			}
		}
		for _, fk := range here {
			base := name
			if len(here) > 1 {
				base += "By" + pascal(strings.Join(fk.columns(), "_"))
			}
			back := make([]Pair, len(fk.on))
			for i, p := range fk.on {
				back[i] = Pair{From: p.To, To: p.From}
			}
			many := !ledToByOne(back, d, fk.from)
			d.relate(&Relation{Name: d.relationName(base, many, fk.columns()), To: fk.from.Dataset, Many: many, On: back})
		}
	}
}

// columns are the names of the key's columns, without the tenant column.
func (fk foreign) columns() []string {
	var out []string
	for _, p := range fk.on {
		if p.From.Name != fk.from.spec.Tenant.Column {
			out = append(out, p.From.Name)
		}
	}
	return out
}

// relationName is the name itself, or the name with the columns that make it
// another one.
func (d *draft) relationName(base string, many bool, cols []string) string {
	taken := make(map[string]bool)
	for _, col := range d.Columns {
		taken[col.Name] = true
	}
	for _, rel := range d.Dataset.Relations {
		taken[rel.Name], taken[rel.Name+"Aggregate"] = true, true
	}
	for _, m := range d.spec.Measures {
		taken[m.Name] = true
	}
	if !taken[base] && badField(base) == "" && (!many || !taken[base+"Aggregate"]) {
		return base
	}
	return free(base+"By"+pascal(strings.Join(cols, "_")), taken)
}

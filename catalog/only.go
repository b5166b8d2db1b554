package catalog

import (
	"slices"
	"strconv"
	"strings"

	"usher/principal"
	"usher/query"
)

// Only are the tenants that a column, relation or measure is for, sorted; nil:
// it is for everybody. Lists that are not nil and empty are for nobody.
type Only []string

// For tells whether a tenant's principals may know of it. Whoever is of no
// tenant, or of all, knows of nothing that is only some tenants'.
func (o Only) For(tenant string) bool {
	if o == nil {
		return true
	}
	_, found := slices.BinarySearch(o, tenant)
	return found && tenant != ""
}

// and are the tenants that both are for.
func (o Only) and(other Only) Only {
	switch {
	case o == nil:
		return other
	case other == nil:
		return o
	}
	both := Only{}
	for _, id := range o {
		if other.For(id) {
			both = append(both, id)
		}
	}
	return both
}

// only reads a list of tenants. They need not be registered: the registry may
// be elsewhere.
func only(at place, ids []string) Only {
	if ids == nil {
		return nil
	}
	if len(ids) == 0 {
		at.problem("is empty, so nobody would see it; name tenants, or leave it out for everybody")
	}
	out := Only{}
	for i, id := range ids {
		at := at.in(strconv.Itoa(i))
		switch err := principal.CheckTenantID(id); {
		case err != nil:
			at.problem("%s", err)
		case slices.Contains(out, id):
			at.problem("names %s twice", id)
		default:
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// onlyOf are the tenants that all columns of pairs are for.
func onlyOf(pairs ...Pair) Only {
	var out Only
	for _, p := range pairs {
		out = out.and(p.From.Only).and(p.To.Only)
	}
	return out
}

// only are the tenants that everything in the expression is for.
func (e *Expr) only(d *Dataset) Only {
	var out Only
	if e.Op == ExprColumn {
		at := d
		for _, step := range e.Path {
			rel := at.Relation(step)
			out, at = out.and(rel.Only), rel.To
		}
		out = out.and(at.Column(e.Column).Only)
	}
	for _, arg := range e.Args {
		out = out.and(arg.only(d))
	}
	return out.and(onlyIn(d, e.Filter))
}

// onlyIn are the tenants that all columns and relations a where names are for.
func onlyIn(d *Dataset, where query.Value) Only {
	var out Only
	d.named(where, func(_ *Dataset, col *Column) { out = out.and(col.Only) }, func(_ *Dataset, rel *Relation) { out = out.and(rel.Only) })
	return out
}

// named calls column and relation with those that a where over the dataset
// names, and whose they are; names that do not exist are somebody else's to report.
func (d *Dataset) named(where query.Value, column func(*Dataset, *Column), relation func(*Dataset, *Relation)) {
	switch where := where.(type) {
	case query.List:
		for _, item := range where {
			d.named(item, column, relation)
		}
	case query.Object:
		for _, m := range where {
			rel := d.relations[m.Name]
			switch col := d.columns[m.Name]; {
			case m.Name == "and" || m.Name == "or" || m.Name == "not":
				d.named(m.Value, column, relation)
			case col != nil:
				column(d, col)
			case rel != nil && !rel.Many:
				relation(d, rel)
				rel.To.named(m.Value, column, relation)
			case rel != nil:
				relation(d, rel)
				some, _ := m.Value.(query.Object)
				for _, quantified := range some {
					rel.To.named(quantified.Value, column, relation)
				}
			}
		}
	}
}

// ShapeOf tells tenants apart that do not see the same, as far as that is not a
// matter of roles: all others have the empty shape.
func (c *Catalog) ShapeOf(tenant string) string { return c.shapes[tenant] }

// shapesOf notes for each tenant what is for it only. Equal shapes are one
// string.
func shapesOf(datasets []*Dataset) map[string]string {
	texts := make(map[string]*strings.Builder)
	note := func(o Only, dataset, name string) {
		for _, id := range o {
			if texts[id] == nil {
				texts[id] = &strings.Builder{}
			}
			texts[id].WriteString(dataset + "." + name + ";")
		}
	}
	for _, d := range datasets {
		for _, col := range d.Columns {
			note(col.Only, d.Name, col.Name)
		}
		for _, rel := range d.Relations {
			note(rel.Only, d.Name, rel.Name)
		}
		for _, m := range d.Measures {
			note(m.Only, d.Name, m.Name)
		}
	}
	shapes, one := make(map[string]string, len(texts)), make(map[string]string)
	for id, text := range texts {
		shape := text.String()
		if one[shape] == "" {
			one[shape] = shape
		}
		shapes[id] = one[shape]
	}
	return shapes
}

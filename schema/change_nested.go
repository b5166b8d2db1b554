package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
)

// Types of what is nested in what is written, by their endings behind those of the row and
// of the relation.
const (
	referenceType = "Reference"
	relinkType    = "Relink"
	linkType      = "Link"
)

// inserts tells whether the view has a type of rows to insert of the dataset.
func (f *facts) inserts() bool {
	w := f.visible.Writing()
	return w != nil && w.Insert != nil && len(w.Insert.Columns) > 0 && len(f.visible.Dataset.Key) > 0
}

// needed tells a column that every row names which is inserted. One that is part of a
// reference may be given by that.
func needed(d *catalog.Dataset, c *catalog.Column) bool {
	return d.Writes.Required(c) && !d.ByReference(c)
}

// pairs are those of a relation by which rows are linked, without the tenants'.
func (f *facts) pairs(r relation) []catalog.Pair {
	return slices.DeleteFunc(slices.Clone(r.On), func(p catalog.Pair) bool {
		return p.From == f.visible.Dataset.Tenant && p.From != nil || p.To == r.To.Tenant && p.To != nil
	})
}

// nestedInserts are the members of a row to insert that are rows of others.
func (b *Builder) nestedInserts(p *part, f *facts) ast.FieldList {
	d, g := f.visible.Dataset, f.visible.Writing().Insert
	var out ast.FieldList
	for _, r := range f.relations {
		pairs := f.pairs(r)
		if r.Through != nil || len(pairs) == 0 {
			continue
		}
		if r.Many {
			may := r.to.inserts() && !slices.ContainsFunc(pairs, func(pair catalog.Pair) bool {
				return r.to.visible.Writing().Insert.Column(pair.To.Name) == nil || needed(r.To, pair.To) ||
					!slices.Contains(d.Key, pair.From) && g.Column(pair.From.Name) == nil
			})
			if may {
				out = append(out, b.field(r.Name, "["+r.To.Type+insertType+"!]", "Rows of "+r.To.Name+" that are inserted with it, and lead to it."))
			}
			continue
		}
		given := !slices.ContainsFunc(pairs, func(pair catalog.Pair) bool { return g.Column(pair.From.Name) == nil })
		if !d.Refers(r.Relation) || !given {
			continue
		}
		var ways ast.FieldList
		if name := b.link(p, f, r, pairs); name != "" {
			ways = append(ways, b.field("link", name, "A row that is there."))
		}
		if r.to.inserts() && !slices.ContainsFunc(pairs, func(pair catalog.Pair) bool { return !slices.Contains(r.To.Key, pair.To) }) {
			ways = append(ways, b.field("insert", r.To.Type+insertType, "A row that is inserted before."))
		}
		if len(ways) > 0 {
			name := d.Type + typeName(r.Name) + referenceType
			p.oneOf(name, ways)
			out = append(out, b.field(r.Name, name, "The row of "+r.To.Name+" that it leads to, in place of the columns that name it."))
		}
	}
	return out
}

// relinks are the members of what is set that lead to other rows.
func (b *Builder) relinks(p *part, f *facts, columns []*catalog.Column) ast.FieldList {
	d := f.visible.Dataset
	var out ast.FieldList
	for _, r := range f.relations {
		pairs := f.pairs(r)
		set := !slices.ContainsFunc(pairs, func(pair catalog.Pair) bool { return !slices.Contains(columns, pair.From) })
		if r.Many || r.Through != nil || len(pairs) == 0 || !d.Refers(r.Relation) || !set {
			continue
		}
		var ways ast.FieldList
		if name := b.link(p, f, r, pairs); name != "" {
			ways = append(ways, b.field("link", name, "A row that is there."))
		}
		if !slices.ContainsFunc(pairs, func(pair catalog.Pair) bool { return !pair.From.Nullable }) {
			ways = append(ways, b.field("unlink", "Boolean", "True: it leads to no row any more."))
		}
		if len(ways) > 0 {
			name := d.Type + typeName(r.Name) + relinkType
			p.oneOf(name, ways)
			out = append(out, b.field(r.Name, name, "The row of "+r.To.Name+" that it leads to, in place of the columns that name it."))
		}
	}
	return out
}

// link defines the input that names a row of another dataset by what leads to it, and returns
// its name; empty where that is not shown.
func (b *Builder) link(p *part, f *facts, r relation, pairs []catalog.Pair) string {
	if slices.ContainsFunc(pairs, func(pair catalog.Pair) bool { return r.to.visible.Column(pair.To.Name) == nil }) {
		return ""
	}
	name := f.visible.Dataset.Type + typeName(r.Name) + linkType
	if slices.ContainsFunc(p.types, func(t *ast.Definition) bool { return t.Name == name }) {
		return name
	}
	var fields ast.FieldList
	for _, pair := range pairs {
		fields = append(fields, b.field(pair.To.Name, b.column(p, pair.From.Type)+"!", "The "+pair.To.Name+" of the row."))
	}
	p.define(ast.InputObject, name, "Names a row of "+r.To.Name+".", fields)
	return name
}

// typeName is a relation's name as part of a type's.
func typeName(relation string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(relation, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

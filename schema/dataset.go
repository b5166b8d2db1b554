package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
	"usher/query"
	"usher/value"
)

// part is what one dataset adds to a schema.
type part struct {
	dataset  string
	roots    []*ast.FieldDefinition
	shapes   []query.Shape // of the roots
	types    []*ast.Definition
	objects  []*ast.Definition // those of types that are objects
	shared   []*shared         // the shared types the types need
	rows     string            // the type of its rows
	entity   entity            // what tells those apart
	groups   []string          // the types of its groups and of their keys
	problems []error

	changes []*ast.FieldDefinition // fields of a mutation
	kinds   []query.ChangeKind     // of the changes
	inputs  []string               // types whose members are columns

	needs map[*shared]bool
}

// part returns the types of a dataset, made once for equal rights.
func (b *Builder) part(f *facts) *part {
	measures := f.measures()
	key := f.rights(measures)
	p := b.parts[key]
	if p == nil {
		p = b.newPart(f, measures)
		b.parts[key] = p
	}
	return p
}

func (f *facts) measures() []*catalog.Measure {
	var out []*catalog.Measure
	for _, m := range f.visible.Dataset.Measures {
		if m := f.view.Measure(f.visible, m.Name); m != nil {
			out = append(out, m)
		}
	}
	return out
}

// rights names all that the types of a dataset depend on.
func (f *facts) rights(measures []*catalog.Measure) string {
	var s strings.Builder
	flag := func(set bool, mark byte) {
		if set {
			s.WriteByte(mark)
		}
	}
	s.WriteString(f.visible.Dataset.Name)
	s.WriteByte(';')
	flag(f.visible.Aggregate, 'a')
	flag(f.key, 'k')
	flag(f.entity.node, 'n')
	flag(f.visible.IncludesDeleted(), 'd')
	for _, c := range f.columns {
		s.WriteByte(',')
		s.WriteString(c.Name)
	}
	for _, r := range f.relations {
		s.WriteByte(';')
		s.WriteString(r.Name)
		s.WriteByte(':')
		flag(r.to.visible.Aggregate, 'a')
		flag(r.to.key, 'k')
		flag(r.to.order, 'o')
	}
	for _, m := range measures {
		s.WriteByte('+')
		s.WriteString(m.Name)
	}
	s.WriteString(f.writesText())
	return s.String()
}

func (b *Builder) newPart(f *facts, measures []*catalog.Measure) *part {
	p := &part{dataset: f.visible.Dataset.Name, rows: f.visible.Dataset.Type, entity: f.entity, needs: make(map[*shared]bool)}
	b.roots(p, f)
	b.rows(p, f)
	b.where(p, f)
	b.orderBy(p, f)
	b.changes(p, f)
	if f.key {
		b.key(p, f)
	}
	if f.visible.Aggregate {
		b.groups(p, f, measures)
	}
	b.describePart(p, f)
	if b.relay {
		p.groups = append(p.groups, p.rows)
	}
	if p.entity.node {
		p.isNode()
	}
	return p
}

// need notes that a type of the part refers to a shared one, and returns that
// one's name.
func (p *part) need(s *shared) string {
	if !p.needs[s] {
		p.needs[s] = true
		p.shared = append(p.shared, s)
		for _, n := range s.needs {
			p.need(n)
		}
	}
	return s.def.Name
}

// define adds a type; two fields of one name are a problem of the catalog.
func (p *part) define(kind ast.DefinitionKind, name, description string, fields ast.FieldList) {
	seen := make(map[string]bool, len(fields))
	for _, f := range fields {
		if seen[f.Name] {
			p.problems = append(p.problems, fmt.Errorf(
				"dataset %q: the type %q would have two fields named %q; name the column, relation or measure differently",
				p.dataset, name, f.Name))
		}
		seen[f.Name] = true
	}
	def := &ast.Definition{Kind: kind, Name: name, Description: description, Fields: fields}
	p.types = append(p.types, def)
	if kind == ast.Object {
		p.objects = append(p.objects, def)
	}
}

// column is a type as it is written in the schema, without nullability.
func (b *Builder) column(p *part, t value.Type) string {
	e, ok := b.enum(t)
	if e != nil {
		p.need(e)
	}
	if !ok {
		p.problems = append(p.problems, fmt.Errorf(
			"dataset %q: the enum type %q has other values elsewhere; give one of them another name", p.dataset, t.EnumName))
	}
	return t.GraphQL()
}

func (b *Builder) roots(p *part, f *facts) {
	d := f.visible.Dataset
	add := func(shape query.Shape, field *ast.FieldDefinition) {
		p.roots = append(p.roots, field)
		p.shapes = append(p.shapes, shape)
	}
	// Lists are nullable at the root, so that one that fails does not take the
	// others with it.
	add(query.Many, b.call(d.Name, "["+d.Type+"!]", describe(d.Label, d.Description), b.withDeleted(f, b.rowArgs(f))...))
	if key := f.visible.Key(); len(key) > 0 {
		args := make([]*ast.ArgumentDefinition, len(key))
		for i, c := range key {
			args[i] = b.arg(c.Name, b.column(p, c.Type)+"!")
		}
		add(query.ByKey, b.call(d.Name+"ByPk", d.Type, "The row with this key, or null.", b.withDeleted(f, args)...))
	}
	if f.visible.Key() != nil || len(d.Key) > 0 {
		add(query.Connection, b.call(d.Name+"Connection", d.Type+"Connection", "Pages of rows by position.", b.withDeleted(f, b.pageArgs(f))...))
		b.connection(p, f)
	}
	if f.visible.Aggregate {
		add(query.Groups, b.call(d.Name+"Aggregate", "["+d.Type+"Aggregate!]", perGroup, b.withDeleted(f, b.groupArgs(f))...))
	}
}

// withDeleted adds the argument that asks for deleted rows, where somebody may.
func (b *Builder) withDeleted(f *facts, args []*ast.ArgumentDefinition) []*ast.ArgumentDefinition {
	taken := slices.ContainsFunc(args, func(a *ast.ArgumentDefinition) bool { return a.Name == deletedArgument })
	if !f.visible.IncludesDeleted() || taken {
		return args
	}
	return append(args, b.said(deletedArgument, "Boolean", "True: rows that were deleted, too."))
}

const deletedArgument = "includeDeleted"

const perGroup = "One row for each distinct key; you group by the fields of the key that you select, and by none in one row."

func (b *Builder) rowArgs(f *facts) []*ast.ArgumentDefinition {
	typ := f.visible.Dataset.Type
	args := []*ast.ArgumentDefinition{b.arg("where", typ+"Where")}
	if f.order {
		args = append(args, b.arg("orderBy", "["+typ+"OrderBy!]"))
	}
	return append(args, b.arg("limit", "Int"), b.arg("offset", "Int"))
}

func (b *Builder) pageArgs(f *facts) []*ast.ArgumentDefinition {
	args := b.rowArgs(f)
	return append(args[:len(args)-2],
		b.arg("first", "Int"), b.arg("after", "String"), b.arg("last", "Int"), b.arg("before", "String"))
}

// connection defines a page of rows and its edges.
func (b *Builder) connection(p *part, f *facts) {
	typ := f.visible.Dataset.Type
	p.define(ast.Object, typ+"Connection", "", ast.FieldList{
		b.field("nodes", "["+typ+"!]!", ""),
		b.field("edges", "["+typ+"Edge!]!", ""),
		b.field("pageInfo", "PageInfo!", ""),
		b.field("totalCount", "BigInt!", "How many rows there are on all pages; counted only when selected."),
	})
	p.define(ast.Object, typ+"Edge", "", ast.FieldList{
		b.field("node", typ+"!", ""),
		b.field("cursor", "String!", ""),
	})
}

func (b *Builder) groupArgs(f *facts) []*ast.ArgumentDefinition {
	typ := f.visible.Dataset.Type
	args := []*ast.ArgumentDefinition{
		b.arg("where", typ+"Where"),
		b.arg("having", typ+"Having"),
		b.arg("orderBy", "["+typ+"AggregateOrderBy!]"),
		b.arg("limit", "Int"),
		b.arg("offset", "Int"),
		b.arg("timezone", "String"),
		b.arg("topN", typ+"TopN"),
		b.label(),
	}
	if f.sorted() != nil {
		args = append(args, b.said("rowsBy", typ+"Column", "The order in which first and last take the rows of a group."))
	}
	if f.series() {
		args = append(args, b.said("fill", "Boolean", "Adds the buckets of time, or the bins of a number, that have no rows."))
	}
	if f.temporal() {
		args = append(args, b.arg("compareTo", typ+"CompareTo"))
	}
	if f.key {
		args = append(args, b.said("allValues", "Boolean",
			"Adds groups for labels of enums, and for values of common datasets, in the key that no row has."))
	}
	return args
}

// sorted are the columns that rows can be ordered by, as values of an enum. Three names
// that are those of fields cannot be such values.
func (f *facts) sorted() ast.EnumValueList {
	var out ast.EnumValueList
	for _, c := range f.columns {
		if c.Type.Sortable() && c.Name != "true" && c.Name != "false" && c.Name != "null" {
			out = append(out, &ast.EnumValueDefinition{Name: c.Name})
		}
	}
	return out
}

// series tells whether rows have what a series can be made of.
func (f *facts) series() bool {
	return f.temporal() || slices.ContainsFunc(f.columns, func(c *catalog.Column) bool { return c.Type.Exact() })
}

// Label is the argument of groups that means nothing. What groups are by stands in
// the selection, but caches of clients know an answer by its field and arguments:
// two groupings of one dataset are one to them until an argument tells them apart.
const Label = "as"

func (b *Builder) label() *ast.ArgumentDefinition {
	arg := b.arg(Label, "String")
	arg.Description = "A name of your choice that changes nothing. Give one to each grouping, for caches that know an answer by its arguments."
	return arg
}

// temporal tells whether rows have a time to compare periods of.
func (f *facts) temporal() bool {
	return slices.ContainsFunc(f.columns, func(c *catalog.Column) bool { return c.Type.Temporal() && c.Type.Scalar != value.Time })
}

// series defines the inputs that look at groups as a series.
func (b *Builder) series(p *part, f *facts) {
	typ := f.visible.Dataset.Type
	p.define(ast.InputObject, typ+"TopN", "The first n groups; with others, the rest as one more.", ast.FieldList{
		b.field("n", "Int!", ""),
		b.field("by", typ+"AggregateOrderBy!", ""),
		b.field("others", "Boolean", ""),
	})
	if !f.temporal() {
		return
	}
	var fields ast.FieldList
	for _, c := range f.columns {
		if c.Type.Temporal() && c.Type.Scalar != value.Time {
			fields = append(fields, b.field(c.Name, p.need(b.period()), ""))
		}
	}
	p.oneOf(typ+"CompareTo", fields)
}

func (b *Builder) rows(p *part, f *facts) {
	d := f.visible.Dataset
	var fields ast.FieldList
	for _, c := range f.columns {
		typ := b.column(p, c.Type)
		if c.Promised() {
			typ += "!"
		}
		fields = append(fields, b.field(b.nameInRows(c.Name), typ, describe(c.Label, c.Description)))
	}
	for _, r := range f.relations {
		to := r.to.visible.Dataset
		if !r.Many {
			fields = append(fields, b.field(b.nameInRows(r.Name), to.Type, describe("", r.Description)))
			continue
		}
		fields = append(fields, b.call(b.nameInRows(r.Name), "["+to.Type+"!]!", describe("", r.Description), b.rowArgs(r.to)...))
		if r.to.visible.Aggregate {
			fields = append(fields, b.call(r.Name+"Aggregate", "["+to.Type+"Aggregate!]!", perGroup, b.groupArgs(r.to)...))
		}
	}
	p.define(ast.Object, d.Type, describe(d.Label, d.Description), fields)
}

func (b *Builder) where(p *part, f *facts) {
	name := f.visible.Dataset.Type + "Where"
	var fields ast.FieldList
	for _, c := range f.columns {
		fields = append(fields, b.field(c.Name, p.need(b.filter(c.Type)), ""))
	}
	for _, r := range f.relations {
		to := r.to.visible.Dataset.Type + "Where"
		if r.Many {
			to = r.to.visible.Dataset.Type + "ManyWhere"
		}
		fields = append(fields, b.field(r.Name, to, ""))
	}
	p.define(ast.InputObject, name, "", b.logic(name, fields))
	p.define(ast.InputObject, f.visible.Dataset.Type+"ManyWhere", "How many of the rows a relation leads to satisfy a condition.", ast.FieldList{
		b.field("some", name, "At least one row."),
		b.field("none", name, "No row."),
		b.field("every", name, "Every row; also where there is none."),
	})
}

// logic adds the members that combine conditions.
func (b *Builder) logic(name string, fields ast.FieldList) ast.FieldList {
	return append(fields,
		b.field("and", "["+name+"!]", ""),
		b.field("or", "["+name+"!]", ""),
		b.field("not", name, ""))
}

func (b *Builder) orderBy(p *part, f *facts) {
	if !f.order {
		return
	}
	var fields ast.FieldList
	for _, c := range f.columns {
		if c.Type.Sortable() {
			fields = append(fields, b.field(c.Name, "Direction", ""))
		}
	}
	for _, r := range f.relations {
		if !r.Many && r.to.order {
			fields = append(fields, b.field(r.Name, r.to.visible.Dataset.Type+"OrderBy", ""))
		}
	}
	p.oneOf(f.visible.Dataset.Type+"OrderBy", fields)
}

// key defines what rows can be grouped by. Columns are nullable even when the
// dataset's are not: the key may be reached through a relation.
func (b *Builder) key(p *part, f *facts) {
	name := f.visible.Dataset.Type + "Key"
	var fields, order ast.FieldList
	for _, c := range f.columns {
		if !c.Type.Groupable() {
			continue
		}
		typ := b.column(p, c.Type)
		if c.Type.Temporal() {
			fields = append(fields, b.call(inGroups(c.Name), typ, "", b.arg("by", "TimeUnit")))
			order = append(order, b.field(c.Name, p.need(b.bucketOrder()), ""))
			continue
		}
		if c.Type.Exact() {
			fields = append(fields, b.call(inGroups(c.Name), typ, "", b.arg("bin", typ)))
		} else {
			fields = append(fields, b.field(inGroups(c.Name), typ, ""))
		}
		order = append(order, b.field(c.Name, "Direction", ""))
	}
	for _, r := range f.relations {
		if !r.Many && r.to.key {
			to := r.to.visible.Dataset.Type + "Key"
			fields = append(fields, b.field(inGroups(r.Name), to+"!", ""))
			order = append(order, b.field(r.Name, to+"OrderBy", ""))
		}
	}
	p.groups = append(p.groups, name)
	p.define(ast.Object, name, "", fields)
	p.oneOf(name+"OrderBy", order)
}

func (b *Builder) groups(p *part, f *facts, measures []*catalog.Measure) {
	typ := f.visible.Dataset.Type
	var fields, having, order ast.FieldList
	if f.key {
		fields = append(fields, b.field("key", typ+"Key!", ""))
		order = append(order, b.field("key", typ+"KeyOrderBy", ""))
	}
	fields = append(fields, b.field("count", "BigInt!", ""),
		b.field("runningCount", "Decimal!", "The count over this group and those before it, in the order asked."),
		b.field("countShare", "Float", "The count as a part of the count over all groups, 1 for the whole."),
		b.field("isOthers", "Boolean!", "True for the group that topN makes of all others."))
	if f.temporal() {
		fields = append(fields, b.field("previous", typ+"Aggregate", "The same group a period earlier; needs compareTo."))
	}
	b.series(p, f)
	if columns := f.sorted(); columns != nil {
		p.types = append(p.types, &ast.Definition{Kind: ast.Enum, Name: typ + "Column", Description: "The columns that rows can be ordered by.", EnumValues: columns})
	}
	having = append(having, b.field("count", p.need(b.filter(value.Of(value.BigInt))), ""))
	order = append(order, b.field("count", "Direction", ""))
	for _, c := range f.columns {
		if !aggregatable(c.Type) {
			continue
		}
		fields = append(fields, b.field(inGroups(c.Name), p.need(b.aggregate(c.Type)), ""))
		having = append(having, b.field(c.Name, p.need(b.aggregateFilter(c.Type)), ""))
		order = append(order, b.field(c.Name, p.need(b.aggregateOrder(c.Type)), ""))
	}
	for _, m := range measures {
		fields = append(fields, b.field(inGroups(m.Name), b.column(p, m.Type), describe(m.Label, m.Description)))
		having = append(having, b.field(m.Name, p.need(b.filter(m.Type)), ""))
		order = append(order, b.field(m.Name, "Direction", ""))
	}
	p.groups = append(p.groups, typ+"Aggregate")
	p.define(ast.Object, typ+"Aggregate", perGroup, fields)
	p.define(ast.InputObject, typ+"Having", "", b.logic(typ+"Having", having))
	p.oneOf(typ+"AggregateOrderBy", order)
}

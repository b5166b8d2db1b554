package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
	"usher/query"
)

// ChangeRoot says what a dataset field of the mutation type changes.
type ChangeRoot struct {
	Dataset string
	Kind    query.ChangeKind
}

// tenantArgument names the tenant whose rows somebody writes who is of all tenants.
const tenantArgument = "tenant"

// Types of what is written, by their endings.
const (
	insertType    = "Insert"
	setType       = "Set"
	incrementType = "Increment"
	changeType    = "Change"
)

// IsRow tells an input whose members are columns: what one of them is given is data, null
// and empty text as well, and what is left out stays as it is.
func (s *Schema) IsRow(input string) bool { return s.inputs[input] }

// writesText is all that the fields of a mutation depend on.
func (f *facts) writesText() string {
	w := f.visible.Writing()
	if w == nil {
		return ""
	}
	var b strings.Builder
	if w.Named {
		b.WriteByte('@')
	}
	for _, g := range []*catalog.Granted{w.Insert, w.Update, w.Delete} {
		b.WriteByte('|')
		if g == nil {
			continue
		}
		b.WriteByte('!')
		for _, c := range g.Columns {
			b.WriteString(c.Name)
			if g.Presets(c) {
				b.WriteByte('?')
			}
			b.WriteByte(',')
		}
	}
	for _, r := range f.relations {
		b.WriteByte('|')
		if r.to.inserts() {
			b.WriteByte('!')
		}
		for _, pair := range r.On {
			if r.to.visible.Column(pair.To.Name) != nil {
				b.WriteByte('.')
			}
			if r.to.inserts() && r.to.visible.Writing().Insert.Column(pair.To.Name) != nil {
				b.WriteByte('=')
			}
			b.WriteByte(',')
		}
	}
	return b.String()
}

// changes defines the fields of a mutation of a dataset, as far as the view may
// write it.
func (b *Builder) changes(p *part, f *facts) {
	w, d := f.visible.Writing(), f.visible.Dataset
	if w == nil || len(d.Key) == 0 {
		return
	}
	add := func(kind query.ChangeKind, field *ast.FieldDefinition) {
		p.changes = append(p.changes, field)
		p.kinds = append(p.kinds, kind)
	}
	many := d.Type + changeType
	var key, whose, of []*ast.ArgumentDefinition
	if w.Named {
		whose = []*ast.ArgumentDefinition{b.said(tenantArgument, "String!", "The id of the tenant whose rows they are.")}
		of = []*ast.ArgumentDefinition{b.said(tenantArgument, "String", "The id of the tenant whose rows are meant; left out: rows of all.")}
	}
	keyed := len(f.visible.Key()) > 0
	for _, c := range f.visible.Key() {
		if w.Named && c == d.Tenant {
			continue // which is named
		}
		keyed = keyed && (!w.Named || c.Name != tenantArgument)
		key = append(key, b.said(c.Name, b.column(p, c.Type)+"!", "The "+c.Name+" of the row."))
	}
	key = slices.Concat(whose, key)
	which := append(of,
		b.said("where", d.Type+"Where", "Which rows: a condition. Exactly one of where and all is given."),
		b.said("all", "Boolean", "True for every row."),
	)
	limit := b.said("limit", "Int", "How many at most, the first by their key.")
	version := func() []*ast.ArgumentDefinition {
		if w.Of.Version == nil {
			return nil
		}
		return []*ast.ArgumentDefinition{b.said("version", b.column(p, w.Of.Version.Type), "The version that the row had when it was read: of another nothing is changed.")}
	}
	if g := w.Insert; g != nil && len(g.Columns) > 0 {
		b.rowInput(p, d, insertType, g.Columns, func(c *catalog.Column) bool { return needed(d, c) && !g.Presets(c) }, b.nestedInserts(p, f)...)
		args := slices.Concat(whose, []*ast.ArgumentDefinition{b.said("rows", "["+d.Type+insertType+"!]!", "The rows.")})
		if b.onConflict(p, f) {
			args = append(args, b.said("onConflict", d.Type+"OnConflict", "What becomes of rows that are there already; left out: none is written then."))
		}
		add(query.Insert, b.call("insert"+d.Type, many, "Inserts rows, all or none.", args...))
		add(query.InsertOne, b.call("insert"+d.Type+"One", d.Type, "Inserts a row.", append(slices.Clone(whose), b.said("row", d.Type+insertType+"!", "The row."))...))
	}
	if g := w.Update; g != nil {
		var numbers, columns []*catalog.Column
		for _, c := range g.Columns {
			if slices.Contains(d.Key, c) {
				continue
			}
			columns = append(columns, c)
			if c.Type.Numeric() {
				numbers = append(numbers, c)
			}
		}
		if len(columns) > 0 {
			b.rowInput(p, d, setType, columns, func(*catalog.Column) bool { return false }, b.relinks(p, f, columns)...)
			what := []*ast.ArgumentDefinition{b.said("set", d.Type+setType, "What is written to columns.")}
			if len(numbers) > 0 {
				b.rowInput(p, d, incrementType, numbers, func(*catalog.Column) bool { return false })
				what = append(what, b.said("increment", d.Type+incrementType, "What is added to numbers."))
			}
			add(query.Update, b.call("update"+d.Type, many, "Changes rows, all or none.", slices.Concat(which, what, []*ast.ArgumentDefinition{limit})...))
			if keyed {
				add(query.UpdateByKey, b.call("update"+d.Type+"ByPk", d.Type, "Changes the row with this key; null where there is none.", slices.Concat(key, what, version())...))
			}
		}
	}
	if w.Delete != nil {
		add(query.Delete, b.call("delete"+d.Type, many, "Deletes rows, all or none.", append(slices.Clone(which), limit)...))
		if keyed {
			add(query.DeleteByKey, b.call("delete"+d.Type+"ByPk", d.Type, "Deletes the row with this key, and answers what it was; null where there is none.", slices.Concat(key, version())...))
		}
	}
	if len(p.changes) == 0 {
		return
	}
	rows := []*ast.ArgumentDefinition{b.said("limit", "Int", "How many at most; left out: all.")}
	if f.order {
		rows = append([]*ast.ArgumentDefinition{b.said("orderBy", "["+d.Type+"OrderBy!]", "The order; left out: as they were given, or by their key.")}, rows...)
	}
	p.define(ast.Object, many, "What has become of rows of "+d.Name+".", ast.FieldList{
		b.field("affected", "Int!", "How many rows were written."),
		b.call("rows", "["+d.Type+"!]", "The rows, as far as they are shown; of a delete, as they were.", rows...),
	})
}

// onConflict defines what says what becomes of rows that are there already.
func (b *Builder) onConflict(p *part, f *facts) bool {
	w, d := f.visible.Writing(), f.visible.Dataset
	if w.Update == nil {
		return false
	}
	var keys, columns ast.EnumValueList
	for _, key := range w.Of.Keys {
		shown := !slices.ContainsFunc(key.Columns, func(c *catalog.Column) bool { return c != d.Tenant && f.visible.Column(c.Name) == nil })
		if shown && len(key.Columns) > 0 && enumerable(key.Name) {
			keys = append(keys, &ast.EnumValueDefinition{Name: key.Name})
		}
	}
	for _, c := range w.Update.Columns {
		if !slices.Contains(d.Key, c) && !stamp(d, c) && enumerable(c.Name) {
			columns = append(columns, &ast.EnumValueDefinition{Name: c.Name})
		}
	}
	if len(keys) == 0 || len(columns) == 0 {
		return false
	}
	p.define(ast.Enum, d.Type+"UniqueKey", "What no two rows of "+d.Name+" share.", nil)
	p.types[len(p.types)-1].EnumValues = keys
	p.define(ast.Enum, d.Type+"SetColumn", "A column of "+d.Name+" that may be changed.", nil)
	p.types[len(p.types)-1].EnumValues = columns
	p.define(ast.InputObject, d.Type+"OnConflict", "What becomes of rows of "+d.Name+" that are there already.", ast.FieldList{
		b.field("key", d.Type+"UniqueKey!", "By which a row is the same."),
		b.field("update", "["+d.Type+"SetColumn!]!", "The columns that are written then."),
	})
	return true
}

// stamp tells the column that says when a row was deleted: it is set to null, which restores the
// row, and to nothing else.
func stamp(d *catalog.Dataset, c *catalog.Column) bool { return d.Deleted != nil && c == d.Deleted.At }

// enumerable tells a name that may be a value of an enum.
func enumerable(name string) bool { return name != "true" && name != "false" && name != "null" }

// rowInput defines an input whose members are columns.
func (b *Builder) rowInput(p *part, d *catalog.Dataset, ending string, columns []*catalog.Column, required func(*catalog.Column) bool, nested ...*ast.FieldDefinition) {
	fields := make(ast.FieldList, len(columns))
	for i, c := range columns {
		typ := b.column(p, c.Type)
		if required(c) {
			typ += "!"
		}
		words := describe(c.Label, c.Description)
		if ending == setType && stamp(d, c) {
			words = "Null restores a row that was deleted; nothing else is written to " + c.Name + "."
		}
		if words == "" {
			words = map[string]string{
				insertType:    "The value of the column " + c.Name + ".",
				setType:       "What the column " + c.Name + " becomes.",
				incrementType: "What is added to the column " + c.Name + ".",
			}[ending]
		}
		fields[i] = b.field(c.Name, typ, words)
	}
	p.define(ast.InputObject, d.Type+ending, map[string]string{
		insertType:    "A row of " + d.Name + " to insert. What is left out is as the source has it.",
		setType:       "What is written to columns of " + d.Name + ". What is left out stays as it is.",
		incrementType: "What is added to numbers of " + d.Name + ".",
	}[ending], append(fields, nested...))
	p.inputs = append(p.inputs, d.Type+ending)
}

// change adds the fields of a mutation that a part has.
func (m *merger) change(p *part) {
	for i, field := range p.changes {
		if _, there := m.changes[field.Name]; there || m.static.Mutation != nil && m.static.Mutation.Fields.ForName(field.Name) != nil {
			m.problems = append(m.problems, fmt.Errorf(
				"dataset %q: the mutation field %q exists already; give the dataset another type name", p.dataset, field.Name))
			continue
		}
		m.changes[field.Name] = ChangeRoot{Dataset: p.dataset, Kind: p.kinds[i]}
		m.changeDefs = append(m.changeDefs, field)
	}
	for _, name := range p.inputs {
		m.inputs[name] = true
	}
}

// mutation puts the fields of datasets beside those of the control plane.
func (m *merger) mutation(s *ast.Schema) {
	if len(m.changeDefs) == 0 {
		return
	}
	root := ast.Definition{Kind: ast.Object, Name: mutationName, Description: "What is changed, one field after the other."}
	if m.static.Mutation != nil {
		root = *m.static.Mutation
	}
	root.Fields = slices.Concat(root.Fields, m.changeDefs)
	m.types[root.Name], s.Mutation = &root, &root
	s.PossibleTypes[root.Name] = []*ast.Definition{&root}
}

// mutationName is what the mutation type is called, where the control plane has none
// for the audience.
const mutationName = "Mutation"

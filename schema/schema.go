// Package schema owns the GraphQL schema: the control plane as text, and the
// builder that adds the types of the datasets a view shows. It asks the view
// for everything it names, so what a principal may not see is in no type, no
// argument and no message. It refuses a catalog whose names would make one
// GraphQL type or field twice.
package schema

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
	"usher/query"
)

// Schema is what one view can be asked. It is shared and read-only.
type Schema struct {
	AST   *ast.Schema
	Roots map[string]Root // the dataset fields of the query type, by name

	Changes map[string]ChangeRoot // the dataset fields of the mutation type, by name
	inputs  map[string]bool       // types whose members are columns

	entities map[string]entity // types of rows
	rows     map[string]string // the types of rows, by dataset
	groups   map[string]bool   // types of groups and of their keys
}

// Administers tells whether there is a field admin in the query or the mutation.
func (s *Schema) Administers() bool {
	_, dataset := s.Roots["admin"]
	return !dataset && (s.AST.Types[adminQuery] != nil || s.AST.Types[adminMutation] != nil)
}

// Root says what a dataset field of the query type asks for.
type Root struct {
	Dataset string
	Shape   query.Shape
}

// Builder builds the schemas of one catalog. Views whose rights on a dataset
// are equal share its types, so that a further view costs its type map only.
type Builder struct {
	static *ast.Schema // as nobody is shown it: all there is
	relay  bool

	mu     sync.Mutex
	shown  map[Audience]*ast.Schema
	refs   map[string]*ast.Type
	fields map[fieldKey]*ast.FieldDefinition
	shared map[string]*shared
	parts  map[string]*part
}

// NewBuilder reads the control plane's schema, of its optional parts those
// named.
func NewBuilder(parts ...Part) (*Builder, error) {
	static, err := loadStatic(parts)
	if err != nil {
		return nil, err
	}
	return &Builder{
		static: static,
		relay:  slices.Contains(parts, Relay),
		shown:  make(map[Audience]*ast.Schema),
		refs:   make(map[string]*ast.Type),
		fields: make(map[fieldKey]*ast.FieldDefinition),
		shared: make(map[string]*shared),
		parts:  make(map[string]*part),
	}, nil
}

// BuildAll makes the schema of a view with all of the control plane, which
// nobody is shown: when it can be made, every audience's can. Its error names
// every type and field that would be made twice.
func (b *Builder) BuildAll(v *catalog.View) (*Schema, error) { return b.Build(v, everybody) }

// BuildAllOfAll is BuildAll for whoever sees the rows of all tenants.
func (b *Builder) BuildAllOfAll(v *catalog.View) (*Schema, error) { return b.Build(v, everybody|OfAll) }

// Build makes the schema of a view for an audience.
func (b *Builder) Build(v *catalog.View, a Audience) (*Schema, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	static := b.staticFor(a)
	if static.Query == nil {
		return nil, fmt.Errorf("a schema for nobody (%b) was asked for", a)
	}
	facts := collectFacts(v)
	for _, f := range facts {
		f.entity = entityOf(f, b.relay, a&OfAll != 0)
	}
	parts := make([]*part, len(facts))
	size := len(static.Types)
	for i, f := range facts {
		parts[i] = b.part(f)
		size += len(parts[i].types)
	}

	m := merger{
		static: static,
		types:  make(map[string]*ast.Definition, size),
		fields: make(map[string]bool, 3*len(facts)),
		roots:  make(map[string]Root, 3*len(facts)),

		entities: make(map[string]entity, len(facts)),
		rows:     make(map[string]string, len(facts)),
		groups:   make(map[string]bool, 2*len(facts)),

		changes: make(map[string]ChangeRoot),
		inputs:  make(map[string]bool),
	}
	maps.Copy(m.types, static.Types)
	for _, p := range parts {
		m.add(p)
	}
	return m.schema()
}

// merger puts the parts of a view beside the control plane.
type merger struct {
	static   *ast.Schema
	types    map[string]*ast.Definition
	fields   map[string]bool
	roots    map[string]Root
	rootDefs ast.FieldList
	possible []*part
	entities map[string]entity
	rows     map[string]string
	groups   map[string]bool
	problems []error

	changes    map[string]ChangeRoot
	changeDefs ast.FieldList
	inputs     map[string]bool
}

func (m *merger) add(p *part) {
	m.problems = append(m.problems, p.problems...)
	for _, s := range p.shared {
		m.define(p, s.def)
	}
	for _, def := range p.types {
		m.define(p, def)
	}
	for i, field := range p.roots {
		if m.fields[field.Name] || m.static.Query.Fields.ForName(field.Name) != nil {
			m.problems = append(m.problems, fmt.Errorf(
				"dataset %q: the query field %q exists already; name the dataset differently", p.dataset, field.Name))
			continue
		}
		m.fields[field.Name] = true
		m.roots[field.Name] = Root{Dataset: p.dataset, Shape: p.shapes[i]}
		m.rootDefs = append(m.rootDefs, field)
	}
	m.change(p)
	m.entities[p.rows], m.rows[p.dataset] = p.entity, p.rows
	for _, name := range p.groups {
		m.groups[name] = true
	}
	m.possible = append(m.possible, p)
}

func (m *merger) define(p *part, def *ast.Definition) {
	if old := m.types[def.Name]; old != nil && old != def {
		m.problems = append(m.problems, fmt.Errorf(
			"dataset %q: the type %q exists already; give the dataset another type name", p.dataset, def.Name))
		return
	}
	m.types[def.Name] = def
}

func (m *merger) schema() (*Schema, error) {
	if len(m.problems) > 0 {
		return nil, errors.Join(m.problems...)
	}
	root := *m.static.Query
	root.Fields = make(ast.FieldList, 0, len(m.static.Query.Fields)+len(m.rootDefs))
	root.Fields = append(append(root.Fields, m.static.Query.Fields...), m.rootDefs...)
	m.types[root.Name] = &root

	s := *m.static
	s.Query = &root
	s.Types = m.types
	s.PossibleTypes = make(map[string][]*ast.Definition, len(m.static.PossibleTypes)+3*len(m.possible))
	maps.Copy(s.PossibleTypes, m.static.PossibleTypes)
	s.PossibleTypes[root.Name] = []*ast.Definition{&root}
	for _, p := range m.possible {
		for i, def := range p.objects {
			s.PossibleTypes[def.Name] = p.objects[i : i+1 : i+1]
		}
		for _, shared := range p.shared {
			if shared.def.Kind == ast.Object && s.PossibleTypes[shared.def.Name] == nil {
				s.PossibleTypes[shared.def.Name] = []*ast.Definition{shared.def}
			}
		}
	}
	m.nodes(&s)
	m.mutation(&s)
	return &Schema{AST: &s, Roots: m.roots, Changes: m.changes, inputs: m.inputs, entities: m.entities, rows: m.rows, groups: m.groups}, nil
}

// facts is what other datasets must know of a dataset to refer to its types.
type facts struct {
	view      *catalog.View
	visible   *catalog.Visible
	columns   []*catalog.Column
	relations []relation
	order     bool // rows can be ordered: there is an OrderBy type
	group     bool // rows can be grouped
	entity    entity
	key       bool // there is a Key type: rows can be grouped, and some dataset's aggregate gets here
}

type relation struct {
	*catalog.Relation
	to *facts
}

func collectFacts(v *catalog.View) []*facts {
	names := v.Names()
	all := make([]*facts, len(names))
	byName := make(map[string]*facts, len(names))
	for i, name := range names {
		f := &facts{view: v, visible: v.Dataset(name)}
		f.columns = f.visible.Columns()
		f.order = slices.ContainsFunc(f.columns, func(c *catalog.Column) bool { return c.Type.Sortable() })
		f.group = slices.ContainsFunc(f.columns, func(c *catalog.Column) bool { return c.Type.Groupable() })
		all[i], byName[name] = f, f
	}
	for _, f := range all {
		for _, r := range f.visible.Dataset.Relations {
			if rel, to := v.Relation(f.visible, r.Name); rel != nil {
				f.relations = append(f.relations, relation{Relation: rel, to: byName[to.Dataset.Name]})
			}
		}
	}
	for _, f := range all {
		if f.visible.Aggregate {
			f.reachKey()
		}
	}
	return all
}

// reachKey marks the datasets whose columns can be grouped by from f's rows.
func (f *facts) reachKey() {
	if f.key || !f.group {
		return
	}
	f.key = true
	for _, r := range f.relations {
		if !r.Many {
			r.to.reachKey()
		}
	}
}

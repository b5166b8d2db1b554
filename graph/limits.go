package graph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
)

// Limits bound what one operation may ask. They are checked before validation,
// on the document with its fragments expanded, in time linear in its text; and
// again before planning, with the values of the variables in their places: what
// is used in ten fields is planned ten times, and counts as often. A zero field
// means its default.
type Limits struct {
	Tokens     int // lexical tokens; default 10000
	Depth      int // fields inside fields, not counted in __schema and __type; default 15
	Aliases    int // fields with an alias of their own; default 500
	RootFields int // of an operation, and those below admin; default 50
	Fields     int // fields in all; default 5000

	Items      int // of lists in arguments; default 10000
	Conditions int // members of objects in arguments, those that hold further ones left out; default 1000
	Bytes      int // of values in arguments; default 1 MiB
}

func (l Limits) orDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.Tokens, 10_000},
		{&l.Depth, 15},
		{&l.Aliases, 500},
		{&l.RootFields, 50},
		{&l.Fields, 5000},
		{&l.Items, 10_000},
		{&l.Conditions, 1000},
		{&l.Bytes, 1 << 20},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}

// check measures each operation of a document, its variables as if they were
// empty. Where there is administration, each field below admin counts as one of
// the root.
func (l Limits) check(doc *ast.QueryDocument, administration bool) (map[*ast.OperationDefinition]extent, error) {
	m := meter{doc: doc, fragments: make(map[string]extent), administration: administration}
	extents := make(map[*ast.OperationDefinition]extent, len(doc.Operations))
	for _, op := range doc.Operations {
		e := m.selection(op.SelectionSet)
		if err := l.checkExtent(e); err != nil {
			return nil, err
		}
		extents[op] = e
	}
	return extents, nil
}

func (l Limits) checkExtent(e extent) error {
	if err := exceeds([]bound{
		{e.roots, l.RootFields, "root fields"},
		{e.fields, l.Fields, "fields, fragments expanded"},
		{e.aliases, l.Aliases, "aliases, fragments expanded"},
		{e.depth, l.Depth, "levels of fields"},
	}); err != nil {
		return err
	}
	return l.checkLoad(e.load)
}

// checkVariables measures an operation with the values of its variables, and its
// literals where others share the document, in their places. Few and short ones are
// seen to fit without a look at the places.
func (l Limits) checkVariables(doc *document, op *ast.OperationDefinition, given map[string]any, literals []string) error {
	if doc.extents[op].uses == 0 || l.checkLoad(doc.mostLoad(op, given, literals)) == nil {
		return nil
	}
	return l.checkLoad(doc.load(op, given, literals))
}

// mostLoad is what an operation loads at most, as if the largest of the values
// stood in every place of a variable.
func (d *document) mostLoad(op *ast.OperationDefinition, given map[string]any, literals []string) load {
	e, most := d.extents[op], load{}
	for _, text := range literals {
		most.bytes = max(most.bytes, len(text))
	}
	for _, def := range op.VariableDefinitions {
		w := loadOfVariable(def, given)
		most = load{items: max(most.items, w.items), conditions: max(most.conditions, w.conditions), bytes: max(most.bytes, w.bytes)}
	}
	return load{
		items:      e.items + e.uses*most.items,
		conditions: e.conditions + e.uses*most.conditions,
		bytes:      e.bytes + e.uses*most.bytes,
	}
}

// load is what an operation loads with the values of its variables in their places.
func (d *document) load(op *ast.OperationDefinition, given map[string]any, literals []string) load {
	m := meter{doc: d.QueryDocument, fragments: make(map[string]extent), variables: make(map[string]load), lifted: d.lifted, literals: literals}
	for _, def := range op.VariableDefinitions {
		m.variables[def.Variable] = loadOfVariable(def, given)
	}
	return m.selection(op.SelectionSet).load
}

func (l Limits) checkLoad(w load) error {
	err := exceeds([]bound{
		{w.items, l.Items, "items of lists in its arguments"},
		{w.conditions, l.Conditions, "conditions in its arguments"},
		{w.bytes, l.Bytes, "bytes of values in its arguments"},
	})
	if err != nil {
		return err.WithHint("What is used in several fields counts as often. Ask in several operations.")
	}
	return nil
}

type bound struct {
	is, limit int
	what      string
}

func exceeds(bounds []bound) *fault.Error {
	for _, b := range bounds {
		if b.is > b.limit {
			return fault.New(fault.TooComplex, "the operation has more than %d %s", b.limit, b.what)
		}
	}
	return nil
}

// extent is how much a selection asks, fragments expanded.
type extent struct {
	roots, fields, aliases, depth int
	load
}

// huge stands for every larger number: fragments that double each other reach
// 2^1000, and sums must not overflow.
const huge = 1 << 30

func (e *extent) beside(o extent) {
	e.roots = min(e.roots+o.roots, huge)
	e.fields = min(e.fields+o.fields, huge)
	e.aliases = min(e.aliases+o.aliases, huge)
	e.depth = max(e.depth, o.depth)
	e.add(o.load)
}

// meter measures each fragment once. A fragment within itself counts as
// nothing; validation refuses it.
type meter struct {
	doc       *ast.QueryDocument
	fragments map[string]extent
	variables map[string]load // nil: as if they were empty
	lifted    map[*ast.Value]lifted
	literals  []string // those that are lifted; nil: as if they were empty

	administration bool // a field admin of the root is usher's own
}

func (m *meter) selection(set ast.SelectionSet) extent {
	var e extent
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			e.beside(m.field(s))
		case *ast.InlineFragment:
			e.beside(m.selection(s.SelectionSet))
		case *ast.FragmentSpread:
			e.beside(m.fragment(s.Name))
		}
	}
	return e
}

func (m *meter) field(f *ast.Field) extent {
	inner := m.selection(f.SelectionSet)
	e := extent{roots: 1, fields: min(1+inner.fields, huge), aliases: inner.aliases, depth: 1 + inner.depth, load: inner.load}
	if f.Alias != f.Name {
		e.aliases++
	}
	if f.Name == "admin" && m.administration {
		e.roots = max(1, inner.roots)
	}
	if f.Name == "__schema" || f.Name == "__type" {
		e.depth = 1
	}
	for _, arg := range f.Arguments {
		w := m.value(arg.Value)
		if arg.Name == rowsArgument {
			w.conditions = 0
		}
		e.add(w)
	}
	return e
}

// rowsArgument has rows that are written: their members are values and no conditions.
// They are bounded by how many bytes and items there are.
const rowsArgument = "rows"

func (m *meter) fragment(name string) extent {
	if e, ok := m.fragments[name]; ok {
		return e
	}
	m.fragments[name] = extent{}
	def := m.doc.Fragments.ForName(name)
	if def == nil {
		return extent{}
	}
	e := m.selection(def.SelectionSet)
	m.fragments[name] = e
	return e
}

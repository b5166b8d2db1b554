package graph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
)

// Limits bound what one document may ask. They are checked before validation,
// on the document with its fragments expanded, in time linear in its text. A
// zero field means its default.
type Limits struct {
	Tokens     int // lexical tokens; default 10000
	Depth      int // fields inside fields, not counted in __schema and __type; default 15
	Aliases    int // fields with an alias of their own; default 500
	RootFields int // fields of the query type; default 50
	Fields     int // fields in all; default 5000
}

func (l Limits) orDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{{&l.Tokens, 10_000}, {&l.Depth, 15}, {&l.Aliases, 500}, {&l.RootFields, 50}, {&l.Fields, 5000}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}

func (l Limits) check(doc *ast.QueryDocument) error {
	m := meter{doc: doc, fragments: make(map[string]extent)}
	for _, op := range doc.Operations {
		e := m.selection(op.SelectionSet)
		for _, c := range []struct {
			is, limit int
			what      string
		}{
			{e.roots, l.RootFields, "fields of the query type"},
			{e.fields, l.Fields, "fields, fragments expanded"},
			{e.aliases, l.Aliases, "aliases, fragments expanded"},
			{e.depth, l.Depth, "levels of fields"},
		} {
			if c.is > c.limit {
				return fault.New(fault.TooComplex, "the operation has more than %d %s", c.limit, c.what)
			}
		}
	}
	return nil
}

// extent is how much a selection asks, fragments expanded.
type extent struct{ roots, fields, aliases, depth int }

// huge stands for every larger number: fragments that double each other reach
// 2^1000, and sums must not overflow.
const huge = 1 << 30

func (e *extent) beside(o extent) {
	e.roots = min(e.roots+o.roots, huge)
	e.fields = min(e.fields+o.fields, huge)
	e.aliases = min(e.aliases+o.aliases, huge)
	e.depth = max(e.depth, o.depth)
}

// meter measures each fragment once. A fragment within itself counts as
// nothing; validation refuses it.
type meter struct {
	doc       *ast.QueryDocument
	fragments map[string]extent
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
	e := extent{roots: 1, fields: min(1+inner.fields, huge), aliases: inner.aliases, depth: 1 + inner.depth}
	if f.Alias != f.Name {
		e.aliases++
	}
	if f.Name == "__schema" || f.Name == "__type" {
		e.depth = 1
	}
	return e
}

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

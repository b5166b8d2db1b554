package graph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"usher/query"
)

// load is how much a value gives to do, whether it is written in the document
// or given as a variable.
type load struct {
	items      int // of lists
	conditions int // members of objects, those that hold further ones left out
	bytes      int // of texts, digits and names
	uses       int // of variables
}

func (w *load) add(o load) {
	w.items = min(w.items+o.items, huge)
	w.conditions = min(w.conditions+o.conditions, huge)
	w.bytes = min(w.bytes+o.bytes, huge)
	w.uses = min(w.uses+o.uses, huge)
}

func (w *load) item(o load) {
	o.items = min(o.items+1, huge)
	w.add(o)
}

func (w *load) member(name string, o load) {
	o.conditions = max(o.conditions, 1)
	o.bytes = min(o.bytes+len(name), huge)
	w.add(o)
}

// value measures a value of the document.
func (m *meter) value(v *ast.Value) load {
	switch v.Kind { //nolint:exhaustive // all others are plain
	case ast.Variable:
		w := m.variables[v.Raw]
		w.uses = 1
		return w
	case ast.ListValue:
		var w load
		for _, child := range v.Children {
			w.item(m.value(child.Value))
		}
		return w
	case ast.ObjectValue:
		var w load
		for _, child := range v.Children {
			w.member(child.Name, m.value(child.Value))
		}
		return w
	}
	if one, ok := m.lifted[v]; ok {
		w := load{uses: 1}
		if m.literals != nil {
			w.bytes = len(m.literals[one.number])
		}
		return w
	}
	return load{bytes: len(v.Raw)}
}

// loadOfVariable measures what a variable stands for: the value given or its
// default.
func loadOfVariable(def *ast.VariableDefinition, given map[string]any) load {
	if v, ok := valueGiven(given, def.Variable); ok {
		return loadOf(v)
	}
	if def.DefaultValue != nil {
		return (&meter{}).value(def.DefaultValue)
	}
	return load{}
}

// loadOf measures the value of a variable.
func loadOf(v query.Value) load {
	var w load
	switch v := v.(type) {
	case query.Text:
		w.bytes = len(v)
	case query.Number:
		w.bytes = len(v)
	case query.List:
		for _, item := range v {
			w.item(loadOf(item))
		}
	case query.Object:
		for _, m := range v {
			w.member(m.Name, loadOf(m.Value))
		}
	}
	return w
}

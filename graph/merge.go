package graph

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// checkMerging refuses fields of one response name that are not one field with
// the same arguments. But for Node the schema has no interfaces and no unions,
// so all fields of a merged selection are of one type and comparing each with
// the first of its name suffices: the work is linear in the expanded document,
// which the limits bound. Below Node fields of different types are alike in
// their types only.
func checkMerging(doc *ast.QueryDocument, add core.AddErrFunc) {
	for _, op := range doc.Operations {
		mergeSelections([]ast.SelectionSet{op.SelectionSet}, add)
	}
}

func mergeSelections(sets []ast.SelectionSet, add core.AddErrFunc) {
	type group struct{ name, object string }
	groups := make(map[group][]*ast.Field)
	shapes := make(map[string]*ast.Field)
	var order []group
	spread := make(map[string]bool)
	var collect func(ast.SelectionSet)
	collect = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				at := group{s.Alias, objectOf(s)}
				if groups[at] == nil {
					order = append(order, at)
				}
				groups[at] = append(groups[at], s)
				if first := shapes[s.Alias]; first == nil {
					shapes[s.Alias] = s
				} else if objectOf(first) != at.object && first.Definition.Type.String() != s.Definition.Type.String() {
					add(core.Message(`Fields "%s" conflict because they are of the types "%s" and "%s". Use different aliases to fetch both.`,
						s.Alias, first.Definition.Type.String(), s.Definition.Type.String()), core.At(s.Position))
				}
			case *ast.InlineFragment:
				collect(s.SelectionSet)
			case *ast.FragmentSpread:
				if !spread[s.Name] {
					spread[s.Name] = true
					collect(s.Definition.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		collect(set)
	}
	for _, at := range order {
		fields := groups[at]
		if at.object != "" { // what is asked of any object is asked of this one
			fields = append(slices.Clone(groups[group{name: at.name}]), fields...)
		}
		mergeFields(at.name, fields, add)
	}
}

// objectOf is the type that a field is asked of, if objects of several may be
// meant where it stands: empty where it is asked of all.
func objectOf(f *ast.Field) string {
	if f.ObjectDefinition == nil || len(f.ObjectDefinition.Interfaces) == 0 {
		return ""
	}
	return f.ObjectDefinition.Name
}

func mergeFields(name string, fields []*ast.Field, add core.AddErrFunc) {
	first := fields[0]
	var inner []ast.SelectionSet
	for _, f := range fields {
		var why string
		switch {
		case f.Name != first.Name:
			why = `they are the different fields "` + first.Name + `" and "` + f.Name + `"`
		case !sameArguments(f.Arguments, first.Arguments):
			why = "they have differing arguments"
		}
		if why != "" {
			add(core.Message(`Fields "%s" conflict because %s. Use different aliases to fetch both.`, name, why), core.At(f.Position))
			return
		}
		if len(f.SelectionSet) > 0 {
			inner = append(inner, f.SelectionSet)
		}
	}
	if len(inner) > 0 {
		mergeSelections(inner, add)
	}
}

func sameArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	return !slices.ContainsFunc(a, func(arg *ast.Argument) bool {
		other := b.ForName(arg.Name)
		return other == nil || !sameValue(arg.Value, other.Value)
	})
}

func sameValue(a, b *ast.Value) bool {
	if a.Kind != b.Kind || a.Raw != b.Raw || len(a.Children) != len(b.Children) {
		return false
	}
	for i, child := range a.Children {
		other := b.Children[i].Value
		if a.Kind == ast.ObjectValue {
			other = b.Children.ForName(child.Name)
		}
		if other == nil || !sameValue(child.Value, other) {
			return false
		}
	}
	return true
}

package graph

import (
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/query"
	"usher/schema"
	"usher/slot"
)

// selection turns collected fields into what was asked: fragments are merged
// in, directives decided, variables put in their places.
type selection struct {
	operation *graphql.OperationContext
	literals  literals
	schema    *schema.Schema
}

// fields are those of a selection on objects of a type, which satisfy fragments
// on its interfaces too.
func (s selection) fields(set ast.SelectionSet, object string) []query.Field {
	satisfies := []string{object}
	if def := s.literals.schema.Types[object]; def != nil {
		satisfies = append(satisfies, def.Interfaces...)
	}
	inner := graphql.CollectFields(s.operation, set, satisfies)
	out := make([]query.Field, len(inner))
	for i, in := range inner {
		out[i] = s.field(in, object)
	}
	return out
}

// field is a field of an object of a type.
func (s selection) field(f graphql.CollectedField, object string) query.Field {
	out := query.Field{Key: f.Alias, Name: s.schema.NameOf(object, f.Name)}
	if f.Name == "id" {
		out.ID = s.schema.Identity(object)
	}
	for _, arg := range f.Arguments {
		var t *ast.Type
		if def := f.Definition.Arguments.ForName(arg.Name); def != nil {
			t = def.Type
		}
		if arg.Name == schema.Label && t != nil && !t.NonNull { // which a column of that name in a key is
			continue
		}
		if v, ok := s.literals.value(arg.Value, t); ok && !leftOut(arg.Name, v) {
			out.Args = append(out.Args, query.Member{Name: arg.Name, Value: s.withoutNulls(t, v)})
		}
	}
	if len(f.Selections) == 0 {
		return out
	}
	out.Fields = s.fields(f.Selections, f.Definition.Type.Name())
	return out
}

// leftOut tells that an argument is null, which clients send for what they do not
// use: it is as if it were not there. Where less would be asked for by that, a
// null stays what it is, and is refused.
func leftOut(name string, v query.Value) bool {
	_, null := v.(query.Null)
	return null && name != "where" && name != "having"
}

// withoutNulls leaves out null members of inputs too, but for those of
// conditions. What has none is what it was.
func (s selection) withoutNulls(t *ast.Type, v query.Value) query.Value {
	v, _ = s.nullsLeftOut(t, v)
	return v
}

func (s selection) nullsLeftOut(t *ast.Type, v query.Value) (_ query.Value, fewer bool) {
	if t == nil {
		return v, false
	}
	switch v := v.(type) {
	case query.List:
		var out query.List
		for i, item := range v {
			left, fewer := s.nullsLeftOut(t.Elem, item)
			if fewer && out == nil {
				out = slices.Clone(v)
			}
			if fewer {
				out[i] = left
			}
		}
		if out != nil {
			return out, true
		}
	case query.Object:
		def := s.literals.schema.Types[t.Name()]
		if def == nil || def.Kind != ast.InputObject {
			return v, false
		}
		condition := strings.HasSuffix(def.Name, "Where") || strings.HasSuffix(def.Name, "Having") || s.schema.IsRow(def.Name)
		var out query.Object
		for i, m := range v {
			_, null := m.Value.(query.Null)
			null = null && !condition
			left, fewer := m.Value, false
			if !null && !isData(m.Value) {
				left, fewer = s.nullsLeftOut(def.Fields.ForName(m.Name).Type, m.Value)
			}
			if (null || fewer) && out == nil {
				out = append(make(query.Object, 0, len(v)), v[:i]...)
			}
			if out != nil && !null {
				out = append(out, query.Member{Name: m.Name, Value: left})
			}
		}
		if out != nil {
			return out, true
		}
	}
	return v, false
}

// literals turns values of a document into values as they were written. Of the
// schema it takes two things: one value where a list is expected is a list of
// it, and a number where an ID is expected is text.
type literals struct {
	schema    *ast.Schema
	variables map[string]query.Value
	lifted    map[*ast.Value]lifted
	given     []string    // in the places of those that are lifted
	slots     *slot.Slots // in their places, where values come later
	first     int         // the number of the first of these slots
}

// value is false for a variable that has no value: what it stands for is
// absent. t is nil inside of custom scalars.
func (l literals) value(v *ast.Value, t *ast.Type) (query.Value, bool) {
	switch v.Kind {
	case ast.Variable:
		got, ok := l.variables[v.Raw]
		return got, ok
	case ast.NullValue:
		return query.Null{}, true
	case ast.ListValue:
		return l.list(v, t), true
	case ast.IntValue, ast.FloatValue, ast.StringValue, ast.BlockValue, ast.BooleanValue, ast.EnumValue, ast.ObjectValue:
		if t != nil && t.Elem != nil {
			one, _ := l.value(v, t.Elem)
			return query.List{one}, true
		}
	}
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		return l.written(v, t == nil || t.NamedType != "ID"), true
	case ast.BooleanValue:
		return query.Bool(v.Raw == "true"), true
	case ast.EnumValue:
		return query.Enum(v.Raw), true
	case ast.ObjectValue:
		return l.object(v, t), true
	default:
		return l.written(v, false), true
	}
}

// written is a number or a text of the document.
func (l literals) written(v *ast.Value, number bool) query.Value {
	raw := v.Raw
	if one, ok := l.lifted[v]; ok {
		if l.slots != nil {
			return query.Slot{Term: l.slots.At(l.first + one.number), Number: number}
		}
		raw = l.given[one.number]
	}
	if number {
		return query.Number(raw)
	}
	return query.Text(raw)
}

// list has a null where a variable has no value, as the specification says.
func (l literals) list(v *ast.Value, t *ast.Type) query.Value {
	var elem *ast.Type
	if t != nil {
		elem = t.Elem
	}
	out := make(query.List, len(v.Children))
	for i, child := range v.Children {
		item, ok := l.value(child.Value, elem)
		if !ok {
			item = query.Null{}
		}
		out[i] = item
	}
	return out
}

func (l literals) object(v *ast.Value, t *ast.Type) query.Value {
	var def *ast.Definition
	if t != nil {
		def = l.schema.Types[t.NamedType]
	}
	out := make(query.Object, 0, len(v.Children))
	for _, child := range v.Children {
		var member *ast.Type
		if def != nil {
			if f := def.Fields.ForName(child.Name); f != nil {
				member = f.Type
			}
		}
		if value, ok := l.value(child.Value, member); ok {
			out = append(out, query.Member{Name: child.Name, Value: value})
		}
	}
	return out
}

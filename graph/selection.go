package graph

import (
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/query"
	"usher/schema"
)

// selection turns collected fields into what was asked: fragments are merged
// in, directives decided, variables put in their places.
type selection struct {
	operation *graphql.OperationContext
	literals  literals
}

func (s selection) field(f graphql.CollectedField) query.Field {
	out := query.Field{Key: f.Alias, Name: f.Name}
	for _, arg := range f.Arguments {
		var t *ast.Type
		if def := f.Definition.Arguments.ForName(arg.Name); def != nil {
			t = def.Type
		}
		if arg.Name == schema.Label && t != nil && !t.NonNull { // which a column of that name in a key is
			continue
		}
		if v, ok := s.literals.value(arg.Value, t); ok && !leftOut(arg.Name, v) {
			out.Args = append(out.Args, query.Member{Name: arg.Name, Value: v})
		}
	}
	if len(f.Selections) == 0 {
		return out
	}
	inner := graphql.CollectFields(s.operation, f.Selections, []string{f.Definition.Type.Name()})
	out.Fields = make([]query.Field, len(inner))
	for i, in := range inner {
		out.Fields[i] = s.field(in)
	}
	return out
}

// leftOut tells that an argument is null, which clients send for what they do not
// use: it is as if it were not there. Where less would be asked for by that, a
// null stays what it is, and is refused.
func leftOut(name string, v query.Value) bool {
	_, null := v.(query.Null)
	return null && name != "where" && name != "having"
}

// literals turns values of a document into values as they were written. Of the
// schema it takes two things: one value where a list is expected is a list of
// it, and a number where an ID is expected is text.
type literals struct {
	schema    *ast.Schema
	variables map[string]query.Value
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
		if t != nil && t.NamedType == "ID" {
			return query.Text(v.Raw), true
		}
		return query.Number(v.Raw), true
	case ast.BooleanValue:
		return query.Bool(v.Raw == "true"), true
	case ast.EnumValue:
		return query.Enum(v.Raw), true
	case ast.ObjectValue:
		return l.object(v, t), true
	default:
		return query.Text(v.Raw), true
	}
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

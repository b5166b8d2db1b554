package schema

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// fieldKey is what a field without arguments is made of.
type fieldKey struct{ name, typ, description string }

// field is a field without arguments. Equal ones are one object: columns of
// the same name and type occur in many types and datasets.
func (b *Builder) field(name, typ, description string) *ast.FieldDefinition {
	key := fieldKey{name, typ, description}
	f := b.fields[key]
	if f == nil {
		f = &ast.FieldDefinition{Name: name, Type: b.ref(typ), Description: description}
		b.fields[key] = f
	}
	return f
}

// call is a field with arguments.
func (b *Builder) call(name, typ, description string, args ...*ast.ArgumentDefinition) *ast.FieldDefinition {
	return &ast.FieldDefinition{Name: name, Type: b.ref(typ), Description: description, Arguments: args}
}

func (b *Builder) arg(name, typ string) *ast.ArgumentDefinition {
	return &ast.ArgumentDefinition{Name: name, Type: b.ref(typ)}
}

// said is an argument with a description.
func (b *Builder) said(name, typ, description string) *ast.ArgumentDefinition {
	a := b.arg(name, typ)
	a.Description = description
	return a
}

// deprecated marks an argument that is kept for those who use it.
func deprecated(a *ast.ArgumentDefinition, reason string) *ast.ArgumentDefinition {
	a.Directives = append(a.Directives, &ast.Directive{Name: "deprecated", Arguments: ast.ArgumentList{
		{Name: "reason", Value: &ast.Value{Kind: ast.StringValue, Raw: reason}},
	}})
	return a
}

// ref is a reference to a type, written as in a schema: [Orders!]!.
func (b *Builder) ref(text string) *ast.Type {
	t := b.refs[text]
	if t != nil {
		return t
	}
	inner, nonNull := strings.CutSuffix(text, "!")
	t = &ast.Type{NonNull: nonNull}
	if elem, list := strings.CutPrefix(inner, "["); list {
		t.Elem = b.ref(strings.TrimSuffix(elem, "]"))
	} else {
		t.NamedType = inner
	}
	b.refs[text] = t
	return t
}

// describe joins a label and a description. A block string cannot hold three
// quotes, and a schema that is printed must be readable again.
func describe(label, description string) string {
	text := label
	if text != "" && description != "" {
		text += "\n\n"
	}
	return strings.ReplaceAll(text+description, `"""`, `'''`)
}

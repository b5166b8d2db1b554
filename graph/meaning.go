package graph

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/dashboard"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// Meaning compares values of a dashboard's parameters as somebody's schema reads them: one
// is a list of it, members have no order, and numbers and times may be written in many
// ways.
func (e *Engine) Meaning(viewer principal.Principal) (dashboard.Meaning, error) {
	s, err := e.views.scopeFor(viewer)
	if err != nil {
		return nil, err
	}
	types := s.executor.schema.AST
	return func(p dashboard.Parameter, v query.Value) string {
		t, read, ok := s.reads(p, v)
		if !ok {
			return ""
		}
		return string(said{types}.of(nil, t, read))
	}, nil
}

// reads is a value of a parameter as the scope's schema reads it.
func (s *scope) reads(p dashboard.Parameter, v query.Value) (t *ast.Type, read query.Value, ok bool) {
	types := s.executor.schema.AST
	if t = typeOf(p.Type); types.Types[t.Name()] == nil {
		return nil, nil, false
	}
	read, err := coercion{schema: types, variable: p.Name}.value(t, asGiven(v), nil)
	return t, read, err == nil
}

// typeOf reads the type of a parameter, whose form the document has.
func typeOf(text string) *ast.Type {
	name, nonNull := strings.CutSuffix(text, "!")
	t := ast.NamedType(name, nil)
	if elem, list := strings.CutPrefix(name, "["); list {
		t = ast.ListType(typeOf(strings.TrimSuffix(elem, "]")), nil)
	}
	t.NonNull = nonNull
	return t
}

// said writes values so that those that say the same are written alike.
type said struct{ schema *ast.Schema }

// of appends a value of a type, which was coerced to it; of none for nil.
func (s said) of(dst []byte, t *ast.Type, v query.Value) []byte {
	switch v := v.(type) {
	case query.List:
		var elem *ast.Type
		if t != nil {
			elem = t.Elem
		}
		dst = append(dst, '[')
		for _, item := range v {
			dst = append(s.of(dst, elem, item), ',')
		}
		return append(dst, ']')
	case query.Object:
		var def *ast.Definition
		if t != nil {
			def = s.schema.Types[t.Name()]
		}
		members := slices.Clone(v)
		slices.SortStableFunc(members, func(a, b query.Member) int { return strings.Compare(a.Name, b.Name) })
		dst = append(dst, '{')
		for _, m := range members {
			var of *ast.Type
			if def != nil {
				if f := def.Fields.ForName(m.Name); f != nil {
					of = f.Type
				}
			}
			dst = append(query.AppendJSON(dst, query.Text(m.Name)), ':')
			dst = append(s.of(dst, of, m.Value), ',')
		}
		return append(dst, '}')
	case query.Number:
		return scalarSaid(dst, t, v, string(v))
	case query.Text:
		return scalarSaid(dst, t, v, string(v))
	}
	return query.AppendJSON(dst, v)
}

// scalarSaid appends what is written as a number or a text in the canonical text of its scalar.
func scalarSaid(dst []byte, t *ast.Type, v query.Value, text string) []byte {
	if t != nil && t.Elem == nil {
		if scalar, ok := value.ScalarByName(t.NamedType); ok && scalar != value.JSON {
			if _, number := v.(query.Number); number && scalar == value.BigInt {
				text = value.PlainBigInt(text)
			}
			if read, err := value.Parse(value.Of(scalar), text); err == nil {
				return strconv.AppendQuote(dst, read.Text())
			}
		}
	}
	return query.AppendJSON(dst, v)
}

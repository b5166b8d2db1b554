package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/query"
	"usher/schema"
	"usher/value"
)

// valueGiven is the value of a variable as it was given. What JSON cannot hold is no value.
func valueGiven(variables map[string]any, name string) (v query.Value, ok bool) {
	raw, ok := variables[name]
	v, _ = fromJSON(raw)
	return v, ok
}

// plain are the variables that gqlgen reads: those of directives, which are Booleans, and where fields of the
// control plane are asked, all but rows, which are for datasets alone.
func (x *viewExecutor) plain(doc *document, op *ast.OperationDefinition, variables map[string]query.Value) map[string]any {
	var out map[string]any
	alone := x.datasetsAlone(doc.roots[op])
	if !alone {
		out = make(map[string]any, len(variables))
	}
	for _, def := range op.VariableDefinitions {
		v, ok := variables[def.Variable]
		if !ok || x.schema.IsRow(def.Type.Name()) || alone && def.Type.NamedType != "Boolean" {
			continue
		}
		if out == nil {
			out = make(map[string]any)
		}
		out[def.Variable] = query.Plain(v)
	}
	return out
}

// datasetsAlone tells that an operation asks for nothing but datasets.
func (x *viewExecutor) datasetsAlone(roots []graphql.CollectedField) bool {
	return len(roots) > 0 && !slices.ContainsFunc(roots, func(f graphql.CollectedField) bool {
		_, isDataset := x.schema.Roots[f.Name]
		return !isDataset
	})
}

// asGiven is a value that is kept as if a request had given it.
func asGiven(v query.Value) query.Value {
	out, _ := fromJSON(query.Plain(v))
	return out
}

// coerceVariables checks the variables of a request against the operation's
// definitions, as the specification says, and returns those that have a value.
// Numbers keep their digits; values of custom scalars are checked where they
// are used. It panics on no input: what JSON cannot hold is refused.
func coerceVariables(s *ast.Schema, op *ast.OperationDefinition, variables map[string]any) (map[string]query.Value, error) {
	out := make(map[string]query.Value, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		c := coercion{schema: s, variable: def.Variable}
		raw, present := valueGiven(variables, def.Variable)
		switch {
		case present:
			v, err := c.value(def.Type, raw, nil)
			if err != nil {
				return nil, definedAt(def, err)
			}
			out[def.Variable] = v
		case def.DefaultValue != nil:
			l := literals{schema: s}
			v, _ := l.value(def.DefaultValue, def.Type)
			out[def.Variable] = v
		case def.Type.NonNull:
			return nil, definedAt(def, c.refuse(nil, "it is missing"))
		}
	}
	return out, nil
}

// definedAt is an error with the place of a variable's definition.
func definedAt(def *ast.VariableDefinition, err error) error {
	if def == nil || def.Position == nil {
		return err
	}
	return &gqlerror.Error{Err: err, Locations: []gqlerror.Location{{Line: def.Position.Line, Column: def.Position.Column}}}
}

// coercion is of one variable; its errors name the place inside of it and
// repeat no value.
type coercion struct {
	schema   *ast.Schema
	variable string
}

func (c coercion) refuse(at *within, format string, args ...any) error {
	return fault.New(fault.BadUserInput, `Variable "$%s%s" cannot be used: %s.`, c.variable, at.path(), fmt.Sprintf(format, args...))
}

// within is a place inside of a variable, which is spelled for errors only; nil: it is
// the whole.
type within struct {
	outer  *within
	member string // of an object; empty: of a list
	index  int
}

func (w *within) path() string {
	switch {
	case w == nil:
		return ""
	case w.member != "":
		return w.outer.path() + "." + w.member
	}
	return fmt.Sprintf("%s[%d]", w.outer.path(), w.index)
}

func (c coercion) value(t *ast.Type, raw query.Value, at *within) (query.Value, error) {
	return c.valueOf(t, c.schema.Types[t.Name()], raw, at)
}

// valueOf is a value of a type, or of lists of it.
func (c coercion) valueOf(t *ast.Type, def *ast.Definition, raw query.Value, at *within) (query.Value, error) {
	if _, null := raw.(query.Null); null {
		if t.NonNull {
			return nil, c.refuse(at, `it is null, and the type is "%s"`, t.String())
		}
		return raw, nil
	}
	if t.Elem != nil {
		return c.list(t.Elem, def, raw, at)
	}
	switch {
	case def.Kind == ast.InputObject:
		return c.object(def, raw, at, &alike{})
	case def.Kind == ast.Enum:
		if name, ok := raw.(query.Text); ok && def.EnumValues.ForName(string(name)) != nil {
			return query.Enum(name), nil
		}
	case !builtIn(def.Name):
		if raw != nil {
			return raw, nil
		}
	default:
		if v, ok := builtInValue(def.Name, raw); ok {
			return v, nil
		}
	}
	return nil, c.refuse(at, `it is no value of the type "%s"`, t.NamedType)
}

// list takes one value for a list of it.
func (c coercion) list(elem *ast.Type, def *ast.Definition, raw query.Value, at *within) (query.Value, error) {
	items, ok := raw.(query.List)
	if !ok {
		v, err := c.valueOf(elem, def, raw, at)
		return query.List{v}, err
	}
	like := alike{left: len(items)}
	out, here := make(query.List, len(items)), within{outer: at}
	for i, item := range items {
		here.index = i
		var err error
		if row, ok := item.(query.Object); ok && elem.Elem == nil && def.Kind == ast.InputObject {
			out[i], err = c.object(def, row, &here, &like)
		} else {
			out[i], err = c.valueOf(elem, def, item, &here)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// alike is what is known of the members of an object when the next one of a list is looked at, which mostly has
// the same.
type alike struct {
	fields []inputField
	whole  bool           // none is missing
	left   int            // objects of the list
	room   []query.Member // for those of the next ones
}

// membersAtOnce is for how many members room is made at once, if no object has more.
const membersAtOnce = 256

// take is room for the members of the next object.
func (l *alike) take(n int) query.Object {
	if len(l.room) < n {
		l.room = make([]query.Member, max(n, min(n*l.left, membersAtOnce)))
	}
	out := l.room[:n:n]
	l.left, l.room = l.left-1, l.room[n:]
	return out
}

type inputField struct {
	*ast.FieldDefinition
	of *ast.Definition
}

// at finds the field of a member.
func (l *alike) at(i int, name string, def *ast.Definition, s *ast.Schema) (inputField, bool) {
	if i < len(l.fields) && l.fields[i].Name == name {
		return l.fields[i], true
	}
	f := def.Fields.ForName(name)
	if f == nil {
		return inputField{}, false
	}
	l.fields, l.whole = append(l.fields[:i], inputField{f, s.Types[f.Type.Name()]}), false
	return l.fields[i], true
}

func (c coercion) object(def *ast.Definition, raw query.Value, at *within, like *alike) (query.Value, error) {
	members, ok := raw.(query.Object)
	if !ok {
		return nil, c.refuse(at, `it is no object of the type "%s"`, def.Name)
	}
	if schema.IsOneOf(def) && !isOne(members) {
		return nil, c.refuse(at, `exactly one field of the type "%s" must be given, and not null`, def.Name)
	}
	out, here := like.take(len(members)), within{outer: at}
	for i, m := range members {
		f, ok := like.at(i, m.Name, def, c.schema)
		if !ok {
			return nil, c.refuse(at, `the field "%s" is not defined by the type "%s"`, m.Name, def.Name)
		}
		here.member = f.Name
		v, err := c.valueOf(f.Type, f.of, m.Value, &here)
		if err != nil {
			return nil, err
		}
		out[i] = query.Member{Name: f.Name, Value: v}
	}
	if like.whole && len(like.fields) == len(members) {
		return out, nil
	}
	for _, f := range def.Fields {
		if _, ok := members.Get(f.Name); !ok && f.Type.NonNull && f.DefaultValue == nil {
			return nil, c.refuse(at, `the field "%s" is missing`, f.Name)
		}
	}
	like.fields, like.whole = like.fields[:len(members)], true
	return out, nil
}

// isOne tells whether one member is set, and no other.
func isOne(members query.Object) bool {
	if len(members) != 1 {
		return false
	}
	_, null := members[0].Value.(query.Null)
	return !null
}

func builtInValue(scalar string, raw query.Value) (query.Value, bool) {
	switch v := raw.(type) {
	case query.Text:
		return raw, scalar == "String" || scalar == "ID"
	case query.Bool:
		return raw, scalar == "Boolean"
	case query.Number:
		digits := string(v)
		switch scalar {
		case "Int":
			if isInt32(digits) && '1' <= digits[0] && digits[0] <= '9' { // as it is mostly written
				return raw, true
			}
			return int32Of(digits)
		case "Float":
			return raw, isFloat(digits)
		case "ID":
			_, err := strconv.ParseInt(digits, 10, 64)
			return query.Text(digits), err == nil
		}
	}
	return nil, false
}

// int32Of takes whole numbers however JSON writes them: 1, 1.0, 1e0. It reads their
// digits: what rounds to a whole number is none.
func int32Of(digits string) (query.Value, bool) {
	const most = 10 // digits of an Int
	whole, ok := value.Whole(digits, most)
	if !ok || !isInt32(whole) {
		return nil, false
	}
	return query.Number(whole), true
}

// fromJSON is a decoded JSON value as it was written, members in the order of their names.
func fromJSON(raw any) (query.Value, bool) {
	switch v := raw.(type) {
	case query.Value:
		return v, true
	case nil:
		return query.Null{}, true
	case bool:
		return query.Bool(v), true
	case string:
		return query.Text(v), true
	case json.Number:
		return query.Number(v.String()), true
	case float64:
		return query.Number(strconv.FormatFloat(v, 'f', -1, 64)), !math.IsNaN(v) && !math.IsInf(v, 0)
	case []any:
		out := make(query.List, len(v))
		for i, item := range v {
			elem, ok := fromJSON(item)
			if !ok {
				return nil, false
			}
			out[i] = elem
		}
		return out, true
	case map[string]any:
		out := make(query.Object, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			member, ok := fromJSON(v[name])
			if !ok {
				return nil, false
			}
			out = append(out, query.Member{Name: name, Value: member})
		}
		return out, true
	}
	return nil, false
}

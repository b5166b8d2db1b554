package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
	"usher/query"
	"usher/schema"
)

// coerceVariables checks the variables of a request against the operation's
// definitions, as the specification says, and returns those that have a value.
// Numbers keep their digits; values of custom scalars are checked where they
// are used. It panics on no input: what JSON cannot hold is refused.
func coerceVariables(s *ast.Schema, op *ast.OperationDefinition, given map[string]any) (map[string]query.Value, error) {
	out := make(map[string]query.Value, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		c := coercion{schema: s, variable: def.Variable}
		raw, present := given[def.Variable]
		switch {
		case present:
			v, err := c.value(def.Type, raw, nil)
			if err != nil {
				return nil, err
			}
			out[def.Variable] = v
		case def.DefaultValue != nil:
			l := literals{schema: s}
			v, _ := l.value(def.DefaultValue, def.Type)
			out[def.Variable] = v
		case def.Type.NonNull:
			return nil, c.refuse(nil, "it is missing")
		}
	}
	return out, nil
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

func (c coercion) value(t *ast.Type, raw any, at *within) (query.Value, error) {
	if raw == nil {
		if t.NonNull {
			return nil, c.refuse(at, `it is null, and the type is "%s"`, t.String())
		}
		return query.Null{}, nil
	}
	if t.Elem != nil {
		return c.list(t.Elem, raw, at)
	}
	def := c.schema.Types[t.NamedType]
	switch {
	case def.Kind == ast.InputObject:
		return c.object(def, raw, at)
	case def.Kind == ast.Enum:
		if name, ok := raw.(string); ok && def.EnumValues.ForName(name) != nil {
			return query.Enum(name), nil
		}
	case !builtIn(def.Name):
		if v, ok := fromJSON(raw); ok {
			return v, nil
		}
	default:
		if v, ok := builtInValue(def.Name, raw); ok {
			return v, nil
		}
	}
	return nil, c.refuse(at, `it is no value of the type "%s"`, t.NamedType)
}

// list takes one value for a list of it.
func (c coercion) list(elem *ast.Type, raw any, at *within) (query.Value, error) {
	items, ok := raw.([]any)
	if !ok {
		v, err := c.value(elem, raw, at)
		return query.List{v}, err
	}
	out, here := make(query.List, len(items)), within{outer: at}
	for i, item := range items {
		here.index = i
		v, err := c.value(elem, item, &here)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (c coercion) object(def *ast.Definition, raw any, at *within) (query.Value, error) {
	members, ok := raw.(map[string]any)
	if !ok {
		return nil, c.refuse(at, `it is no object of the type "%s"`, def.Name)
	}
	if schema.IsOneOf(def) && !isOne(members) {
		return nil, c.refuse(at, `exactly one field of the type "%s" must be given, and not null`, def.Name)
	}
	out, here := make(query.Object, 0, len(members)), within{outer: at}
	names := make([]string, 0, 16)
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := def.Fields.ForName(name)
		if f == nil {
			return nil, c.refuse(at, `the field "%s" is not defined by the type "%s"`, name, def.Name)
		}
		here.member = name
		v, err := c.value(f.Type, members[name], &here)
		if err != nil {
			return nil, err
		}
		out = append(out, query.Member{Name: name, Value: v})
	}
	for _, f := range def.Fields {
		if _, ok := members[f.Name]; !ok && f.Type.NonNull && f.DefaultValue == nil {
			return nil, c.refuse(at, `the field "%s" is missing`, f.Name)
		}
	}
	return out, nil
}

// isOne tells whether one member is set, and no other.
func isOne(members map[string]any) bool {
	for _, v := range members {
		return len(members) == 1 && v != nil
	}
	return false
}

func builtInValue(scalar string, raw any) (query.Value, bool) {
	switch v := raw.(type) {
	case string:
		return query.Text(v), scalar == "String" || scalar == "ID"
	case bool:
		return query.Bool(v), scalar == "Boolean"
	case float64:
		return builtInValue(scalar, json.Number(strconv.FormatFloat(v, 'f', -1, 64)))
	case json.Number:
		digits := v.String()
		switch scalar {
		case "Int":
			return int32Of(digits)
		case "Float":
			return query.Number(digits), isFloat(digits)
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
	whole, ok := wholeDigits(digits)
	if !ok || !isInt32(whole) {
		return nil, false
	}
	return query.Number(whole), true
}

// wholeDigits writes a JSON number of at most a few digits without point and
// exponent, if it is a whole one.
func wholeDigits(number string) (string, bool) {
	const most = 10 // digits of an Int
	number, negative := strings.CutPrefix(number, "-")
	mantissa, exponent := number, 0
	var err error
	if at := strings.IndexAny(number, "eE"); at >= 0 {
		mantissa = number[:at]
		exponent, err = strconv.Atoi(number[at+1:])
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimRight(whole+fraction, "0")
	if digits == "" {
		return "0", true
	}
	point := len(whole) + exponent - (len(digits) - len(strings.TrimLeft(digits, "0")))
	digits = strings.TrimLeft(digits, "0")
	if err != nil || point < len(digits) || point > most {
		return "", false
	}
	digits += strings.Repeat("0", point-len(digits))
	if negative {
		digits = "-" + digits
	}
	return digits, true
}

// fromJSON is a decoded JSON value as it was written.
func fromJSON(raw any) (query.Value, bool) {
	switch v := raw.(type) {
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

// plain is a value as gqlgen takes variables.
func plain(v query.Value) any {
	switch v := v.(type) {
	case query.Bool:
		return bool(v)
	case query.Number:
		return json.Number(v)
	case query.Text:
		return string(v)
	case query.Enum:
		return string(v)
	case query.List:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plain(item)
		}
		return out
	case query.Object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			out[m.Name] = plain(m.Value)
		}
		return out
	}
	return nil
}

package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
	"usher/query"
	"usher/schema"
)

// checkPositions refuses variables that do not fit where they stand. A variable
// may be null by its type and stand where nothing is, because there or in the
// variable itself is a default: then its null is an error, says the
// specification.
//
// Mutations grant, restrict and revoke, and what is left out of one has a
// meaning: not restricted, or all. So in a mutation whatever is named has a
// value. A variable without one, a null, and an empty text where nothing need
// stand are refused wherever they are.
//
// What is written to columns of a dataset is data: there a null is a null, an empty text
// is one, and a variable without a value is as if it were not there.
func checkPositions(s *schema.Schema, op *ast.OperationDefinition, variables map[string]query.Value) error {
	mutation := op.Operation == ast.Mutation
	if !mutation && !anyNull(variables) {
		return nil
	}
	p := positions{schema: s.AST, isRow: s.IsRow, variables: variables, defined: op.VariableDefinitions, mutation: mutation}
	return p.selections(op.SelectionSet)
}

type positions struct {
	schema    *ast.Schema
	variables map[string]query.Value
	defined   ast.VariableDefinitionList
	mutation  bool
	isRow     func(input string) bool
	row       bool // members of an input of columns are looked at
	condition bool // members of a condition are
	seen      map[*ast.FragmentDefinition]bool
	within    []string // members of a value that lead to what is looked at
}

func anyNull(variables map[string]query.Value) bool {
	for _, v := range variables {
		if _, null := v.(query.Null); null {
			return true
		}
	}
	return false
}

func (p *positions) selections(set ast.SelectionSet) error {
	for _, selection := range set {
		var err error
		switch s := selection.(type) {
		case *ast.Field:
			if err = p.arguments(s.Arguments, s.Directives); err == nil {
				err = p.selections(s.SelectionSet)
			}
		case *ast.InlineFragment:
			if err = p.arguments(nil, s.Directives); err == nil {
				err = p.selections(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			err = p.arguments(nil, s.Directives)
			if err == nil && !p.seen[s.Definition] {
				if p.seen == nil {
					p.seen = make(map[*ast.FragmentDefinition]bool)
				}
				p.seen[s.Definition] = true
				err = p.selections(s.Definition.SelectionSet)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *positions) arguments(arguments ast.ArgumentList, directives ast.DirectiveList) error {
	for _, arg := range arguments {
		if err := p.literal(arg.Value, arg.Name); err != nil {
			return err
		}
	}
	for _, d := range directives {
		if err := p.arguments(d.Arguments, nil); err != nil {
			return err
		}
	}
	return nil
}

// literal checks what is written in the document. Inside of custom scalars
// nothing has a type: a null there is data.
func (p *positions) literal(v *ast.Value, at string) error {
	t := v.ExpectedType
	switch v.Kind {
	case ast.Variable:
		got, ok := p.variables[v.Raw]
		switch {
		case ok && t != nil:
			return p.value(t, got, v.Raw, at)
		case !ok && p.mutation && !p.row:
			return fault.New(fault.BadUserInput, "%s is $%s, which has no value", at, v.Raw).
				WithHint("Give the variable a value, or leave it out of the document.")
		}
		return nil
	case ast.NullValue:
		if t != nil {
			return p.value(t, query.Null{}, "", at)
		}
	case ast.StringValue, ast.BlockValue:
		if t != nil {
			return p.value(t, query.Text(v.Raw), "", at)
		}
	case ast.ListValue, ast.ObjectValue:
		defer p.inside(v.Definition, v.Kind == ast.ObjectValue)()
		for _, child := range v.Children {
			inner := at
			if child.Name != "" {
				inner += "." + child.Name
			}
			if err := p.literal(child.Value, inner); err != nil {
				return err
			}
		}
	case ast.IntValue, ast.FloatValue, ast.BooleanValue, ast.EnumValue:
	}
	return nil
}

// value checks a value of a type: of a variable, which was coerced to its own
// type, or of the document, where variable is empty.
func (p *positions) value(t *ast.Type, v query.Value, variable, at string) error {
	if !p.mutation {
		if _, null := v.(query.Null); null && t.NonNull && variable != "" {
			refused := coercion{variable: variable}.refuse(nil, `it is null where the type is "%s"`, t.String())
			return definedAt(p.defined.ForName(variable), refused)
		}
		return nil
	}
	switch v := v.(type) {
	case query.Null:
		if p.row && !t.NonNull {
			return nil
		}
		return p.named(at, "null")
	case query.Text:
		if v == "" && !p.row && !p.condition && !t.NonNull && t.Name() == "String" {
			return p.named(at, "empty")
		}
	case query.List:
		for _, item := range v {
			if t.Elem != nil {
				if err := p.value(t.Elem, item, variable, at); err != nil {
					return err
				}
			}
		}
	case query.Object:
		def := p.schema.Types[t.Name()]
		row, condition := p.enter(def, true)
		for _, m := range v {
			if p.row && isData(m.Value) {
				continue
			}
			if f := def.Fields.ForName(m.Name); f != nil {
				p.within = append(p.within, m.Name)
				if err := p.value(f.Type, m.Value, variable, at); err != nil {
					return err
				}
				p.within = p.within[:len(p.within)-1]
			}
		}
		p.row, p.condition = row, condition
	}
	return nil
}

// isData tells a plain value, which is data wherever it is written to a column.
func isData(v query.Value) bool {
	switch v.(type) {
	case query.Text, query.Number, query.Bool, query.Enum:
		return true
	}
	return false
}

// inside notes that members of an input are looked at, until the returned function is called.
func (p *positions) inside(def *ast.Definition, object bool) (end func()) {
	row, condition := p.enter(def, object)
	return func() { p.row, p.condition = row, condition }
}

// enter is inside for who puts back what was noted before.
func (p *positions) enter(def *ast.Definition, object bool) (row, condition bool) {
	row, condition = p.row, p.condition
	if object && def != nil && def.Kind == ast.InputObject {
		p.row = p.isRow(def.Name)
		p.condition = strings.HasSuffix(def.Name, "Where")
	}
	return row, condition
}

// named refuses what is named in a mutation and says nothing.
func (p *positions) named(at, what string) error {
	at = strings.Join(append([]string{at}, p.within...), ".")
	if strings.HasPrefix(at, "where.") {
		return fault.New(fault.BadUserInput, "%s is %s", at, what).WithHint("Write isNull: true for rows that have no value there, isNull: false for all others, or leave it out.")
	}
	return fault.New(fault.BadUserInput, "%s is %s", at, what).WithHint("Leave it out, or give it a value.")
}

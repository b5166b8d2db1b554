package graph

import (
	"fmt"
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"usher/fault"
	"usher/schema"
)

// maxProblems is how many validation errors are reported.
const maxProblems = 20

// ruleSet returns the rules of the specification in forms that suggest no
// names: a name the caller did not write shall not be in the answer. Four are
// usher's own. valuesOfCorrectType takes numbers of any length, where the
// library's reads them as 64 bits. Merging fields is checked apart, in linear
// time and with whole arguments, where the library's compares pairs and only
// the outside of objects.
func ruleSet(s *schema.Schema) []core.Rule {
	return []core.Rule{
		rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		rules.FragmentsOnCompositeTypesRule,
		rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownDirectivesRule,
		rules.KnownFragmentNamesRule,
		rules.KnownRootTypeRule,
		rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.LoneAnonymousOperationRule,
		rules.MaxIntrospectionDepth,
		rules.NoFragmentCyclesRule,
		rules.NoUndefinedVariablesRule,
		rules.NoUnusedFragmentsRule,
		rules.NoUnusedVariablesRule,
		rules.PossibleFragmentSpreadsRule,
		rules.ProvidedRequiredArgumentsRule,
		rules.ScalarLeafsRuleWithoutSuggestions,
		rules.SingleFieldSubscriptionsRule,
		rules.UniqueArgumentNamesRule,
		rules.UniqueDirectivesPerLocationRule,
		rules.UniqueFragmentNamesRule,
		rules.UniqueInputFieldNamesRule,
		rules.UniqueOperationNamesRule,
		rules.UniqueVariableNamesRule,
		{Name: "ValuesOfCorrectType", RuleFunc: valuesOfCorrectType},
		{Name: "AliasesOfIdentity", RuleFunc: aliasesOfIdentity(s)},
		rules.VariablesAreInputTypesRule,
		rules.VariablesInAllowedPositionRule,
	}
}

// validate checks a document against a schema and binds its definitions.
func validate(s *schema.Schema, doc *ast.QueryDocument) gqlerror.List {
	var errs gqlerror.List
	add := func(options ...core.ErrorOption) {
		if len(errs) == maxProblems {
			return
		}
		err := &gqlerror.Error{Extensions: map[string]any{"code": string(fault.ValidationError)}}
		for _, option := range options {
			option(err)
		}
		errs = append(errs, err)
	}
	events := &core.Events{}
	for _, rule := range ruleSet(s) {
		rule.RuleFunc(events, add)
	}
	core.Walk(s.AST, doc, events)
	if len(errs) == 0 {
		checkMerging(doc, add)
	}
	return errs
}

// aliasesOfIdentity refuses what caches of clients would take for the identity
// of an object, or for its type, and is not.
func aliasesOfIdentity(s *schema.Schema) core.RuleFunc {
	return func(events *core.Events, add core.AddErrFunc) {
		events.OnField(func(_ *core.Walker, f *ast.Field) {
			switch {
			case f.ObjectDefinition == nil || s.Alias(f.ObjectDefinition, f.Name, f.Alias):
			case f.Alias == "__typename":
				add(core.Message(`The field "%s" cannot be called "__typename", which is the name of its type. Choose another alias.`, f.Name), core.At(f.Position))
			default:
				add(core.Message(`The field "%s" of type "%s" cannot be called "%s": caches of clients keep objects by that name, and would mix this one with others. `+
					`Choose another alias.`, f.Name, f.ObjectDefinition.Name, f.Alias), core.At(f.Position))
			}
		})
	}
}

// valuesOfCorrectType checks literals against the schema. Values of custom
// scalars are checked where they are used.
func valuesOfCorrectType(events *core.Events, add core.AddErrFunc) {
	events.OnValue(func(_ *core.Walker, v *ast.Value) {
		if v.Definition == nil || v.ExpectedType == nil || v.Kind == ast.Variable {
			return
		}
		unexpected := func() {
			add(core.Message(`Expected a value of type "%s", found %s.`, v.ExpectedType.String(), found(v)), core.At(v.Position))
		}
		switch {
		case v.Kind == ast.NullValue:
			if v.ExpectedType.NonNull {
				unexpected()
			}
		case v.Kind == ast.ListValue:
			if v.ExpectedType.Elem == nil && (v.Definition.Kind != ast.Scalar || builtIn(v.Definition.Name)) {
				unexpected()
			}
		case v.Definition.Kind == ast.Scalar:
			if !fitsScalar(v.Definition.Name, v) {
				unexpected()
			}
		case v.Definition.Kind == ast.Enum:
			if v.Kind != ast.EnumValue || v.Definition.EnumValues.ForName(v.Raw) == nil {
				unexpected()
			}
		case v.Kind != ast.ObjectValue:
			unexpected()
		default:
			checkObject(v, add)
		}
	})
}

func checkObject(v *ast.Value, add core.AddErrFunc) {
	for _, child := range v.Children {
		if v.Definition.Fields.ForName(child.Name) == nil {
			add(core.Message(`Field "%s" is not defined by type "%s".`, child.Name, v.Definition.Name), core.At(child.Position))
		}
	}
	if schema.IsOneOf(v.Definition) && (len(v.Children) != 1 || v.Children[0].Value.Kind == ast.NullValue) {
		add(core.Message(`Exactly one field of type "%s" must be given, and not null.`, v.Definition.Name), core.At(v.Position))
	}
	for _, f := range v.Definition.Fields {
		if f.Type.NonNull && f.DefaultValue == nil && v.Children.ForName(f.Name) == nil {
			add(core.Message(`Field "%s.%s" of required type "%s" was not provided.`, v.Definition.Name, f.Name, f.Type.String()), core.At(v.Position))
		}
	}
}

// found describes a literal, without what is inside of it.
func found(v *ast.Value) string {
	switch v.Kind {
	case ast.ListValue:
		return "a list"
	case ast.ObjectValue:
		return "an object"
	case ast.NullValue:
		return "null"
	case ast.StringValue, ast.BlockValue:
		return "a string"
	case ast.Variable, ast.IntValue, ast.FloatValue, ast.BooleanValue, ast.EnumValue:
		return v.String()
	}
	return fmt.Sprintf("a value of kind %d", v.Kind)
}

func builtIn(scalar string) bool {
	switch scalar {
	case "Int", "Float", "String", "Boolean", "ID":
		return true
	}
	return false
}

func fitsScalar(name string, v *ast.Value) bool {
	text := v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	switch name {
	case "Int":
		return v.Kind == ast.IntValue && isInt32(v.Raw)
	case "Float":
		return (v.Kind == ast.IntValue || v.Kind == ast.FloatValue) && isFloat(v.Raw)
	case "String":
		return text
	case "Boolean":
		return v.Kind == ast.BooleanValue
	case "ID":
		return text || v.Kind == ast.IntValue
	}
	return true
}

func isInt32(digits string) bool {
	_, err := strconv.ParseInt(digits, 10, 32)
	return err == nil
}

func isFloat(digits string) bool {
	f, err := strconv.ParseFloat(digits, 64)
	return err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

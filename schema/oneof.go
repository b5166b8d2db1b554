package schema

import "github.com/vektah/gqlparser/v2/ast"

// Inputs of which exactly one member is set are @oneOf, so that typed clients
// cannot write others: an order has a sequence, and an object has none.
var oneOf = ast.DirectiveList{{Name: "oneOf"}}

const oneMember = "Exactly one member is set."

// oneOf adds an input of which exactly one member is set.
func (p *part) oneOf(name string, fields ast.FieldList) {
	p.define(ast.InputObject, name, oneMember, fields)
	p.types[len(p.types)-1].Directives = oneOf
}

// IsOneOf tells whether exactly one member of an input is set.
func IsOneOf(def *ast.Definition) bool { return def.Directives.ForName("oneOf") != nil }

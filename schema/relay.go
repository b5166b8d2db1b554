package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Relay is what Relay's compiler and store expect: an identity of every row
// that has one, by which it is found again. Types of rows have no other field
// id then: a column of that name is written as in groups.
const Relay Part = "relay"

// relay is the SDL of the part. gqlgen does not see it: what is found are rows.
const relay = `
"What has an identity of its own, among all there is."
interface Node {
  "Stands for the object, and for no right to see it."
  id: ID!
}

extend type Query {
  "The object of an id; null when there is none that the viewer sees."
  node(
    "The id of an object, as it was answered."
    id: ID!
  ): Node
  "The objects of ids, in their order; null for each of which there is none that the viewer sees."
  nodes(
    "Ids of objects, as they were answered."
    ids: [ID!]!
  ): [Node]!
}
`

const node = "Node"

// nameInRows is how a name of the catalog is written in a type of rows.
func (b *Builder) nameInRows(name string) string {
	if b.relay {
		return inGroups(name)
	}
	return name
}

// isNode gives a type of rows its identity.
func (p *part) isNode() {
	at := slices.IndexFunc(p.types, func(def *ast.Definition) bool { return def.Name == p.rows })
	def := p.types[at]
	def.Interfaces = []string{node}
	def.Fields = append(ast.FieldList{{
		Name: "id", Description: "Stands for the row, and for no right to see it.", Type: ast.NonNullNamedType("ID", nil),
	}}, def.Fields...)
}

// nodes makes the types of rows that have an identity what Node may be.
func (m *merger) nodes(s *ast.Schema) {
	def := s.Types[node]
	if def == nil || def.Kind != ast.Interface {
		return
	}
	s.Implements = make(map[string][]*ast.Definition, len(m.possible))
	for name, defs := range m.static.Implements {
		s.Implements[name] = defs
	}
	for _, p := range m.possible {
		if p.entity.node {
			s.PossibleTypes[node] = append(s.PossibleTypes[node], s.Types[p.rows])
			s.Implements[p.rows] = []*ast.Definition{def}
		}
	}
}

// Identity is what the id of a type of rows is made of: columns that the view
// shows. It is nil for other types.
func (s *Schema) Identity(object string) []string {
	if e := s.entities[object]; e.node {
		return e.identity
	}
	return nil
}

// TypeOf is the type of the rows of a dataset that the schema has, or empty.
func (s *Schema) TypeOf(dataset string) string { return s.rows[dataset] }

// IsNode tells the fields of the query type that find rows by their identity.
func (s *Schema) IsNode(field string) bool {
	if _, dataset := s.Roots[field]; dataset || s.AST.Types[node] == nil {
		return false
	}
	return field == "node" || field == "nodes"
}

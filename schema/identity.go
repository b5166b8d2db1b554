package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Caches of clients (Apollo, urql, Relay) keep an object under its type and the
// value of its field id or _id, whatever the object is, and put those with the
// same value together. So only what is one thing has a field of such a name: a
// row, a tenant's record. Types of groups and their keys have none; a column, a
// relation or a measure of that name has one underscore more there.

// identifies tells names that caches take for an identity, and those that
// avoid to be one.
func identifies(name string) bool {
	name = strings.TrimRight(name, "_")
	return name == "id" || name == "_id"
}

// inGroups is how a name of the catalog is written in types of groups.
func inGroups(name string) string {
	if identifies(name) {
		return name + "_"
	}
	return name
}

// NameOf is the name in the catalog that a field of a type stands for.
func (s *Schema) NameOf(object, field string) string {
	if strings.HasSuffix(field, "_") && identifies(field) && s.groups[object] {
		return strings.TrimSuffix(field, "_")
	}
	return field
}

// entity is what tells the rows of a dataset apart.
type entity struct {
	key      []string // fields; empty: the view shows no key
	tenant   string   // the field of the tenant, if the view shows it and the key holds within one; or empty
	within   bool     // the key holds within a tenant
	node     bool     // rows have an id, made of the identity
	identity []string // with node, columns
}

func entityOf(f *facts, relay, ofAll bool) entity {
	var e entity
	for _, c := range f.visible.Key() {
		e.key = append(e.key, c.Name)
	}
	d := f.visible.Dataset
	if !d.Common && (d.Tenant == nil || !slices.Contains(e.key, d.Tenant.Name)) {
		e.within = true
		if d.Tenant != nil && f.visible.Column(d.Tenant.Name) != nil {
			e.tenant = d.Tenant.Name
		}
	}
	if relay {
		e.identity = e.fields(ofAll)
		e.node = len(e.identity) > 0
	}
	return e
}

// Object is a type of objects, as a cache has to know it.
type Object struct {
	Type string
	Key  []string // the fields whose values together tell one from all others of the type; empty: nothing does, it is part of what it is found in
	Row  bool     // it is a row of a dataset
}

// Objects lists the types of objects but for the roots, by name: those of
// whoever sees one tenant's rows, or those of all tenants, where a key that
// holds within a tenant tells nothing without the tenant.
func (s *Schema) Objects(allTenants bool) []Object {
	var out []Object
	for name, def := range s.AST.Types {
		if def.Kind != ast.Object || strings.HasPrefix(name, "__") || s.root(def) {
			continue
		}
		o := Object{Type: name}
		if e, ok := s.entities[name]; ok {
			o.Row = true
			o.Key = e.fields(allTenants)
			if s.AST.Types[node] != nil {
				o.Key = nil
				if e.node {
					o.Key = []string{"id"}
				}
			}
		} else if def.Fields.ForName("id") != nil {
			o.Key = []string{"id"} // of what usher keeps itself
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Object) int { return strings.Compare(a.Type, b.Type) })
	return out
}

// fields are those that together tell a row from all others.
func (e entity) fields(allTenants bool) []string {
	switch {
	case len(e.key) == 0:
		return nil
	case e.tenant != "":
		return append([]string{e.tenant}, e.key...)
	case e.within && allTenants:
		return nil
	}
	return slices.Clone(e.key)
}

// Alias tells whether a field of a type may be called so in an answer. What is
// called id is the whole key of a row, or the field of that name; what is
// called __typename is the name of the type.
func (s *Schema) Alias(object *ast.Definition, field, alias string) bool {
	switch {
	case alias == field:
		return true
	case alias == "__typename":
		return false
	case alias != "id" && alias != "_id" || s.root(object) || strings.HasPrefix(object.Name, "__"):
		return true
	}
	if s.AST.Types[node] != nil {
		return false // what has an identity has a field id
	}
	e := s.entities[object.Name]
	return len(e.key) == 1 && e.key[0] == field
}

func (s *Schema) root(def *ast.Definition) bool { return def == s.AST.Query || def == s.AST.Mutation }

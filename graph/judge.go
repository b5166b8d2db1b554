package graph

import (
	"errors"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
	"usher/principal"
	"usher/schema"
)

// A saved operation runs in the view of whoever names it, and some tokens run
// nothing else. So those who write and read the text are judged by what they
// see themselves.

// CheckSaved says why somebody may not save an operation for others: it names
// what their own view does not show. For a token that runs saved queries only
// the text is all that bounds it; closed refuses what would let such a token
// choose names at run time that the writer does not see.
func (e *Engine) CheckSaved(writer principal.Principal, text string, closed bool) error {
	j, err := e.views.judge(writer)
	if err != nil {
		return err
	}
	doc, err := j.own.valid(text)
	if err != nil || !closed {
		return err
	}
	return j.bounds(doc)
}

// CheckSavedWhole is what is wrong with a text for whoever knows the whole catalog. Mutations of a tenant's own
// rows name no tenant, as those of all have to, and are saved for those who run them.
func (e *Engine) CheckSavedWhole(text string) error {
	whole, err := e.whole()
	if err != nil {
		return err
	}
	if _, err = whole.valid(text); err == nil {
		return nil
	}
	writer := principal.Principal{Roles: slices.Sorted(maps.Keys(e.views.catalog.Roles)), Scopes: []principal.Scope{principal.ReadData, principal.WriteData}}
	tenants, other := e.views.scope(schema.Reader, writer)
	if other == nil {
		if _, other = tenants.valid(text); other == nil {
			return nil
		}
	}
	return err
}

// bounds refuses a document that alone bounds somebody else, if it lets them choose
// names that its writer does not see.
func (j judgement) bounds(doc *document) error {
	if j.whole() {
		return nil
	}
	if field := choosing(doc); field != "" {
		return fault.New(fault.Forbidden, "the tenant's query has the field %s, which names at run time what you may not see", field).
			WithHint("Write the fields of the datasets themselves, or have somebody save it who sees all that the tenant may see.")
	}
	for _, op := range doc.Operations {
		for _, def := range op.VariableDefinitions {
			if !j.closed(def) {
				return fault.New(fault.Forbidden, "the variable $%s of the tenant's query may name what you do not see", def.Variable).
					WithHint("Write names into the operation and take only values from variables, or have somebody save it who sees all that the tenant may see.")
			}
		}
	}
	return nil
}

// ShowsSaved tells whether a saved operation, with the values that are kept
// with it, names only what somebody sees.
func (e *Engine) ShowsSaved(viewer principal.Principal, text string, kept map[string]any) bool {
	j, err := e.views.judge(viewer)
	return err == nil && j.shows(text, kept)
}

// HidesSaved tells whether a saved operation names what somebody else of the
// tenant may see and this one does not. What nobody sees any more is hidden
// from nobody.
func (e *Engine) HidesSaved(viewer principal.Principal, text string, kept map[string]any) bool {
	j, err := e.views.judge(viewer)
	if err != nil {
		return true
	}
	_, broken := j.all.valid(text)
	unknown := broken != nil && fault.From(broken).Code == fault.Unavailable // a source has not been reached, so nobody can say
	return (broken == nil || unknown) && !j.shows(text, kept)
}

// judgement has the scope of somebody and that of all roles of their tenant.
type judgement struct{ own, all *scope }

func (v *views) judge(who principal.Principal) (j judgement, err error) {
	if j.own, err = v.scopeFor(who); err != nil {
		return j, err
	}
	everybody := principal.Principal{Tenant: who.Tenant, Roles: slices.Sorted(maps.Keys(v.catalog.Roles)), Scopes: who.Scopes} // what nobody may write who does not, by a query neither
	j.all, err = v.scope(schema.AudienceOf(who)|schema.Reader, everybody)
	return j, err
}

// whole tells whether somebody sees all that is to be seen in their tenant.
func (j judgement) whole() bool { return j.own.view.Key == j.all.view.Key }

func (j judgement) shows(text string, kept map[string]any) bool {
	if j.whole() {
		return true
	}
	doc, err := j.own.valid(text)
	if err != nil || choosing(doc) != "" {
		return false
	}
	for _, op := range doc.Operations {
		for _, def := range op.VariableDefinitions {
			if _, ok := kept[def.Variable]; ok && !j.closed(def) {
				return false
			}
		}
	}
	return true
}

// closed tells whether the values of a variable are the same for everybody.
func (j judgement) closed(def *ast.VariableDefinition) bool {
	return sameInput(j.own.executor.schema.AST, j.all.executor.schema.AST, def.Type.Name(), make(map[string]bool))
}

// sameInput tells whether a type of values has in a part of a schema all that
// it has in the schema.
func sameInput(part, all *ast.Schema, name string, seen map[string]bool) bool {
	if seen[name] {
		return true
	}
	seen[name] = true
	in, of := part.Types[name], all.Types[name]
	if in == nil || of == nil || len(in.Fields) != len(of.Fields) || len(in.EnumValues) != len(of.EnumValues) {
		return false
	}
	return !slices.ContainsFunc(in.Fields, func(f *ast.FieldDefinition) bool { return !sameInput(part, all, f.Type.Name(), seen) })
}

// valid is the document of a text that fits a scope.
func (s *scope) valid(text string) (*document, error) {
	doc, _, errs := s.executor.document(text, &graphql.Stats{})
	if len(errs) == 0 {
		return doc, nil
	}
	if f := (*fault.Error)(nil); errors.As(errs[0], &f) {
		return nil, f
	}
	if refusal := s.catalog.Unreached.Awaits(text); refusal != nil {
		return nil, refusal
	}
	return nil, fault.New(fault.BadUserInput, "the operation cannot be saved: %s", errs[0].Message).
		WithHint("What others run names only what you see yourself.")
}

// choosers are the fields whose arguments or answers are names of the catalog.
var choosers = map[string]bool{"table": true, "dataset": true, "datasets": true, "__schema": true, "__type": true}

// choosingTypes are the types whose texts are such names.
var choosingTypes = map[string]bool{"TableQuery": true, "TableDimension": true, "TableMeasure": true}

// choosing is a field of the document that chooses names at run time, or empty.
func choosing(doc *document) string {
	for _, op := range doc.Operations {
		if name := choosingIn(op.SelectionSet); name != "" {
			return name
		}
	}
	for _, f := range doc.Fragments {
		if name := choosingIn(f.SelectionSet); name != "" {
			return name
		}
	}
	return ""
}

// choosingIn looks at fields of the root: fragments have no others in them.
func choosingIn(set ast.SelectionSet) string {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if choosers[s.Name] && s.ObjectDefinition != nil && s.ObjectDefinition.Name == "Query" {
				return s.Name
			}
		case *ast.InlineFragment:
			if name := choosingIn(s.SelectionSet); name != "" {
				return name
			}
		}
	}
	return ""
}

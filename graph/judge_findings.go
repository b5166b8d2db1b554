package graph

import (
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/dashboard"
	"usher/fault"
	"usher/principal"
	"usher/query"
)

// Findings are what is worth knowing of a dashboard that may be kept, as whoever sees
// this opens it: tiles that fail with the values that it starts with, paths that lead
// nowhere, and parameters that nothing asks for. Shared tells that all tenants see it,
// which makes its texts trusted.
func (e *Engine) Findings(viewer principal.Principal, d dashboard.Document, shared bool) ([]dashboard.Finding, error) {
	s, err := e.views.scopeFor(viewer)
	if err != nil {
		return nil, err
	}
	return e.findings(s, viewer, d, shared), nil
}

// FindingsWhole are those for whoever knows the whole catalog, and sees all of it or
// not: the tiles that this one does not see are found too.
func (e *Engine) FindingsWhole(viewer *principal.Principal, d dashboard.Document, shared bool) ([]dashboard.Finding, error) {
	whole, err := e.whole()
	if err != nil {
		return nil, err
	}
	found := e.findings(whole, e.views.everybody(), d, shared)
	for i, t := range d.Tiles {
		switch {
		case t.Query == "":
		case viewer != nil && !e.ShowsTile(*viewer, t):
			found = append(found, finding(true, "it shows you nothing: you do not see what it asks for, with the roles that you have", "tiles", fmt.Sprint(i), "query"))
		case viewer == nil && !e.ShowsTile(e.views.everybody(), t):
			found = append(found, finding(true, "it shows nobody anything: no role shows all that it asks for; groups and aggregates are shown by roles with `aggregate: true`", "tiles", fmt.Sprint(i), "query"))
		}
	}
	return found, nil
}

func finding(fails bool, message string, at ...string) dashboard.Finding {
	return dashboard.Finding{Problem: dashboard.Problem{Path: at, Message: message}, Fails: fails}
}

func (e *Engine) findings(s *scope, who principal.Principal, d dashboard.Document, shared bool) []dashboard.Finding {
	f := &finder{engine: e, scope: s, who: who, document: d, asked: map[string]bool{"timezone": true}, unfit: make(map[[2]int]bool)} // elements read timezone themselves
	page := &pageOf{scope: s}
	for i, t := range d.Tiles {
		if t.Query != "" {
			f.tile(i, t, page, shared)
		}
	}
	if err := page.check(s.executor.limits); err != nil {
		f.say(true, "opened, all tiles are asked for at once, and that is too much: "+fault.From(err).Message, "tiles")
	}
	for i, p := range d.Parameters {
		if !f.asked[p.Name] {
			f.say(false, "no tile has a variable $"+p.Name+", so nothing follows from it", "parameters", fmt.Sprint(i))
		} else {
			f.control(i, p)
		}
	}
	return f.found
}

// finder looks at one dashboard.
type finder struct {
	engine   *Engine
	scope    *scope
	who      principal.Principal
	document dashboard.Document
	asked    map[string]bool // parameters that some tile has a variable of
	unfit    map[[2]int]bool // options that have been told of
	found    []dashboard.Finding
}

func (f *finder) say(fails bool, message string, at ...string) {
	f.found = append(f.found, finding(fails, message, at...))
}

func (f *finder) tile(i int, t dashboard.Tile, page *pageOf, shared bool) {
	number := fmt.Sprint(i)
	said := func(fails bool, message string, at ...string) {
		f.say(fails, message, append([]string{"tiles", number}, at...)...)
	}
	doc, errs := f.scope.executor.own(t.Query, &graphql.Stats{})
	if len(errs) > 0 {
		said(true, "it shows nothing to who looks at it like this: "+errs[0].Message, "query")
		return
	}
	op, err := onlyQuery(doc)
	if err != nil {
		said(true, fault.From(err).Message, "query")
		return
	}
	if e := f.engine; !shared && e.options.Trusting == TrustOnly && !e.options.Documents.Has(t.Query) && !asksControlOnly(f.scope.executor.schema, op) {
		said(true, "only trusted documents are run here, and its text is none of them: it will be refused. Have it put into a manifest, or have who runs the gateway share the dashboard", "query")
	}
	charted(shapeOf(f.scope.executor.schema.AST, op), t.Chart, func(message string, at ...string) {
		said(at[0] != "format", message, append([]string{"chart"}, at...)...)
	})
	given := startsWith(f.document, t)
	page.add(doc, op, given)
	opens := true
	for _, def := range op.VariableDefinitions {
		opens = f.variable(def, given, said) && opens
	}
	if !opens {
		return
	}
	if err := f.opens(doc, op, given); err != nil {
		refused := fault.From(err)
		message := "opened with the values that the dashboard starts with it fails: " + refused.Message
		if refused.Hint != "" {
			message += " (" + refused.Hint + ")"
		}
		for _, def := range op.VariableDefinitions {
			if _, has := given[def.Variable]; !has && def.DefaultValue == nil {
				message += ". $" + def.Variable + " has no value then: give its parameter a default, or make the whole condition a parameter whose default is {}"
				break
			}
		}
		said(true, message, "query")
	}
}

// variable looks at where the value of a variable comes from. It tells whether there is
// one, where one is needed.
func (f *finder) variable(def *ast.VariableDefinition, given map[string]any, said func(bool, string, ...string)) bool {
	_, has := given[def.Variable]
	chosen := false
	for i, p := range f.document.Parameters {
		if p.Name != def.Variable {
			continue
		}
		chosen, f.asked[p.Name] = true, true
		for j, option := range p.Options {
			if _, err := f.scope.one(def, map[string]any{p.Name: asGiven(option)}); err != nil && !f.unfit[[2]int{i, j}] {
				f.unfit[[2]int{i, j}] = true
				f.say(true, "who chooses it is answered: "+fault.From(err).Message, "parameters", fmt.Sprint(i), "options", fmt.Sprint(j), "value")
			}
		}
	}
	switch {
	case has || def.DefaultValue != nil:
	case chosen && def.Type.NonNull:
		said(false, "$"+def.Variable+" has no value until whoever shows the dashboard gives one: opened without, it fails", "query")
		return false
	case !chosen:
		said(false, "$"+def.Variable+" never has a value: there is no parameter of its name, no value in variables and no default", "query")
	}
	return true
}

// chosenBy is a value such as people choose by a control; a select has options.
var chosenBy = map[string]query.Value{"text": query.Text("a"), "number": query.Number("1"), "date": query.Text("2026-01-01"), "toggle": query.Bool(true)}

// control looks at whether what people choose can be a value of the parameter.
func (f *finder) control(i int, p dashboard.Parameter) {
	at := []string{"parameters", fmt.Sprint(i), "control"}
	def := f.scope.executor.schema.AST.Types[typeOf(p.Type).Name()]
	chosen, typed := chosenBy[p.Control]
	switch {
	case p.Control == "select" && len(p.Options) == 0:
		f.say(false, "there is nothing to choose: select needs options", at...)
	case !typed || def == nil || p.Control == "text" && def.Kind == ast.Enum: // whoever knows the labels may write one
	default:
		if _, _, ok := f.scope.reads(p, chosen); !ok {
			f.say(true, fmt.Sprintf("what people give by a control %s is no value of the type %s: write select, with options, or leave control out", p.Control, p.Type), at...)
		}
	}
}

// opens tells why the tile would be refused with these values.
func (f *finder) opens(doc *document, op *ast.OperationDefinition, given map[string]any) error {
	plans := f.engine.options.Plans
	if plans == nil {
		return nil
	}
	s := f.scope.executor.schema
	variables, err := coerceVariables(s.AST, op, given)
	if err == nil {
		err = checkPositions(s, op, variables)
	}
	if err != nil {
		return err
	}
	oc := &graphql.OperationContext{RawQuery: doc.text, Doc: doc.QueryDocument, Operation: op, Variables: make(map[string]any, len(variables))}
	for name, v := range variables {
		oc.Variables[name] = query.Plain(v)
	}
	asked := selection{operation: oc, schema: s, literals: literals{schema: s.AST, variables: variables}}
	for _, field := range graphql.CollectFields(oc, op.SelectionSet, []string{s.AST.Query.Name}) {
		root, isDataset := s.Roots[field.Name]
		if !isDataset {
			continue
		}
		r := query.Request{Dataset: root.Dataset, Shape: root.Shape, Field: asked.field(field, s.AST.Query.Name)}
		// What else may refuse it depends on the tenant, the token and the source.
		refused := (*fault.Error)(nil)
		if err := plans(f.scope.catalog, f.who, r); errors.As(err, &refused) && refused.Code == fault.BadUserInput && refused.At != "" {
			return err
		}
	}
	return nil
}

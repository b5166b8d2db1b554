package graph

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/dashboard"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/schema"
)

// CheckDashboard says why somebody may not keep a dashboard, which others run: a
// tile names what they do not see, is no single query, or has a variable that
// nothing gives a fitting value. Some tokens run nothing but dashboards, so the
// texts bound those as the tenant's saved queries do.
func (e *Engine) CheckDashboard(writer principal.Principal, d dashboard.Document) error {
	j, err := e.views.judge(writer)
	if err != nil {
		return err
	}
	for _, t := range d.Tiles {
		if err := checkTile(j.own, d, t, j.bounds); err != nil {
			return err
		}
	}
	return nil
}

// CheckWhole is what is wrong with a dashboard for whoever knows the whole catalog, by
// the number of the tile.
func (e *Engine) CheckWhole(d dashboard.Document) (problems map[int]error, err error) {
	whole, err := e.whole()
	if err != nil {
		return nil, err
	}
	problems = make(map[int]error)
	for i, t := range d.Tiles {
		if err := checkTile(whole, d, t, func(*document) error { return nil }); err != nil {
			problems[i] = err
		}
	}
	return problems, nil
}

// whole is the scope of whoever knows the whole catalog.
func (e *Engine) whole() (*scope, error) {
	v := e.views
	view := v.catalog.Everything()
	x, err := v.executor(view, schema.Holder|schema.Reader)
	if err != nil {
		return nil, err
	}
	return &scope{catalog: v.catalog, view: view, executor: x}, nil
}

// everybody is somebody who sees all that whole has: of all tenants, with all roles.
func (v *views) everybody() principal.Principal {
	return principal.Principal{AllTenants: true, Scopes: []principal.Scope{principal.ReadData}, Roles: slices.Sorted(maps.Keys(v.catalog.Roles))}
}

func checkTile(s *scope, d dashboard.Document, t dashboard.Tile, bounds func(*document) error) error {
	if t.Query == "" {
		return nil
	}
	said := func(err error) error {
		of := *fault.From(err)
		of.Message = "tile " + t.ID + ": " + of.Message
		return &of
	}
	if err := onlyRows(t.Query); err != nil {
		return said(err)
	}
	doc, err := s.valid(t.Query)
	if err != nil {
		return said(err)
	}
	op, err := onlyQuery(doc)
	if err == nil {
		err = bounds(doc)
	}
	if err != nil {
		return said(err)
	}
	for _, m := range t.Variables {
		if op.VariableDefinitions.ForName(m.Name) == nil {
			return said(fault.New(fault.BadUserInput, "the query has no variable $%s", m.Name))
		}
	}
	given := startsWith(d, t)
	for _, def := range op.VariableDefinitions {
		p, chosen := d.Parameter(def.Variable)
		if chosen && !sameShape(p.Type, def.Type) {
			return said(fault.New(fault.BadUserInput, "the variable $%s is of the type %s, and the parameter of that name is of %s", def.Variable, def.Type.String(), p.Type))
		}
		if _, has := given[def.Variable]; !has && chosen { // whoever looks gives it
			continue
		}
		if _, err := s.one(def, given); err != nil {
			return said(err)
		}
	}
	return nil
}

// startsWith are the values that the variables of a tile have when somebody opens the
// dashboard.
func startsWith(d dashboard.Document, t dashboard.Tile) map[string]any {
	given := make(map[string]any)
	for _, m := range t.With(d.Defaults()) {
		given[m.Name] = asGiven(m.Value)
	}
	return given
}

// one reads the value of one variable.
func (s *scope) one(def *ast.VariableDefinition, given map[string]any) (map[string]query.Value, error) {
	return coerceVariables(s.executor.schema.AST, &ast.OperationDefinition{VariableDefinitions: ast.VariableDefinitionList{def}}, given)
}

// onlyRows refuses a text that is more than a question for rows, before it is compared
// with any schema: there it would be told what has no such field.
func onlyRows(text string) error {
	doc, err := parse(text, 0)
	if err != nil {
		return nil //nolint:nilerr // whoever validates it says where
	}
	if len(doc.Operations) != 1 || doc.Operations[0].Operation != ast.Query {
		return notOneQuery
	}
	spread := make(map[string]bool)
	var describes func(ast.SelectionSet) bool
	describes = func(set ast.SelectionSet) bool {
		return slices.ContainsFunc(set, func(selected ast.Selection) bool {
			switch selected := selected.(type) {
			case *ast.Field:
				return introspects(selected.Name)
			case *ast.InlineFragment:
				return describes(selected.SelectionSet)
			case *ast.FragmentSpread:
				f := doc.Fragments.ForName(selected.Name)
				again := spread[selected.Name]
				spread[selected.Name] = true
				return f != nil && !again && describes(f.SelectionSet)
			}
			return false
		})
	}
	if describes(doc.Operations[0].SelectionSet) {
		return fault.New(fault.BadUserInput, "a tile asks for rows, and not for the schema").WithHint("Leave out __schema and __type.")
	}
	return nil
}

// sameShape tells whether a parameter's values fit a variable, but for nulls.
func sameShape(parameter string, variable *ast.Type) bool {
	plain := func(text string) string { return strings.ReplaceAll(text, "!", "") }
	return plain(parameter) == plain(variable.String())
}

// ShowsTile tells whether a tile fits the view of somebody, so that the names in its
// chart are names that they see.
func (e *Engine) ShowsTile(viewer principal.Principal, t dashboard.Tile) bool {
	if t.Query == "" {
		return true
	}
	s, err := e.views.scopeFor(viewer)
	return err == nil && s.fits(t)
}

func (s *scope) fits(t dashboard.Tile) bool {
	if t.Query == "" {
		return true
	}
	_, err := s.valid(t.Query)
	return err == nil
}

// Viewed is what somebody sees of a dashboard.
func (e *Engine) Viewed(viewer principal.Principal, d dashboard.Document) dashboard.View {
	j, err := e.views.judge(viewer)
	if err != nil {
		return dashboard.View{
			Tile:      func(t dashboard.Tile) bool { return t.Query == "" },
			Parameter: func(dashboard.Parameter) bool { return false },
			Value:     func(dashboard.Parameter, query.Value) bool { return false },
		}
	}
	return j.viewed(d)
}

// viewed is a view in which a parameter is shown unless it is for tiles alone that are not: its values
// may be some of what these compare. Those of a table query are names, and told to who sees all.
func (j judgement) viewed(d dashboard.Document) dashboard.View {
	fits := make(map[string]bool, len(d.Tiles))
	asked := make(map[string]bool) // by a tile that fits, or by others alone
	for _, t := range d.Tiles {
		fits[t.ID] = j.own.fits(t)
		for _, name := range variablesOf(t.Query) {
			asked[name] = asked[name] || fits[t.ID]
		}
	}
	types := j.own.executor.schema.AST
	return dashboard.View{
		Tile: func(t dashboard.Tile) bool { return fits[t.ID] },
		Parameter: func(p dashboard.Parameter) bool {
			shown, known := asked[p.Name]
			return types.Types[typeOf(p.Type).Name()] != nil && (shown || !known)
		},
		Value: func(p dashboard.Parameter, v query.Value) bool {
			if choosingTypes[typeOf(p.Type).Name()] && !j.whole() {
				return false
			}
			_, _, ok := j.own.reads(p, v)
			return ok
		},
	}
}

// ShowsValues tells whether somebody sees all that the values of a dashboard's parameters name.
func (e *Engine) ShowsValues(viewer principal.Principal, d dashboard.Document) bool {
	j, err := e.views.judge(viewer)
	return err == nil && (j.whole() || d.Shows(j.viewed(d)))
}

// HidesValues tells whether the values of a dashboard's parameters name what somebody else of the tenant may see
// and this one does not.
func (e *Engine) HidesValues(viewer principal.Principal, d dashboard.Document) bool {
	j, err := e.views.judge(viewer)
	return err != nil || !j.whole() && !d.Shows(j.viewed(d)) && d.Shows(judgement{own: j.all, all: j.all}.viewed(d))
}

// variablesOf are the names of the variables of a text, whoever may ask it.
func variablesOf(text string) (names []string) {
	doc, err := parse(text, 0)
	if text == "" || err != nil {
		return nil
	}
	for _, op := range doc.Operations {
		for _, def := range op.VariableDefinitions {
			names = append(names, def.Variable)
		}
	}
	return names
}

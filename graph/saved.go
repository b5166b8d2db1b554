package graph

import (
	"context"
	"maps"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
	"usher/principal"
)

// SavedName names a saved operation: one of its members is set.
type SavedName struct{ Name, ID string }

// savedExtension is the member of a request's extensions that names a saved
// operation, in place of a text: {"name": "…"} or {"id": "…"}.
const savedExtension = "savedQuery"

// asked is the text of the operation and the values of its variables: those of
// the request or of the saved operation that it names. Values that a request
// gives stand before those that are kept.
func (e *Engine) asked(ctx context.Context, params *graphql.RawParams) (string, map[string]any, error) {
	extension, named := params.Extensions[savedExtension]
	if principal.IsAnonymous(ctx) {
		return params.Query, params.Variables, nil
	}
	who, err := principal.From(ctx)
	switch {
	case err != nil:
		return "", nil, err
	case who.Grant.Dashboards != nil && (named || !endsToken(params.Query)):
		return "", nil, fault.New(fault.Forbidden, "the token is for dashboards only").
			WithHint("Ask for one of its dashboards: POST /dashboards/NAME.")
	case !named && who.Grant.SavedOnly && !endsToken(params.Query):
		return "", nil, fault.New(fault.Forbidden, "the token is for saved queries only").
			WithHint(`Name one instead of a text: "extensions": {"savedQuery": {"name": "…"}}.`)
	case !named:
		return params.Query, params.Variables, nil
	case params.Query != "":
		return "", nil, fault.New(fault.BadUserInput, "the request has a text and names a saved query: only one of them can be meant")
	}
	name, err := savedName(extension)
	if err != nil {
		return "", nil, err
	}
	if e.options.Saved == nil {
		return "", nil, fault.New(fault.NotFound, "no queries are saved here")
	}
	text, kept, err := e.options.Saved(ctx, who, name)
	if err != nil {
		return "", nil, err
	}
	if len(kept) == 0 {
		return text, params.Variables, nil
	}
	variables := maps.Clone(kept)
	maps.Copy(variables, params.Variables)
	return text, variables, nil
}

// maxEnding is how long the text may be by which a token ends, in bytes and in tokens.
const maxEnding, maxEndingTokens = 1000, 20

// endsToken tells whether a text asks for nothing but that the token that is shown
// ends: whoever is given saved queries only may give them back.
func endsToken(text string) bool {
	if len(text) > maxEnding {
		return false
	}
	doc, err := parse(text, maxEndingTokens)
	if err != nil || len(doc.Operations) != 1 || len(doc.Fragments) > 0 || doc.Operations[0].Operation != ast.Mutation || len(doc.Operations[0].SelectionSet) != 1 {
		return false
	}
	field, ok := doc.Operations[0].SelectionSet[0].(*ast.Field)
	return ok && field.Name == "logout"
}

func savedName(extension any) (SavedName, error) {
	object, _ := extension.(map[string]any)
	name, isName := object["name"].(string)
	id, isID := object["id"].(string)
	if len(object) != 1 || name == "" && id == "" || !isName && !isID {
		return SavedName{}, fault.New(fault.BadUserInput, "the extension %s must be an object with either the name or the id of a saved query", savedExtension)
	}
	if strings.IndexByte(name+id, 0) >= 0 {
		return SavedName{}, fault.New(fault.BadUserInput, "the extension %s: text must be UTF-8 without NUL", savedExtension)
	}
	return SavedName{Name: name, ID: id}, nil
}

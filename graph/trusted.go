package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
	"usher/principal"
	"usher/schema"
)

// Trusting is what becomes of operations whose text is not among the trusted
// documents. It holds for saved ones as well, for whoever may ask may save.
type Trusting uint8

// The ways of trusting.
const (
	TrustAll  Trusting = iota // they are run
	TrustTold                 // they are run, and Options.Untrusted is told
	TrustOnly                 // they are refused, unless they ask the control plane alone
)

// documentExtension is the member of a request's extensions that names a trusted
// document. Over HTTP it is the request's own member documentId.
const documentExtension = "documentId"

// trusted is the text of a request that may name it by the id of a trusted
// document, and whether the text is one of these.
func (e *Engine) trusted(params *graphql.RawParams, text string) (string, bool, error) {
	named := params.Extensions[documentExtension]
	if named == nil {
		if hash, given, err := persistedHash(params.Extensions); given && err == nil && text == "" {
			text, ok := e.options.Documents.Text(hex.EncodeToString(hash[:]))
			return text, ok, nil
		}
		return text, e.options.Trusting != TrustAll && e.options.Documents.Has(text), nil
	}
	id, isText := named.(string)
	switch {
	case !isText || id == "":
		return "", false, fault.New(fault.BadUserInput, "documentId must be the id of a document, as text")
	case params.Extensions[savedExtension] != nil:
		return "", false, fault.New(fault.BadUserInput, "the request names a document and a saved query: only one of them can be meant")
	}
	kept, ok := e.options.Documents.Text(id)
	switch {
	case !ok:
		return "", false, fault.New(fault.NotFound, "no document of this id is known here").
			WithHint("Put the manifest of the client's build where the configuration's documents names it, and have usher read its configuration anew: usher reload, or SIGHUP.")
	case text != "" && sha256.Sum256([]byte(text)) != sha256.Sum256([]byte(kept)):
		return "", false, fault.New(fault.BadUserInput, "the document of this id is another text than the query").
			WithHint("Leave out the query, or the id.")
	}
	return kept, true, nil
}

// allows tells whether an operation may be run whose text is not among the trusted
// documents. The document may have been found to be wrong: then nothing is told of
// what, for that would describe the schema.
func (e *Engine) allows(ctx context.Context, sc *scope, op *graphql.OperationContext, doc *document) error {
	if e.options.Trusting == TrustAll || principal.IsAnonymous(ctx) {
		return nil
	}
	if doc != nil && op.Operation != nil && asksControlOnly(sc.executor.schema, op.Operation) {
		return nil
	}
	if e.options.Trusting == TrustOnly {
		return fault.New(fault.Forbidden, "only documents that are known beforehand are run here").
			WithHint("Send the documentId of a document of the client's manifest, or have the manifest that has this text put into the configuration.")
	}
	if e.options.Untrusted != nil && op.Operation != nil {
		e.options.Untrusted(ctx, op.OperationName, op.RawQuery)
	}
	return nil
}

// asksControlOnly tells whether each field of the root is of the control plane, and
// no way to rows: even those count that a directive leaves out.
func asksControlOnly(s *schema.Schema, op *ast.OperationDefinition) bool {
	mutation := op.Operation == ast.Mutation
	var all func(ast.SelectionSet) bool
	all = func(set ast.SelectionSet) bool {
		for _, selected := range set {
			switch selected := selected.(type) {
			case *ast.Field:
				_, reads := s.Roots[selected.Name]
				_, changes := s.Changes[selected.Name]
				if reads || changes || !mutation && !describes(selected.Name) {
					return false
				}
			case *ast.InlineFragment:
				if !all(selected.SelectionSet) {
					return false
				}
			case *ast.FragmentSpread:
				if !all(selected.Definition.SelectionSet) {
					return false
				}
			}
		}
		return true
	}
	return all(op.SelectionSet)
}

// describes tells the fields of the query type by which nothing but usher itself is
// asked. A field that is not named here is taken for one that leads to rows.
func describes(field string) bool {
	switch field {
	case "__typename", "authenticated", "console", "viewer", "datasets", "dataset", "dashboards", "dashboard", "admin":
		return true
	}
	return false
}

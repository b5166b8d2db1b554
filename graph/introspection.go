package graph

import (
	"bytes"
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/answer"
	"usher/fault"
	"usher/lru"
)

// The schema of a thousand datasets takes seconds to write and is the same for
// all who see it. Answers about a schema are kept, for all views together, and
// made one at a time for each view, so that those who ask the same find them
// made, and those who ask in ever new ways take no more than their turn. That is
// more than singleflight, which knows equal questions only: here whoever waits
// leaves when its own request ends, and what one failed to make the next makes.

// introspectionBytes bounds the answers that are kept.
const introspectionBytes = 64 << 20

// introspectionKey tells answers apart: the view, what was asked of it, and the
// field.
type introspectionKey struct {
	view                                 uint64
	text, operation, variables, response string
}

func (k introspectionKey) size() int {
	return len(k.text) + len(k.operation) + len(k.variables) + len(k.response) + 256
}

// introspections are the answers kept, and the turns of those who make some.
type introspections struct {
	kept  *lru.Cache[introspectionKey, []byte]
	turns chan struct{}
}

func newIntrospections(most int) introspections {
	return introspections{kept: lru.New[introspectionKey, []byte](introspectionBytes), turns: make(chan struct{}, most)}
}

func introspects(field string) bool { return field == "__schema" || field == "__type" }

// introspection answers a field about the schema.
func (x *executable) introspection(ctx context.Context, op *graphql.OperationContext, f graphql.CollectedField) rootAnswer {
	asked := x.key(op)
	key := introspectionKey{view: x.view, text: op.RawQuery, operation: asked.operation, variables: asked.variables, response: f.Alias}
	if json, ok := x.introspections.kept.Get(key); ok {
		return rootAnswer{Outcome: Outcome{Answer: answer.Of(json)}}
	}
	for _, turn := range []chan struct{}{x.turn, x.introspections.turns} {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return x.datasetField(ctx, f, Outcome{Err: ctx.Err()})
		}
	}
	if json, ok := x.introspections.kept.Get(key); ok {
		return rootAnswer{Outcome: Outcome{Answer: answer.Of(json)}}
	}
	a := x.controlField(ctx, op, f, nil)
	if len(a.told) == 0 && !a.failed {
		json := bytes.Clone(a.JSON()) // without the room it was written in
		x.introspections.kept.Add(key, json, len(json)+key.size())
	}
	return a
}

// What one operation may ask about the schema: what tools ask, and not its
// product with itself.
const (
	maxSchemas             = 1
	maxTypes               = 10 // by name
	maxIntrospectedAliases = 5
)

// introspectedLists have as many items as there are types or members of one.
var introspectedLists = map[string]bool{
	"types": true, "directives": true, "fields": true, "inputFields": true, "enumValues": true, "interfaces": true, "possibleTypes": true, "args": true,
}

// checkIntrospection refuses what multiplies an answer about the schema: several
// of them, lists under several names, and lists of lists below that of all
// types. The document is valid and within the limits.
func checkIntrospection(doc *ast.QueryDocument) error {
	for _, op := range doc.Operations {
		var m introspected
		m.roots(op.SelectionSet)
		switch {
		case m.schemas > maxSchemas || m.types > maxTypes:
			return fault.New(fault.TooComplex, "the operation asks for more than %d __schema or %d __type", maxSchemas, maxTypes)
		case m.aliases > maxIntrospectedAliases || m.renamed:
			return fault.New(fault.TooComplex, "the operation has more than %d aliases in __schema and __type, or one of a list", maxIntrospectedAliases)
		case m.nested:
			return fault.New(fault.TooComplex, "below types, lists hold no further lists").WithHint("Ask for one type with __type.")
		}
	}
	return nil
}

type introspected struct {
	schemas, types, aliases int
	renamed, nested         bool
}

func (m *introspected) roots(set ast.SelectionSet) {
	each(set, func(f *ast.Field) {
		switch f.Name {
		case "__schema":
			m.schemas++
		case "__type":
			m.types++
		default:
			return
		}
		m.below(f.SelectionSet, -1)
	})
}

// below looks at fields of the schema. Lists counts those inside of the list of
// all types, and is -1 outside of it.
func (m *introspected) below(set ast.SelectionSet, lists int) {
	each(set, func(f *ast.Field) {
		if f.Alias != f.Name {
			m.aliases++
			m.renamed = m.renamed || introspectedLists[f.Name]
		}
		inside := lists
		switch {
		case f.Name == "types":
			inside = 0
		case lists >= 0 && introspectedLists[f.Name] && f.Name != "args":
			inside++
		}
		m.nested = m.nested || inside > 1
		m.below(f.SelectionSet, inside)
	})
}

// each calls f with the fields of a selection, those of fragments included.
func each(set ast.SelectionSet, f func(*ast.Field)) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			f(s)
		case *ast.InlineFragment:
			each(s.SelectionSet, f)
		case *ast.FragmentSpread:
			each(s.Definition.SelectionSet, f)
		}
	}
}

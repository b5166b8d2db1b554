package graph

import (
	"errors"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"usher/fault"
	"usher/lru"
	"usher/schema"
)

// viewExecutor reads and executes documents of one view. Its cache of
// documents belongs to the view, because a document that is valid for one
// principal may name what does not exist for another.
type viewExecutor struct {
	schema    *schema.Schema
	limits    Limits
	documents *lru.Cache[string, *ast.QueryDocument]
	dispatch  *executor.Executor
}

func (e *Engine) newViewExecutor(s *schema.Schema, limits Limits) *viewExecutor {
	return &viewExecutor{
		schema:    s,
		limits:    limits,
		documents: lru.New[string, *ast.QueryDocument](e.options.CacheBytes),
		dispatch: e.executor(&executable{
			schema:      s,
			control:     NewExecutableSchema(Config{Resolvers: e.control, Schema: s.AST}),
			datasets:    e.datasets,
			concurrency: e.options.Concurrency,
		}),
	}
}

// document returns the validated document of a text. It is shared and
// read-only.
func (x *viewExecutor) document(text string, stats *graphql.Stats) (*ast.QueryDocument, gqlerror.List) {
	stats.Parsing.Start = graphql.Now()
	if doc, ok := x.documents.Get(text); ok {
		stats.Parsing.End = graphql.Now()
		stats.Validation = graphql.TraceTiming{Start: stats.Parsing.End, End: stats.Parsing.End}
		return doc, nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, x.limits.Tokens)
	stats.Parsing.End = graphql.Now()
	if err != nil {
		return nil, x.unparsed(err)
	}
	stats.Validation.Start = stats.Parsing.End
	defer func() { stats.Validation.End = graphql.Now() }()
	if len(doc.Operations) == 0 {
		return nil, invalid("The document has no operation.")
	}
	if err := x.limits.check(doc); err != nil {
		return nil, refuse(err)
	}
	if errs := validate(x.schema.AST, doc); len(errs) > 0 {
		return nil, errs
	}
	x.documents.Add(text, doc, len(text))
	return doc, nil
}

// unparsed says why a text is no document. The parser reports its limit with
// nothing but a message to tell it by.
func (x *viewExecutor) unparsed(err error) gqlerror.List {
	var g *gqlerror.Error
	if !errors.As(err, &g) {
		return refuse(err)
	}
	if strings.HasPrefix(g.Message, "exceeded token limit") {
		return refuse(fault.New(fault.TooComplex, "the document has more than %d tokens", x.limits.Tokens).
			WithHint("Send lists of values as variables."))
	}
	return gqlerror.List{{
		Message:    g.Message,
		Locations:  g.Locations,
		Extensions: map[string]any{"code": string(fault.ParseFailed)},
	}}
}

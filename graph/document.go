package graph

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/lru"
	"usher/schema"
)

// viewExecutor reads and executes documents of one view. Its cache of
// documents belongs to the view, because a document that is valid for one
// principal may name what does not exist for another.
type viewExecutor struct {
	number    uint64         // no other view has
	numbers   *atomic.Uint64 // of documents and views
	schema    *schema.Schema
	limits    Limits
	documents *lru.Cache[string, *document]
	pages     *lru.Cache[string, *document] // what the documents of tiles are together, which has no text
	run       *executable
}

func (e *Engine) newViewExecutor(s *schema.Schema, limits Limits) *viewExecutor {
	number := e.numbers.Add(1)
	run := &executable{
		view:           number,
		introspections: e.introspections,
		turn:           make(chan struct{}, 1),

		schema:      s,
		control:     NewExecutableSchema(Config{Resolvers: e.control, Schema: s.AST}),
		datasets:    e.datasets,
		openID:      e.options.OpenID,
		concurrency: e.options.Concurrency,
	}
	return &viewExecutor{
		number:    number,
		numbers:   &e.numbers,
		schema:    s,
		limits:    limits,
		documents: lru.New[string, *document](e.options.CacheBytes),
		pages:     lru.New[string, *document](1000),
		run:       run,
	}
}

// document is a validated document. It is shared and read-only.
type document struct {
	*ast.QueryDocument
	number  uint64 // no other document has
	text    string
	extents map[*ast.OperationDefinition]extent
	roots   map[*ast.OperationDefinition][]graphql.CollectedField // of queries in which no variable decides which fields there are

	lifted map[*ast.Value]lifted // of one that texts with other literals share; else nil
	places []spot                // of these literals, by number
}

// nodeSize is about what a field or a value takes in memory, with its place in
// the text.
const nodeSize = 220

// size is about how many bytes a document takes in memory.
func (d *document) size() int {
	n := len(d.text)
	var selection func(ast.SelectionSet)
	var value func(*ast.Value)
	value = func(v *ast.Value) {
		n += nodeSize
		if v != nil {
			for _, child := range v.Children {
				value(child.Value)
			}
		}
	}
	directives := func(list ast.DirectiveList) {
		for _, directive := range list {
			n += nodeSize
			for _, arg := range directive.Arguments {
				value(arg.Value)
			}
		}
	}
	selection = func(set ast.SelectionSet) {
		for _, s := range set {
			n += nodeSize
			switch s := s.(type) {
			case *ast.Field:
				for _, arg := range s.Arguments {
					value(arg.Value)
				}
				directives(s.Directives)
				selection(s.SelectionSet)
			case *ast.InlineFragment:
				directives(s.Directives)
				selection(s.SelectionSet)
			case *ast.FragmentSpread:
				directives(s.Directives)
			}
		}
	}
	for _, op := range d.Operations {
		n += nodeSize
		for _, def := range op.VariableDefinitions {
			n += nodeSize
			value(def.DefaultValue)
		}
		selection(op.SelectionSet)
	}
	for _, f := range d.Fragments {
		n += nodeSize
		selection(f.SelectionSet)
	}
	return n + nodeSize*len(d.lifted)
}

// document returns the validated document of a text: its own, or one that is shared
// by texts with other literals, and the literals of this one. A text has its own if it
// is the first of its form, as most clients send what differs in variables.
func (x *viewExecutor) document(text string, stats *graphql.Stats) (_ *document, literals []string, _ gqlerror.List) {
	stats.Parsing.Start = graphql.Now()
	if doc, ok := x.documents.Get(text); ok {
		known(stats)
		return doc, nil, nil
	}
	f, cut := formOf(text)
	if cut {
		if doc, ok := x.documents.Get(f.text); ok && doc.takes(f.cut) {
			known(stats)
			return doc, f.cut, nil
		}
	}
	doc, errs := x.own(text, stats)
	return doc, nil, errs
}

// own is the validated document of a text alone.
func (x *viewExecutor) own(text string, stats *graphql.Stats) (*document, gqlerror.List) {
	if doc, ok := x.documents.Get(text); ok {
		known(stats)
		return doc, nil
	}
	doc, errs := x.read(text, stats)
	if errs != nil {
		return nil, errs
	}
	if f, cut := formOf(text); cut {
		if shared := doc.shared(x.schema, f); shared != nil { // before others see the document
			shared.number = x.numbers.Add(1)
			x.documents.Add(f.text, shared, len(f.text)+shared.size())
		}
	}
	x.documents.Add(text, doc, doc.size())
	return doc, nil
}

// known notes that a document was parsed and validated before.
func known(stats *graphql.Stats) {
	stats.Parsing.End = graphql.Now()
	stats.Validation = graphql.TraceTiming{Start: stats.Parsing.End, End: stats.Parsing.End}
}

// read parses and validates a text.
func (x *viewExecutor) read(text string, stats *graphql.Stats) (*document, gqlerror.List) {
	doc, err := parse(text, x.limits.Tokens)
	stats.Parsing.End = graphql.Now()
	if err != nil {
		return nil, x.unparsed(err)
	}
	stats.Validation.Start = stats.Parsing.End
	defer func() { stats.Validation.End = graphql.Now() }()
	if len(doc.Operations) == 0 {
		return nil, invalid("The document has no operation.")
	}
	extents, err := x.limits.check(doc, x.schema.Administers())
	if err != nil {
		return nil, refuse(err)
	}
	if errs := validate(x.schema, doc); len(errs) > 0 {
		return nil, errs
	}
	if err := checkIntrospection(doc); err != nil {
		return nil, refuse(err)
	}
	return &document{QueryDocument: doc, number: x.numbers.Add(1), text: text, extents: extents, roots: rootsOf(doc)}, nil
}

// rootsOf collects the root's fields of queries that have nothing but fields there, and no
// directive that could leave one out.
func rootsOf(doc *ast.QueryDocument) map[*ast.OperationDefinition][]graphql.CollectedField {
	roots := make(map[*ast.OperationDefinition][]graphql.CollectedField, len(doc.Operations))
	for _, op := range doc.Operations {
		if op.Operation == ast.Query && !slices.ContainsFunc(op.SelectionSet, func(s ast.Selection) bool {
			f, plain := s.(*ast.Field)
			return !plain || len(f.Directives) > 0
		}) {
			roots[op] = graphql.CollectFields(&graphql.OperationContext{}, op.SelectionSet, nil)
		}
	}
	return roots
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

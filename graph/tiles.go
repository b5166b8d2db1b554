package graph

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/fault"
	"usher/query"
)

// Tile is one of several queries that are asked together, and the values of its
// variables; others than it has are not looked at.
type Tile struct {
	Query     string
	Variables query.Object
	Kept      func(variable string) bool // the value is kept with it, and not given by whoever asks
	Trusted   bool                       // whoever runs the gateway has written it, or shares it with all tenants
}

// TileAnswer is what one tile is answered.
type TileAnswer = graphql.Response

// hiddenTile is all that is said of a tile that does not fit the view of who looks
// at it: its text is somebody else's, and may name what they do not see.
var hiddenTile = fault.New(fault.Forbidden, "the tile shows what is not there, or not for you").
	WithHint("Whoever keeps the dashboard is told more when saving it.")

// Tiles answers several queries as one operation: within the bounds of one, and
// with the scans that one shares. It is not made one text: the fields of each keep
// their names, places and variables, and meet where dataset fields are planned. A
// tile that fails leaves the others their answers; an error is for all of them.
func (e *Engine) Tiles(ctx context.Context, name string, tiles []Tile) ([]*graphql.Response, error) {
	ctx = e.answering(ctx)
	sc, err := e.views.scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	x := sc.executor
	page := &pageOf{scope: sc, pieces: make([]*piece, 0, len(tiles))}
	out := make([]*graphql.Response, len(tiles))
	at := make([]int, 0, len(tiles))
	for i, t := range tiles {
		op, err := e.tile(ctx, sc, page, t)
		if err != nil {
			out[i] = failedTile(ctx, err)
			continue
		}
		page.pieces = append(page.pieces, x.run.piece(op))
		at = append(at, i)
	}
	if err := page.check(x.limits); err != nil {
		return nil, err
	}
	op := page.operation(e, name)
	ctx = graphql.WithOperationContext(withScope(ctx, sc), op)
	x.run.answer(ctx, op, page.pieces)
	for i, p := range page.pieces {
		ctx := graphql.WithFreshResponseContext(ctx)
		later := refusedForNow(p.answers)
		response := x.run.response(ctx, p.fields, p.answers)
		if later {
			response.Data = nil
		}
		response.Extensions = graphql.GetExtensions(ctx)
		out[at[i]] = response
	}
	return out, nil
}

func failedTile(ctx context.Context, err error) *graphql.Response {
	ctx = graphql.WithFreshResponseContext(ctx)
	graphql.AddError(ctx, err)
	return &graphql.Response{Errors: graphql.GetErrors(ctx)}
}

// tile makes the operation of a tile, in the view of whoever asks.
func (e *Engine) tile(ctx context.Context, sc *scope, page *pageOf, t Tile) (*graphql.OperationContext, error) {
	op := &graphql.OperationContext{
		RawQuery:               t.Query,
		RecoverFunc:            e.recover,
		ResolverMiddleware:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	}
	op.Stats.OperationStart = graphql.Now()
	doc, errs := sc.executor.own(t.Query, &op.Stats)
	if len(errs) > 0 {
		if refusal := sc.catalog.Unreached.Awaits(t.Query); refusal != nil {
			return nil, refusal
		}
		return nil, hiddenTile.Because(errors.New(errs.Error())) // not as it is: the presenter would find it
	}
	var err error
	if op.Operation, err = onlyQuery(doc); err != nil {
		return nil, err
	}
	if !t.Trusted && (e.options.Trusting == TrustAll || !e.options.Documents.Has(t.Query)) {
		if err := e.allows(ctx, sc, op, doc); err != nil {
			return nil, err
		}
	}
	op.Doc = doc.QueryDocument
	given := make(map[string]any, len(t.Variables))
	for _, m := range t.Variables {
		given[m.Name] = asGiven(m.Value)
	}
	s := sc.executor.schema
	for _, def := range op.Operation.VariableDefinitions {
		if _, has := given[def.Variable]; has && t.Kept(def.Variable) {
			if _, err := sc.one(def, given); err != nil {
				return nil, hiddenTile.Because(errors.New(fault.From(err).Message)) // the presenter would find the error itself
			}
		}
	}
	variables, err := coerceVariables(s.AST, op.Operation, given)
	if err == nil {
		err = checkPositions(s, op.Operation, variables)
	}
	if err != nil {
		return nil, err
	}
	op.Variables = make(map[string]any, len(variables))
	for name, v := range variables {
		op.Variables[name] = query.Plain(v)
	}
	op.Stats.SetExtension(operationKey, &operation{scope: sc, document: doc, variables: variables})
	page.add(doc, op.Operation, given)
	return op, nil
}

var notOneQuery = fault.New(fault.BadUserInput, "a tile asks one query, and nothing else").
	WithHint("Write each operation into a tile of its own; mutations are for /graphql.")

// onlyQuery is the one operation of a tile's document.
func onlyQuery(doc *document) (*ast.OperationDefinition, error) {
	if len(doc.Operations) != 1 || doc.Operations[0].Operation != ast.Query {
		return nil, notOneQuery
	}
	return doc.Operations[0], nil
}

// pageOf is what the tiles are together.
type pageOf struct {
	scope   *scope
	pieces  []*piece
	extent  extent
	most    load
	exactly []func() load // instead of most
	text    strings.Builder
	numbers []byte // of the documents
}

func (p *pageOf) add(doc *document, op *ast.OperationDefinition, given map[string]any) {
	p.extent.beside(doc.extents[op])
	p.most.add(doc.mostLoad(op, given, nil))
	p.exactly = append(p.exactly, func() load { return doc.load(op, given, nil) })
	p.numbers = append(strconv.AppendUint(p.numbers, doc.number, 10), ' ')
	p.text.WriteString(doc.text)
	p.text.WriteByte('\n')
}

// check holds the page to the bounds of one operation.
func (p *pageOf) check(l Limits) error {
	err := l.checkExtent(p.extent)
	if err == nil && l.checkLoad(p.most) != nil {
		var all load
		for _, exactly := range p.exactly {
			all.add(exactly())
		}
		err = l.checkLoad(all)
	}
	if err != nil {
		return fault.From(err).WithHint("The tiles of a request count together. Ask for some of them.")
	}
	return nil
}

// operation is the one that all tiles are, of a document that is theirs together.
func (p *pageOf) operation(e *Engine, name string) *graphql.OperationContext {
	known, key := p.scope.executor.pages, string(p.numbers)
	doc, ok := known.Get(key)
	if !ok {
		doc = &document{number: e.numbers.Add(1), text: p.text.String()}
		known.Add(key, doc, 1)
	}
	op := &graphql.OperationContext{
		RawQuery: doc.text, OperationName: name, Operation: &ast.OperationDefinition{Operation: ast.Query, Name: name}, RecoverFunc: e.recover,
	}
	op.Stats.OperationStart = graphql.Now()
	op.Stats.SetExtension(operationKey, &operation{scope: p.scope, document: doc})
	return op
}

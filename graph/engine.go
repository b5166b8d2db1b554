// Package graph owns the execution of GraphQL: one schema and executor for
// each view, the limits of a query, and the joining of two kinds of fields,
// the generated control plane and the datasets, in one response. It turns a
// selection into a query.Request and asks a DatasetResolver for the answer; it
// knows neither plans nor sources. It refuses documents beyond the limits
// before it validates them, and lets no text of an error out that is not
// usher's own.
package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/catalog"
	"usher/fault"
	"usher/graph/documents"
	"usher/lru"
	"usher/principal"
	"usher/query"
)

// Options are the engine's settings; a zero field means its default.
type Options struct {
	// Administration shows the part of the control plane that needs a control
	// store, to whom it is for; the anonymous may log in.
	Administration bool
	// Saved finds the text of a saved operation, and the values of variables
	// that are kept with it, for who asks. Nil: there are none.
	Saved func(ctx context.Context, who principal.Principal, name SavedName) (text string, variables map[string]any, err error)

	// Documents are the trusted ones, which a request may name by their ids; nil:
	// there are none. Untrusted is told of operations that are run without being
	// one of them, where Trusting wants that.
	Documents *documents.Trusted
	Trusting  Trusting
	Untrusted func(ctx context.Context, operation, text string)

	// Plans tells why a request of somebody would be refused, without running it. Nil:
	// nothing is said of that.
	Plans func(cat *catalog.Catalog, who principal.Principal, r query.Request) error

	// OpenID reads the ids of rows. With it rows have ids, and are found by them
	// as Relay does.
	OpenID OpenID

	Limits      Limits
	Concurrency int          // root fields of one operation that run at once; default 8
	Views       int          // views whose schemas are kept; default 256
	CacheBytes  int          // of validated documents kept for each view; default 8 MiB
	Logger      *slog.Logger // causes of errors; default slog.Default
}

// Engine answers operations for every principal: it implements gqlgen's
// graphql.GraphExecutor and chooses the schema by the principal of the
// context.
type Engine struct {
	control  ResolverRoot
	datasets DatasetResolver
	options  Options
	present  graphql.ErrorPresenterFunc
	recover  graphql.RecoverFunc
	views    *views
	numbers  atomic.Uint64 // of documents and views

	introspections introspections
	texts          *lru.Cache[persistedKey, string]
}

var _ graphql.GraphExecutor = (*Engine)(nil)

// NewEngine makes an engine that serves a catalog. It fails when the catalog's
// names cannot be one GraphQL schema.
func NewEngine(cat *catalog.Catalog, control ResolverRoot, datasets DatasetResolver, options Options) (*Engine, error) {
	options.Limits = options.Limits.orDefaults()
	if options.Concurrency <= 0 {
		options.Concurrency = 8
	}
	if options.Views <= 0 {
		options.Views = 256
	}
	if options.CacheBytes <= 0 {
		options.CacheBytes = 8 << 20
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	errors := presenter{options.Logger}
	e := &Engine{control: control, datasets: datasets, options: options, present: errors.present, recover: errors.recovered}
	e.texts = lru.New[persistedKey, string](persistedBytes)
	e.introspections = newIntrospections(max(1, runtime.GOMAXPROCS(0)/2))
	var err error
	if e.views, err = e.newViews(cat); err != nil {
		return nil, fmt.Errorf("build the GraphQL schema: %w", err)
	}
	return e, nil
}

// operation is what the engine keeps of an operation between its creation and
// its dispatch, so that both happen in one view of one catalog.
type operation struct {
	scope     *scope
	document  *document
	literals  []string // of the text, where others share the document
	variables map[string]query.Value
	explain   bool
	numbers   Numbers
}

const operationKey = "usher.operation"

// CreateOperationContext parses, limits and validates a document for the
// context's principal. The operation context is never nil.
//
// Whoever has shown no token learns nothing of what is wrong with a document
// that is not for the anonymous: a token is missing.
func (e *Engine) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (op *graphql.OperationContext, errs gqlerror.List) {
	op = &graphql.OperationContext{
		RawQuery:               params.Query,
		OperationName:          params.OperationName,
		Extensions:             params.Extensions,
		Headers:                params.Headers,
		RecoverFunc:            e.recover,
		ResolverMiddleware:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	}
	op.Stats.Read = params.ReadTime
	op.Stats.OperationStart = graphql.Now()
	defer func() {
		if p := recover(); p != nil {
			errs = refuse(e.recover(ctx, p))
		}
	}()

	sc, err := e.views.scopeOf(ctx)
	if err != nil {
		return op, refuse(err)
	}
	explain, err := explains(ctx, params.Extensions)
	if err != nil {
		return op, refuse(err)
	}
	numbers, err := numbersAsked(params.Extensions)
	if err != nil {
		return op, refuse(err)
	}
	text, asked, err := e.asked(ctx, params)
	if err != nil {
		return op, refuse(err)
	}
	text, trusted, err := e.trusted(params, text)
	if err != nil {
		return op, refuse(err)
	}
	text, key, err := e.persisted(ctx, sc.executor, params, text)
	if err != nil {
		return op, refuse(err)
	}
	op.RawQuery = text
	doc, literals, errs := sc.executor.document(text, &op.Stats)
	if errs == nil {
		op.Doc = doc.QueryDocument
		op.Operation = op.Doc.Operations.ForName(params.OperationName)
	}
	if !trusted {
		if err := e.allows(ctx, sc, op, doc); err != nil {
			return op, refuse(err)
		}
	}
	switch {
	case op.Operation != nil:
	case principal.IsAnonymous(ctx):
		return op, refuse(fault.New(fault.Unauthenticated, "no valid token was shown"))
	case errs != nil:
		if refusal := sc.catalog.Unreached.Awaits(text); refusal != nil {
			return op, refuse(refusal)
		}
		return op, errs
	default:
		return op, invalid("The document has no operation of that name, or several and none was named.")
	}
	e.keep(key, text)
	if err := sc.executor.limits.checkVariables(doc, op.Operation, asked, literals); err != nil {
		return op, refuse(err)
	}
	variables, err := coerceVariables(sc.executor.schema.AST, op.Operation, asked)
	if err == nil {
		err = checkPositions(sc.executor.schema, op.Operation, variables)
	}
	if err != nil {
		return op, refuse(err)
	}
	op.Variables = sc.executor.plain(doc, op.Operation, variables)
	op.Stats.SetExtension(operationKey, &operation{scope: sc, document: doc, literals: literals, variables: variables, explain: explain, numbers: numbers})
	return op, nil
}

// DispatchOperation executes an operation that CreateOperationContext made, once.
func (e *Engine) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	o, ok := op.Stats.GetExtension(operationKey).(*operation)
	if !ok {
		return graphql.OneShot(e.DispatchError(ctx, refuse(fmt.Errorf("an operation of another executor")))), ctx
	}
	done := false
	return func(ctx context.Context) *graphql.Response {
		if done || ctx.Err() != nil {
			return nil
		}
		done = true
		ctx = e.answering(ctx)
		response := o.scope.executor.run.operation(ctx, op)
		response.Errors = append(response.Errors, graphql.GetErrors(ctx)...)
		response.Extensions = graphql.GetExtensions(ctx)
		return response
	}, graphql.WithOperationContext(withScope(ctx, o.scope), op)
}

// DispatchError presents the errors of an operation that was not executed.
func (e *Engine) DispatchError(ctx context.Context, list gqlerror.List) *graphql.Response {
	ctx = e.answering(ctx)
	for _, err := range list {
		graphql.AddError(ctx, err)
	}
	return &graphql.Response{Errors: graphql.GetErrors(ctx), Extensions: graphql.GetExtensions(ctx)}
}

// answering is the context of an answer, in which its errors gather as they are told.
func (e *Engine) answering(ctx context.Context) context.Context {
	return graphql.WithResponseContext(ctx, e.present, e.recover)
}

// refuse is an error of the whole operation.
func refuse(err error) gqlerror.List {
	of := gqlerror.Wrap(err)
	if placed := (*gqlerror.Error)(nil); errors.As(err, &placed) {
		of.Locations = placed.Locations
	}
	return gqlerror.List{of}
}

// invalid is a validation error without a place in the document.
func invalid(message string) gqlerror.List {
	return gqlerror.List{{Message: message, Extensions: map[string]any{"code": string(fault.ValidationError)}}}
}

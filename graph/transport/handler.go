package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/admit"
	"usher/fault"
	"usher/graph/client"
	"usher/graph/requestid"
	"usher/held"
	"usher/principal"
	"usher/stage"
	"usher/trace"
)

const allowedMethods = "GET, POST, OPTIONS"

// anonymousBody bounds the body of a request without a token, in bytes: what
// it takes to log in.
const anonymousBody = 16 << 10

// statusClientLeft is what the log says of a request whose client did not wait
// for the answer. It is never sent.
const statusClientLeft = 499

type handler struct {
	exec         graphql.GraphExecutor
	authenticate Authenticate
	options      Options
	encoders     encoders
	refusing     atomic.Int64 // requests that are about to be told that there were too many
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, cancel := context.WithDeadline(r.Context(), start.Add(h.options.Timeout))
	defer cancel()
	ctx, share := h.options.Held.Begin(ctx)
	defer share.End() // when the answer has been written
	x := &exchange{handler: h, w: w, share: share, maxBody: h.options.MaxBody, r: r, ctx: client.With(ctx, r, h.options.Proxies)}
	x.trace()
	defer func() {
		if recovered := recover(); recovered != nil {
			x.panicked(recovered)
		}
		took := time.Since(start)
		x.measure(took)
		x.log(took)
		x.traced()
	}()
	if refused := x.serve(start); refused != nil {
		x.refuse(refused)
	}
}

// exchange is one request, its answer, and what the log will say of them.
type exchange struct {
	*handler
	w         http.ResponseWriter
	r         *http.Request
	ctx       context.Context // of the request, with what is known by now; r has its first one
	caller    principal.Principal
	share     *held.Share
	turn      *admit.Turn // nil: it was not taken
	anonymous bool        // no token was shown, and need not be
	encodable bool        // the answer may be compressed
	named     bool        // the request names its query
	maxBody   int64
	operation string
	kind      ast.Operation
	status    int
	outcome   outcome
	cause     *fault.Error // of a refusal
	code      fault.Code   // of the first error of an answer
	span      *trace.Span  // nil: nobody traces it
}

// serve is a request's way in: who, what form, what question, the answer.
func (x *exchange) serve(start time.Time) *refusal {
	if err := x.identifyCaller(); err != nil {
		return refusalOf(err)
	}
	refused := x.ask(start)
	if refused != nil && x.anonymous && refused.status < http.StatusInternalServerError {
		x.w.Header().Del("Allow")
		return refusalOf(fault.New(fault.Unauthenticated, notAuthenticated).Because(refused.err))
	}
	return refused
}

// ask is the way of a request whose caller is known.
func (x *exchange) ask(start time.Time) *refusal {
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodPost {
		x.w.Header().Set("Allow", allowedMethods)
		return refuse(http.StatusMethodNotAllowed, "only GET and POST are answered here")
	}
	media, acceptable := negotiate(x.r.Header.Values("Accept"))
	if !acceptable {
		return refuse(http.StatusNotAcceptable, "answers are application/json or application/graphql-response+json")
	}
	params, refused := x.read(start)
	if refused != nil {
		return refused
	}
	return x.execute(media, params)
}

func (x *exchange) identifyCaller() error {
	if x.options.Anonymous && len(x.r.Header.Values("Authorization")) == 0 {
		x.anonymous = true
		x.maxBody = min(x.maxBody, anonymousBody)
		x.ctx = principal.WithAnonymous(x.ctx)
		return nil
	}
	began := time.Now()
	caller, err := x.authenticate(x.ctx, x.r)
	x.options.Stages.Took(x.ctx, stage.Authenticate, began)
	if err != nil {
		return err
	}
	ctx := principal.With(x.ctx, caller)
	if _, err := principal.From(ctx); err != nil {
		return err
	}
	x.caller = caller
	if x.options.Begin != nil {
		if ctx, err = x.options.Begin(ctx, caller); err != nil {
			return err
		}
	}
	x.ctx = ctx
	x.identified()
	return nil
}

// read reads the parameters. The context cannot end the reading of a body that
// trickles in, so the connection gets the same deadline for as long as that
// takes (a writer without connection has none, and nothing that trickles).
func (x *exchange) read(start time.Time) (*graphql.RawParams, *refusal) {
	began := graphql.Now()
	var params *graphql.RawParams
	var refused *refusal
	if x.r.Method == http.MethodGet {
		params, refused = readGet(x.r, x.maxBody)
	} else {
		connection := http.NewResponseController(x.w)
		_ = connection.SetReadDeadline(start.Add(x.options.Timeout))
		if params, refused = readPost(x.w, x.r, x.maxBody); refused == nil { // else some of it may be still to come
			_ = connection.SetReadDeadline(time.Time{})
		}
	}
	if refused == nil {
		refused = readIdempotencyKey(x.r, params)
	}
	if refused != nil {
		return nil, refused
	}
	x.named = params.Query == ""
	params.ReadTime = graphql.TraceTiming{Start: began, End: graphql.Now()}
	return params, nil
}

func (x *exchange) execute(media mediaType, params *graphql.RawParams) *refusal {
	if err := x.takeTurn(); err != nil {
		return refusalOf(err)
	}
	defer x.turn.Leave()
	ctx := x.ctx
	began := time.Now()
	operation, errs := x.exec.CreateOperationContext(ctx, params)
	x.options.Stages.Took(ctx, stage.Validate, began)
	if errs != nil {
		if refused := fault.From(errs[0]); x.anonymous && refused.Code == fault.Unauthenticated {
			return refusalOf(refused)
		}
		if operation != nil {
			ctx = graphql.WithOperationContext(ctx, operation)
		}
		return x.answer(media, x.exec.DispatchError(ctx, errs))
	}
	x.operation, x.kind = operation.Operation.Name, operation.Operation.Operation
	switch {
	case operation.Operation.Operation == ast.Subscription:
		return refuse(http.StatusBadRequest, "a subscription needs a connection that stays open; this one answers once")
	case operation.Operation.Operation != ast.Query && x.r.Method == http.MethodGet:
		x.w.Header().Set("Allow", "POST")
		return refuse(http.StatusMethodNotAllowed, "a mutation must be sent by POST")
	}
	x.encodable = operation.Operation.Operation == ast.Query && !x.anonymous
	x.options.Metrics.begun(operation.Operation.Operation)
	responses, ctx := x.exec.DispatchOperation(ctx, operation)
	response := responses(ctx)
	if err := x.share.Refused(); err != nil && operation.Operation.Operation == ast.Query {
		x.share.End() // what there is of the answer is nothing without the rest, which may be had in a moment
		return refusalOf(err)
	}
	return x.answer(media, response)
}

// takeTurn waits for the caller's turn at the processors. Who logs in is nobody yet.
func (x *exchange) takeTurn() (err error) {
	if !x.anonymous {
		x.ctx, x.turn, err = x.options.Turns.Enter(x.ctx, x.caller.Tenant)
	}
	return err
}

// answer sends the executor's answer. There is none when the context ended
// before the executor began.
func (x *exchange) answer(media mediaType, response *graphql.Response) *refusal {
	ctx := x.ctx
	x.turn.Leave() // a reader may be slow
	if errors.Is(ctx.Err(), context.Canceled) {
		x.status, x.outcome = statusClientLeft, left
		return nil
	}
	if response == nil {
		if err := ctx.Err(); err != nil {
			return refusalOf(err)
		}
		return refusalOf(errors.New("the executor gave no response"))
	}
	if len(response.Errors) > 0 && response.Data == nil && codeOf(response.Errors[0]) == fault.TooManyRequests {
		x.paced()
	}
	status, err := x.writeResponse(media, response)
	if err != nil {
		return refusalOf(fmt.Errorf("encode the response: %w", err))
	}
	x.status, x.outcome = status, answered
	if len(response.Errors) > 0 {
		x.outcome, x.code = erred, codeOf(response.Errors[0])
		x.options.Metrics.erred(response.Errors)
	}
	return nil
}

// pace is how long it takes to be told that there were too many requests. Whoever sends the
// next one as soon as the last is refused would otherwise take the processors from others.
// The more are told so at a time, the longer it takes.
const (
	pace    = 10 * time.Millisecond
	slowest = 30 * time.Millisecond
)

// paced waits before a request is told so; not longer than for its client or its deadline.
func (x *exchange) paced() {
	others := x.refusing.Add(1)
	defer x.refusing.Add(-1)
	wait := time.NewTimer(min(max(pace, time.Duration(others)*time.Millisecond), slowest))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-x.ctx.Done():
	}
}

func (x *exchange) refuse(refused *refusal) {
	if refused.err.Code == fault.TooManyRequests {
		x.paced()
	}
	x.status, x.outcome = refused.status, rejected
	x.options.Metrics.failed(refused.err.Code)
	x.cause = refused.err
	refused.write(x.w, x.r, x.options.ExplainTokens)
}

// panicked answers a request whose handling panicked. Nothing has been sent
// then: writing is the last step and runs no code but this package's.
func (x *exchange) panicked(recovered any) {
	x.options.Logger.ErrorContext(x.ctx, "panic while answering a request",
		slog.String("request_id", requestid.From(x.ctx)),
		slog.Any("panic", recovered),
		slog.String("stack", string(debug.Stack())))
	x.refuse(refusalOf(fault.New(fault.Internal, "internal error")))
}

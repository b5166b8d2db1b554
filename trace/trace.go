// Package trace owns what of a request is told to a collector of traces: which
// steps are spans, what may stand in them, and how a trace comes in with a
// request and goes out with what is asked for it.
//
// The words of a span are this package's alone: it takes the text of a statement
// with its placeholders, names of the configuration, counts and codes. It refuses
// everything else by having no place for it: values of requests, tokens, URLs,
// hosts, and what sources say.
//
// Where nobody traces there is no Tracer, and whoever has none makes no span. What
// is not sampled makes no spans either, but hands its trace on.
package trace

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name of what makes the spans.
const scope = "usher"

// Tracer begins traces, or goes on with those that requests bring.
type Tracer struct {
	tracer trace.Tracer
	joins  bool
}

// New makes a Tracer. One that joins goes on with the trace that a request brings.
func New(provider trace.TracerProvider, joins bool) *Tracer {
	return &Tracer{provider.Tracer(scope), joins}
}

// Request begins the span of a request to a route.
func (t *Tracer) Request(ctx context.Context, r *http.Request, route string) (context.Context, *Span) {
	if t.joins {
		ctx = joined(ctx, r.Header)
	}
	method := r.Method
	var known attribute.KeyValue
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch:
		known = semconv.HTTPRequestMethodKey.String(method)
	default: // the caller's own word
		method, known = "HTTP", semconv.HTTPRequestMethodOther
	}
	name := method
	if route != "" {
		name += " " + route
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(known, semconv.HTTPRoute(route)))
	return ctx, &Span{span}
}

// The longest headers that are taken. The first has 55 characters, a later version of
// it perhaps more; of the second, what is sent on at least.
const (
	maxParent = 128
	maxState  = 512
)

// joined is the context with the trace that headers name. What is not as it should be
// is as if it were not there; baggage is not looked at.
func joined(ctx context.Context, h http.Header) context.Context {
	parents := h.Values("Traceparent")
	if len(parents) != 1 || len(parents[0]) > maxParent {
		return ctx
	}
	brought := propagation.MapCarrier{"traceparent": parents[0]}
	if state := h.Values("Tracestate"); len(state) == 1 && len(state[0]) <= maxState {
		brought["tracestate"] = state[0]
	}
	return propagation.TraceContext{}.Extract(ctx, brought)
}

// Inject names the trace of the context in the headers of a call, if there is one. What came beside it in tracestate is a
// caller's text, and goes no further than the collector.
func Inject(ctx context.Context, h http.Header) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		inject(ctx, propagation.HeaderCarrier(h))
	}
}

func inject(ctx context.Context, into propagation.TextMapCarrier) {
	stateless := trace.SpanContextFromContext(ctx).WithTraceState(trace.TraceState{})
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(ctx, stateless), into)
}

// Comment is the trace of the context as a comment that leads a statement, in the form
// of sqlcommenter; empty: it is not sampled.
func Comment(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	named := propagation.MapCarrier{}
	inject(ctx, named)
	return "/*traceparent='" + named["traceparent"] + "'*/ " // of hexadecimal digits
}

// IDs are the trace and the span of the context; empty: there are none.
func IDs(ctx context.Context) (id, span string) {
	c := trace.SpanContextFromContext(ctx)
	if !c.IsValid() {
		return "", ""
	}
	return c.TraceID().String(), c.SpanID().String()
}

// Start begins a step of what the context's span is of; nil: nobody traces it.
func Start(ctx context.Context, name string) (context.Context, *Span) {
	if !recording(ctx) {
		return ctx, nil
	}
	return start(ctx, name)
}

// Ask begins a step that asks a source, and what may be said of it.
func Ask(ctx context.Context, step string, s Source) (context.Context, *Span) {
	if s.Name == "" { // usher itself
		return Start(ctx, step)
	}
	if !recording(ctx) {
		return ctx, nil
	}
	return start(ctx, step+" "+s.Name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(s.attributes()...))
}

// Call begins a step that is a call over HTTP.
func Call(ctx context.Context, method string) (context.Context, *Span) {
	if !recording(ctx) {
		return ctx, nil
	}
	return start(ctx, method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method)))
}

// Note is a step that began then and has just ended.
func Note(ctx context.Context, name string, began time.Time) {
	if recording(ctx) {
		_, s := start(ctx, name, trace.WithTimestamp(began))
		s.End()
	}
}

// Current is the step that the context is of; nil: nobody traces it.
func Current(ctx context.Context) *Span {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		return &Span{span}
	}
	return nil
}

// recording tells whether the context's span is one that somebody will see. It is asked before
// anything is made for a span.
func recording(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }

func start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, *Span) {
	ctx, span := trace.SpanFromContext(ctx).TracerProvider().Tracer(scope).Start(ctx, name, options...)
	return ctx, &Span{span}
}

// Source is what a span says of the source that is asked.
type Source struct {
	Name   string // in the configuration
	System string // its kind: postgres, duckdb or api
	Own    bool   // the account is the tenant's own, not everybody's
}

func (s Source) attributes() []attribute.KeyValue {
	target := "shared"
	if s.Own {
		target = "own"
	}
	all := []attribute.KeyValue{attribute.String("usher.source", cut(s.Name, maxName)), attribute.String("usher.target", target)}
	switch s.System {
	case "postgres":
		all = append(all, semconv.DBSystemNamePostgreSQL)
	case "duckdb":
		all = append(all, semconv.DBSystemNameKey.String(s.System))
	}
	return all
}

// Span is a step of what is traced. Nil is one that nobody traces: its methods do
// nothing.
type Span struct{ span trace.Span }

// End ends the step.
func (s *Span) End() {
	if s != nil {
		s.span.End()
	}
}

// Recorded tells whether anybody will see it.
func (s *Span) Recorded() bool { return s != nil && s.span.IsRecording() }

func (s *Span) set(attributes ...attribute.KeyValue) { s.span.SetAttributes(attributes...) }

// Tenant says whose request it is, by the name that is shown of it.
func (s *Span) Tenant(shown string) {
	if s.Recorded() && shown != "" {
		s.set(attribute.String("usher.tenant", shown))
	}
}

// The longest texts of a span, in bytes.
const (
	maxName      = 128
	maxStatement = 4 << 10
)

// Operation says what was asked, by its name and its kind.
func (s *Span) Operation(kind, name string) {
	if !s.Recorded() {
		return
	}
	if kind != "" {
		s.set(semconv.GraphQLOperationTypeKey.String(kind))
	}
	if name != "" {
		s.set(semconv.GraphQLOperationName(cut(name, maxName)))
	}
}

// Answered ends a request with its status and, if it was refused or has errors, the code
// of the first.
func (s *Span) Answered(requestID string, status int, code string, failed bool) {
	if s == nil {
		return
	}
	if s.Recorded() {
		s.set(attribute.String("usher.request_id", requestID), semconv.HTTPResponseStatusCode(status))
		if code != "" {
			s.set(semconv.ErrorTypeKey.String(code))
		}
		if failed {
			s.span.SetStatus(codes.Error, code)
		}
	}
	s.End()
}

// Statement says what was sent: a text with placeholders.
func (s *Span) Statement(text string) {
	if s.Recorded() && text != "" {
		s.set(semconv.DBQueryText(cut(text, maxStatement)))
	}
}

// Rows says how many were read or written.
func (s *Span) Rows(n int) {
	if s.Recorded() {
		s.set(semconv.DBResponseReturnedRows(n))
	}
}

// Shared says that an equal question under way was answered with it.
func (s *Span) Shared() {
	if s.Recorded() {
		s.set(attribute.Bool("usher.shared", true))
	}
}

// Kept says that it is a kept answer.
func (s *Span) Kept() {
	if s.Recorded() {
		s.set(attribute.Bool("usher.kept", true))
	}
}

// Status says what a call was answered with.
func (s *Span) Status(code int) {
	if !s.Recorded() {
		return
	}
	s.set(semconv.HTTPResponseStatusCode(code))
	if code >= http.StatusBadRequest {
		s.span.SetStatus(codes.Error, "")
	}
}

// Failed says that it failed, by a code of usher's. What the error says is for the log.
func (s *Span) Failed(code string) {
	if s.Recorded() {
		s.set(semconv.ErrorTypeKey.String(code))
		s.span.SetStatus(codes.Error, code)
	}
}

// cut is a text that can be sent: a span with another takes all that go with it along.
func cut(text string, most int) string { return strings.ToValidUTF8(text[:min(len(text), most)], "") }

package transport

import (
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/graph/requestid"
	"usher/trace"
)

// trace begins the span of a request, if there is somebody who traces.
func (x *exchange) trace() {
	if x.options.Tracer != nil {
		x.ctx, x.span = x.options.Tracer.Request(x.ctx, x.r, x.r.Pattern)
	}
}

// identified tells the span whose request it is.
func (x *exchange) identified() {
	if x.span.Recorded() && x.options.TraceTenant != nil {
		x.span.Tenant(x.options.TraceTenant(x.caller.Tenant))
	}
}

// measure counts a request that has ended.
func (x *exchange) measure(took time.Duration) {
	if x.span == nil {
		x.options.Metrics.ended(x.outcome, x.status, took)
		return
	}
	x.options.Metrics.count(x.outcome, x.status)
	trace.Observe(x.ctx, x.options.Metrics.durations[x.outcome], took.Seconds())
}

// traced ends the span of a request.
func (x *exchange) traced() {
	if x.span == nil {
		return
	}
	code := x.code
	if x.cause != nil {
		code = x.cause.Code
	}
	x.span.Operation(string(x.kind), x.operation)
	x.span.Answered(requestid.From(x.ctx), x.status, string(code), x.status >= 500 && x.status < 600 || code != "" && fault.Lookup(code).Status >= 500)
}

// codeOf is the code of an error of an answer.
func codeOf(e *gqlerror.Error) fault.Code {
	code, _ := e.Extensions["code"].(string)
	return fault.Lookup(fault.Code(code)).Code
}

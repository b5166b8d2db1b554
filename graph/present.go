package graph

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"runtime/debug"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/graph/requestid"
	"usher/principal"
)

// presenter decides what a caller is told of an error. gqlgen wraps every
// error as one of its own, with the text of whatever was the cause: the cause
// is looked at first, and a text is only passed on when usher wrote it or when
// it is about the document the caller sent.
type presenter struct{ log *slog.Logger }

func (p presenter) present(ctx context.Context, err error) *gqlerror.Error {
	out := &gqlerror.Error{Extensions: make(map[string]any, 3)}
	if id := requestid.From(ctx); id != "" {
		out.Extensions["requestId"] = id
	}
	var g *gqlerror.Error
	if errors.As(err, &g) {
		out.Path, out.Locations = g.Path, g.Locations
		if code, ok := g.Extensions["code"].(string); ok && g.Err == nil && aboutDocument(code) {
			out.Message = g.Message
			out.Extensions["code"] = code
			return out
		}
	}
	f := fault.From(err)
	who, _ := principal.From(ctx) // nobody: no tenant
	p.log.LogAttrs(ctx, fault.Lookup(f.Code).Level, "a GraphQL error",
		slog.String("request_id", requestid.From(ctx)),
		slog.String("tenant", who.Tenant),
		slog.String("code", string(f.Code)),
		slog.String("path", out.Path.String()),
		slog.String("error", f.Error()))
	out.Message = f.Message
	out.Extensions["code"] = string(f.Code)
	if f.At != "" {
		out.Extensions["at"] = f.At
	}
	if f.Hint != "" {
		out.Extensions["hint"] = f.Hint
	}
	if f.Applied {
		out.Extensions["applied"] = true
	}
	if f.Written != nil {
		out.Extensions["applied"] = *f.Written
	}
	if f.Unknown {
		out.Extensions["unknown"] = true
	}
	if f.RetryAfter > 0 {
		out.Extensions["retryAfter"] = int(math.Ceil(f.RetryAfter.Seconds()))
	}
	return out
}

func aboutDocument(code string) bool {
	return code == string(fault.ParseFailed) || code == string(fault.ValidationError)
}

// recovered makes an error of a panic; what panicked goes to the log only.
func (p presenter) recovered(ctx context.Context, panicked any) error {
	who, _ := principal.From(ctx)
	p.log.LogAttrs(ctx, slog.LevelError, "a resolver panicked",
		slog.String("request_id", requestid.From(ctx)),
		slog.String("tenant", who.Tenant),
		slog.Any("panic", panicked),
		slog.String("stack", string(debug.Stack())))
	return fault.Broken("panic: %v", panicked)
}

package transport

import (
	"log/slog"
	"time"

	"usher/fault"
	"usher/graph/requestid"
)

// maxLoggedName bounds the operation name in the log: its length is the
// caller's choice.
const maxLoggedName = 128

// log writes the request's line: who asked for what by name, and how it went.
// It holds no token, no query text and no value.
func (x *exchange) log(duration time.Duration) {
	x.options.Traffic.Count(x.caller.Tenant, x.outcome == erred || x.outcome == rejected, time.Now())
	operation := x.operation
	if len(operation) > maxLoggedName {
		operation = operation[:maxLoggedName]
	}
	level := slog.LevelInfo
	attributes := [...]slog.Attr{
		slog.String("request_id", requestid.From(x.ctx)),
		slog.String("tenant", x.caller.Tenant),
		slog.String("subject", x.caller.Subject),
		slog.String("operation", operation),
		slog.Int("status", x.status),
		slog.Duration("duration", duration),
	}
	if x.cause != nil {
		level = max(level, fault.Lookup(x.cause.Code).Level)
	}
	ctx, handler := x.ctx, x.options.Logger.Handler()
	if !handler.Enabled(ctx, level) {
		return
	}
	line := slog.NewRecord(time.Now(), level, "request", 0) // the Logger would look for who called it, which nobody reads
	line.AddAttrs(attributes[:]...)
	if x.caller.AllTenants {
		line.AddAttrs(slog.Bool("all_tenants", true))
	}
	if x.cause != nil {
		line.AddAttrs(slog.String("refused", x.cause.Error()))
	}
	_ = handler.Handle(ctx, line) // as the Logger does: nobody can be told
}

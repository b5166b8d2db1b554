package trace

import (
	"context"
	"log/slog"
)

// Lines writes lines of a log with the trace and the span that they belong to.
func Lines(to slog.Handler) slog.Handler { return lines{to} }

type lines struct{ slog.Handler }

// Handle implements slog.Handler.
func (h lines) Handle(ctx context.Context, r slog.Record) error {
	if id, span := IDs(ctx); id != "" {
		r.AddAttrs(slog.String("trace_id", id), slog.String("span_id", span))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h lines) WithAttrs(attrs []slog.Attr) slog.Handler { return lines{h.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (h lines) WithGroup(name string) slog.Handler { return lines{h.Handler.WithGroup(name)} }

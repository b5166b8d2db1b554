package logsink

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"
)

// The longest a text of a line may be, in bytes. What callers and peers send
// stands in it, and each of them would like to fill the log.
const (
	maxText  = 1 << 10
	maxStack = 16 << 10 // of a panic
)

// JSON writes lines of JSON.
func JSON(level slog.Leveler) func(io.Writer) slog.Handler {
	return func(w io.Writer) slog.Handler {
		return plainJSON{bounded{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})}, w}
	}
}

// Text writes lines for people.
func Text(level slog.Leveler) func(io.Writer) slog.Handler {
	return func(w io.Writer) slog.Handler {
		return bounded{slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})}
	}
}

// bounded shortens the texts of a line before it is written. Most have none
// that is too long, and are left alone.
type bounded struct{ slog.Handler }

// Handle implements slog.Handler.
func (h bounded) Handle(ctx context.Context, r slog.Record) error {
	short := len(r.Message) <= maxText
	r.Attrs(func(a slog.Attr) bool {
		short = short && isShort(a)
		return short
	})
	if short {
		return h.Handler.Handle(ctx, r)
	}
	c := slog.NewRecord(r.Time, r.Level, cut(r.Message, maxText), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		c.AddAttrs(shortened(a))
		return true
	})
	return h.Handler.Handle(ctx, c)
}

// WithAttrs implements slog.Handler.
func (h bounded) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		all[i] = shortened(a)
	}
	return bounded{h.Handler.WithAttrs(all)}
}

// WithGroup implements slog.Handler.
func (h bounded) WithGroup(name string) slog.Handler { return bounded{h.Handler.WithGroup(name)} }

func isShort(a slog.Attr) bool {
	switch a.Value.Kind() {
	case slog.KindAny, slog.KindGroup, slog.KindLogValuer:
		return false // nobody knows
	case slog.KindString:
		return len(a.Value.String()) <= maxText
	}
	return true
}

// shortened is an attribute with a text in place of what is neither a text nor
// a number: an error's own, or what fmt makes of it.
func shortened(a slog.Attr) slog.Attr {
	most := maxText
	if a.Key == "stack" {
		most = maxStack
	}
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindGroup:
		group := make([]slog.Attr, 0, len(v.Group()))
		for _, member := range v.Group() {
			group = append(group, shortened(member))
		}
		a.Value = slog.GroupValue(group...)
	case slog.KindAny:
		a.Value = slog.StringValue(cut(fmt.Sprint(v.Any()), most))
	case slog.KindString:
		a.Value = slog.StringValue(cut(v.String(), most))
	default:
		a.Value = v
	}
	return a
}

// cut shortens a text between two of its characters, and says by how much.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d bytes more)", text[:end], len(text)-end)
}

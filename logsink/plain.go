package logsink

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// plainJSON appends those lines that need no care: short texts of plain
// characters, numbers, and nothing else. Nearly all are such, one for each request,
// and slog takes several times as long for them. What it appends is what slog
// writes, byte by byte; all other lines are slog's.
type plainJSON struct {
	slog.Handler
	to io.Writer
}

// lines are the buffers of lines that have been written.
var lines = sync.Pool{New: func() any { return new(line) }}

// line is a line of JSON while it is made.
type line struct {
	text  []byte
	plain bool // so far
}

// Handle implements slog.Handler.
func (h plainJSON) Handle(ctx context.Context, r slog.Record) error {
	l := lines.Get().(*line)
	defer lines.Put(l)
	l.text, l.plain = append(l.text[:0], '{'), !r.Time.IsZero() && isNamed(r.Level)
	l.key(slog.TimeKey)
	l.text = append(r.Time.Round(0).AppendFormat(append(l.text, '"'), time.RFC3339Nano), `",`...)
	l.key(slog.LevelKey)
	l.quoted(r.Level.String())
	l.text = append(l.text, ',')
	l.key(slog.MessageKey)
	l.quoted(r.Message)
	r.Attrs(l.attr)
	if !l.plain {
		return h.Handler.Handle(ctx, r)
	}
	l.text = append(l.text, "}\n"...)
	_, err := h.to.Write(l.text)
	return err
}

// WithAttrs implements slog.Handler: slog writes what has attributes of its own.
func (h plainJSON) WithAttrs(attrs []slog.Attr) slog.Handler { return h.Handler.WithAttrs(attrs) }

// WithGroup implements slog.Handler.
func (h plainJSON) WithGroup(name string) slog.Handler { return h.Handler.WithGroup(name) }

// isNamed tells that a level is one of slog's four: its name needs no sum.
func isNamed(l slog.Level) bool {
	return l == slog.LevelInfo || l == slog.LevelDebug || l == slog.LevelWarn || l == slog.LevelError
}

// attr appends a member, or gives the line up.
func (l *line) attr(a slog.Attr) bool {
	l.plain = l.plain && a.Key != ""
	l.text = append(l.text, ',')
	l.key(a.Key)
	switch a.Value.Kind() {
	case slog.KindString:
		l.quoted(a.Value.String())
	case slog.KindInt64:
		l.text = strconv.AppendInt(l.text, a.Value.Int64(), 10)
	case slog.KindDuration:
		l.text = strconv.AppendInt(l.text, int64(a.Value.Duration()), 10)
	case slog.KindBool:
		l.text = strconv.AppendBool(l.text, a.Value.Bool())
	default:
		l.plain = false
	}
	return l.plain
}

func (l *line) key(name string) {
	l.quoted(name)
	l.text = append(l.text, ':')
}

// quoted appends a text that needs no escaping and no shortening, or gives the
// line up.
func (l *line) quoted(text string) {
	l.plain = l.plain && len(text) <= maxText
	for i := 0; i < len(text) && l.plain; i++ {
		c := text[i]
		l.plain = ' ' <= c && c <= '~' && c != '"' && c != '\\'
	}
	if l.plain {
		l.text = append(append(append(l.text, '"'), text...), '"')
	}
}

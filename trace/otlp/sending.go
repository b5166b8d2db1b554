package otlp

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// between is how long nothing more is said of a collector that takes nothing.
const between = time.Minute

// sending sends batches and says in the log, now and then, that they are lost.
type sending struct {
	sdk.SpanExporter
	log  *slog.Logger
	sent prometheus.Counter
	now  func() time.Time

	mu   sync.Mutex
	said time.Time // when it was said that spans are lost; zero: they are taken
	lost int       // since then
}

// ExportSpans implements sdk.SpanExporter.
func (s *sending) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := s.SpanExporter.ExportSpans(ctx, spans)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch now := s.now(); {
	case err == nil:
		s.sent.Add(float64(len(spans)))
		if !s.said.IsZero() {
			s.log.Info("the collector takes traces again", "lost", s.lost)
			s.said, s.lost = time.Time{}, 0
		}
	case s.said.IsZero() || now.Sub(s.said) >= between:
		s.lost += len(spans)
		s.log.Warn("traces could not be sent to the collector", "lost", s.lost, "error", err)
		s.said, s.lost = now, 0
	default:
		s.lost += len(spans)
	}
	return nil // it has been said
}

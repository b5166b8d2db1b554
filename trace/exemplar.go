package trace

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// Observe notes a value with the trace that it is of, as an exemplar, if that is sampled.
func Observe(ctx context.Context, o prometheus.Observer, v float64) {
	if c := trace.SpanContextFromContext(ctx); c.IsSampled() {
		if e, ok := o.(prometheus.ExemplarObserver); ok {
			e.ObserveWithExemplar(v, prometheus.Labels{"trace_id": c.TraceID().String()})
			return
		}
	}
	o.Observe(v)
}

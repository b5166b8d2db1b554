// Package otlp owns the way of spans to a collector, by OTLP over HTTP or gRPC. It
// is set up by OpenTelemetry's own environment variables, and off without them.
//
// It refuses to matter: a collector that is slow, full, gone or hostile costs spans
// and nothing else. Spans wait in a line of bounded length that nobody who makes
// them waits for, what a collector says is bounded, and the end of the process waits
// for it no longer than a moment.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"usher/trace"
)

// atTheEnd is how long Close waits for the collector.
const atTheEnd = 3 * time.Second

// Exporter sends the spans of a Tracer.
type Exporter struct {
	provider    *sdk.TracerProvider
	tracer      *trace.Tracer
	ended, sent prometheus.Counter
}

// Open sets an Exporter up as the environment says; nil: it says nothing. The environment
// is the process's, of which OpenTelemetry reads its own part.
func Open(ctx context.Context, env func(string) (string, bool), version string, log *slog.Logger) (*Exporter, error) {
	s, err := read(env)
	if err != nil || !s.on {
		return nil, err
	}
	otel.SetErrorHandler(&complaints{log: log, now: time.Now}) // else it writes to the process's own output
	var to sdk.SpanExporter
	if s.grpc {
		to, err = otlptracegrpc.New(ctx)
	} else {
		to, err = otlptracehttp.New(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("set up the exporter of traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", "usher"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("read what traces say of this process: %w", err)
	}
	return open(to, s.joins, log, sdk.WithResource(about)), nil
}

// open sends spans by an exporter of OpenTelemetry's.
func open(to sdk.SpanExporter, joins bool, log *slog.Logger, options ...sdk.TracerProviderOption) *Exporter {
	e := counters()
	batches := sdk.NewBatchSpanProcessor(&sending{SpanExporter: to, log: log, sent: e.sent, now: time.Now})
	e.provider = sdk.NewTracerProvider(append(options, sdk.WithSpanProcessor(counting{batches, e.ended}))...)
	e.tracer = trace.New(e.provider, joins)
	return e
}

// Metrics are those of an Exporter that sends nothing.
func Metrics() prometheus.Collector { return counters() }

// counters make an Exporter's metrics.
func counters() *Exporter {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "usher", Name: name, Help: help})
	}
	return &Exporter{
		ended: counter("trace_spans_total", "Spans of traces that are sampled."),
		sent:  counter("trace_spans_sent_total", "Spans that a collector has taken."),
	}
}

// Tracer makes the spans; nil of nil.
func (e *Exporter) Tracer() *trace.Tracer {
	if e == nil {
		return nil
	}
	return e.tracer
}

// Close sends what waits, if that takes no longer than a moment.
func (e *Exporter) Close() {
	if e == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), atTheEnd)
	defer cancel()
	done := make(chan struct{})
	go func() {
		_ = e.provider.Shutdown(ctx) // what was lost is in the log
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Describe implements prometheus.Collector.
func (e *Exporter) Describe(out chan<- *prometheus.Desc) {
	e.ended.Describe(out)
	e.sent.Describe(out)
}

// Collect implements prometheus.Collector.
func (e *Exporter) Collect(out chan<- prometheus.Metric) {
	e.ended.Collect(out)
	e.sent.Collect(out)
}

// counting counts the spans that are to be sent.
type counting struct {
	sdk.SpanProcessor
	ended prometheus.Counter
}

// OnEnd implements sdk.SpanProcessor.
func (c counting) OnEnd(s sdk.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		c.ended.Inc()
	}
	c.SpanProcessor.OnEnd(s)
}

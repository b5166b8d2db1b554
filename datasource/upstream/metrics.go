package upstream

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

// Metrics counts the calls to all APIs. Its only label is the source's name,
// so that there are as many series as there are sources.
type Metrics struct {
	requests  *prometheus.CounterVec
	errors    *prometheus.CounterVec
	retries   *prometheus.CounterVec
	coalesced *prometheus.CounterVec
	stale     *prometheus.CounterVec
	foreign   *prometheus.CounterVec
	rows      *prometheus.CounterVec
	inFlight  *prometheus.GaugeVec
	paused    *prometheus.GaugeVec
	duration  *prometheus.HistogramVec
}

// NewMetrics makes the metrics; the caller registers them.
func NewMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "usher", Subsystem: "upstream", Name: name, Help: help}, append([]string{"source"}, labels...))
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "usher", Subsystem: "upstream", Name: name, Help: help}, []string{"source"})
	}
	return &Metrics{
		requests:  counter("requests_total", "Pages that were needed."),
		errors:    counter("errors_total", "Calls that failed, by kind: connection, timeout, canceled, status, content, paused.", "kind"),
		retries:   counter("retries_total", "Calls that were made again."),
		coalesced: counter("coalesced_total", "Pages that an equal call under way brought."),
		stale:     counter("stale_total", "Pages that an older reply stood in for."),
		foreign:   counter("foreign_rows_total", "Requests that failed because a row of another tenant was sent."),
		rows:      counter("rows_total", "Rows that were taken over."),
		inFlight:  gauge("in_flight", "Calls under way."),
		paused:    gauge("paused", "Base URLs that are left alone after failures."),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "usher", Subsystem: "upstream", Name: "duration_seconds", Help: "Time from a call to its reply in memory, or to the first MiB of it.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"source"}),
	}
}

func (m *Metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.errors, m.retries, m.coalesced, m.stale, m.foreign, m.rows, m.inFlight, m.paused, m.duration}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(out)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(out)
	}
}

// meter is one source's part of the metrics.
type meter struct {
	requests, retries, coalesced, stale, foreign, rows prometheus.Counter

	errors   *prometheus.CounterVec
	inFlight prometheus.Gauge
	paused   prometheus.Gauge
	duration prometheus.Observer
}

// Begin counts a source's calls from zero. Who rates counters sees what is first to happen as an increase only where
// there was a zero before.
func (m *Metrics) Begin(source string) { m.of(source) }

func (m *Metrics) of(source string) *meter {
	for _, kind := range []string{"connection", "timeout", "canceled", "status", "content", "paused"} {
		m.errors.WithLabelValues(source, kind)
	}
	return &meter{
		requests: m.requests.WithLabelValues(source), retries: m.retries.WithLabelValues(source),
		coalesced: m.coalesced.WithLabelValues(source), stale: m.stale.WithLabelValues(source), foreign: m.foreign.WithLabelValues(source), rows: m.rows.WithLabelValues(source),
		errors:   m.errors.MustCurryWith(prometheus.Labels{"source": source}),
		inFlight: m.inFlight.WithLabelValues(source), paused: m.paused.WithLabelValues(source), duration: m.duration.WithLabelValues(source),
	}
}

// begin counts a call that begins; the caller calls end.
func (m *meter) begin() (end func()) {
	m.inFlight.Inc()
	start := time.Now()
	return func() {
		m.inFlight.Dec()
		m.duration.Observe(time.Since(start).Seconds())
	}
}

func (m *meter) failed(err error) {
	m.errors.WithLabelValues(kindOf(err)).Inc()
}

// kindOf sorts the failures of calls.
func kindOf(err error) string {
	var status *statusError
	var content contentError
	switch {
	case errors.Is(err, errPaused):
		return "paused"
	case errors.As(err, &status):
		return "status"
	case errors.As(err, &content):
		return "content"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "connection"
}

// state counts the breakers that are not closed. Between open and closed there
// is always a probe, so what opens or closes is what leaves or enters closed.
func (m *meter) state(from, to gobreaker.State) {
	switch {
	case from == gobreaker.StateClosed:
		m.paused.Inc()
	case to == gobreaker.StateClosed:
		m.paused.Dec()
	}
}

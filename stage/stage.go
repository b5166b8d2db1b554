// Package stage owns how long the stages of a request take, from its token to
// its bytes, in one histogram and in the spans of those that are traced. It refuses
// to know whose request it is: stages are fixed words.
package stage

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/trace"
)

// Stage is a part of the way of a request.
type Stage int

// The stages, in their order.
const (
	Authenticate Stage = iota // a token becomes a principal
	Validate                  // a text becomes an operation: parsed, within the limits, valid in the principal's view
	Plan                      // an operation becomes plans and questions, or they were kept
	Source                    // questions become rows; waiting for a turn and for connections is part of it
	Encode                    // rows become bytes
	count
)

// String is the stage's label.
func (s Stage) String() string {
	return [count]string{"authenticate", "validate", "plan", "source", "encode"}[s]
}

// Times is the histogram. A nil one measures, and nobody looks at it.
type Times struct {
	Traced bool // requests may be traced: stages are spans as well

	seconds *prometheus.HistogramVec
	each    [count]prometheus.Observer
}

// New makes the histogram; the caller registers it.
func New() *Times {
	t := &Times{seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "usher", Name: "stage_seconds", Help: "Time that a stage of a request took (authenticate, validate, plan, source, encode).",
		Buckets: []float64{.00001, .0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"stage"})}
	for s := range t.each {
		t.each[s] = t.seconds.WithLabelValues(Stage(s).String())
	}
	return t
}

// Took notes that a stage that began then has ended, and says how long it took.
func (t *Times) Took(ctx context.Context, s Stage, began time.Time) time.Duration {
	took := time.Since(began)
	switch {
	case t == nil:
	case t.Traced:
		trace.Observe(ctx, t.each[s], took.Seconds())
		if s != Source { // the source has spans of its own, with what it was asked
			trace.Note(ctx, s.String(), began)
		}
	default:
		t.each[s].Observe(took.Seconds())
	}
	return took
}

// Describe implements prometheus.Collector.
func (t *Times) Describe(out chan<- *prometheus.Desc) { t.seconds.Describe(out) }

// Collect implements prometheus.Collector.
func (t *Times) Collect(out chan<- prometheus.Metric) { t.seconds.Collect(out) }

package transport

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
)

// Metrics counts requests. Every label has a few fixed values, and the counter
// of each is made beforehand.
type Metrics struct {
	all        []prometheus.Collector
	requests   map[ending]prometheus.Counter
	durations  map[outcome]prometheus.Observer
	operations map[ast.Operation]prometheus.Counter
	errors     map[fault.Code]prometheus.Counter
}

// outcome is how a request ended.
type outcome string

const (
	answered outcome = "answered" // without an error
	erred    outcome = "errors"   // with errors in the answer
	rejected outcome = "refused"  // before there was an operation
	left     outcome = "left"     // the client did not wait
)

// ending is an outcome with the status that was sent; 0 stands for those that
// are not listed.
type ending struct {
	outcome outcome
	status  int
}

func endings() []ending {
	all := []ending{{answered, http.StatusOK}, {answered, http.StatusNotModified}, {erred, http.StatusOK}, {left, statusClientLeft}}
	for _, o := range []outcome{erred, rejected} {
		all = append(all, ending{o, 0})
		for _, row := range fault.Table() {
			all = append(all, ending{o, row.Status})
		}
	}
	for _, status := range []int{
		http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
		http.StatusRequestURITooLong, http.StatusUnsupportedMediaType,
	} {
		all = append(all, ending{rejected, status})
	}
	return all
}

// NewMetrics makes the metrics; the caller registers them.
func NewMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "usher", Name: name, Help: help}, labels)
	}
	requests := counter("requests_total", "GraphQL requests, by outcome (answered, errors, refused, left) and HTTP status.", "outcome", "status")
	operations := counter("operations_total", "Operations that were begun, by kind.", "kind")
	errors := counter("errors_total", "Errors that were answered, by code.", "code")
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "usher", Name: "request_duration_seconds", Help: "Time from a request's headers to its answer, by outcome.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"outcome"})
	m := &Metrics{
		all:      []prometheus.Collector{requests, operations, errors, durations},
		requests: make(map[ending]prometheus.Counter), durations: make(map[outcome]prometheus.Observer),
		operations: make(map[ast.Operation]prometheus.Counter), errors: make(map[fault.Code]prometheus.Counter),
	}
	for _, e := range endings() {
		status := "other"
		if e.status > 0 {
			status = strconv.Itoa(e.status)
		}
		m.requests[e] = requests.WithLabelValues(string(e.outcome), status)
		m.durations[e.outcome] = durations.WithLabelValues(string(e.outcome))
	}
	for _, kind := range []ast.Operation{ast.Query, ast.Mutation} {
		m.operations[kind] = operations.WithLabelValues(string(kind))
	}
	for _, row := range fault.Table() {
		m.errors[row.Code] = errors.WithLabelValues(string(row.Code))
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.all {
		c.Describe(out)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.all {
		c.Collect(out)
	}
}

func (m *Metrics) ended(o outcome, status int, took time.Duration) {
	m.count(o, status)
	m.durations[o].Observe(took.Seconds())
}

func (m *Metrics) count(o outcome, status int) {
	c := m.requests[ending{o, status}]
	if c == nil {
		c = m.requests[ending{rejected, 0}]
	}
	c.Inc()
}

func (m *Metrics) begun(kind ast.Operation) {
	if c := m.operations[kind]; c != nil {
		c.Inc()
	}
}

func (m *Metrics) erred(errs gqlerror.List) {
	for _, e := range errs {
		code, _ := e.Extensions["code"].(string)
		m.failed(fault.Code(code))
	}
}

// failed counts an error; one without a code is none of usher's codes.
func (m *Metrics) failed(code fault.Code) { m.errors[fault.Lookup(code).Code].Inc() }

package resolvers

import "github.com/prometheus/client_golang/prometheus"

// metrics count the operations that are kept ready.
type metrics struct{ hits, misses prometheus.Counter }

func newMetrics() metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "usher", Subsystem: "known_operations", Name: name, Help: help})
	}
	return metrics{
		hits:   counter("hits_total", "Operations that were planned before."),
		misses: counter("misses_total", "Operations that had to be planned."),
	}
}

var (
	knownNow       = prometheus.NewDesc("usher_known_operations", "Operations that are kept ready.", nil, nil)
	knownBytesDesc = prometheus.NewDesc("usher_known_operations_bytes", "About how many bytes they take.", nil, nil)
)

// Describe implements prometheus.Collector.
func (d *Datasets) Describe(out chan<- *prometheus.Desc) {
	d.metrics.hits.Describe(out)
	d.metrics.misses.Describe(out)
	out <- knownNow
	out <- knownBytesDesc
}

// Collect implements prometheus.Collector.
func (d *Datasets) Collect(out chan<- prometheus.Metric) {
	d.metrics.hits.Collect(out)
	d.metrics.misses.Collect(out)
	out <- prometheus.MustNewConstMetric(knownNow, prometheus.GaugeValue, float64(d.known.Len()))
	out <- prometheus.MustNewConstMetric(knownBytesDesc, prometheus.GaugeValue, float64(d.known.Cost()))
}

package transport

import "github.com/prometheus/client_golang/prometheus"

// ExportMetrics counts exports.
type ExportMetrics struct {
	exports *prometheus.CounterVec
	rows    prometheus.Counter
}

// NewExportMetrics makes the metrics; the caller registers them.
func NewExportMetrics() *ExportMetrics {
	m := &ExportMetrics{
		exports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "usher", Name: "exports_total", Help: "Exports, by outcome (answered, errors, refused, left).",
		}, []string{"outcome"}),
		rows: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "usher", Name: "exported_rows_total", Help: "Rows that were exported."}),
	}
	for _, o := range []outcome{answered, erred, rejected, left} {
		m.exports.WithLabelValues(string(o))
	}
	return m
}

func (m *ExportMetrics) ended(o outcome, rows int64) {
	m.exports.WithLabelValues(string(o)).Inc()
	m.rows.Add(float64(rows))
}

// Describe implements prometheus.Collector.
func (m *ExportMetrics) Describe(out chan<- *prometheus.Desc) {
	m.exports.Describe(out)
	m.rows.Describe(out)
}

// Collect implements prometheus.Collector.
func (m *ExportMetrics) Collect(out chan<- prometheus.Metric) {
	m.exports.Collect(out)
	m.rows.Collect(out)
}

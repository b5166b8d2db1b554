package transport

import "github.com/prometheus/client_golang/prometheus"

// ImportMetrics counts imports.
type ImportMetrics struct {
	imports *prometheus.CounterVec
	rows    prometheus.Counter
}

// NewImportMetrics makes the metrics; the caller registers them.
func NewImportMetrics() *ImportMetrics {
	m := &ImportMetrics{
		imports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "usher", Name: "imports_total", Help: "Imports, by outcome (answered, refused).",
		}, []string{"outcome"}),
		rows: prometheus.NewCounter(prometheus.CounterOpts{Namespace: "usher", Name: "imported_rows_total", Help: "Rows that were imported."}),
	}
	for _, o := range []outcome{answered, rejected} {
		m.imports.WithLabelValues(string(o))
	}
	return m
}

func (m *ImportMetrics) ended(o outcome, rows int64) {
	m.imports.WithLabelValues(string(o)).Inc()
	m.rows.Add(float64(rows))
}

// Describe implements prometheus.Collector.
func (m *ImportMetrics) Describe(out chan<- *prometheus.Desc) {
	m.imports.Describe(out)
	m.rows.Describe(out)
}

// Collect implements prometheus.Collector.
func (m *ImportMetrics) Collect(out chan<- prometheus.Metric) {
	m.imports.Collect(out)
	m.rows.Collect(out)
}

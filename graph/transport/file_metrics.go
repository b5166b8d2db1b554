package transport

import "github.com/prometheus/client_golang/prometheus"

// FileMetrics counts the files that go one way, and their rows.
type FileMetrics struct {
	files *prometheus.CounterVec
	rows  prometheus.Counter
}

// NewExportMetrics makes the metrics of exports; the caller registers them.
func NewExportMetrics() *FileMetrics {
	return fileMetrics(
		prometheus.CounterOpts{Name: "exports_total", Help: "Exports, by outcome (answered, errors, refused, left)."},
		prometheus.CounterOpts{Name: "exported_rows_total", Help: "Rows that were exported."},
		answered, erred, rejected, left,
	)
}

// NewImportMetrics makes the metrics of imports; the caller registers them.
func NewImportMetrics() *FileMetrics {
	return fileMetrics(
		prometheus.CounterOpts{Name: "imports_total", Help: "Imports, by outcome (answered, refused)."},
		prometheus.CounterOpts{Name: "imported_rows_total", Help: "Rows that were imported."},
		answered, rejected,
	)
}

func fileMetrics(files, rows prometheus.CounterOpts, outcomes ...outcome) *FileMetrics {
	files.Namespace, rows.Namespace = "usher", "usher"
	m := &FileMetrics{files: prometheus.NewCounterVec(files, []string{"outcome"}), rows: prometheus.NewCounter(rows)}
	for _, o := range outcomes {
		m.files.WithLabelValues(string(o))
	}
	return m
}

func (m *FileMetrics) ended(o outcome, rows int64) {
	m.files.WithLabelValues(string(o)).Inc()
	m.rows.Add(float64(rows))
}

// Describe implements prometheus.Collector.
func (m *FileMetrics) Describe(out chan<- *prometheus.Desc) {
	m.files.Describe(out)
	m.rows.Describe(out)
}

// Collect implements prometheus.Collector.
func (m *FileMetrics) Collect(out chan<- prometheus.Metric) {
	m.files.Collect(out)
	m.rows.Collect(out)
}

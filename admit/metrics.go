package admit

import "github.com/prometheus/client_golang/prometheus"

var (
	turnsWaiting = prometheus.NewDesc("usher_turns_waiting", "Requests that wait for their tenant's turn, while others ask.", nil, nil)
	turnsRefused = prometheus.NewDesc("usher_turns_refused_total", "Requests refused before they were looked at: full, the tenant's line; expired, the time to wait.", []string{"reason"}, nil)
)

// Describe implements prometheus.Collector.
func (t *Turns) Describe(out chan<- *prometheus.Desc) {
	out <- turnsWaiting
	out <- turnsRefused
}

// Collect implements prometheus.Collector. No label is of a tenant.
func (t *Turns) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(turnsWaiting, prometheus.GaugeValue, float64(t.Waiting()))
	for reason, n := range map[string]int64{"full": t.counts.Full.Load(), "expired": t.counts.Expired.Load()} {
		out <- prometheus.MustNewConstMetric(turnsRefused, prometheus.CounterValue, float64(n), reason)
	}
}

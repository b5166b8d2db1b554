package auth

import "github.com/prometheus/client_golang/prometheus"

var (
	fetchFailures = prometheus.NewDesc("usher_jwks_failures_total", "Times that the keys of an issuer could not be fetched, or what was fetched could not be used.", []string{"issuer"}, nil)
	fetchedAge    = prometheus.NewDesc("usher_jwks_age_seconds", "How long ago the keys of an issuer that are used were fetched; without any, for how long there are none.", []string{"issuer"}, nil)
)

// Describe implements prometheus.Collector.
func (*Verifier) Describe(out chan<- *prometheus.Desc) {
	out <- fetchFailures
	out <- fetchedAge
}

// Collect implements prometheus.Collector.
func (v *Verifier) Collect(out chan<- prometheus.Metric) {
	for _, k := range v.fetched() {
		out <- prometheus.MustNewConstMetric(fetchFailures, prometheus.CounterValue, float64(k.failures.Load()), k.issuer)
		out <- prometheus.MustNewConstMetric(fetchedAge, prometheus.GaugeValue, k.age().Seconds(), k.issuer)
	}
}

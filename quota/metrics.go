package quota

import "github.com/prometheus/client_golang/prometheus"

var (
	refusals = prometheus.NewDesc("usher_budget_refused_total", "Requests that were refused because a budget was used up, by whose and by which.", []string{"of", "budget"}, nil)
	sharing  = prometheus.NewDesc("usher_budget_gateways", "Gateways that share budgets, this one included.", nil, nil)
	alone    = prometheus.NewDesc("usher_budget_alone", "1 while the control store does not answer for budgets, so that this gateway goes on with its share.", nil, nil)
)

// Describe implements prometheus.Collector.
func (k *Keeper) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{refusals, sharing, alone} {
		out <- d
	}
}

// Collect implements prometheus.Collector. No label is of a tenant or a token.
func (k *Keeper) Collect(out chan<- prometheus.Metric) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for of := range k.refused {
		for kind, n := range k.refused[of] {
			out <- prometheus.MustNewConstMetric(refusals, prometheus.CounterValue, float64(n), Of(of).String(), Kind(kind).String())
		}
	}
	out <- prometheus.MustNewConstMetric(sharing, prometheus.GaugeValue, float64(k.shared))
	silent := 0.0
	if k.silent {
		silent = 1
	}
	out <- prometheus.MustNewConstMetric(alone, prometheus.GaugeValue, silent)
}

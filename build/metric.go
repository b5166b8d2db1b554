package build

import "github.com/prometheus/client_golang/prometheus"

// Metric is 1, and says by its labels which program answers.
func Metric(info Info) prometheus.Collector {
	made := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "usher", Name: "build_info", Help: "1, with the version of usher that runs, its commit and its Go.",
	}, []string{"version", "revision", "goversion"})
	made.WithLabelValues(info.Version, info.Commit, info.Go).Set(1)
	return made
}

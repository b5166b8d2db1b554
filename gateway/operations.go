package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"usher/config"
	"usher/fault"
	"usher/graph/transport"
	"usher/tenancy"
)

// registryOf holds the metrics of one gateway, and those of its process.
func registryOf(all ...prometheus.Collector) (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	all = append(all, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics: %w", err)
		}
	}
	return r, nil
}

var (
	auditLost      = prometheus.NewDesc("usher_audit_entries_lost_total", "Entries of the audit log that were lost because they could not be written in time.", nil, nil)
	auditWaiting   = prometheus.NewDesc("usher_audit_entries_waiting", "Entries of the audit log that are to be written.", nil, nil)
	auditUnwritten = prometheus.NewDesc("usher_audit_unwritten_seconds", "For how long entries of the audit log could not be written; 0 while they are.", nil, nil)
	auditBytes     = prometheus.NewDesc("usher_audit_bytes", "Bytes that the audit log takes in the control store.", nil, nil)
	pruned         = prometheus.NewDesc("usher_control_pruned_timestamp_seconds", "When what has had its time was removed from the control store last.", nil, nil)
)

// Upkeep shows what is to be known of the control store.
type Upkeep func() tenancy.Upkeep

// Describe implements prometheus.Collector.
func (Upkeep) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{auditLost, auditWaiting, auditUnwritten, auditBytes, pruned} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (read Upkeep) Collect(out chan<- prometheus.Metric) {
	u := read()
	out <- prometheus.MustNewConstMetric(auditLost, prometheus.CounterValue, float64(u.Lost))
	out <- prometheus.MustNewConstMetric(auditWaiting, prometheus.GaugeValue, float64(u.Waiting))
	out <- prometheus.MustNewConstMetric(auditUnwritten, prometheus.GaugeValue, u.Unwritten.Seconds())
	out <- prometheus.MustNewConstMetric(auditBytes, prometheus.GaugeValue, float64(u.Bytes))
	out <- prometheus.MustNewConstMetric(pruned, prometheus.GaugeValue, float64(u.Pruned.UnixMilli())/1e3)
}

// Unready says why a gateway should not be sent requests.
type Unready string

// The reasons.
const (
	Draining    Unready = "draining"      // it is about to end
	StoreSilent Unready = "control_store" // has not answered for so long that a revocation may have been missed
)

// Readiness shows whether a gateway should be sent requests.
type Readiness func() (Unready, error)

var (
	ready    = prometheus.NewDesc("usher_ready", "1 while the gateway should be sent requests.", nil, nil)
	notReady = prometheus.NewDesc("usher_not_ready", "1 for the reason for which the gateway should not be sent requests.", []string{"reason"}, nil)
)

// Describe implements prometheus.Collector.
func (Readiness) Describe(out chan<- *prometheus.Desc) {
	out <- ready
	out <- notReady
}

// Collect implements prometheus.Collector.
func (read Readiness) Collect(out chan<- prometheus.Metric) {
	why, err := read()
	is := map[bool]float64{true: 1}
	out <- prometheus.MustNewConstMetric(ready, prometheus.GaugeValue, is[err == nil])
	for _, reason := range []Unready{Draining, StoreSilent} {
		out <- prometheus.MustNewConstMetric(notReady, prometheus.GaugeValue, is[reason == why], string(reason))
	}
}

// hides is the key by which tenants are hidden in traces.
func (g *Gateway) hides(cfg *config.Config) []byte {
	if cfg.Server.Secret != "" {
		return []byte(cfg.Server.Secret)
	}
	return g.unnamed
}

// AdminHandler answers those who run usher: whoever reaches it sees all of it,
// so it has a listener of its own.
func (g *Gateway) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.Handle("/health/", transport.Health(g.ready))
	mux.HandleFunc("GET /health/ready", g.serveReady)
	mux.HandleFunc("GET /health/sources", g.serveSources)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// serveReady tells operators more than the public page does: which sources are
// still to be reached. They make a gateway no less ready: it serves the others.
func (g *Gateway) serveReady(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		Status    string            `json:"status"`
		Reason    string            `json:"reason,omitempty"`
		Unreached []string          `json:"unreached,omitempty"`     // sources
		Waits     map[string]string `json:"left_out,omitempty"`      // datasets that are missing until a source is reached, and what the file leaves to that
		Unfit     map[string]string `json:"unfit,omitempty"`         // datasets of sources that were reached late, and why
		Alone     bool              `json:"budgets_alone,omitempty"` // the store does not answer for them
		Unwritten string            `json:"unwritten,omitempty"`     // why the store takes no entries of the audit log, and so no changes
	}{Status: "ready", Alone: g.budgets.Alone(), Unreached: g.Unreached(), Waits: g.Waits(), Unfit: g.Unfit()}
	if g.control != nil {
		if err := g.control.Upkeep().Why; err != nil {
			answer.Unwritten = fault.From(err).Message
		}
	}
	status := http.StatusOK
	if err := g.ready(r.Context()); err != nil {
		status, answer.Status, answer.Reason = http.StatusServiceUnavailable, "not ready", err.Error()
	}
	writeStatus(w, status, answer)
}

// serveSources is for who has installed what is served: unlike readiness, it fails while a source of it is to be reached.
func (g *Gateway) serveSources(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		Status    string   `json:"status"`
		Reason    string   `json:"reason,omitempty"`
		Unreached []string `json:"unreached,omitempty"`
	}{Status: "reached", Unreached: g.Unreached()}
	status := http.StatusOK
	if err := g.ready(r.Context()); err != nil {
		status, answer.Status, answer.Reason = http.StatusServiceUnavailable, "not ready", err.Error()
	} else if len(answer.Unreached) > 0 {
		status, answer.Status = http.StatusServiceUnavailable, "unreached"
	}
	writeStatus(w, status, answer)
}

// writeStatus answers with what is of texts alone.
func writeStatus(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body, _ := json.Marshal(answer)
	_, _ = w.Write(body)
}

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
	"usher/graph/transport"
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

// AuditLost counts entries of the audit log that were lost.
func AuditLost(dropped func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "usher", Name: "audit_entries_lost_total", Help: "Entries of the audit log that were lost because they could not be written in time.",
	}, func() float64 { return float64(dropped()) })
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
		Unfit     map[string]string `json:"unfit,omitempty"`         // datasets of sources that were reached late, and why
		Alone     bool              `json:"budgets_alone,omitempty"` // the store does not answer for them
	}{Status: "ready", Alone: g.budgets.Alone(), Unreached: g.Unreached(), Unfit: g.Unfit()}
	status := http.StatusOK
	if err := g.ready(r.Context()); err != nil {
		status, answer.Status, answer.Reason = http.StatusServiceUnavailable, "not ready", err.Error()
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body, _ := json.Marshal(answer) // of texts alone
	_, _ = w.Write(body)
}

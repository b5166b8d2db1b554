package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

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

// ready tells whether the gateway should be sent requests.
func (g *gateway) ready(context.Context) error {
	switch {
	case g.draining.Load():
		return errors.New("usher is shutting down")
	case g.control != nil:
		return g.control.Ready()
	}
	return nil
}

// operations answers those who run usher: whoever reaches it sees all of it,
// so it has a listener of its own.
func (g *gateway) operations() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics, promhttp.HandlerOpts{}))
	mux.Handle("/health/", transport.Health(g.ready))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// operate serves operations at an address until stop is called; without an
// address there is nothing to serve. It stays while requests end that were
// begun, so that their end can be watched.
func (g *gateway) operate(ctx context.Context, address string, log *slog.Logger) (at string, stop func() error, err error) {
	if address == "" {
		return "", func() error { return nil }, nil
	}
	listener, err := listen(ctx, address)
	if err != nil {
		return "", nil, fmt.Errorf("server.admin_listen: %w", err)
	}
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- serveHTTP(serving, listener, g.operations(), log) }()
	return listener.Addr().String(), func() error {
		end()
		return <-ended
	}, nil
}

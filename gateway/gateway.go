// Package gateway owns everything that answers requests, wired together: what
// main starts and what tests ask are the same value. It refuses to hold state of
// its own: what follows from the configuration is one snapshot, and what
// outlives a configuration (the control store, the metrics) stands beside it.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/catalog"
	"usher/config"
	"usher/console"
	"usher/control"
	"usher/datasource/upstream"
	"usher/graph"
	"usher/graph/transport"
	"usher/held"
	"usher/stage"
	"usher/tenancy"
	"usher/traffic"
)

// Options are what a configuration does not say.
type Options struct {
	Console console.Options
	Log     *slog.Logger
	Metrics []prometheus.Collector // of what stands around it, shown with its own
}

// Gateway answers requests, from New to Close.
type Gateway struct {
	control  *tenancy.Store  // nil: there is none
	budget   *held.Budget    // of what all requests hold
	homes    control.Current // who is read from where
	metrics  *prometheus.Registry
	traffic  *traffic.Hour
	seen     traffic.Sources // when they answered and failed
	started  time.Time
	current  atomic.Pointer[snapshot]
	draining atomic.Bool // it is about to end: no further requests, please

	stopReaching context.CancelFunc // nil: every source was reached at once
	reaching     sync.WaitGroup
}

// New wires a gateway from a configuration. Whatever it opened is closed again
// when it fails.
func New(ctx context.Context, cfg *config.Config, opts Options) (_ *Gateway, err error) {
	g := &Gateway{budget: held.New(cfg.Server.MaxHeld), traffic: traffic.New(), started: time.Now()}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	next := &snapshot{}
	if err := next.compile(ctx, cfg, opts.Log); err != nil {
		return nil, err
	}
	neighbors, problems := control.Configured(next.catalog)
	if err := cfg.Locate(problems); err != nil {
		return nil, err
	}
	g.homes.Set(neighbors)
	g.current.Store(next)
	if cfg.Control != nil {
		if g.control, err = control.Open(ctx, *cfg.Control, tenancy.Options{
			Check: control.CheckGrant(g.catalog, time.Now), CheckMinted: control.CheckMinted(g.catalog, time.Now), CheckRole: control.CheckRole(g.catalog),
			CheckMayGrant: control.CheckMayGrant(g.catalog),
			CheckDisjoint: g.homes.CheckDisjoint, Places: &g.homes, Operations: control.Operations(g.Engine), Dashboards: cfg.Dashboards,
			KnownIssuer: control.KnownIssuer(cfg.Issuers), KnownTenant: control.KnownTenant(next.catalog, cfg.Issuers), Configured: control.KnownName(g.catalog), Log: opts.Log,
		}); err != nil {
			return nil, fmt.Errorf("open the control store: %w", err)
		}
		if err := control.CheckDisjoint(ctx, cfg, neighbors, g.control); err != nil {
			return nil, err
		}
	}
	calls, requests, exports, imports, stages := upstream.NewMetrics(), transport.NewMetrics(), transport.NewExportMetrics(), transport.NewImportMetrics(), stage.New()
	if err := next.wire(cfg, g, opts, calls, requests, exports, imports, stages); err != nil {
		return nil, err
	}
	if g.control != nil {
		g.control.OnChange(func(c tenancy.Change) { next.sources.Changed(c.Source, c.Dataset, c.Tenants) })
		opts.Metrics = append(opts.Metrics, AuditLost(g.control.Dropped))
	}
	g.metrics, err = registryOf(append(opts.Metrics, requests, exports, imports, stages, next.data, next.sources, calls, SourcesUnreached(g.catalog))...)
	if err == nil {
		g.reach(cfg, opts)
	}
	return g, err
}

// catalog is the one that is served now.
func (g *Gateway) catalog() *catalog.Catalog { return g.current.Load().catalog }

// Handler answers tenants and their pages. While it drains, connections are
// closed once they have their answer: whoever keeps them opens the next one
// elsewhere.
func (g *Gateway) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		g.current.Load().handler.ServeHTTP(w, r)
	})
}

// Engine answers operations of the principal in their context, without HTTP.
func (g *Gateway) Engine() *graph.Engine { return g.current.Load().engine }

// MaxHeld is how many bytes of rows and answers all requests together may hold.
func (g *Gateway) MaxHeld() int64 { return g.budget.Limit() }

// Notes say what the configuration leaves out.
func (g *Gateway) Notes() []string { return g.current.Load().found.Notes }

// Unclaimed tells whether there is a control store that nobody administers yet.
func (g *Gateway) Unclaimed(ctx context.Context) (bool, error) {
	if g.control == nil {
		return false, nil
	}
	return g.control.Empty(ctx)
}

// Drain has readiness say that no new requests should come. Those that come are
// answered all the same.
func (g *Gateway) Drain() { g.draining.Store(true) }

// ready tells whether the gateway should be sent requests.
func (g *Gateway) ready(context.Context) error {
	switch {
	case g.draining.Load():
		return errors.New("usher is shutting down")
	case g.control != nil:
		return g.control.Ready()
	}
	return nil
}

// Close ends the sources and the control store.
func (g *Gateway) Close() error {
	if g.stopReaching != nil {
		g.stopReaching()
		g.reaching.Wait()
	}
	var errs []error
	if current := g.current.Load(); current != nil {
		errs = append(errs, current.close())
	}
	if g.control != nil {
		errs = append(errs, g.control.Close())
	}
	return errors.Join(errs...)
}

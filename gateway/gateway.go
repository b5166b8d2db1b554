// Package gateway owns everything that answers requests, wired together: what
// main starts and what tests ask are the same value. It refuses to hold state of
// its own: what follows from the configuration is one snapshot, and what
// outlives a configuration (the control store, the metrics) stands beside it.
package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/admit"
	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/console"
	"usher/control"
	"usher/dashboard"
	"usher/datasource/upstream"
	"usher/graph"
	"usher/graph/transport"
	"usher/held"
	"usher/quota"
	"usher/resolvers"
	"usher/stage"
	"usher/tenancy"
	"usher/trace"
	"usher/traffic"
)

// Options are what a configuration does not say.
type Options struct {
	Console console.Options
	Log     *slog.Logger
	Metrics []prometheus.Collector // of what stands around it, shown with its own
	Tracer  *trace.Tracer          // nil: nobody traces

	Read func() (*config.Config, error) // reads the configuration again; nil: there is no file

	Reloaded func(served bool) // is told what came of reading the configuration again; nil: nobody is

	StoreWait time.Duration // how long New waits for a control store that does not answer; default: not at all
	Patience  time.Duration // how long a request waits for the control store to say what is left of a budget; default: as its answers take
}

// Gateway answers requests, from New to Close.
type Gateway struct {
	opts     Options
	control  *tenancy.Store  // nil: there is none
	budget   *held.Budget    // of what all requests hold
	budgets  *quota.Keeper   // of what tenants and tokens use
	turns    *admit.Turns    // at the processors
	homes    control.Current // who is read from where
	metrics  *prometheus.Registry
	counts   instruments
	loads    *Loads
	traffic  *traffic.Hour
	seen     traffic.Sources // when they answered and failed
	started  time.Time
	unnamed  []byte // hides tenants in traces where the configuration has no secret for it
	current  atomic.Pointer[snapshot]
	draining atomic.Bool // it is about to end: no further requests, please

	loading      sync.Mutex      // one configuration is read, and served or refused, after another
	replacing    sync.Mutex      // one snapshot follows another
	life         context.Context //nolint:containedctx // ends when the gateway is closed, with what is asked beside requests
	end          context.CancelFunc
	stopReaching context.CancelFunc // of the configuration that is served; nil: it is not yet
	reaching     sync.WaitGroup
}

// instruments count what is asked of one snapshot after another.
type instruments struct {
	calls    *upstream.Metrics
	requests *transport.Metrics
	exports  *transport.FileMetrics
	imports  *transport.FileMetrics
	stages   *stage.Times
	planned  *resolvers.Planned
}

// New wires a gateway from a configuration. Whatever it opened is closed again
// when it fails.
func New(ctx context.Context, cfg *config.Config, opts Options) (_ *Gateway, err error) {
	g := &Gateway{
		opts: opts, budget: held.New(cfg.Server.MaxHeld), loads: NewLoads(), traffic: traffic.New(), started: time.Now(), unnamed: []byte(rand.Text()),
		turns:  admit.NewTurns(cmp.Or(cfg.Server.MaxBeside, runtime.GOMAXPROCS(0)), time.Millisecond, admit.Limits{Waiting: cfg.Server.MaxWaiting, Wait: cfg.Server.MaxWait}, nil),
		counts: instruments{upstream.NewMetrics(), transport.NewMetrics(), transport.NewExportMetrics(), transport.NewImportMetrics(), stage.New(), resolvers.NewPlanned()},
	}
	g.counts.stages.Traced = opts.Tracer != nil
	g.life, g.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	first := &snapshot{cfg: cfg}
	if err := first.compile(ctx, opts.Log); err != nil {
		return nil, err
	}
	neighbors, problems := control.Configured(first.catalog)
	if err := cfg.Locate(problems); err != nil {
		return nil, err
	}
	g.homes.Set(neighbors)
	g.current.Store(first)
	if cfg.Control != nil {
		if g.control, err = control.Open(ctx, *cfg.Control, tenancy.Options{
			Check: control.CheckGrant(g.catalog, time.Now), CheckMinted: control.CheckMinted(g.catalog, time.Now), CheckRole: control.CheckRole(g.catalog),
			CheckMayGrant: control.CheckMayGrant(g.catalog),
			Places:        &g.homes, Operations: control.Operations(g.Engine), Dashboards: g.dashboards,
			KnownIssuer: control.KnownIssuer(g.issuers), KnownTenant: control.KnownTenant(g.catalog, g.issuers), Configured: control.KnownName(g.catalog), Log: opts.Log, Wait: opts.StoreWait, Patience: opts.Patience,
		}); err != nil {
			return nil, fmt.Errorf("open the control store: %w", err)
		}
		if err := control.CheckDisjoint(ctx, cfg, neighbors, g.control); err != nil {
			return nil, err
		}
	}
	if g.budgets = quota.New(quota.Options{Log: opts.Log}); g.control != nil {
		g.budgets = g.control.Budgets()
	}
	if err := first.wire(g, nil); err != nil {
		return nil, err
	}
	collectors := append(opts.Metrics, g.counts.requests, g.counts.exports, g.counts.imports, g.counts.stages, g.counts.planned, g.counts.calls, g.loads, g.budgets, g.turns, SourcesUnreached(g.found), DatasetsUnfit(g.Unfit), Readiness(g.unready),
		current{first.tokens, func() prometheus.Collector { return g.current.Load().tokens }},
		current{first.data, func() prometheus.Collector { return g.current.Load().data }},
		current{first.sources, func() prometheus.Collector { return g.current.Load().sources }})
	if g.control != nil {
		g.control.OnChange(func(c tenancy.Change) { g.current.Load().sources.Changed(c.Source, c.Dataset, c.Tenants) })
		collectors = append(collectors, Upkeep(g.control.Upkeep))
	}
	g.metrics, err = registryOf(collectors...)
	if err == nil {
		g.loads.loaded(time.Now())
		g.tellRecords(ctx)
		g.reach()
	}
	return g, err
}

// current shows the metrics of what is served now.
type current struct {
	first prometheus.Collector // describes them all
	now   func() prometheus.Collector
}

// Describe implements prometheus.Collector.
func (c current) Describe(out chan<- *prometheus.Desc) { c.first.Describe(out) }

// Collect implements prometheus.Collector.
func (c current) Collect(out chan<- prometheus.Metric) { c.now().Collect(out) }

// catalog is the one that is served now.
func (g *Gateway) catalog() *catalog.Catalog { return g.current.Load().catalog }

// issuers are those that are trusted now.
func (g *Gateway) issuers() []auth.IssuerSpec { return g.current.Load().cfg.Issuers }

// dashboards are those of the files that are served now.
func (g *Gateway) dashboards() map[string]dashboard.Document { return g.current.Load().cfg.Dashboards }

// Handler answers tenants and their pages. While it drains, connections are
// closed once they have their answer: whoever keeps them opens the next one
// elsewhere.
func (g *Gateway) Handler() http.Handler {
	return transport.Bodies(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		s := g.enter()
		defer s.leave()
		s.handler.ServeHTTP(w, r)
	}))
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
	_, err := g.unready()
	return err
}

// unready is why the gateway should not be sent requests; nil: it should.
func (g *Gateway) unready() (Unready, error) {
	if g.draining.Load() {
		return Draining, errors.New("usher is shutting down")
	}
	if g.control != nil {
		if err := g.control.Ready(); err != nil {
			return StoreSilent, err
		}
	}
	return "", nil
}

// Close ends the sources and the control store.
func (g *Gateway) Close() error {
	g.end()
	g.reaching.Wait()
	var errs []error
	if s := g.current.Load(); s != nil {
		errs = append(errs, s.close())
	}
	if g.control != nil {
		errs = append(errs, g.control.Close())
	}
	return errors.Join(errs...)
}

package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"usher/admit"
	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/console"
	"usher/control"
	"usher/cursor"
	"usher/datasource"
	"usher/datasource/pool"
	"usher/datasource/upstream"
	"usher/graph"
	"usher/graph/client"
	"usher/graph/transport"
	"usher/inspect"
	"usher/resolvers"
	"usher/trace"
)

// snapshot is all that follows from one configuration: what another one would
// replace, in one go.
type snapshot struct {
	cfg     *config.Config
	found   *inspect.Found
	catalog *catalog.Catalog
	sources *datasource.Sources
	tokens  *auth.Verifier
	data    *resolvers.Datasets
	engine  *graph.Engine
	graphql http.Handler
	exports http.Handler
	imports http.Handler
	boards  http.Handler
	proxies client.Proxies
	handler http.Handler
	lacks   func() []string // by which rows are written; asked once

	cursors *cursor.Sealer
	users   atomic.Int64 // requests under way, and the gateway while it is served
}

// compile looks into the sources. Those that could not be looked into do not
// matter to the others.
func (s *snapshot) compile(ctx context.Context, log *slog.Logger) (err error) {
	if s.found, err = inspect.Look(ctx, s.cfg); err != nil {
		return err
	}
	return s.serves(ctx, log, nil)
}

// serves takes the catalog of what was found, and says what of it is not served that was before.
func (s *snapshot) serves(ctx context.Context, log *slog.Logger, unfit map[string]string) (err error) {
	if s.cfg.Server.Misfits == config.MisfitsLeaveOut {
		s.found = s.found.LeavingOut(s.cfg)
	}
	s.found.Log(ctx, log)
	s.found.LogWaits(ctx, log)
	if s.catalog, err = s.found.Served(); err == nil {
		tellUnfit(ctx, log, unfit, s.found.Unfit)
	}
	return err
}

// wire makes the way of a request, from its end to its beginning. What the snapshot
// before has that goes on with this one is taken over; nil: there was none.
func (s *snapshot) wire(g *Gateway, before *snapshot) (err error) {
	cfg, opts := s.cfg, g.opts
	s.users.Store(1)
	s.lacks = sync.OnceValue(func() []string { return lacks(g.life, s.found) })
	var tokens *auth.Verifier
	if before != nil {
		s.sources, tokens = before.sources.Next(s.catalog), before.tokens
	} else if s.sources, err = datasource.New(s.catalog, datasource.Options{
		Held:       g.budget,
		Log:        opts.Log,
		Traced:     opts.Tracer != nil,
		Upstream:   upstream.Options{Metrics: g.counts.calls},
		Exports:    cfg.Server.MaxExports,
		Accounts:   cfg.Pools.Accounts,
		DuckDB:     cfg.Pools.DuckDBMemory,
		CacheBytes: cfg.Server.CacheBytes,
		Conns:      pool.Limits{Conns: cfg.Pools.Connections, PerHost: cfg.Pools.PerHost, Idle: cfg.Pools.Idle, MaxAge: cfg.Pools.MaxAge},
		Waiting:    admit.Limits{Waiting: cfg.Server.MaxWaiting, Wait: cfg.Server.MaxWait},
	}); err != nil {
		return err
	}
	if before != nil && before.cfg.Server.Secret == "" && cfg.Server.Secret == "" { // one was made at the start
		s.cursors = before.cursors
	} else if s.cursors, err = sealer(cfg.Server); err != nil {
		return err
	}
	s.data = resolvers.NewDatasets(s.sources, s.cursors, cfg.Server.Numbers == config.NumbersString, g.counts.planned)
	s.data.Stages, s.data.Seen = g.counts.stages, &g.seen
	answering := graph.Options{
		Limits: control.Limits(cfg.Server),
		Logger: opts.Log,
		Plans:  control.Plans,
	}
	if err := trust(cfg.Documents, opts.Log, &answering); err != nil {
		return err
	}
	if cfg.Server.Relay {
		answering.OpenID = s.data.OpenID
	}
	registry := control.Registry(s.catalog, g.control)
	s.data.Tenant = control.NamedTenant(registry, cfg.Issuers)
	verifying := auth.Options{Log: opts.Log, Before: tokens, Tenants: registry, TenantOf: control.TenantOf(s.catalog, g.control)}
	if g.control != nil {
		s.data.Closed = g.control.Closed
		s.data.Audit, s.data.Told = g.control.Audit, g.tells(s.catalog, opts.Log)
		s.data.ReadsUnnoted = cfg.Control.AuditReads == config.ReadsNone
		if cfg.Control.Audit == config.AuditStrict {
			s.data.AuditStrictly = g.control.AuditNow
		}
		answering.Administration, answering.Saved = true, control.SavedOperations(g.control)
		verifying.Clock = g.control.Now
		verifying.Opaque, verifying.Revoked, verifying.Ready = g.control.Authenticate, g.control.Revoked, g.control.Ready
	}
	if s.engine, err = graph.NewEngine(s.catalog, &resolvers.Resolver{Data: s.data, Control: g.control, House: g.house(cfg, opts)}, s.data, answering); err != nil {
		return err
	}
	if s.tokens, err = auth.New(cfg.Issuers, verifying); err != nil {
		return err
	}
	if s.proxies, err = client.Trust(cfg.Server.Proxies()); err != nil {
		return err
	}
	manners := transport.Options{
		Timeout: cfg.Server.Timeout, MaxBody: cfg.Server.MaxBody, AllowedOrigins: cfg.Server.AllowedOrigins,
		Anonymous: g.control != nil, Proxies: s.proxies, ExplainTokens: cfg.Server.ExplainTokens,
		Begin: begins(s.catalog, g.budgets), Turns: g.turns,
		Held: g.budget, Metrics: g.counts.requests, Traffic: g.traffic, Stages: g.counts.stages, Logger: opts.Log,
		Tracer: opts.Tracer, TraceTenant: trace.Tenants(cfg.Server.TraceTenants, g.hides(cfg)),
	}
	s.graphql = transport.New(s.engine, s.tokens.Authenticate, manners)
	s.exports = transport.NewExport(s.engine, s.tokens.Authenticate, manners, transport.ExportOptions{
		Timeout: cfg.Server.ExportTimeout, Read: s.engine.Exporting, Prepare: s.export, Metrics: g.counts.exports,
	})
	s.imports = transport.NewImport(s.tokens.Authenticate, manners, transport.ImportOptions{
		Timeout: cfg.Server.ImportTimeout, MaxBytes: cfg.Server.MaxImport, Load: s.load, Metrics: g.counts.imports,
	})
	boards := control.Dashboards{Store: g.control, Files: cfg.Dashboards, Engine: s.engine}
	s.boards = transport.NewDashboards(s.tokens.Authenticate, manners, transport.DashboardOptions{List: boards.List, Page: boards.Page, Run: boards.Run})
	s.route(g)
	return nil
}

// route puts the handlers where they are asked.
func (s *snapshot) route(g *Gateway) {
	cfg, opts := s.cfg, g.opts
	mux := http.NewServeMux()
	mux.Handle("/graphql", s.graphql)
	mux.Handle("/graphql/{$}", s.graphql) // there are proxies that add a slash
	mux.Handle("/export/{dataset}", s.exports)
	mux.Handle("/import/{dataset}", s.imports)
	mux.Handle("/dashboards", s.boards)
	mux.Handle("/dashboards/{dashboard}", s.boards)
	mux.Handle("/health/", transport.Health(g.ready))
	if changes := hooks(s.catalog, g.told(cfg, s.catalog, s.sources.Changed), opts.Log); changes != nil {
		mux.Handle("/hooks/", changes)
	}
	embed := console.Embed()
	mux.Handle("/embed.js", embed)
	mux.Handle("/embed/", embed)
	mux.Handle("/packages/", console.Packages())
	if cfg.Server.Console && cfg.Server.Playground {
		shown := opts.Console
		shown.FrameAncestors = cfg.Server.FrameAncestors
		pages := console.Handler(shown)
		mux.Handle("/console", pages)
		mux.Handle("/console/", pages)
		mux.Handle("GET /{$}", leads("", "console"))
		mux.Handle("GET /playground", leads("", "console/query"))
		mux.Handle("GET /playground/{$}", leads("../", "console/query"))
	}
	s.handler = prefixed(cfg.Server.PathPrefix, s.proxies, mux)
}

// enter makes a request a user of what is served now, which stays until it leaves.
func (g *Gateway) enter() *snapshot {
	for {
		s := g.current.Load()
		for n := s.users.Load(); n > 0; n = s.users.Load() { // else it has ended, and another is served
			if s.users.CompareAndSwap(n, n+1) {
				return s
			}
		}
	}
}

// leave ends what was served before, with the last request that began in it.
func (s *snapshot) leave() {
	if s.users.Add(-1) == 0 {
		_ = s.close() // nobody uses it, and what did not end well ends with the process
	}
}

func (s *snapshot) close() error {
	if s.tokens != nil {
		s.tokens.Close()
	}
	if s.sources == nil {
		return nil
	}
	return s.sources.Close()
}

// sealer is of the secrets that cursors are sealed under, and opened.
func sealer(server config.Server) (*cursor.Sealer, error) {
	var others [][]byte
	for _, other := range server.OtherSecrets {
		others = append(others, []byte(other))
	}
	return cursor.New([]byte(server.Secret), others...)
}

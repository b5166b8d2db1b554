package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/console"
	"usher/cursor"
	"usher/datasource"
	"usher/datasource/pool"
	"usher/datasource/upstream"
	"usher/graph"
	"usher/graph/transport"
	"usher/resolvers"
	"usher/tenancy"
)

// gateway is everything that answers requests, wired together.
type gateway struct {
	catalog *catalog.Catalog
	sources *datasource.Sources
	control *tenancy.Store // nil: there is none
	tokens  *auth.Verifier
	engine  *graph.Engine
	metrics *prometheus.Registry
	handler http.Handler
	notes   []string // what the configuration leaves out

	draining atomic.Bool // no new requests, please
}

// assemble wires a gateway from a configuration. Whatever it opened is closed
// again when it fails.
func assemble(ctx context.Context, cfg *config.Config, pages console.Options, log *slog.Logger) (_ *gateway, err error) {
	g := &gateway{}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	if g.catalog, g.notes, err = compile(ctx, cfg, log); err != nil {
		return nil, err
	}
	calls, requests := upstream.NewMetrics(), transport.NewMetrics()
	if g.sources, err = datasource.New(g.catalog, datasource.Options{
		Upstream:   upstream.Options{Metrics: calls},
		Accounts:   cfg.Pools.Accounts,
		CacheBytes: cfg.Server.CacheBytes,
		Conns:      pool.Limits{Conns: cfg.Pools.Connections, PerHost: cfg.Pools.PerHost, Idle: cfg.Pools.Idle},
	}); err != nil {
		return nil, err
	}
	verifying := auth.Options{Log: log}
	if cfg.Control != nil {
		if g.control, err = openControl(ctx, *cfg.Control, g.catalog, log); err != nil {
			return nil, fmt.Errorf("open the control store: %w", err)
		}
		if err = apart(ctx, cfg, g.catalog, g.control); err != nil {
			return nil, err
		}
		verifying.Opaque, verifying.Revoked, verifying.Ready = g.control.Authenticate, g.control.Revoked, g.control.Ready
	}
	verifying.Tenants = registry(g.catalog, g.control)
	if g.tokens, err = auth.New(cfg.Issuers, verifying); err != nil {
		return nil, err
	}
	cursors, err := cursor.New([]byte(cfg.Server.Secret))
	if err != nil {
		return nil, err
	}
	data := resolvers.NewDatasets(g.sources, cursors, cfg.Server.Numbers == config.NumbersString)
	answering := graph.Options{
		Limits: graph.Limits{
			Tokens: cfg.Server.MaxTokens, Depth: cfg.Server.MaxDepth,
			Aliases: cfg.Server.MaxAliases, RootFields: cfg.Server.MaxRootFields,
			Items: cfg.Server.MaxItems, Conditions: cfg.Server.MaxConditions, Bytes: int(cfg.Server.MaxBody),
		},
		Logger: log,
	}
	if g.control != nil {
		data.Audit = g.control.Audit
		answering.Administration, answering.Saved = true, saved(g.control)
	}
	if g.engine, err = graph.NewEngine(g.catalog, &resolvers.Resolver{Data: data, Control: g.control}, data, answering); err != nil {
		return nil, err
	}
	if g.metrics, err = registryOf(requests, data, g.sources, calls); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", transport.New(g.engine, g.tokens.Authenticate, transport.Options{
		Timeout: cfg.Server.Timeout, MaxBody: cfg.Server.MaxBody, AllowedOrigins: cfg.Server.AllowedOrigins, Strangers: g.control != nil,
		Metrics: requests, Logger: log,
	}))
	mux.Handle("/health/", transport.Health(g.ready))
	if changes := hooks(g.catalog, g.sources.Changed, log); changes != nil {
		mux.Handle("/hooks/", changes)
	}
	mux.Handle("/playground", console.Handler(pages))
	mux.Handle("/playground/", console.Handler(pages))
	mux.Handle("GET /{$}", http.RedirectHandler("/playground", http.StatusFound))
	g.handler = mux
	return g, nil
}

func (g *gateway) close() error {
	var errs []error
	if g.tokens != nil {
		g.tokens.Close()
	}
	if g.sources != nil {
		errs = append(errs, g.sources.Close())
	}
	if g.control != nil {
		errs = append(errs, g.control.Close())
	}
	return errors.Join(errs...)
}

// compile makes the catalog: the configuration, completed by what the sources
// are found to hold.
func compile(ctx context.Context, cfg *config.Config, log *slog.Logger) (*catalog.Catalog, []string, error) {
	sources, problems := catalog.Sources(cfg.Spec)
	if err := cfg.Locate(problems); err != nil {
		return nil, nil, err
	}
	tables := make(catalog.Introspected)
	for name, source := range sources {
		found, err := datasource.Introspect(ctx, source)
		switch {
		case err != nil:
			// Not fatal by itself: whatever the catalog lacks because of it is.
			log.Warn("a source could not be looked into", "source", name, "error", err)
		case found != nil:
			tables[name] = found
		}
	}
	cat, problems := catalog.Compile(cfg.Spec, tables)
	if err := cfg.Locate(problems); err != nil {
		return nil, nil, err
	}
	if cat == nil {
		return nil, nil, fmt.Errorf("the catalog was refused without a reason")
	}
	return cat, cfg.Notes(problems), nil
}

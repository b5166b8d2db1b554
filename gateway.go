package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/console"
	"usher/cursor"
	"usher/datasource"
	"usher/datasource/pool"
	"usher/graph"
	"usher/graph/transport"
	"usher/principal"
	"usher/resolvers"
)

// gateway is everything that answers requests, wired together.
type gateway struct {
	catalog *catalog.Catalog
	sources *datasource.Sources
	tokens  *auth.Verifier
	engine  *graph.Engine
	handler http.Handler
	notes   []string // what the configuration leaves out
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
	if g.sources, err = datasource.New(g.catalog, datasource.Options{
		Accounts:   cfg.Pools.Accounts,
		CacheBytes: cfg.Server.CacheBytes,
		Conns:      pool.Limits{Conns: cfg.Pools.Connections, PerHost: cfg.Pools.PerHost, Idle: cfg.Pools.Idle},
	}); err != nil {
		return nil, err
	}
	if g.tokens, err = auth.New(cfg.Issuers, auth.Options{Log: log, Tenants: registry(g.catalog)}); err != nil {
		return nil, err
	}
	cursors, err := cursor.New([]byte(cfg.Server.Secret))
	if err != nil {
		return nil, err
	}
	data := resolvers.NewDatasets(g.sources, cursors, cfg.Server.Numbers == config.NumbersString)
	if g.engine, err = graph.NewEngine(g.catalog, &resolvers.Resolver{Data: data}, data, graph.Options{
		Limits: graph.Limits{
			Tokens: cfg.Server.MaxTokens, Depth: cfg.Server.MaxDepth,
			Aliases: cfg.Server.MaxAliases, RootFields: cfg.Server.MaxRootFields,
		},
		Logger: log,
	}); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", transport.New(g.engine, g.tokens.Authenticate, transport.Options{
		Timeout: cfg.Server.Timeout, MaxBody: cfg.Server.MaxBody, AllowedOrigins: cfg.Server.AllowedOrigins, Logger: log,
	}))
	mux.Handle("/health/", transport.Health(func(context.Context) error { return nil }))
	if changes := hooks(g.catalog, log); changes != nil {
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

// registry looks up the tenants that the configuration registers.
func registry(cat *catalog.Catalog) func(context.Context, string) (string, principal.Home, error) {
	return func(_ context.Context, id string) (string, principal.Home, error) {
		t, ok := cat.Tenants[id]
		if !ok {
			return "", principal.Home{}, auth.ErrNotRegistered
		}
		return t.Key, principal.Home{Strategy: t.Strategy, Accounts: t.Accounts}, nil
	}
}

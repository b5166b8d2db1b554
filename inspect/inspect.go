// Package inspect completes a configuration by what its sources are found to
// hold. It owns the looking: for a gateway, which serves only what was found to
// fit, and for people, who want to read everything that does not. It refuses to
// hide a source that it could not look into.
package inspect

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"usher/catalog"
	"usher/config"
	"usher/datasource"
)

// Found is what a look into the sources has shown.
type Found struct {
	Catalog *catalog.Catalog // nil: it was refused, and the problems say why
	Tables  catalog.Introspected
	Silent  []Silent // sources that could not be looked into, by name
	Notes   []string // what the configuration leaves out
	Problem error    // all that does not fit, with places
}

// Silent is a source that could not be looked into.
type Silent struct {
	Source string
	Err    error
}

// maxLooks is how many sources are looked into at the same time.
const maxLooks = 8

// Look looks into every source and compiles the catalog. The error is for a
// configuration that says too little to look at anything.
func Look(ctx context.Context, cfg *config.Config) (*Found, error) {
	sources, problems := catalog.Sources(cfg.Spec)
	if err := cfg.Locate(problems); err != nil {
		return nil, err
	}
	f := &Found{Tables: make(catalog.Introspected)}
	type look struct {
		tables map[string]catalog.Table
		err    error
	}
	names := slices.Sorted(maps.Keys(sources))
	looks := make([]look, len(names))
	var group errgroup.Group // all at once: a silent one takes as long as connecting may
	group.SetLimit(maxLooks)
	for i, name := range names {
		group.Go(func() error {
			looks[i].tables, looks[i].err = datasource.Introspect(ctx, sources[name], cfg.Spec.Schemas(sources[name])...)
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	for i, name := range names {
		switch found := looks[i]; {
		case found.err != nil:
			f.Silent = append(f.Silent, Silent{name, found.err})
		case found.tables != nil:
			f.Tables[name] = found.tables
		}
	}
	f.Catalog, problems = catalog.Compile(cfg.Spec, f.Tables)
	f.Problem, f.Notes = cfg.Locate(problems), cfg.Notes(problems)
	return f, nil
}

// Compile makes the catalog that is served, and notes of what the configuration
// leaves out. A silent source is not fatal by itself: whatever the catalog lacks
// because of it is.
func Compile(ctx context.Context, cfg *config.Config, log *slog.Logger) (*catalog.Catalog, []string, error) {
	f, err := Look(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range f.Silent {
		log.WarnContext(ctx, "a source could not be looked into", "source", s.Source, "error", s.Err)
	}
	if f.Problem != nil {
		return nil, nil, f.Problem
	}
	if f.Catalog == nil {
		return nil, nil, errors.New("the catalog was refused without a reason")
	}
	return f.Catalog, f.Notes, nil
}

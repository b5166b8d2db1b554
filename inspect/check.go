package inspect

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/control"
	"usher/datasource"
	"usher/datasource/grants"
	"usher/schema"
)

// Report is what a check finds. The catalog is nil when it was refused.
type Report struct {
	Catalog         *catalog.Catalog
	Problems, Notes []string
}

// Check does all that starting does short of listening, and goes on after a
// problem where more can be said. A source that could not be looked into is a
// problem too: nothing about it was checked. The error is for a file that says
// too little to look at anything.
func Check(ctx context.Context, cfg *config.Config) (*Report, error) {
	f, err := Look(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r := &Report{Catalog: f.Catalog, Notes: f.Notes}
	for _, s := range f.Silent {
		r.Problems = append(r.Problems, fmt.Sprintf("source %s could not be looked into, so nothing about it was checked: %v", s.Source, s.Err))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Tables)) { // a silent one has been told of
		if err := datasource.Authorize(ctx, f.Sources[name]); err != nil {
			r.Notes = append(r.Notes, fmt.Sprintf("source %s lists its datasets, but %v", name, err))
		}
	}
	r.problem(f.Problem)
	if r.Catalog == nil {
		return r, nil
	}
	r.Problems = append(r.Problems, cells(ctx, cfg, r.Catalog)...)
	_, problems := control.Configured(r.Catalog)
	r.problem(cfg.Locate(problems))
	r.problem(schemaFits(r.Catalog, cfg.Control != nil, cfg.Server.Relay))
	wrong, worth := control.CheckDashboards(r.Catalog, cfg)
	r.problem(wrong)
	if worth != nil {
		r.Notes = append(r.Notes, strings.Split(worth.Error(), "\n")...)
	}
	tokens, err := auth.New(cfg.Issuers, auth.Options{Tenants: control.Registry(r.Catalog, nil), Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		tokens.Close()
	}
	r.problem(err)
	r.Notes = append(r.Notes, indexes(r.Catalog, f.Tables)...)
	r.Notes = append(r.Notes, writing(r.Catalog, f.Tables)...)
	for _, name := range slices.Sorted(maps.Keys(f.Tables)) {
		lacks, err := grants.Lacking(ctx, r.Catalog, f.Sources[name])
		if err != nil {
			err = fmt.Errorf("source %s: what the account that writes may do could not be asked: %w", name, err)
		}
		r.problem(err)
		r.Problems, r.Notes = append(r.Problems, lacks.Writing...), append(r.Notes, lacks.Some...)
	}
	return r, nil
}

func (r *Report) problem(err error) {
	if err != nil {
		r.Problems = append(r.Problems, strings.Split(err.Error(), "\n")...)
	}
}

// schemaFits tells whether one GraphQL schema can hold the whole catalog; what
// principals see are parts of it.
func schemaFits(cat *catalog.Catalog, administration, relay bool) error {
	var parts []schema.Part
	if administration {
		parts = append(parts, schema.Administration)
	}
	if relay {
		parts = append(parts, schema.Relay)
	}
	builder, err := schema.NewBuilder(parts...)
	if err != nil {
		return err
	}
	_, err = builder.BuildAll(cat.Everything())
	return err
}

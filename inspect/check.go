package inspect

import (
	"context"
	"errors"
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
	"usher/graph/documents"
	"usher/schema"
	"usher/setup"
)

// Report is what a check finds. The catalog is nil when it was refused.
type Report struct {
	Catalog         *catalog.Catalog
	Problems, Notes []string
	Store           bool // there is a control store, and it could be opened
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
	unopened := store(ctx, cfg.Control)
	if errors.Is(unopened, control.ErrEmpty) {
		r.Notes = append(r.Notes, "control: the control store has no tables yet; usher makes them at its start, without a tenant")
	} else {
		r.problem(unopened)
	}
	r.Store = cfg.Control != nil && unopened == nil
	r.problem(trusted(cfg.Documents))
	r.Notes = append(r.Notes, elsewhere(ctx, cfg.Server)...)
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
	r.problem(issuers(ctx, cfg, r.Catalog))
	r.Notes = append(r.Notes, setup.Exposed(r.Catalog, f.Tables)...)
	r.Notes = append(r.Notes, unfilled(r.Catalog, f.Tables)...)
	r.Notes = append(r.Notes, hidden(r.Catalog, f.Tables)...)
	r.Notes = append(r.Notes, indexes(r.Catalog, f.Tables)...)
	r.Notes = append(r.Notes, writing(r.Catalog, f.Tables)...)
	r.Notes = append(r.Notes, closed(r.Catalog)...)
	lacks, err := f.Lacking(ctx)
	r.problem(err)
	r.Problems, r.Notes = append(r.Problems, lacks.Writing...), append(r.Notes, lacks.Some...)
	return r, nil
}

func (r *Report) problem(err error) {
	if err != nil {
		r.Problems = append(r.Problems, strings.Split(err.Error(), "\n")...)
	}
}

// issuers tells what is wrong with the issuers, and asks for the keys of those that publish
// them.
func issuers(ctx context.Context, cfg *config.Config, cat *catalog.Catalog) error {
	tokens, err := auth.New(cfg.Issuers, auth.Options{Tenants: control.Registry(cat, nil), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer tokens.Close()
	var errs []error
	failed := tokens.Unfetched(ctx)
	for _, issuer := range slices.Sorted(maps.Keys(failed)) {
		errs = append(errs, fmt.Errorf("issuers.%s.keys.jwks_url: the keys could not be fetched, so nobody knows whether its tokens will be accepted%s%w", issuer, Cause, failed[issuer]))
	}
	return errors.Join(errs...)
}

// store tells what is wrong with the control store.
func store(ctx context.Context, spec *config.Control) error {
	if spec == nil {
		return nil
	}
	if err := control.Check(ctx, *spec); err != nil {
		return fmt.Errorf("control: the control store cannot be opened%s%w", Cause, err)
	}
	return nil
}

// trusted tells what is wrong with the trusted documents.
func trusted(spec *config.Documents) error {
	if spec == nil {
		return nil
	}
	_, err := documents.Load(spec.Files(), string(spec.Dir))
	return err
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

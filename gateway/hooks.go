package gateway

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/tenancy"
	"usher/webhook"
)

// told forgets here what a source tells of, and has the other gateways of the
// control store forget it, before it refuses tenants that there are not: what is
// meant may be among what is misspelled, and to forget does no harm.
func (g *Gateway) told(cfg *config.Config, cat *catalog.Catalog, forget func(source, dataset string, tenants []string)) func(context.Context, webhook.Change) error {
	trusting := slices.ContainsFunc(cfg.Issuers, func(i auth.IssuerSpec) bool { return i.Tenants == "trusted" }) // any id may be a tenant's
	known := func(id string) bool {
		_, registered := cat.Tenants[id]
		return registered || trusting
	}
	return func(ctx context.Context, c webhook.Change) error {
		forget(c.Source, c.Dataset, c.Tenants)
		unknown := slices.DeleteFunc(slices.Clone(c.Tenants), known)
		if g.control != nil {
			if err := g.control.TellChange(ctx, tenancy.Change{Source: c.Source, Dataset: c.Dataset, Tenants: c.Tenants}); err != nil {
				return err
			}
			var err error
			if unknown, err = g.control.Unregistered(ctx, unknown); err != nil {
				return err
			}
		}
		if len(unknown) > 0 {
			return webhook.UnknownTenantsError(unknown)
		}
		return nil
	}
}

// tells has the other gateways forget what they keep of a dataset that was changed
// here, and read it where it has been written. Of one of whose tables no answers are kept, and which has no
// replicas, there is nothing to know.
func (g *Gateway) tells(cat *catalog.Catalog, log *slog.Logger) func(ctx context.Context, source, dataset, owner string) {
	return func(ctx context.Context, source, dataset, owner string) {
		kept := slices.ContainsFunc(cat.Readers(dataset), func(r catalog.Reader) bool { return cat.Dataset(r.Dataset).Cache > 0 })
		if !kept && !replicated(cat.Sources[source]) {
			return
		}
		told := tenancy.Change{Source: source, Dataset: dataset}
		if owner != "" {
			told.Tenants = []string{owner}
		}
		if err := g.control.TellChange(context.WithoutCancel(ctx), told); err != nil {
			log.WarnContext(ctx, "other gateways could not be told of changed rows", "source", told.Source, "dataset", told.Dataset, "error", err)
		}
	}
}

// replicated tells a source whose rows are also read where they are not written.
func replicated(s *catalog.Source) bool {
	if s == nil || s.Kind != catalog.Postgres {
		return false
	}
	servers, err := catalog.Servers(s.Postgres.Host, s.Postgres.Port)
	return err != nil || slices.ContainsFunc(servers, func(one catalog.Server) bool { return one.Replica })
}

// hooks takes the calls of sources that tell of changed rows, and hands them
// on; nil, if no source does.
func hooks(cat *catalog.Catalog, changed func(context.Context, webhook.Change) error, log *slog.Logger) http.Handler {
	sources := make(map[string]webhook.Source)
	for name, s := range cat.Sources {
		if s.Webhook == "" {
			continue
		}
		source := webhook.Source{Secret: []byte(s.Webhook)}
		for _, d := range cat.Datasets {
			if d.Bindings[name] != nil || slices.ContainsFunc(slices.Collect(maps.Values(d.Own)), func(o *catalog.Own) bool { return o.Source == name }) {
				source.Datasets = append(source.Datasets, d.Name)
			}
		}
		sources[name] = source
	}
	if len(sources) == 0 {
		return nil
	}
	return webhook.New(sources, func(ctx context.Context, c webhook.Change) error {
		log.InfoContext(ctx, "rows have changed", "source", c.Source, "dataset", c.Dataset, "tenants", len(c.Tenants), "keys", len(c.Keys))
		err := changed(ctx, c)
		if err != nil {
			log.WarnContext(ctx, "a call about changed data was not taken as a whole", "source", c.Source, "dataset", c.Dataset, "error", err)
		}
		return err
	}, webhook.Options{Logger: log})
}

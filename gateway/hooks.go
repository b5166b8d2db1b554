package gateway

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"usher/catalog"
	"usher/webhook"
)

// hooks takes the calls of sources that tell of changed rows, and hands them
// on; nil, if no source does.
func hooks(cat *catalog.Catalog, changed func(source, dataset string, tenants []string), log *slog.Logger) http.Handler {
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
	return webhook.New(sources, func(ctx context.Context, c webhook.Change) {
		changed(c.Source, c.Dataset, c.Tenants)
		log.InfoContext(ctx, "rows have changed", "source", c.Source, "dataset", c.Dataset, "tenants", len(c.Tenants), "keys", len(c.Keys))
	}, webhook.Options{Logger: log})
}

package main

import (
	"context"
	"log/slog"
	"net/http"

	"usher/catalog"
	"usher/webhook"
)

// hooks takes the calls of sources that tell of changed rows; nil, if none
// does.
func hooks(cat *catalog.Catalog, log *slog.Logger) http.Handler {
	sources := make(map[string]webhook.Source)
	for name, s := range cat.Sources {
		if s.Webhook == "" {
			continue
		}
		source := webhook.Source{Secret: []byte(s.Webhook)}
		for _, d := range cat.Datasets {
			if d.Bindings[name] != nil {
				source.Datasets = append(source.Datasets, d.Name)
			}
		}
		sources[name] = source
	}
	if len(sources) == 0 {
		return nil
	}
	return webhook.New(sources, func(ctx context.Context, c webhook.Change) {
		log.InfoContext(ctx, "rows have changed", "source", c.Source, "dataset", c.Dataset, "tenants", len(c.Tenants), "keys", len(c.Keys))
	}, webhook.Options{Logger: log})
}

package control

import (
	"context"
	"fmt"
	"log/slog"

	"usher/catalog"
	"usher/config"
	"usher/principal"
	"usher/tenancy"
)

// OpenToRead opens the store for a command that reads it.
func OpenToRead(ctx context.Context, cfg *config.Config) (*tenancy.Store, error) {
	return Open(ctx, *cfg.Control, tenancy.Options{Log: slog.New(slog.DiscardHandler)})
}

// Record is the record of a tenant of the configuration or of the control store,
// which is opened for that: an embedded one only while no server holds it.
func Record(ctx context.Context, cfg *config.Config, cat *catalog.Catalog, id string) (principal.Principal, error) {
	if t, ok := cat.Tenants[id]; ok {
		return principal.Principal{Tenant: t.ID, TenantKey: t.Key, Routing: t.Routing()}, nil
	}
	if cfg.Control == nil {
		return principal.Principal{}, fmt.Errorf("the configuration registers no tenant %s, and has no control store", id)
	}
	store, err := OpenToRead(ctx, cfg)
	if err != nil {
		return principal.Principal{}, fmt.Errorf("open the control store, to look up tenant %s: %w", id, err)
	}
	defer func() { _ = store.Close() }() // nothing was written
	record, found, err := store.Record(ctx, id)
	if err == nil && !found {
		err = fmt.Errorf("neither the configuration nor the control store has a tenant %s", id)
	}
	return record, err
}

package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"usher/config"
	"usher/control"
	"usher/demo"
	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// Employ registers the demo's tenants and people in a control store that has none yet.
func Employ(ctx context.Context, cfg *config.Config, data *demo.Data) (err error) {
	store, err := control.Open(ctx, *cfg.Control, tenancy.Options{})
	if err != nil {
		return fmt.Errorf("open the demo's control store: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	chain := principal.Principal{
		Issuer: "usher-demo", Subject: "demo", AllTenants: true,
		Scopes: []principal.Scope{principal.ReadData, principal.Administer, principal.CreateTokens, principal.Explain},
	}
	if empty, err := store.Empty(ctx); err != nil || !empty { // an earlier start did
		return err
	}
	for _, t := range data.Tenants {
		if _, err := store.CreateTenant(ctx, chain, tenancy.NewTenant{ID: t.ID, Name: t.Name}); lacking(err) {
			return fmt.Errorf("register %s: %w", t.Name, err)
		}
	}
	for _, p := range slices.Backward(demo.People(data)) { // who operates all of it comes last, and says that all was made
		made := tenancy.NewUser{Tenant: p.Tenant, Username: p.Username, Name: p.Name, Password: p.Password}
		if p.Administers {
			made.Scopes = chain.Scopes
		}
		if _, err := store.CreateUser(ctx, chain, made); lacking(err) {
			return fmt.Errorf("register %s: %w", p.Name, err)
		}
	}
	return nil
}

// lacking tells whether something could not be made and is not there either.
func lacking(err error) bool { return err != nil && fault.From(err).Code != fault.Conflict }

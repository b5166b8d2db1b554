package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"

	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/tenancy"
)

// openControl opens the control store of a configuration. What it keeps is
// judged by the catalog before it is kept.
func openControl(ctx context.Context, c config.Control, cat *catalog.Catalog, log *slog.Logger) (*tenancy.Store, error) {
	opts := tenancy.Options{
		Check: judge(cat), CheckFilters: judgeFilters(cat), CheckRole: judgeRole(cat), Log: log, MaxStale: c.MaxStale,
		TokenLife: c.TokenLife, MaxTokenLife: c.MaxTokenLife, SessionLife: c.SessionLife, SessionIdle: c.SessionIdle,
		AuditRetention: c.AuditRetention, MinPassword: c.MinPassword, FreeAttempts: c.FreeAttempts, MaxLockout: c.MaxLockout,
	}
	var err error
	if c.Key != nil {
		if opts.Key, err = sealKey(*c.Key); err != nil {
			return nil, err
		}
	}
	for _, k := range c.OldKeys {
		old, err := sealKey(k)
		if err != nil {
			return nil, err
		}
		opts.OldKeys = append(opts.OldKeys, old)
	}
	return tenancy.Open(ctx, controlPlace(c), opts)
}

func sealKey(k config.ControlKey) (tenancy.SealKey, error) {
	secret, err := k.Bytes()
	return tenancy.SealKey{ID: k.ID, Secret: secret}, err
}

func controlPlace(c config.Control) tenancy.Spec {
	if c.Postgres == nil {
		return tenancy.Spec{Path: string(c.Path)}
	}
	p := c.Postgres
	return tenancy.Spec{Schema: p.Schema, Postgres: &tenancy.PostgresSpec{
		Host: p.Host, Port: p.Port, Database: p.Database, User: p.User, Password: string(p.Password),
		SSLMode: p.SSLMode, RootCert: string(p.RootCert),
	}}
}

// judge is what the catalog says of a tenant's record, a user, a key or a
// token before it is made.
func judge(cat *catalog.Catalog) func(principal.Principal) error {
	return func(p principal.Principal) error {
		if taken(cat, p.Tenant, p.TenantKey) {
			return fault.New(fault.Conflict, "the configuration registers a tenant of this id or key").
				WithHint("Choose another, or take it out of the configuration's tenants.")
		}
		record := p.Subject == ""
		switch {
		case record && len(p.Home.Accounts) == 0:
			if p.Home.Strategy != "" && cat.Strategies[p.Home.Strategy] == nil {
				return fault.New(fault.BadUserInput, "there is no strategy %q", p.Home.Strategy)
			}
			return nil
		// What of these can be reached is decided where it is asked for.
		case !record && p.AllTenants:
			if _, err := cat.View(p); err != nil {
				return fault.New(fault.BadUserInput, "this does not fit the configuration: %s", err)
			}
			return nil
		case !record && !slices.Contains(p.Scopes, principal.ReadData):
			return plan.CheckDatasets(p, cat)
		}
		return plan.CheckGrant(p, cat)
	}
}

// judgeFilters is what the catalog says of filters that somebody puts into a
// token.
func judgeFilters(cat *catalog.Catalog) func(minter, token principal.Principal, added []principal.Filter) error {
	return func(minter, token principal.Principal, added []principal.Filter) error {
		return plan.CheckMinted(minter, token, added, cat)
	}
}

// judgeRole is what the catalog says of a role that a tenant owns, to whoever
// writes it. Administrators of all tenants know the whole catalog.
func judgeRole(cat *catalog.Catalog) func(writer principal.Principal, tenant, name string, spec json.RawMessage) error {
	return func(writer principal.Principal, tenant, name string, spec json.RawMessage) error {
		if writer.AllTenants {
			return catalog.JudgeRole(cat, nil, tenant, name, spec)
		}
		view, err := cat.View(writer)
		if err != nil {
			return fault.New(fault.Forbidden, "your own roles do not fit the configuration: %s", err)
		}
		return catalog.JudgeRole(cat, view, tenant, name, spec)
	}
}

// taken tells whether the configuration registers a tenant of an id or a key.
func taken(cat *catalog.Catalog, id, key string) bool {
	if id == "" {
		return false
	}
	if _, ok := cat.Tenants[id]; ok {
		return true
	}
	for _, t := range cat.Tenants {
		if t.Key == key {
			return true
		}
	}
	return false
}

// apart refuses tenants of the file that the store knows, or has known: two
// registries that disagree would let one tenant in as the other.
func apart(ctx context.Context, cfg *config.Config, cat *catalog.Catalog, store *tenancy.Store) error {
	var problems []catalog.Problem
	for _, id := range slices.Sorted(maps.Keys(cat.Tenants)) {
		known, err := store.Taken(ctx, id, cat.Tenants[id].Key)
		if err != nil {
			return err
		}
		if known {
			problems = append(problems, catalog.Problem{
				Path:    []string{"tenants", id},
				Message: "the control store has, or had, a tenant of this id or key; a tenant is registered in one place",
			})
		}
	}
	return cfg.Locate(problems)
}

// registry looks up the tenants that the configuration registers, and those of
// the store, if there is one.
func registry(cat *catalog.Catalog, store *tenancy.Store) func(context.Context, string) (string, principal.Home, error) {
	return func(ctx context.Context, id string) (string, principal.Home, error) {
		if t, ok := cat.Tenants[id]; ok {
			return t.Key, principal.Home{Strategy: t.Strategy, Accounts: t.Accounts}, nil
		}
		if store == nil {
			return "", principal.Home{}, auth.ErrNotRegistered
		}
		key, home, err := store.Tenant(ctx, id)
		switch {
		case errors.Is(err, tenancy.ErrNoTenant):
			err = auth.ErrNotRegistered
		case errors.Is(err, tenancy.ErrTenant):
			err = auth.ErrSuspended
		}
		return key, home, err
	}
}

// saved finds operations that are kept in the store.
func saved(store *tenancy.Store) func(context.Context, principal.Principal, graph.SavedName) (string, map[string]any, error) {
	return func(ctx context.Context, who principal.Principal, name graph.SavedName) (string, map[string]any, error) {
		find, which := store.SavedQuery, name.Name
		if name.ID != "" {
			find, which = store.SavedQueryByID, name.ID
		}
		found, err := find(ctx, who, which)
		if err != nil || len(found.Variables) == 0 {
			return found.Document, nil, err
		}
		var variables map[string]any
		d := json.NewDecoder(bytes.NewReader(found.Variables))
		d.UseNumber()
		if err := d.Decode(&variables); err != nil {
			return "", nil, fault.New(fault.Internal, "the variables of a saved query cannot be read").Because(err)
		}
		return found.Document, variables, nil
	}
}

// sayFirstKey tells how the first administrator's key is made, while nobody
// administers an empty store.
func (g *gateway) sayFirstKey(ctx context.Context, out io.Writer) error {
	empty, err := g.control.Empty(ctx)
	if err == nil && empty {
		fmt.Fprintln(out, "Nobody administers this gateway yet: `usher key bootstrap` makes the first administrator's key.")
	}
	return err
}

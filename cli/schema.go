package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"usher/catalog"
	"usher/cli/term"
	"usher/config"
	"usher/inspect"
	"usher/principal"
	"usher/schema"
)

type schemaCommand struct {
	Config     string   `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
	As         string   `xor:"who" help:"Id of the tenant to print it for." placeholder:"TENANT"`
	AllTenants bool     `xor:"who" help:"Print it for somebody who may see all tenants: with the tenant columns."`
	Write      bool     `help:"Print it for somebody who may write, with what their roles grant: the scope data:write."`
	Role       []string `help:"A role of whoever it is printed for; may be repeated."`
	Client     string   `help:"Print what a client's cache or compiler has to know of the schema instead, as a module: apollo, graphcache (urql), relay or codegen (graphql-codegen)." placeholder:"CLIENT"`
}

// Run prints the schema as code generators take it, or a module for a client.
func (c schemaCommand) Run(ctx context.Context, s *term.IO) error {
	module, known := clients[c.Client]
	if c.Client != "" && !known {
		return fmt.Errorf("there is nothing for a client %q; known: %s", c.Client, strings.Join(slices.Sorted(maps.Keys(clients)), ", "))
	}
	cfg, err := config.Load(c.Config, s.Env)
	if err != nil {
		return err
	}
	over := s.Waiting("still looking into the sources")
	found, err := inspect.Look(ctx, cfg)
	over()
	if err != nil {
		return err
	}
	found.Log(ctx, slog.New(slog.NewTextHandler(s.Stderr, nil)))
	cat, err := found.Served()
	if err != nil {
		return err
	}
	if silent := cat.Unreached.Pending(); cat.Unreached.Incomplete() && len(silent) > 0 {
		return fmt.Errorf("%s could not be looked into, and the file alone does not say what the schema is", strings.Join(silent, ", "))
	}
	if cat.Unreached.Incomplete() {
		return errors.New("a dataset does not fit what its source holds, so the schema is not whole; `usher check` says which")
	}
	if _, known := cat.Tenants[c.As]; c.As != "" && len(cat.Tenants) > 0 && !known {
		return fmt.Errorf("there is no tenant %q", c.As)
	}
	if len(c.Role) == 0 && len(cat.Roles) > 0 {
		return errors.New("who has no role sees nothing here; choose with --role: " + strings.Join(slices.Sorted(maps.Keys(cat.Roles)), ", "))
	}
	who := principal.Principal{Tenant: c.As, AllTenants: c.AllTenants, Roles: c.Role, Scopes: []principal.Scope{principal.ReadData}}
	if c.Write {
		who.Scopes = append(who.Scopes, principal.WriteData)
	}
	view, err := cat.View(who)
	if err != nil {
		return err
	}
	if module != nil {
		return printModule(cfg, view, c.AllTenants, module, s)
	}
	parts, audience := []schema.Part(nil), schema.Holder|schema.Reader
	if cfg.Server.Relay {
		if parts = append(parts, schema.Relay); c.AllTenants {
			audience |= schema.OfAll
		}
	}
	builder, err := schema.NewBuilder(parts...)
	if err != nil {
		return err
	}
	built, err := builder.Build(view, audience)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.Stdout, built.SDL())
	return err
}

// printModule prints a client's module. It is of the whole control plane: who
// administers uses the same one.
func printModule(cfg *config.Config, view *catalog.View, allTenants bool, module func(clientModule, io.Writer), s *term.IO) error {
	var parts []schema.Part
	if cfg.Control != nil {
		parts = append(parts, schema.Administration)
	}
	build := (*schema.Builder).BuildAll
	if cfg.Server.Relay {
		if parts = append(parts, schema.Relay); allTenants {
			build = (*schema.Builder).BuildAllOfAll
		}
	}
	builder, err := schema.NewBuilder(parts...)
	if err != nil {
		return err
	}
	built, err := build(builder, view)
	if err != nil {
		return err
	}
	module(newClientModule(built, view, allTenants, cfg.Server.Numbers == config.NumbersString), s.Stdout)
	return nil
}

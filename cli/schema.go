package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

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
	Role       []string `help:"A role of whoever it is printed for; may be repeated."`
}

// Run prints the schema as code generators take it.
func (c schemaCommand) Run(ctx context.Context, s *term.IO) error {
	cfg, err := config.Load(c.Config, s.Env)
	if err != nil {
		return err
	}
	found, err := inspect.Look(ctx, cfg)
	if err != nil {
		return err
	}
	found.Log(ctx, slog.New(slog.NewTextHandler(s.Stderr, nil)))
	cat, err := found.Served()
	if err != nil {
		return err
	}
	if cat.Unreached.Incomplete() {
		return errors.New("a source could not be looked into, and the file alone does not say what the schema is")
	}
	if _, known := cat.Tenants[c.As]; c.As != "" && len(cat.Tenants) > 0 && !known {
		return fmt.Errorf("there is no tenant %q", c.As)
	}
	if len(c.Role) == 0 && len(cat.Roles) > 0 {
		return errors.New("who has no role sees nothing here; choose with --role: " + strings.Join(slices.Sorted(maps.Keys(cat.Roles)), ", "))
	}
	view, err := cat.View(principal.Principal{Tenant: c.As, AllTenants: c.AllTenants, Roles: c.Role})
	if err != nil {
		return err
	}
	builder, err := schema.NewBuilder()
	if err != nil {
		return err
	}
	built, err := builder.Build(view, schema.Holder|schema.Reader)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.Stdout, built.SDL())
	return err
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"usher/catalog"
	"usher/cli/term"
	"usher/config"
	"usher/held"
	"usher/inspect"
	"usher/trace/otlp"
)

type checkCommand struct {
	Config  string `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
	Tenants bool   `help:"What the control store keeps that does not fit the configuration is a problem, and told at greater length."`
	Tenant  string `help:"Try the accounts of this tenant, too, of the file or of the control store." placeholder:"ID"`
}

// errProblems ends a check whose problems are printed already.
var errProblems = errors.New("the configuration has problems")

// Run prints everything that is wrong, then what is worth knowing. A source
// that could not be looked into is a problem too: nothing about it was checked.
func (c checkCommand) Run(ctx context.Context, s *term.IO) error {
	cfg, err := config.Load(c.Config, s.Env)
	if err != nil {
		return err
	}
	over := s.Waiting("still looking into the sources")
	r, err := inspect.Check(ctx, cfg)
	over()
	if err != nil {
		return err
	}
	if cfg.Server.TLS != nil {
		shown, problem := loadCertificate(*cfg.Server.TLS, slog.New(slog.DiscardHandler))
		var note error
		if problem == nil {
			problem, note = shown.outOfTime()
		}
		if problem != nil {
			r.Problems = append(r.Problems, problem.Error())
		}
		if note != nil {
			r.Notes = append(r.Notes, note.Error())
		}
	}
	if err := otlp.Check(s.Env); err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
	r.Notes = append(r.Notes, heapNotes(s.Env, held.AskedFor(), held.Limit())...)
	if c.Tenants || r.Store {
		c.compareStore(ctx, cfg, r)
	}
	for _, line := range r.Problems {
		fmt.Fprintln(s.Stdout, line)
	}
	for _, line := range r.Notes {
		fmt.Fprintln(s.Stdout, "note:", line)
	}
	if len(r.Problems) > 0 {
		return errProblems
	}
	if c.Tenant != "" {
		if err := c.tryTenant(ctx, s, cfg, r.Catalog); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.Stdout, "ok: %s, %s\n", count(len(r.Catalog.Datasets), "dataset"), count(len(r.Catalog.Sources), "source"))
	return nil
}

// How many things of the control store are told of one by one, of each kind.
const (
	fewKept  = 10
	manyKept = 100
)

// compareStore says what the control store keeps that does not fit the configuration. It holds up nobody else, so it is
// worth knowing, and a problem for whoever asks for it.
func (c checkCommand) compareStore(ctx context.Context, cfg *config.Config, r *inspect.Report) {
	most, into := fewKept, &r.Notes
	if c.Tenants {
		most, into = manyKept, &r.Problems
	}
	lines, err := r.Kept(ctx, cfg, most)
	if *into = append(*into, lines...); err != nil { // what else was found is told, too
		*into = append(*into, err.Error())
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// tryTenant prints what is wrong with a tenant's accounts, or what can be read
// with each.
func (c checkCommand) tryTenant(ctx context.Context, s *term.IO, cfg *config.Config, cat *catalog.Catalog) error {
	problems, notes, tried, err := inspect.Tenant(ctx, cfg, cat, c.Tenant)
	if err != nil {
		return err
	}
	for _, line := range problems {
		fmt.Fprintln(s.Stdout, line)
	}
	for _, line := range notes {
		fmt.Fprintln(s.Stdout, "note:", line)
	}
	if len(problems) > 0 {
		return errProblems
	}
	for _, t := range tried {
		fmt.Fprintf(s.Stdout, "tenant %s: %s of source %s can be read\n", c.Tenant, count(len(t.Datasets), "dataset"), t.Source)
	}
	return nil
}

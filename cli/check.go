package cli

import (
	"context"
	"errors"
	"fmt"

	"usher/cli/term"
	"usher/config"
	"usher/inspect"
)

type checkCommand struct {
	Config string `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
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
	for _, line := range r.Problems {
		fmt.Fprintln(s.Stdout, line)
	}
	for _, line := range r.Notes {
		fmt.Fprintln(s.Stdout, "note:", line)
	}
	if len(r.Problems) > 0 {
		return errProblems
	}
	fmt.Fprintf(s.Stdout, "ok: %s, %s\n", count(len(r.Catalog.Datasets), "dataset"), count(len(r.Catalog.Sources), "source"))
	return nil
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

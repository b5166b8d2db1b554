package admin

import (
	"context"
	"errors"
	"fmt"

	"usher/cli/term"
)

type keyReseal struct {
	Config string `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
}

// Run opens the control store itself: that is where its keys are known.
func (c keyReseal) Run(ctx context.Context, s *term.IO) (err error) {
	store, err := openStore(ctx, s, c.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	defer s.Waiting("encrypting accounts")()
	n, err := store.Reseal(ctx)
	if err == nil {
		fmt.Fprintf(s.Stdout, "encrypted with the key: %d tenants and tokens; old_keys is needed for accounts no longer\n", n)
	}
	return err
}

package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"usher/cli/term"
	"usher/config"
	"usher/control"
	"usher/tenancy"
)

// openStore opens the control store of a configuration itself, for what no server can
// be asked.
func openStore(ctx context.Context, s *term.IO, file string) (*tenancy.Store, error) {
	cfg, err := config.Load(file, s.Env)
	if err != nil {
		return nil, err
	}
	if cfg.Control == nil {
		return nil, fmt.Errorf("%s has no control store: name one with `control`, as docs/configuration.md says", file)
	}
	store, err := control.Open(ctx, *cfg.Control, tenancy.Options{Log: slog.New(slog.NewTextHandler(s.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if errors.Is(err, tenancy.ErrInUse) {
		return nil, fmt.Errorf("%s is open in another program, such as usher serve, and a control store in a file is for one at a time: stop that, run this, and start it again", cfg.Control.Path)
	}
	if err != nil && cfg.Control.Path != "" {
		return nil, fmt.Errorf("%w; a server that has the file open must be stopped first", err)
	}
	return store, err
}

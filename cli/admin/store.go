package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"syscall"

	"usher/cli/term"
	"usher/config"
	"usher/control"
	"usher/tenancy"
)

// asOwner refuses root a store in a file of somebody else: what root makes there, who serves it could not open any more.
func asOwner(path string) error {
	if path == "" || os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok || owner.Uid == 0 {
			return nil
		}
		called := fmt.Sprint("#", owner.Uid)
		if known, err := user.LookupId(fmt.Sprint(owner.Uid)); err == nil {
			called = known.Username
		}
		return fmt.Errorf("%s belongs to %s, who could not open what root makes there: run this as that user, with runuser -u %s -- usher …, or as docs/operations.md says for systemd", name, called, called)
	}
	return nil
}

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
	if err := asOwner(string(cfg.Control.Path)); err != nil {
		return nil, err
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

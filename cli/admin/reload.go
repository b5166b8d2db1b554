package admin

import (
	"context"
	"errors"
	"fmt"
	"io"

	"usher/cli/term"
)

// ReloadCommand is `usher reload`.
type ReloadCommand struct {
	remote
}

type reloadAnswer struct {
	Served   bool     `json:"served"`
	LoadedAt string   `json:"loadedAt"`
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`
}

// errRefused ends a reload whose problems are printed already.
var errRefused = errors.New("the configuration cannot be served; the one before it is served still")

// Run has the server read its configuration again, and prints what stands in its way.
func (c ReloadCommand) Run(ctx context.Context, s *term.IO) error {
	var got struct{ Reload reloadAnswer }
	if err := c.administer(ctx, s, mutation, "", "reload { served loadedAt problems warnings }", nil, &got); err != nil {
		return err
	}
	err := c.show(s, got.Reload, func(w io.Writer) {
		for _, line := range got.Reload.Problems {
			fmt.Fprintln(w, line)
		}
		if !got.Reload.Served {
			return
		}
		fmt.Fprintln(w, "served since "+got.Reload.LoadedAt)
		for _, line := range got.Reload.Warnings {
			fmt.Fprintln(w, "but "+line)
		}
	})
	if err == nil && !got.Reload.Served {
		return errRefused
	}
	return err
}

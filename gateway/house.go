package gateway

import (
	"cmp"
	"context"
	"strings"

	"usher/build"
	"usher/config"
	"usher/control"
	"usher/graph"
	"usher/inspect"
	"usher/resolvers"
)

// house is what pages are told of the gateway itself.
func (g *Gateway) house(cfg *config.Config, opts Options) resolvers.House {
	h := resolvers.House{
		Version: build.Read().Version, Started: g.started, MinPassword: config.DefaultControl().MinPassword, Samples: opts.Console.Demo, Traffic: g.traffic, Sources: &g.seen,
	}
	if cfg.Control != nil {
		h.MinPassword = cmp.Or(cfg.Control.MinPassword, h.MinPassword)
	}
	for _, i := range cfg.Issuers {
		h.Issuers = append(h.Issuers, graph.ConsoleIssuer{Name: i.Name, Issuer: i.Issuer})
	}
	one := make(chan struct{}, 1) // a check looks into every source: one at a time
	h.Findings = func(ctx context.Context) (problems, notes []string, err error) {
		select {
		case one <- struct{}{}:
			defer func() { <-one }()
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		found, err := inspect.Check(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		if g.control != nil { // who asks has come by way of the store
			records, err := control.Unfit(ctx, g.catalog(), g.control)
			if err != nil {
				return nil, nil, err
			}
			found.Problems = append(found.Problems, records...)
		}
		return withoutCauses(found.Problems), withoutCauses(found.Notes), nil
	}
	h.Loaded = func() resolvers.Loaded {
		told := *g.loads.now.Load()
		told.Warnings = g.current.Load().warnings()
		return told
	}
	if opts.Read != nil {
		h.Reload = func(ctx context.Context) (problems []string, err error) {
			done := make(chan error, 1) // it is not given up half way because nobody waits any more
			go func() { done <- g.Reread(context.WithoutCancel(ctx)) }()
			select {
			case err := <-done:
				if err != nil {
					problems = problemsOf(err)
				}
				return problems, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return h
}

// withoutCauses leaves out what a driver or an API has said, which may hold hosts and
// values: whoever sees the machine reads it there.
func withoutCauses(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		line, _, _ = strings.Cut(line, inspect.Cause)
		for _, before := range []string{"so nothing about it was checked", " lists its datasets, but"} {
			if said, _, found := strings.Cut(line, before); found {
				line = said + strings.TrimSuffix(before, ", but") + "; `usher check` says why"
				break
			}
		}
		out[i] = line
	}
	return out
}

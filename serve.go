package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"usher/config"
	"usher/console"
)

type serveCommand struct {
	Config string `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
	Listen string `env:"USHER_LISTEN" help:"Address to listen on; overrides server.listen." placeholder:"HOST:PORT"`
}

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context, s *surroundings) error {
	cfg, err := config.Load(c.Config, s.env)
	if err != nil {
		return err
	}
	if c.Listen != "" {
		cfg.Server.Listen = c.Listen
	}
	if _, set := s.env("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	lines := newLogWriter(s.stderr)
	defer lines.flush()
	log := slog.New(slog.NewJSONHandler(lines, nil))
	g, err := assemble(ctx, cfg, console.Options{}, log)
	if err != nil {
		return err
	}
	if _, set := s.env("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(2*g.budget.Limit() + besides)
	}
	for _, note := range g.notes {
		log.Info(note)
	}
	if g.control != nil {
		log.Info("the control store is open", "postgres", cfg.Control.Postgres != nil)
		if err := g.sayFirstKey(ctx, s.stdout); err != nil {
			return errors.Join(err, g.close())
		}
	}
	operations, stop, err := g.operate(ctx, cfg.Server.AdminListen)
	if err != nil {
		return errors.Join(err, g.close())
	}
	debug.FreeOSMemory() // of what reading the configuration left behind
	listener, err := listen(ctx, cfg.Server.Listen)
	if err != nil {
		return errors.Join(err, stop(), g.close())
	}
	where := fmt.Sprintf("usher serves GraphQL at http://%s/graphql, with a playground at http://%[1]s/playground\n", listener.Addr())
	if operations != "" {
		where += fmt.Sprintf("usher shows its metrics at http://%s/metrics\n", operations)
	}
	_, _ = fmt.Fprint(s.stdout, where)
	defer context.AfterFunc(ctx, func() { g.draining.Store(true) })()
	return errors.Join(serveHTTP(ctx, listener, g.handler), stop(), g.close())
}

// gcPercent lets the heap grow to three times what is in use before it is
// collected. Little is in use between requests, so memory stays small, and large
// answers meet half as many collections.
const gcPercent = 200

// besides is memory for all but rows and answers. Beyond it and twice what these
// may hold the heap is collected more often: a burst of large answers would let
// it grow to three times what is in use.
const besides = 512 << 20

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with --listen", address, err)
	}
	return listener, nil
}

// grace is how long requests may take to finish when usher is told to end.
const grace = 25 * time.Second

// serveHTTP serves until ctx ends, then lets running requests finish.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(errors.New("some requests did not finish in time and were cut off"), server.Close())
	}
	return err
}

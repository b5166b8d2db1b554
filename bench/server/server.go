// Package server runs the HTTP servers that usher is compared with. It owns
// their life, not their answers: their settings come from the environment,
// they listen on loopback and end with SIGTERM.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"usher/bench/token"
)

// Settings are what the benchmark tells a server.
type Settings struct {
	Listen   string
	DSN      string
	MaxConns int
	Verifier *token.Verifier
}

// Main runs a server until it is told to end.
func Main(handler func(Settings) (http.Handler, error)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, handler)
	stop()
	if err != nil {
		slog.Error("the server has ended", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, handler func(Settings) (http.Handler, error)) error {
	conns, err := strconv.Atoi(os.Getenv("BENCH_MAX_CONNS"))
	if err != nil {
		return fmt.Errorf("BENCH_MAX_CONNS: %w", err)
	}
	api, err := handler(Settings{
		Listen: os.Getenv("BENCH_LISTEN"), DSN: os.Getenv("BENCH_DSN"), MaxConns: conns,
		Verifier: token.NewVerifier([]byte(os.Getenv("BENCH_SECRET"))),
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /", api)
	mux.HandleFunc("GET /health/ready", func(http.ResponseWriter, *http.Request) {})
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", os.Getenv("BENCH_LISTEN"))
	if err != nil {
		return err
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.Shutdown(last); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

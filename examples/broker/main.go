// Broker is an example of a broker plugin: a program of yours between usher and
// your stores, which decides for each question where its rows come from.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"

	"usher/plugin"
)

func main() {
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt)
	defer end()
	if err := run(ctx); err != nil {
		slog.Error("the broker ended", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	listen := flag.String("listen", "127.0.0.1:8091", "address to listen on")
	secretFile := flag.String("secret", "examples/broker/data/secret", "file with the secret that usher shows")
	flag.Parse()
	secret, err := os.ReadFile(*secretFile)
	if err != nil {
		return fmt.Errorf("%w; make one as the README says", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	slog.Info("the broker listens", "url", "http://"+listener.Addr().String())
	return plugin.Serve(ctx, listener, newBroker(), plugin.Options{
		Secret: string(bytes.TrimSpace(secret)), Logger: slog.Default(),
	})
}

// Command usher serves GraphQL to many tenants: a request shows its token and
// is seated at that tenant's own data.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"usher/cli"
	"usher/cli/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "usher: %v\n", err)
		stop()
		os.Exit(1) //nolint:gocritic // the deferred stop has just been called
	}
}

// run is usher without globals: it returns when ctx ends or the command is done.
func run(ctx context.Context, args []string, env func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) error {
	return cli.Run(ctx, args, &term.IO{Env: env, Stdin: stdin, Stdout: stdout, Stderr: stderr})
}

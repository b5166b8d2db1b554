// Command usher serves GraphQL to many tenants: a request shows its token and
// is seated at that tenant's own data.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"usher/cli"
	"usher/cli/term"
)

func main() {
	cli.Begin(os.Args[1:])
	err := run(cli.UntilTold(context.Background()), os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	said := make(chan struct{})
	go func() {
		fmt.Fprintf(os.Stderr, "usher: %v\n", err)
		close(said)
	}()
	select { // a pipe that nobody reads does not keep the process
	case <-said:
	case <-time.After(time.Second):
	}
	os.Exit(cli.ExitCode(err))
}

// run is usher without globals: it returns when ctx ends or the command is done.
func run(ctx context.Context, args []string, env func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) error {
	return cli.Run(ctx, args, &term.IO{Env: env, Stdin: stdin, Stdout: stdout, Stderr: stderr})
}

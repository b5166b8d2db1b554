// Command usher serves GraphQL to many tenants: a request shows its token and
// is seated at that tenant's own data.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the linker; a build without it says so.
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "usher: %v\n", err)
		stop()
		os.Exit(1) //nolint:gocritic // the deferred stop has just been called
	}
}

// commands are what usher can be told to do.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Serve the data that a configuration describes."`
	Demo    demoCommand    `cmd:"" help:"Make sample data and serve it: nothing else is needed."`
	Check   checkCommand   `cmd:"" help:"Check a configuration against the sources it names."`
	Init    initCommand    `cmd:"" help:"Write a first configuration from a live database or from files."`
	Schema  schemaCommand  `cmd:"" help:"Print the GraphQL schema that a principal sees."`
	Tenant  tenantCommands `cmd:"" help:"Administer the tenants of a running server."`
	User    userCommands   `cmd:"" help:"Administer who logs in to a running server."`
	Token   tokenCommands  `cmd:"" help:"Make, list and revoke tokens of a running server."`
	Key     keyCommands    `cmd:"" help:"Make, list and revoke service keys."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// surroundings are what a command uses of the process it runs in.
type surroundings struct {
	env            func(string) (string, bool)
	stdin          io.Reader
	stdout, stderr io.Writer
}

// errUsage ends a run whose arguments were already explained.
var errUsage = errors.New("see usher --help")

// run is the whole program, without globals: it returns when ctx ends or the
// command is done.
func run(ctx context.Context, args []string, env func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) error {
	var c commands
	exited := false
	parser, err := kong.New(&c,
		kong.Name("usher"),
		kong.Description("A GraphQL gateway for applications with many tenants."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { exited = true }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&surroundings{env: env, stdin: stdin, stdout: stdout, stderr: stderr}),
	)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited { // --help was answered
		return nil
	}
	if err == nil {
		err = refuseEmpty(parsed)
	}
	if err != nil {
		return fmt.Errorf("%w; %w", err, errUsage)
	}
	return parsed.Run()
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s *surroundings) error {
	goVersion := "go"
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
	}
	_, err := fmt.Fprintf(s.stdout, "usher %s (%s)\n", version, goVersion)
	return err
}

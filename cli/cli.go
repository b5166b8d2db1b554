// Package cli owns the commands of usher, a file each, and how a command line
// becomes one. Those that ask a running server are in cli/admin.
package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"usher/cli/admin"
	"usher/cli/term"
)

// commands are what usher can be told to do.
type commands struct {
	Serve   serveCommand         `cmd:"" help:"Serve the data that a configuration describes."`
	Demo    demoCommand          `cmd:"" help:"Make sample data and serve it: nothing else is needed."`
	Check   checkCommand         `cmd:"" help:"Check a configuration against the sources it names."`
	Init    initCommand          `cmd:"" help:"Write a first configuration from a live database or from files."`
	Schema  schemaCommand        `cmd:"" help:"Print the GraphQL schema that a principal sees."`
	Tenant  admin.TenantCommands `cmd:"" help:"Administer the tenants of a running server."`
	User    admin.UserCommands   `cmd:"" help:"Administer who logs in to a running server."`
	Token   admin.TokenCommands  `cmd:"" help:"Make, list and revoke tokens of a running server."`
	Key     admin.KeyCommands    `cmd:"" help:"Make, list and revoke service keys."`
	Version versionCommand       `cmd:"" help:"Print the version."`
}

// errUsage ends a run whose arguments were already explained.
var errUsage = errors.New("see usher --help")

// Run is the whole program, without globals: it returns when ctx ends or the
// command is done.
func Run(ctx context.Context, args []string, io *term.IO) error {
	var c commands
	exited := false
	parser, err := kong.New(&c,
		kong.Name("usher"),
		kong.Description("A GraphQL gateway for applications with many tenants."),
		kong.UsageOnError(),
		kong.Writers(io.Stdout, io.Stderr),
		kong.Exit(func(int) { exited = true }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(io),
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
func (versionCommand) Run(s *term.IO) error {
	usher, language := term.Version()
	_, err := fmt.Fprintf(s.Stdout, "usher %s (%s)\n", usher, language)
	return err
}

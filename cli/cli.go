// Package cli owns the commands of usher, a file each, and how a command line
// becomes one. Those that ask a running server are in cli/admin.
package cli

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/alecthomas/kong"

	"usher/build"
	"usher/cli/admin"
	"usher/cli/term"
	"usher/pglink"
)

// commands are what usher can be told to do. What stands in a command's tag
// `example` is shown by its help.
type commands struct {
	Serve  serveCommand        `cmd:"" help:"Serve the data that a configuration describes." example:"usher serve -c usher.yml --listen 127.0.0.1:8080"`
	Demo   demoCommand         `cmd:"" help:"Make sample data and serve it: nothing else is needed." example:"usher demo --orders 10000"`
	Check  checkCommand        `cmd:"" help:"Check a configuration against the sources, the control store, the keys and the files it names." example:"usher check -c usher.yml"`
	Init   initCommand         `cmd:"" help:"Write a first configuration from a live database or from files." example:"usher init --dsn 'host=db.example dbname=shop user=reader' --schema public,sales --naming camel"`
	Schema schemaCommand       `cmd:"" help:"Print the GraphQL schema that a principal sees." example:"usher schema --as acme --role clerk"`
	Config configCommands      `cmd:"" help:"About the configuration file."`
	Reload admin.ReloadCommand `cmd:"" help:"Have a running server read its configuration again, and serve it." example:"usher reload --server https://usher.example"`
	Health healthCommand       `cmd:"" help:"Ask a running server whether it should be sent requests." example:"usher health --server http://127.0.0.1:8080"`

	Tenant     admin.TenantCommands     `cmd:"" help:"Administer the tenants of a running server."`
	User       admin.UserCommands       `cmd:"" help:"Administer who logs in to a running server."`
	Role       admin.RoleCommands       `cmd:"" help:"Administer the roles that tenants own."`
	Token      admin.TokenCommands      `cmd:"" help:"Make, list and revoke tokens of a running server."`
	Key        admin.KeyCommands        `cmd:"" help:"Make, list and revoke service keys."`
	Session    admin.SessionCommands    `cmd:"" help:"List and end sessions, and act as a tenant."`
	SavedQuery admin.SavedQueryCommands `cmd:"" help:"Administer saved queries."`
	Dashboard  admin.DashboardCommands  `cmd:"" help:"Administer dashboards."`
	Export     admin.ExportCommand      `cmd:"" help:"Write a dataset's rows to a file, however many they are." example:"usher export orders --query '{ orders { id total customer { name } } }' --out orders.csv"`
	Import     admin.ImportCommand      `cmd:"" help:"Write the rows of a file into a dataset, all or nothing or in batches." example:"usher import orders orders.csv"`
	Audit      admin.AuditCommands      `cmd:"" help:"Read the audit log."`

	Completion completionCommand `cmd:"" help:"Print what makes a shell complete usher's commands." example:"source <(usher completion bash)"`
	Help       helpCommand       `cmd:"" help:"Show the help of a command." example:"usher help token create"`
	Version    versionCommand    `cmd:"" help:"Print the version, and what this program was made of." example:"usher version --json"`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

// Run is the whole program, without globals: it returns when ctx ends or the
// command is done.
func Run(ctx context.Context, args []string, io *term.IO) error {
	if len(args) > 0 && args[0] == completing {
		return complete(args[1:], io)
	}
	var c commands
	exited := false
	parser, err := newParser(ctx, &c, io, func(int) { exited = true })
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited { // --help or --version was answered
		return nil
	}
	if err == nil {
		if err = refuseEmpty(parsed); err != nil {
			err = &usageError{err, parsed}
		}
	} else if failed := (*kong.ParseError)(nil); errors.As(err, &failed) {
		err = &usageError{err, failed.Context}
	}
	if err != nil {
		return err
	}
	defer pglink.Settle()
	return parsed.Run()
}

// newParser knows the commands. Its help shows their examples.
func newParser(ctx context.Context, c *commands, io *term.IO, exit func(int)) (*kong.Kong, error) {
	parser, err := kong.New(c,
		kong.Name("usher"),
		kong.Description("A GraphQL gateway for applications with many tenants."),
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true}),
		kong.Vars{"version": versionLine(build.Read())},
		kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(duration)),
		kong.TypeMapper(reflect.TypeFor[time.Time](), kong.MapperFunc(moment)),
		kong.Writers(io.Stdout, io.Stderr),
		kong.Exit(exit),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(io),
	)
	if err != nil {
		return nil, err
	}
	for _, command := range parser.Model.Leaves(false) {
		if example := command.Tag.Get("example"); example != "" {
			command.Detail = "Example:\n\n    " + example
		}
	}
	return parser, nil
}

// usageError is a command line that was not understood.
type usageError struct {
	err     error
	context *kong.Context
}

func (e *usageError) Error() string {
	command := "usher"
	if e.context != nil {
		for _, at := range e.context.Path {
			if at.Command != nil {
				command = at.Command.FullPath()
			}
		}
	}
	return fmt.Sprintf("%v; see %s --help", e.err, command)
}

func (e *usageError) Unwrap() error { return e.err }

// How the process ends, for scripts.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// ExitCode is the status of a process whose command ended so: a command line
// that is wrong will never do, whatever else may change.
func ExitCode(err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command; left out: all of them."`
}

// Run shows what --help behind the command would.
func (c helpCommand) Run(ctx context.Context, s *term.IO) error {
	return Run(ctx, append(c.Command, "--help"), s)
}

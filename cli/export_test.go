package cli

import (
	"context"
	"io"
	"testing"

	"github.com/alecthomas/kong"

	"usher/cli/term"
)

// Model is what the program knows of its commands.
func Model(tb testing.TB) *kong.Node {
	tb.Helper()
	parser, err := newParser(context.Background(), &commands{}, &term.IO{Stdout: io.Discard, Stderr: io.Discard}, func(int) {})
	if err != nil {
		tb.Fatal(err)
	}
	return parser.Model.Node
}

// Parse reads a command line without running it.
func Parse(tb testing.TB, args ...string) error {
	tb.Helper()
	parser, err := newParser(context.Background(), &commands{}, &term.IO{Stdout: io.Discard, Stderr: io.Discard}, func(int) {})
	if err != nil {
		tb.Fatal(err)
	}
	_, err = parser.Parse(args)
	return err
}

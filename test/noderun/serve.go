package noderun

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startLimit bounds the time a server takes until it listens.
const startLimit = 30 * time.Second

// Serve runs a program of test/node that is a server for the length of the
// test, and returns the first line it prints, its URL. The program needs no
// packages; it ends when its standard input does.
func Serve(tb testing.TB, env []string, script string, args ...string) string {
	tb.Helper()
	folder, err := programs()
	if err != nil {
		tb.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		tb.Fatalf("node is not installed: %s", remedy)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), limit)
	tb.Cleanup(cancel)
	//nolint:gosec // the tests of this repository name the program and its arguments
	command := exec.CommandContext(ctx, node, append([]string{filepath.Join(folder, script)}, args...)...)
	command.Env = append(os.Environ(), env...)
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = input.Close()
		if err := command.Wait(); err != nil {
			tb.Errorf("%s did not end well: %v", script, err)
		}
	})
	url, err := firstLine(output)
	if err != nil {
		tb.Fatalf("%s: %v", script, err)
	}
	return url
}

// firstLine reads a line, or fails when it takes too long.
func firstLine(from io.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(from).ReadString('\n')
		read <- line{strings.TrimSpace(text), err}
	}()
	select {
	case l := <-read:
		if l.err != nil {
			return "", fmt.Errorf("it printed no line: %w", l.err)
		}
		return l.text, nil
	case <-time.After(startLimit):
		return "", fmt.Errorf("it printed nothing in %s", startLimit)
	}
}

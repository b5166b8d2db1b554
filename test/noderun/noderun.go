// Package noderun runs the Node programs of test/node for Go tests: checks that
// only the GraphQL reference implementation or a browser can make. A missing
// prerequisite fails the test and names the command that installs it.
package noderun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// limit bounds one program, browser start included, on a machine that does much else.
const limit = 8 * time.Minute

const remedy = "run scripts/prerequisites.sh test"

// Run runs a program of test/node with the arguments and returns what it
// printed. The test fails at once, with that output, when the program does.
func Run(tb testing.TB, script string, args ...string) string {
	tb.Helper()
	output, err := run(tb.Context(), script, args...)
	if err != nil {
		tb.Fatalf("%v\n%s", err, output)
	}
	return output
}

func run(ctx context.Context, script string, args ...string) (string, error) {
	folder, err := programs()
	if err != nil {
		return "", err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return "", fmt.Errorf("node is not installed: %s", remedy)
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		return "", fmt.Errorf("the packages of test/node are not installed: %s", remedy)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	//nolint:gosec // the tests of this repository name the program and its arguments
	command := exec.CommandContext(ctx, node, append([]string{filepath.Join(folder, script)}, args...)...)
	command.WaitDelay = 5 * time.Second
	output, err := command.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("stopped: %w", ctx.Err())
	}
	if err != nil {
		return string(output), fmt.Errorf("%s failed: %w", script, err)
	}
	return string(output), nil
}

// programs finds test/node from the folder a test runs in, which is its
// package's.
func programs() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return filepath.Join(folder, "test", "node"), nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no go.mod above the working directory: run the tests from the repository")
		}
		folder = parent
	}
}

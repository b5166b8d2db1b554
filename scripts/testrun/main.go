// Command testrun runs go test with the arguments it is given, prints a line
// for each package as it finishes and the output of what failed, and ends with
// the count of tests. It owns no test: it only reads go test's events.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
	}
	if err != nil || !ok {
		stop()
		os.Exit(1)
	}
}

// run reports whether all tests passed. go test itself may fail without a
// failed test (an unknown flag, a pattern that matches nothing).
func run(ctx context.Context, args []string) (bool, error) {
	goTest := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...) //nolint:gosec // The arguments are the developer's own.
	goTest.Stderr = os.Stderr
	// Asked to end, go test ends its test programs too; killed, it could not.
	goTest.Cancel = func() error { return goTest.Process.Signal(os.Interrupt) }
	events, err := goTest.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := goTest.Start(); err != nil {
		return false, fmt.Errorf("start go test: %w", err)
	}
	report := newReport(os.Stdout)
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	report.read(events, tick.C)
	err = goTest.Wait()
	report.summary()
	if report.failed == 0 && err != nil {
		return false, fmt.Errorf("go test: %w", err)
	}
	return report.failed == 0, nil
}

// Command bench measures usher against code written by hand: a server of fixed
// SQL as the practical limit (the baseline), and a server around gqlgen, sqlx
// and dataloaders as what people write today. It owns a PostgreSQL of its own
// with a deterministic data set, starts every server as a process of its own,
// compares their answers, and only then measures, in interleaved rounds. What
// it reports are ratios; it passes no judgment, because a timed test would
// fail with the machine's mood.
//
//	go run . [-quick] [-usher ../bin/usher] [-cache DIR] [-out DIR]
//
// With -growth it reports instead what one answer costs when the catalog, the
// registry, the operation or the answer grows, and the memory of a million
// requests.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

func main() {
	// Children end with the thread that started them; this one stays.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		slog.Error("the benchmark has ended", "error", err)
		os.Exit(1)
	}
}

// plan says what is measured and for how long.
type plan struct {
	data        dataset
	databases   int // tenants with databases of their own; 0 leaves these servers out
	locales     bool
	concurrency int
	rounds      int
	round       time.Duration
	warmup      time.Duration
	limit       time.Duration // of the whole run
	output      string
}

var (
	full = plan{
		data: dataset{name: "full", tenants: 1000, orders: 2_000_000, largest: 200_000, rotation: 200}, databases: 20, locales: true,
		concurrency: 16, rounds: 15, round: time.Second, warmup: 2 * time.Second, limit: 40 * time.Minute,
		output: "results",
	}
	quick = plan{
		data:        dataset{name: "quick", tenants: 100, orders: 200_000, largest: 20_000, rotation: 20},
		concurrency: 16, rounds: 3, round: 800 * time.Millisecond, warmup: 400 * time.Millisecond, limit: 10 * time.Minute,
	}
)

func run(ctx context.Context) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	short := flags.Bool("quick", false, "a tenth of the data, fewer servers, short rounds, no files")
	usher := flags.String("usher", "../bin/usher", "the program to measure")
	cache := flags.String("cache", defaultCache(), "folder that keeps the loaded data for the next run")
	out := flags.String("out", ".", "folder of RESULTS.md and results.svg")
	only := flags.String("only", "", "measure this workload alone, and write no files")
	grow := flags.Bool("growth", false, "report what grows with what instead, into GROWTH.md")
	profile := flags.Bool("perf", false, "print the process ids before measuring, for a profiler")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	p := full
	if *short {
		p = quick
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.limit, fmt.Errorf("the run took longer than %s", p.limit))
	defer cancel()
	program, err := filepath.Abs(*usher)
	if err != nil {
		return err
	}
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("%w; build it with make build", err)
	}
	if *grow {
		return reportGrowth(ctx, p, program, *cache, *out)
	}
	results, err := measureAll(ctx, p, program, *cache, *only, *profile)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	}
	text := results.markdown()
	if _, err := os.Stdout.Write(text); err != nil {
		return err
	}
	if p.output == "" || *only != "" {
		return results.failures()
	}
	return errors.Join(
		results.failures(),
		os.WriteFile(filepath.Join(*out, "RESULTS.md"), text, 0o644),             //nolint:gosec // documents of the repository
		os.WriteFile(filepath.Join(*out, "results.svg"), results.chart(), 0o644), //nolint:gosec // documents of the repository
	)
}

func reportGrowth(ctx context.Context, p plan, program, cache, out string) error {
	report, err := measureGrowth(ctx, p, program, cache)
	if err != nil {
		return err
	}
	text := report.markdown()
	if _, err := os.Stdout.Write(text); err != nil || p.output == "" {
		return err
	}
	return os.WriteFile(filepath.Join(out, "GROWTH.md"), text, 0o644) //nolint:gosec // a document of the repository
}

// defaultCache is a folder that PostgreSQL's account can reach: root's own
// folders are closed to it.
func defaultCache() string {
	if folder, err := os.UserCacheDir(); err == nil && os.Geteuid() != 0 {
		return filepath.Join(folder, "usher-bench")
	}
	return "/var/cache/usher-bench"
}

// progress tells the terminal what is going on.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

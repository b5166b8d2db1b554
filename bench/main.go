// Command bench measures usher against code written by hand: a server of fixed
// SQL as the practical limit (the baseline), a server around gqlgen, sqlx
// and dataloaders as what people write today, and PostGraphile as a peer. It owns a PostgreSQL of its own
// with a deterministic data set, starts every server as a process of its own,
// compares their answers, and only then measures, in interleaved rounds. What
// it reports are ratios; it passes no judgment, because a timed test would
// fail with the machine's mood.
//
//	go run . [-quick] [-peers] [-only W1,W2] [-clients 16,64] [-rounds 10] [-usher ../bin/usher] [-cache DIR] [-out DIR]
//	go run . -fair [-only shared_queries,saturated] [-rounds 20] [-usher ../bin/usher]
//	go run . -compare OLD [-usher NEW] -only W1,W2 -clients 16 -rounds 10
//
// With -compare two builds of usher are measured beside each other, and nothing
// else. With -growth it reports instead what one answer costs when the catalog, the
// registry, the operation or the answer grows, how usher behaves when it is cold,
// and the memory of a million requests; with -fair, what tenants notice of one that
// asks for far more than its share. -only, -clients and -rounds write no files.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
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
	data       dataset
	databases  int   // tenants with databases of their own; 0 leaves these servers out
	locales    bool  // a database in the order of a language as well
	peers      bool  // gqlgen's server and PostGraphile as well
	clients    []int // lists are asked by each of these, all else by the first
	rounds     int
	round      time.Duration
	warmup     time.Duration
	soak       int // requests of the report on growth
	compared   int // of the questions that are not asked twice
	bulk       int // rows of the large import
	bulkRounds int
	limit      time.Duration // of the whole run
	output     bool          // into files
	only       []string      // workloads; none: all
	older      string        // the other program, to compare two; else empty
}

var (
	full = plan{
		data: dataset{name: "full", tenants: 1000, orders: 2_000_000, largest: 200_000, rotation: 200}, databases: 20, locales: true, peers: true,
		clients: []int{16, 64, 256}, rounds: 10, round: 800 * time.Millisecond, warmup: 400 * time.Millisecond, compared: 40, soak: 1_000_000, bulk: 1_000_000, bulkRounds: 3,
		limit: 60 * time.Minute, output: true,
	}
	quick = plan{
		data:    dataset{name: "quick", tenants: 100, orders: 200_000, largest: 20_000, rotation: 80},
		clients: []int{16}, rounds: 3, round: 300 * time.Millisecond, warmup: 200 * time.Millisecond, compared: 10, soak: 50_000, bulk: 100_000, bulkRounds: 1, limit: 10 * time.Minute,
	}
)

func run(ctx context.Context) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	short := flags.Bool("quick", false, "a tenth of the data, fewer servers, few short rounds, no files")
	usher := flags.String("usher", "../bin/usher", "the program to measure")
	older := flags.String("compare", "", "another usher to measure beside it, and nothing else; with -quick's data")
	cache := flags.String("cache", defaultCache(), "folder that keeps the loaded data for the next run")
	out := flags.String("out", ".", "folder of the files that are written")
	only := flags.String("only", "", "measure these workloads alone, such as W1,W2_distinct: a name without _ is all its forms")
	clients := flags.String("clients", "", "numbers of clients, such as 16,64")
	rounds := flags.Int("rounds", 0, "rounds of each server")
	round := flags.Duration("round", 0, "how long each of them is, such as 5s for a profiler")
	peers := flags.Bool("peers", false, "with -quick: gqlgen's server and PostGraphile as well")
	grow := flags.Bool("growth", false, "report what grows with what instead, into GROWTH.md")
	fairness := flags.Bool("fair", false, "report instead what tenants notice of one that asks for fifty times its share; quick")
	floods := flags.Bool("flood", false, "send what standard input says, for -fair")
	profile := flags.Bool("perf", false, "print the process ids before measuring, for a profiler")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	if *floods {
		return sendFlood(ctx, os.Stdin, os.Stdout)
	}
	p := full
	if *short || *older != "" {
		p = quick
	}
	p.peers = p.peers || *peers
	if *fairness {
		p.output = false
	} else if err := p.narrow(*only, *clients, *rounds); err != nil {
		return err
	}
	if *round > 0 {
		p.output, p.round = false, *round
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.limit, fmt.Errorf("the run took longer than %s", p.limit))
	defer cancel()
	var err error
	for _, name := range []*string{usher, older} {
		if *name == "" {
			continue
		}
		if *name, err = filepath.Abs(*name); err != nil {
			return err
		}
		if _, err := os.Stat(*name); err != nil {
			return fmt.Errorf("%w; build it with make build", err)
		}
	}
	if *older != "" {
		folder, err := os.MkdirTemp("", "usher-bench")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		for i, name := range []*string{usher, older} {
			if *name, err = copied(*name, filepath.Join(folder, strconv.Itoa(i))); err != nil {
				return err
			}
		}
	}
	p.older = *older
	if *fairness {
		return reportFairness(ctx, *usher, *cache, *only, cmp.Or(*rounds, fairRounds), os.Stdout)
	}
	if *grow {
		return reportGrowth(ctx, p, *usher, *cache, *out)
	}
	results, err := measureAll(ctx, p, *usher, *cache, *profile)
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
	if !p.output {
		return results.failures()
	}
	return errors.Join(
		results.failures(),
		os.WriteFile(filepath.Join(*out, "RESULTS.md"), text, 0o644),             //nolint:gosec // documents of the repository
		os.WriteFile(filepath.Join(*out, "results.svg"), results.chart(), 0o644), //nolint:gosec // documents of the repository
	)
}

// narrow leaves some of the plan out. What lacks workloads or clients is no report.
func (p *plan) narrow(only, clients string, rounds int) error {
	if only != "" {
		p.output, p.only = false, strings.Split(only, ",")
		for _, name := range p.only {
			if !slices.ContainsFunc(slices.Concat(workloads, writing, []workload{bulk, {name: liveName}}), plan{only: []string{name}}.names) {
				return fmt.Errorf("there is no workload %s", name)
			}
		}
	}
	if clients != "" {
		p.output, p.clients = false, nil
		for text := range strings.SplitSeq(clients, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return fmt.Errorf("-clients %s: %s is no number of clients", clients, text)
			}
			p.clients = append(p.clients, n)
		}
	}
	if rounds > 0 {
		p.rounds = rounds // the report says how many
	}
	return nil
}

func reportGrowth(ctx context.Context, p plan, program, cache, out string) error {
	report, err := measureGrowth(ctx, p, program, cache)
	if err != nil {
		return err
	}
	text := report.markdown()
	if _, err := os.Stdout.Write(text); err != nil || !p.output {
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

// copied is a copy of a program. One that the linker has just written lies otherwise in the page cache than a copy of
// it, and was 1.03 times as fast, so two are compared as copies.
func copied(program, to string) (string, error) {
	text, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	return to, os.WriteFile(to, text, 0o700) //nolint:gosec // it is run
}

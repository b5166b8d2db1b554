package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// aspect is one thing that is compared.
type aspect struct {
	title string
	of    func(round) float64
	unit  func(float64) string
}

func milliseconds(v float64) string { return fmt.Sprintf("%.2f ms", v) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (r round) quantile(q float64) time.Duration {
	return r.latencies[min(int(q*float64(len(r.latencies))), len(r.latencies)-1)]
}

func (r round) cpu() float64 { return ms(r.gateway) / float64(r.requests) }

var aspects = []aspect{
	{"throughput", func(r round) float64 { return r.throughput() }, func(v float64) string { return fmt.Sprintf("%.0f/s", v) }},
	{"p50", func(r round) float64 { return ms(r.quantile(0.5)) }, milliseconds},
	{"p99", func(r round) float64 { return ms(r.quantile(0.99)) }, milliseconds},
	{"CPU of the gateway", round.cpu, milliseconds},
	{"CPU of PostgreSQL", func(r round) float64 { return ms(r.database) / float64(r.requests) }, milliseconds},
	{"memory", func(r round) float64 { return float64(r.memory) / (1 << 20) }, func(v float64) string { return fmt.Sprintf("%.0f MiB", v) }},
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n == 0 {
		return 0
	}
	if n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[n/2]
}

// ratio is the median over rounds of the ratio to another server's same round.
func (r *row) ratio(server, other string, a aspect) float64 {
	base, of := r.rounds[other], r.rounds[server]
	ratios := make([]float64, 0, len(of))
	for i := range min(len(of), len(base)) {
		ratios = append(ratios, a.of(of[i])/a.of(base[i]))
	}
	return median(ratios)
}

func (r *row) absolute(server string, a aspect) float64 {
	var values []float64
	for _, one := range r.rounds[server] {
		values = append(values, a.of(one))
	}
	return median(values)
}

// mechanism says what a server answered a row by.
func (r *row) mechanism(server string) string {
	requests := 0
	for _, one := range r.rounds[server] {
		requests += one.requests
	}
	return r.counted[server].mechanism(r.workload, requests)
}

// markdown is the report.
func (r *results) markdown() []byte {
	var b bytes.Buffer
	put := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p, m := r.plan, r.machine
	if p.older != "" {
		put("# Two builds\n\nAll but the first server's figures are ratios to it.\n\n")
	} else {
		r.head(put)
	}
	put("- **Date** %s; the run took %s\n", r.date.UTC().Format("2006-01-02 15:04 UTC"), r.took.Round(time.Second))
	put("- **Machine** %s, %d cores, %d GiB, %s; load average at the start %s\n", m.processor, m.cores, (m.memory+1<<29)>>30, m.system, m.busy)
	put("- **Programs** %s, PostgreSQL %s, %s\n", m.usher, m.postgres, m.goVersion)
	put("- **Data** %d tenants, %d orders, %d of them of the largest tenant, %d products that are common\n", p.data.tenants, p.data.orders, p.data.largest, products)
	put("- **Load** clients that keep their connections and ask as fast as they are answered; tokens of %d tenants in turn; %d rounds of %s for each server, interleaved; figures are medians over the rounds\n",
		p.data.rotation, p.rounds, p.round)
	if p.older == "" {
		r.legend(put)
	}
	r.tables(put)
	if r.start != nil {
		put("\n## Start\n\n| | measured | target |\n|---|---|---|\n")
		put("| ready after | %.0f ms | 200 ms |\n", ms(r.start.ready))
		put("| first answer after | %.0f ms | |\n", ms(r.start.answer))
		put("| memory when ready | %.0f MiB | 50 MiB |\n", float64(r.start.idle)/(1<<20))
	}
	return b.Bytes()
}

func (r *results) head(put func(string, ...any)) {
	put("# Benchmark\n\n")
	put("usher against code written by hand, on one machine, over the same rows, with the same answers: every server's `data` was\n")
	put("compared with the baseline's before anything was measured, byte for byte (PostGraphile's in what it says: it writes numbers as\n")
	put("texts). `make bench` writes this file.\n\n")
	put("Read the ratios, not the absolute numbers: clients, servers and PostgreSQL share the processors.\n\n")
	if r.plan.output {
		put("![Throughput as a ratio to the baseline](results.svg)\n\n")
	}
}

func (r *results) legend(put func(string, ...any)) {
	put("\n| server | what it is |\n|---|---|\n")
	for _, v := range r.servers {
		put("| %s | %s |\n", v.name, v.note)
	}
	for name, err := range r.missing {
		put("| %s | left out: %s |\n", name, cell(err))
	}
	put("\n| workload | what is asked |\n|---|---|\n")
	seen := make(map[string]bool)
	for _, one := range r.rows {
		if w := one.workload; !seen[w.name] {
			seen[w.name] = true
			put("| %s | %s |\n", w.name, w.title)
		}
	}
	for _, one := range r.absent {
		if !seen[one.name] {
			put("| %s | %s |\n", one.name, one.title)
		}
	}
	put("\nIn a workload called `_distinct` one variable's value differs in every request, in `_texts` the document does; in the others each\n")
	put("tenant asks the same again and again. The mechanism is read from usher's own metrics, per request of the measured rounds: how many\n")
	put("operations it found planned (prepared, where their values had never been sent before), how many questions an equal one under way answered (coalesced), which fields shared one pass over the rows\n")
	put("(shared scan), how many statements PostgreSQL was sent, and how many of these in packets with others.\n")
}

// cell is an error as the cell of a table.
func cell(err error) string {
	return strings.NewReplacer("\n", " ", "|", "¦").Replace(fmt.Sprintf("%.200s", err.Error()))
}

// text says what is wanted of usher.
func (t targets) text() string {
	var all []string
	for _, one := range []struct {
		words string
		value float64
	}{{"throughput ≥ %.2f", t.throughput}, {"p99 ≤ %.1f", t.p99}, {"gateway ≤ %.1f", t.cpu}} {
		if one.value > 0 {
			all = append(all, fmt.Sprintf(one.words, one.value))
		}
	}
	return strings.Join(all, ", ")
}

const logging = "baseline-log"

func (r *results) tables(put func(string, ...any)) {
	put("\n## Ratios to %s\n\nThroughput: more is better. All else: less is better. CPU is per request.", r.servers[0].name)
	if r.plan.older == "" {
		put(" The last ratio is to the CPU of the baseline that\nwrites the same log line. Targets are for usher: the gateway's CPU beside the baseline that logs.")
	}
	put("\n\n| workload | clients | server |")
	for _, a := range aspects {
		put(" %s |", a.title)
	}
	put(" gateway beside %s | mechanism | target |\n|---|---|---|%s---|---|---|\n", logging, strings.Repeat("---|", len(aspects)))
	for _, one := range r.rows {
		for _, v := range one.servers[1:] {
			put("| %s | %d | %s |", one.workload.name, one.clients, v.name)
			if one.failed[v.name] != nil {
				put("%s\n", strings.Repeat(" – |", len(aspects)+3))
				continue
			}
			for _, a := range aspects {
				put(" %.2f |", one.ratio(v.name, one.servers[0].name, a))
			}
			beside := "–"
			if len(one.rounds[logging]) > 0 {
				beside = fmt.Sprintf("%.2f", one.ratio(v.name, logging, aspect{of: round.cpu}))
			}
			target := ""
			if v.name == "usher" {
				target = one.workload.targets.text()
			}
			put(" %s | %s | %s |\n", beside, one.mechanism(v.name), target)
		}
	}
	put("\n## Measured\n\n| workload | clients | server |")
	for _, a := range aspects {
		put(" %s |", a.title)
	}
	put(" mechanism |\n|---|---|---|%s---|\n", strings.Repeat("---|", len(aspects)))
	for _, one := range r.rows {
		for _, v := range one.servers {
			put("| %s | %d | %s |", one.workload.name, one.clients, v.name)
			if err := one.failed[v.name]; err != nil {
				put(" failed: %s |\n", cell(err))
				continue
			}
			for _, a := range aspects {
				put(" %s |", a.unit(one.absolute(v.name, a)))
			}
			put(" %s |\n", one.mechanism(v.name))
		}
	}
	if len(r.absent) > 0 {
		put("\n## Prepared for\n\n| workload | |\n|---|---|\n")
	}
	for _, one := range r.absent {
		put("| %s | %s |\n", one.name, one.note)
	}
}

// failures is an error for every server that has failed.
func (r *results) failures() error {
	var errs []error
	for _, one := range r.rows {
		for _, v := range one.servers {
			if err := one.failed[v.name]; err != nil {
				errs = append(errs, fmt.Errorf("%s with %d clients of %s: %w", one.workload.name, one.clients, v.name, err))
			}
		}
	}
	return errors.Join(errs...)
}

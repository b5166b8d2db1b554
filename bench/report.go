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

var aspects = []aspect{
	{"throughput", func(r round) float64 { return r.throughput() }, func(v float64) string { return fmt.Sprintf("%.0f/s", v) }},
	{"p50", func(r round) float64 { return ms(r.quantile(0.5)) }, milliseconds},
	{"p99", func(r round) float64 { return ms(r.quantile(0.99)) }, milliseconds},
	{"CPU of the gateway", func(r round) float64 { return ms(r.gateway) / float64(r.requests) }, milliseconds},
	{"CPU of PostgreSQL", func(r round) float64 { return ms(r.database) / float64(r.requests) }, milliseconds},
	{"memory", func(r round) float64 { return float64(r.memory) / (1 << 20) }, func(v float64) string { return fmt.Sprintf("%.0f MiB", v) }},
}

func median(values []float64) float64 {
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}

// ratio is the median over rounds of the ratio to the baseline's same round.
func (r *results) ratio(w workload, server string, a aspect) float64 {
	base, of := r.rounds[w.name][r.servers[0].name], r.rounds[w.name][server]
	ratios := make([]float64, len(of))
	for i := range of {
		ratios[i] = a.of(of[i]) / a.of(base[i])
	}
	return median(ratios)
}

func (r *results) absolute(w workload, server string, a aspect) float64 {
	var values []float64
	for _, one := range r.rounds[w.name][server] {
		values = append(values, a.of(one))
	}
	return median(values)
}

// measured are the workloads there are rounds of.
func (r *results) measured() []workload {
	return slices.DeleteFunc(slices.Clone(workloads), func(w workload) bool { return r.rounds[w.name] == nil })
}

// markdown is the report.
func (r *results) markdown() []byte {
	var b bytes.Buffer
	put := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p, m := r.plan, r.machine
	put("# Benchmark\n\n")
	put("usher against code written by hand, on one machine, over the same rows, with the same answers: every server's `data` was\n")
	put("compared byte for byte with the baseline's before anything was measured. `make bench` writes this file.\n\n")
	put("Read the ratios, not the absolute numbers: clients, servers and PostgreSQL share the processors.\n\n")
	if p.output != "" {
		put("![Throughput as a ratio to the baseline](results.svg)\n\n")
	}
	put("- **Date** %s\n", r.date.UTC().Format("2006-01-02 15:04 UTC"))
	put("- **Machine** %s, %d cores, %d GiB, %s; load average at the start %s\n", m.processor, m.cores, (m.memory+1<<29)>>30, m.system, m.busy)
	put("- **Programs** %s, PostgreSQL %s, %s\n", m.usher, m.postgres, m.goVersion)
	put("- **Data** %d tenants, %d orders, %d of them of the largest tenant, %d products that are common\n", p.data.tenants, p.data.orders, p.data.largest, products)
	put("- **Load** %d clients that keep their connections; tokens of %d tenants in turn; %d rounds of %s for each server, interleaved\n\n",
		p.concurrency, p.data.rotation, p.rounds, p.round)
	put("| server | what it is |\n|---|---|\n")
	for _, v := range r.servers {
		put("| %s | %s |\n", v.name, v.note)
	}
	put("\n| workload | what is asked |\n|---|---|\n")
	for _, w := range r.measured() {
		put("| %s | %s |\n", w.name, w.title)
	}
	r.tables(put)
	put("\n## Start\n\n| | measured | target |\n|---|---|---|\n")
	put("| ready after | %.0f ms | 200 ms |\n", ms(r.start.ready))
	put("| first answer after | %.0f ms | |\n", ms(r.start.answer))
	put("| memory when ready | %.0f MiB | 50 MiB |\n", float64(r.start.idle)/(1<<20))
	return b.Bytes()
}

// targets says what is wanted of usher.
func (w workload) targets(server string) string {
	text := ""
	if server == "usher" && w.target > 0 {
		text = fmt.Sprintf("throughput ≥ %.2f", w.target)
	}
	if server == "usher" && w.targetCPU > 0 {
		text += fmt.Sprintf(", gateway ≤ %.1f", w.targetCPU)
	}
	return text
}

func (r *results) tables(put func(string, ...any)) {
	put("\n## Ratios to the baseline\n\n")
	put("Throughput: more is better. All else: less is better. CPU is per request. Targets are for usher.\n\n| workload | server |")
	for _, a := range aspects {
		put(" %s |", a.title)
	}
	put(" target |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, w := range r.measured() {
		for _, v := range r.servers[1:] {
			put("| %s | %s |", w.name, v.name)
			for _, a := range aspects {
				if r.failed[w.name][v.name] != nil {
					put(" – |")
				} else {
					put(" %.2f |", r.ratio(w, v.name, a))
				}
			}
			put(" %s |\n", w.targets(v.name))
		}
	}
	put("\n## Measured\n\n| workload | server |")
	for _, a := range aspects {
		put(" %s |", a.title)
	}
	put("\n|---|---|---|---|---|---|---|---|\n")
	for _, w := range r.measured() {
		for _, v := range r.servers {
			if err := r.failed[w.name][v.name]; err != nil {
				put("| %s | %s | failed: %s |\n", w.name, v.name, strings.NewReplacer("\n", " ", "|", "¦").Replace(fmt.Sprintf("%.200s", err.Error())))
				continue
			}
			put("| %s | %s |", w.name, v.name)
			for _, a := range aspects {
				put(" %s |", a.unit(r.absolute(w, v.name, a)))
			}
			put("\n")
		}
	}
}

// failures is an error for every server that has failed.
func (r *results) failures() error {
	var errs []error
	for _, w := range r.measured() {
		for _, v := range r.servers {
			if err := r.failed[w.name][v.name]; err != nil {
				errs = append(errs, fmt.Errorf("%s of %s: %w", w.name, v.name, err))
			}
		}
	}
	return errors.Join(errs...)
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// counters are usher's metrics, those of a name added up.
type counters map[string]float64

var metricsAddress = regexp.MustCompile(`shows its metrics at (http://\S+)`)

// counters reads usher's metrics; of other servers there are none.
func (v *server) counters(ctx context.Context) (counters, error) {
	if v.kind != ofUsher {
		return nil, nil
	}
	log, err := os.ReadFile(v.log)
	if err != nil {
		return nil, err
	}
	address := metricsAddress.FindSubmatch(log)
	if address == nil {
		return nil, fmt.Errorf("%s does not say where its metrics are", v.name)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, string(address[1]), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return parseCounters(bufio.NewScanner(response.Body))
}

// parseCounters reads Prometheus' text format: `name{labels} value`.
func parseCounters(lines *bufio.Scanner) (counters, error) {
	out := make(counters)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		name, _, _ := strings.Cut(line[:at], "{")
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("%w in %s", err, line)
		}
		out[name] += value
	}
	return out, lines.Err()
}

// since is what was counted after a moment.
func (c counters) since(before counters) counters {
	out := make(counters, len(c))
	for name, value := range c {
		out[name] = value - before[name]
	}
	return out
}

const known = "usher_known_operations_"

// mechanism says by what usher answered so many requests: how many of their
// operations it found ready and in which way, how many questions an equal one
// under way or a kept answer answered, how many statements are left, and how many of them went in packets with others. What was
// found ready for a question that was never put before had its values bound.
func (c counters) mechanism(w workload, requests int) string {
	if c == nil || requests == 0 {
		return ""
	}
	var out []string
	share := func(words string, of, all float64) {
		if percent := 100 * of / max(all, 1); percent >= 0.5 {
			out = append(out, fmt.Sprintf("%s %.0f %%", words, percent))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		way, counted := strings.CutSuffix(strings.TrimPrefix(name, known), "_total")
		if !counted || !strings.HasPrefix(name, known) {
			continue
		}
		words := strings.ReplaceAll(way, "_", " ")
		switch {
		case way == "misses":
			words = "planned anew"
		case way == "hits" && (w.value != nil || w.pages):
			words = "prepared, values bound"
		case way == "hits":
			words = "planned before"
		}
		share(words, c[name], float64(requests))
	}
	statements, coalesced := c["usher_statements_total"], c["usher_coalesced_total"]
	share("coalesced", coalesced, statements+coalesced)
	share("in packets", c["usher_pipelined_statements_total"], statements)
	share("kept answers", c["usher_cache_hits_total"], c["usher_cache_hits_total"]+c["usher_cache_misses_total"])
	share("looked up", c["usher_looked_up_total"], float64(requests))
	share("combined", c["usher_combined_total"], float64(requests))
	fields := w.fields()
	if asked := (statements + coalesced) / float64(requests); fields > 1 && asked < float64(fields)-0.5 {
		out = append(out, fmt.Sprintf("shared scan: %d fields, %.0f questions", fields, asked))
	}
	return strings.Join(append(out, fmt.Sprintf("%.2f statements", statements/float64(requests))), ", ")
}

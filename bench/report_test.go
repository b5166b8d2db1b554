package main

import (
	"bufio"
	"errors"
	"strings"
	"testing"
	"time"
)

// sample is a run of two rounds, in which usher is half as fast as the
// baseline and another server has failed.
func sample() *results {
	of := func(requests int, latency time.Duration) round {
		latencies := make([]time.Duration, requests)
		for i := range latencies {
			latencies[i] = latency
		}
		return round{requests: requests, elapsed: time.Second, latencies: latencies, gateway: time.Second, database: time.Second, memory: 1 << 20}
	}
	servers := []*server{{name: "baseline"}, {name: logging}, {name: "usher", kind: ofUsher}, {name: "broken"}}
	return &results{
		plan: quick, servers: servers,
		rows: []*row{{
			workload: workloads[0], clients: 16, servers: servers,
			rounds: map[string][]round{
				"baseline": {of(100, time.Millisecond), of(200, time.Millisecond)},
				logging:    {of(80, time.Millisecond), of(160, time.Millisecond)},
				"usher":    {of(50, 2*time.Millisecond), of(100, 2*time.Millisecond)},
			},
			failed:  map[string]error{"broken": errors.New("it | broke")},
			counted: map[string]counters{"usher": {"usher_statements_total": 75, "usher_coalesced_total": 75, known + "hits_total": 150}},
		}},
		absent: []absent{{"Insert", "insert one row", "not yet: of no such field"}},
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	text := string(sample().markdown())
	for _, want := range []string{
		"| W1 | 16 | usher | 0.50 | 2.00 | 2.00 | 2.00 | 2.00 | 1.00 | 1.60 | planned before 100 %, coalesced 50 %, 0.50 statements | throughput ≥ 1.00, p99 ≤ 1.2, gateway ≤ 1.2 |",
		"| W1 | 16 | broken | failed: it ¦ broke |",
		"| W1 | 16 | baseline | 150/s |",
		"| Insert | not yet: of no such field |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nis not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "W2") {
		t.Error("a workload is reported that was not measured")
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	// What writes has a baseline of its own, and servers that read nothing.
	s := sample()
	checked := &server{name: "checked"}
	s.rows = append(s.rows, &row{
		workload: workload{name: "Insert"}, clients: 16, servers: []*server{checked, s.servers[0], s.servers[2]},
		rounds: map[string][]round{"checked": s.rows[0].rounds["baseline"], "baseline": s.rows[0].rounds["baseline"], "usher": s.rows[0].rounds["usher"]},
	})
	text := string(s.chart())
	for _, want := range []string{">0.50<", ">failed<", ">Insert<", "</svg>"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}

func TestFailuresAreTold(t *testing.T) {
	t.Parallel()
	if err := sample().failures(); err == nil || !strings.Contains(err.Error(), "W1 with 16 clients of broken") {
		t.Errorf("the run ends with %v", err)
	}
}

func TestMechanism(t *testing.T) {
	t.Parallel()
	c, err := parseCounters(bufio.NewScanner(strings.NewReader(`# HELP usher_statements_total Statements.
usher_statements_total{source="a b"} 300
usher_statements_total{source="c"} 100
usher_known_operations 7
usher_known_operations_hits_total 25
usher_known_operations_misses_total 25
usher_known_operations_bound_anew_total 50
usher_cache_hits_total 3
usher_cache_misses_total 1
`)))
	if err != nil {
		t.Fatal(err)
	}
	want := "bound anew 50 %, planned before 25 %, planned anew 25 %, kept answers 75 %, shared scan: 10 fields, 4 questions, 4.00 statements"
	if got := c.since(nil).mechanism(workload{name: "W4"}, 100); got != want {
		t.Errorf("%s\nin place of\n%s", got, want)
	}
	if got, want := (counters{known + "hits_total": 5}).mechanism(workload{value: lateID}, 5), "prepared, values bound 100 %, 0.00 statements"; got != want {
		t.Errorf("%s\nin place of\n%s", got, want)
	}
	if got := counters(nil).mechanism(workloads[0], 100); got != "" {
		t.Errorf("a server without metrics answers by %s", got)
	}
}

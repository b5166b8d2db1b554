package main

import (
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
	return &results{
		plan: quick, servers: []*server{{name: "baseline"}, {name: "usher"}, {name: "broken"}},
		rounds: map[string]map[string][]round{"W1": {
			"baseline": {of(100, time.Millisecond), of(200, time.Millisecond)},
			"usher":    {of(50, 2*time.Millisecond), of(100, 2*time.Millisecond)},
		}},
		failed: map[string]map[string]error{"W1": {"broken": errors.New("it | broke")}},
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	text := string(sample().markdown())
	for _, want := range []string{
		"| W1 | usher | 0.50 | 2.00 | 2.00 | 2.00 | 2.00 | 1.00 | throughput ≥ 0.85, gateway ≤ 1.5 |",
		"| W1 | broken | failed: it ¦ broke |",
		"| W1 | baseline | 150/s |",
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
	text := string(sample().chart())
	for _, want := range []string{">0.50<", ">failed<", "</svg>"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}

func TestFailuresAreTold(t *testing.T) {
	t.Parallel()
	if err := sample().failures(); err == nil || !strings.Contains(err.Error(), "W1 of broken") {
		t.Errorf("the run ends with %v", err)
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// round is what one server did with one workload for a few seconds.
type round struct {
	requests  int
	elapsed   time.Duration
	latencies []time.Duration // sorted
	gateway   time.Duration   // CPU time of the server
	database  time.Duration   // CPU time of PostgreSQL
	memory    int64           // resident, at the end
}

func (r round) throughput() float64 { return float64(r.requests) / r.elapsed.Seconds() }

// question is a request with what its answer must be.
type question struct {
	request []byte
	answer  []byte
}

// questions asks each tenant's question once, for the answers.
func (s *stage) questions(ctx context.Context, v *server, w workload) (map[string]question, error) {
	c, err := dial(ctx, v.address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.close() }()
	out := make(map[string]question)
	for _, tenant := range v.askers(w, s.plan.data.large()) {
		request, err := v.request(w, s.tokens[tenant])
		if err != nil {
			return nil, err
		}
		answer, err := c.ask(request)
		if err != nil {
			return nil, fmt.Errorf("%s, %s of %s: %w", v.name, w.name, tenant, err)
		}
		out[tenant] = question{request: request, answer: bytes.Clone(answer)}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// data returns the bytes of an answer's data.
func data(answer []byte) ([]byte, error) {
	var envelope struct {
		Data   json.RawMessage `json:"data"`
		Errors json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return nil, err
	}
	if envelope.Errors != nil {
		return nil, fmt.Errorf("errors: %.500s", envelope.Errors)
	}
	return envelope.Data, nil
}

// compare refuses answers that are not those of the baseline, byte for byte.
func compare(v *server, w workload, baseline, questions map[string]question) error {
	for tenant, q := range questions {
		got, err := data(q.answer)
		if err != nil {
			return fmt.Errorf("%s, %s of %s: %w", v.name, w.name, tenant, err)
		}
		want, err := data(baseline[tenant].answer)
		if err != nil {
			return fmt.Errorf("baseline, %s of %s: %w", w.name, tenant, err)
		}
		if !bytes.Equal(got, want) {
			at := 0
			for at < min(len(got), len(want)) && got[at] == want[at] {
				at++
			}
			from := max(0, at-60)
			return fmt.Errorf("%s answers %s of %s not as the baseline: …%.160s… in place of …%.160s…", v.name, w.name, tenant, got[from:], want[from:])
		}
	}
	return nil
}

// measure has so many clients ask as fast as they are answered.
func (s *stage) measure(ctx context.Context, v *server, questions map[string]question, d time.Duration) (round, error) {
	asked := make([]question, 0, len(questions))
	for _, q := range questions {
		asked = append(asked, q)
	}
	// In an order of no meaning, but not that of the map, which differs each time.
	slices.SortFunc(asked, func(a, b question) int { return bytes.Compare(a.request, b.request) })
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(asked), func(i, j int) { asked[i], asked[j] = asked[j], asked[i] }) //nolint:gosec // the same order each time

	n := s.plan.concurrency
	clients := make([]*client, n)
	for i := range clients {
		var err error
		if clients[i], err = dial(ctx, v.address); err != nil {
			return round{}, err
		}
		defer func() { _ = clients[i].close() }()
	}
	gateway, err := cpuTime(v.process.pid())
	if err != nil {
		return round{}, err
	}
	database, err := familyTime(s.cluster.process.pid())
	if err != nil {
		return round{}, err
	}
	latencies := make([][]time.Duration, n)
	errs := make([]error, n)
	var all sync.WaitGroup
	began := time.Now()
	for i := range n {
		all.Go(func() {
			latencies[i], errs[i] = ask(ctx, clients[i], asked, i*len(asked)/n, began.Add(d))
		})
	}
	all.Wait()
	r := round{elapsed: time.Since(began), latencies: slices.Concat(latencies...)}
	if err := firstOf(errs); err != nil {
		return round{}, err
	}
	slices.Sort(r.latencies)
	r.requests = len(r.latencies)
	gatewayAfter, err := cpuTime(v.process.pid())
	if err != nil {
		return round{}, err
	}
	databaseAfter, err := familyTime(s.cluster.process.pid())
	if err != nil {
		return round{}, err
	}
	r.gateway, r.database = gatewayAfter-gateway, databaseAfter-database
	r.memory, err = memory(v.process.pid())
	return r, err
}

// firstOf returns one of errors that all say the same.
func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ask puts one question after the other, from the first on and around, until
// the end. Each answer must be as long as it was when it was compared.
func ask(ctx context.Context, c *client, questions []question, first int, end time.Time) ([]time.Duration, error) {
	var latencies []time.Duration
	now := time.Now()
	for i := first; now.Before(end) && ctx.Err() == nil; i++ {
		q := questions[i%len(questions)]
		answer, err := c.ask(q.request)
		if err != nil {
			return nil, err
		}
		if len(answer) != len(q.answer) {
			return nil, fmt.Errorf("an answer changed while measuring: %.300s", answer)
		}
		done := time.Now()
		latencies = append(latencies, done.Sub(now))
		now = done
	}
	return latencies, ctx.Err()
}

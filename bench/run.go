package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// results are what a run has found out.
type results struct {
	plan    plan
	machine machine
	date    time.Time
	took    time.Duration
	servers []*server
	rows    []*row
	start   *start
	missing map[string]error // servers that could not be started, and why
	absent  []absent         // what usher cannot do yet
}

// row is a workload that so many clients ask.
type row struct {
	workload workload
	clients  int
	servers  []*server // that are asked, the baseline first
	rounds   map[string][]round
	failed   map[string]error
	counted  map[string]counters
}

// start is how usher starts.
type start struct {
	ready  time.Duration // until it says that it is ready
	answer time.Duration // until its first answer
	idle   int64         // resident memory when ready
}

// measureAll runs the benchmark.
func measureAll(ctx context.Context, p plan, usher, cache string, profile bool) (_ *results, err error) {
	began := time.Now()
	s, err := newStage(ctx, p, usher, cache)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	r := &results{plan: p, date: began, servers: s.servers, missing: s.missing}
	if r.machine, err = describe(ctx, s); err != nil {
		return nil, err
	}
	if profile {
		for _, v := range s.servers {
			progress("%s is process %d at %s", v.name, v.process.pid(), v.address)
		}
		progress("PostgreSQL is process %d at %s", s.cluster.process.pid(), s.cluster.dsn(superuser, shopC))
	}
	for _, w := range workloads {
		if !p.names(w) {
			continue
		}
		rows, err := s.workload(ctx, w, s.servers)
		if err != nil {
			return nil, err
		}
		r.rows = append(r.rows, rows...)
	}
	if p.older == "" {
		if err := s.prepared(ctx, r); err != nil {
			return nil, err
		}
	}
	if p.older == "" && p.only == nil {
		r.start, err = s.starts(ctx)
	}
	r.took = time.Since(began)
	return r, err
}

// trial is a workload at all its numbers of clients.
type trial struct {
	*stage
	w      workload
	base   *server // that the others are compared with
	loads  map[string]*asking
	failed map[string]error
}

// try runs a step for a server, unless it has failed before. A server that
// fails is left out of the rest; without the baseline there is nothing to
// compare with.
func (t *trial) try(ctx context.Context, v *server, step func() error) error {
	if _, out := t.failed[v.name]; out {
		return nil
	}
	failure := step()
	if failure == nil || v == t.base || ctx.Err() != nil {
		return failure
	}
	progress("%s: %s has failed: %v", t.w.name, v.name, failure)
	t.failed[v.name] = failure
	return nil
}

// workload compares what the servers answer and then measures them in turn,
// with each number of clients.
func (s *stage) workload(ctx context.Context, w workload, servers []*server) ([]*row, error) {
	progress("%s: comparing answers", w.name)
	t := &trial{stage: s, w: w, base: servers[0], loads: make(map[string]*asking), failed: make(map[string]error)}
	var asked []*server
	for _, v := range servers {
		if _, can := w.documents[v.kind]; !can {
			continue
		}
		asked = append(asked, v)
		if err := t.try(ctx, v, func() error { return t.prepare(ctx, v) }); err != nil {
			return nil, err
		}
	}
	clients := s.plan.clients[:1]
	if w.lists {
		clients = s.plan.clients
	}
	var rows []*row
	for i, n := range clients {
		r := &row{workload: w, clients: n, rounds: make(map[string][]round), counted: make(map[string]counters)}
		for _, v := range asked {
			if i == 0 || v.always {
				r.servers = append(r.servers, v)
			}
		}
		if err := t.measureRow(ctx, r); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// compared is how many of a workload's questions are compared: of the same
// question those of all who ask, so that each answer can be told while measuring.
func (t *trial) compared() int {
	if t.w.value == nil && !t.w.pages {
		return math.MaxInt
	}
	return t.plan.compared
}

// prepare asks the server and compares its answers with the baseline's.
func (t *trial) prepare(ctx context.Context, v *server) error {
	askers, err := t.askersOf(v, t.w)
	if err != nil {
		return err
	}
	l := &asking{workload: t.w, askers: askers}
	before, err := t.entriesBefore(ctx)
	if err != nil {
		return err
	}
	if l.answers, err = v.ask(ctx, t.w, askers, t.compared()); err != nil {
		return err
	}
	if t.w.inserts > 0 {
		after, err := t.entriesNow(ctx)
		if want := t.w.inserts * len(l.answers); err != nil || after-before != want {
			return errors.Join(err, fmt.Errorf("%s has added %d rows, not %d", v.name, after-before, want))
		}
	}
	if t.w.value == nil && t.w.path == "" {
		if l.begun, err = l.answers.begun(); err != nil {
			return err
		}
	}
	l.next = len(askers)
	t.loads[v.name] = l
	want := t.loads[t.base.name].answers
	if len(askers) < len(t.loads[t.base.name].askers) { // it has some of the tenants alone
		fewer := make(answers)
		for name, answer := range want {
			if _, too := l.answers[name]; too {
				fewer[name] = answer
			}
		}
		want = fewer
	}
	if len(want) == 0 {
		return errors.New("none of its answers can be compared with the baseline's")
	}
	err = v.compare(t.w, want, l.answers)
	l.shuffle()
	return err
}

// entriesBefore is how many rows there are before some are added.
func (t *trial) entriesBefore(ctx context.Context) (int, error) {
	if t.w.inserts == 0 {
		return 0, nil
	}
	return t.entriesNow(ctx)
}

// measureRow measures the servers of a row, in interleaved rounds.
func (t *trial) measureRow(ctx context.Context, r *row) error {
	before := make(map[string]counters)
	for _, v := range r.servers {
		if err := t.try(ctx, v, func() error {
			if _, err := t.measure(ctx, v, t.loads[v.name], r.clients, t.plan.warmup); err != nil {
				return err
			}
			var err error
			before[v.name], err = v.counters(ctx)
			return err
		}); err != nil {
			return err
		}
	}
	for i := range t.plan.rounds {
		for j := range r.servers {
			// Each round begins with another server: none has always the same before it.
			v := r.servers[(i+j)%len(r.servers)]
			if err := t.try(ctx, v, func() error {
				measured, err := t.measure(ctx, v, t.loads[v.name], r.clients, t.plan.round)
				if err != nil {
					return err
				}
				r.rounds[v.name] = append(r.rounds[v.name], measured)
				progress("%s, %d clients, round %d: %-14s %8.0f/s  gateway %s  database %s", t.w.name, r.clients, i+1, v.name, measured.throughput(),
					each(measured.gateway, measured.requests), each(measured.database, measured.requests))
				return nil
			}); err != nil {
				return err
			}
		}
	}
	for _, v := range r.servers {
		if err := t.try(ctx, v, func() error {
			now, err := v.counters(ctx)
			if now != nil {
				r.counted[v.name] = now.since(before[v.name])
			}
			return err
		}); err != nil {
			return err
		}
	}
	r.failed = maps.Clone(t.failed)
	return nil
}

func each(total time.Duration, n int) time.Duration {
	return (total / time.Duration(max(n, 1))).Round(time.Microsecond)
}

// coldStarts is how often usher is started to see how long it takes.
const coldStarts = 5

// starts starts usher alone and takes the median.
func (s *stage) starts(ctx context.Context) (*start, error) {
	var ready, answer []time.Duration
	var idle []int64
	if err := s.configure("start", setting{shop: shopC}); err != nil {
		return nil, err
	}
	for range coldStarts {
		one, err := s.startOnce(ctx, workloads[0])
		if err != nil {
			return nil, err
		}
		ready, answer, idle = append(ready, one.ready), append(answer, one.answer), append(idle, one.idle)
	}
	slices.Sort(ready)
	slices.Sort(answer)
	slices.Sort(idle)
	return &start{ready: ready[coldStarts/2], answer: answer[coldStarts/2], idle: idle[coldStarts/2]}, nil
}

func (s *stage) startOnce(ctx context.Context, w workload) (out start, err error) {
	v := s.newUsher("start", s.usher)
	v.tenants = s.plan.data.rotated()[:1]
	began := time.Now()
	if err := s.start(ctx, v); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, v.process.stop()) }()
	out.ready = time.Since(began)
	if _, out.idle, err = usage(v.process.pid(), false); err != nil {
		return out, err
	}
	askers, err := s.askersOf(v, w)
	if err != nil {
		return out, err
	}
	_, err = v.ask(ctx, w, askers, 1)
	out.answer = time.Since(began)
	return out, err
}

// fields is how many root fields a document has.
func (w workload) fields() int {
	if w.family() == "W4" {
		return 10
	}
	return 1
}

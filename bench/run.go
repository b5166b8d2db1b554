package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// results are what a run has found out.
type results struct {
	plan    plan
	machine machine
	date    time.Time
	servers []*server
	rounds  map[string]map[string][]round // by workload and server
	failed  map[string]map[string]error   // why there are none
	start   start
}

// start is how usher starts.
type start struct {
	ready  time.Duration // until it says that it is ready
	answer time.Duration // until its first answer
	idle   int64         // resident memory when ready
}

// measureAll runs the benchmark.
func measureAll(ctx context.Context, p plan, usher, cache, only string, profile bool) (_ *results, err error) {
	s, err := newStage(ctx, p, usher, cache)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	r := &results{
		plan: p, date: time.Now(), servers: s.servers,
		rounds: make(map[string]map[string][]round), failed: make(map[string]map[string]error),
	}
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
		if only != "" && only != w.name {
			continue
		}
		if r.rounds[w.name], r.failed[w.name], err = s.workload(ctx, w); err != nil {
			return nil, err
		}
	}
	r.start, err = s.starts(ctx)
	return r, err
}

// workload compares what the servers answer and then measures them in turn. A
// server that fails is left out of the rest; without the baseline there is
// nothing to compare with.
func (s *stage) workload(ctx context.Context, w workload) (rounds map[string][]round, failed map[string]error, _ error) {
	progress("%s: comparing answers", w.name)
	rounds, failed = make(map[string][]round), make(map[string]error)
	asked := make(map[string]map[string]question)
	baseline := s.servers[0]
	// try runs a step for a server, unless it has failed before.
	try := func(v *server, step func() error) error {
		if _, out := failed[v.name]; out {
			return nil
		}
		failure := step()
		if failure == nil || v == baseline || ctx.Err() != nil {
			return failure
		}
		progress("%s: %s has failed: %v", w.name, v.name, failure)
		failed[v.name] = failure
		delete(rounds, v.name)
		return nil
	}
	for _, v := range s.servers {
		if err := try(v, func() (err error) {
			if asked[v.name], err = s.questions(ctx, v, w); err != nil {
				return err
			}
			return compare(v, w, asked[baseline.name], asked[v.name])
		}); err != nil {
			return nil, nil, err
		}
	}
	for _, v := range s.servers {
		if err := try(v, func() error {
			_, err := s.measure(ctx, v, asked[v.name], s.plan.warmup)
			return err
		}); err != nil {
			return nil, nil, err
		}
	}
	for i := range s.plan.rounds {
		for j := range s.servers {
			// Each round begins with another server: none has always the same before it.
			v := s.servers[(i+j)%len(s.servers)]
			if err := try(v, func() error {
				measured, err := s.measure(ctx, v, asked[v.name], s.plan.round)
				if err != nil {
					return err
				}
				rounds[v.name] = append(rounds[v.name], measured)
				progress("%s round %d: %-14s %8.0f/s  gateway %s  database %s", w.name, i+1, v.name, measured.throughput(),
					each(measured.gateway, measured.requests), each(measured.database, measured.requests))
				return nil
			}); err != nil {
				return nil, nil, err
			}
		}
	}
	return rounds, failed, nil
}

func each(total time.Duration, n int) time.Duration {
	return (total / time.Duration(max(n, 1))).Round(time.Microsecond)
}

// coldStarts is how often usher is started to see how long it takes.
const coldStarts = 5

// starts starts usher alone and takes the median.
func (s *stage) starts(ctx context.Context) (start, error) {
	var ready, answer []time.Duration
	var idle []int64
	at := slices.IndexFunc(s.servers, func(v *server) bool { return v.name == "usher" })
	first := workloads[0]
	for range coldStarts {
		v := *s.servers[at]
		one, err := s.startOnce(ctx, &v, first)
		if err != nil {
			return start{}, err
		}
		ready, answer, idle = append(ready, one.ready), append(answer, one.answer), append(idle, one.idle)
	}
	slices.Sort(ready)
	slices.Sort(answer)
	slices.Sort(idle)
	return start{ready: ready[coldStarts/2], answer: answer[coldStarts/2], idle: idle[coldStarts/2]}, nil
}

func (s *stage) startOnce(ctx context.Context, v *server, w workload) (_ start, err error) {
	port, err := freePort(ctx)
	if err != nil {
		return start{}, err
	}
	v.address = fmt.Sprintf("127.0.0.1:%d", port)
	var out start
	began := time.Now()
	if v.process, err = startProcess(v.command(v.address), filepath.Join(s.folder, "start.log"), syscall.SIGTERM); err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, v.process.stop()) }()
	if err := v.process.await(ctx, v.name, time.Minute, v.ready); err != nil {
		return out, err
	}
	out.ready = time.Since(began)
	if out.idle, err = memory(v.process.pid()); err != nil {
		return out, err
	}
	request, err := v.request(w, s.tokens[v.tenants[0]])
	if err != nil {
		return out, err
	}
	c, err := dial(ctx, v.address)
	if err != nil {
		return out, err
	}
	defer func() { _ = c.close() }()
	_, err = c.ask(request)
	out.answer = time.Since(began)
	return out, err
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// round is what one server did with one workload for a moment.
type round struct {
	requests  int
	elapsed   time.Duration
	latencies []time.Duration // sorted
	gateway   time.Duration   // CPU time of the server
	database  time.Duration   // CPU time of PostgreSQL
	memory    int64           // resident, at the end
}

func (r round) throughput() float64 { return float64(r.requests) / r.elapsed.Seconds() }

// asking is what a server is asked while it is measured.
type asking struct {
	workload workload
	askers   []asker
	answers  answers // what was compared
	begun    answers // how they begin, up to the end of their data, where a question is asked again: what stands beside the data may differ
	next     int     // the number of the next question: none is put twice
}

// shuffle puts the askers into an order of no meaning, the same each time.
func (l *asking) shuffle() {
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(l.askers), func(i, j int) { //nolint:gosec // the same order each time
		l.askers[i], l.askers[j] = l.askers[j], l.askers[i]
	})
}

// measure has so many clients ask as fast as they are answered.
func (s *stage) measure(ctx context.Context, v *server, l *asking, clients int, d time.Duration) (round, error) {
	connections := make([]*client, clients)
	for i := range connections {
		var err error
		if connections[i], err = dial(ctx, v.address); err != nil {
			return round{}, err
		}
		defer func() { _ = connections[i].close() }()
	}
	before, err := s.used(v)
	if err != nil {
		return round{}, err
	}
	latencies := make([][]time.Duration, clients)
	errs := make([]error, clients)
	var all sync.WaitGroup
	began := time.Now()
	for i := range clients {
		all.Go(func() { latencies[i], errs[i] = l.ask(ctx, connections[i], i, clients, began.Add(d)) })
	}
	all.Wait()
	r := round{elapsed: time.Since(began), latencies: slices.Concat(latencies...)}
	if err := firstOf(errs); err != nil {
		return round{}, err
	}
	most := 0
	for _, of := range latencies {
		most = max(most, len(of))
	}
	l.next += most * clients
	slices.Sort(r.latencies)
	r.requests = len(r.latencies)
	after, err := s.used(v)
	r.gateway, r.database, r.memory = after.gateway-before.gateway, after.database-before.database, after.memory
	return r, err
}

// used is what a server and PostgreSQL have used so far.
func (s *stage) used(v *server) (round, error) {
	gateway, memory, err := usage(v.process.pid(), v.family)
	if err != nil {
		return round{}, err
	}
	database, _, err := usage(s.cluster.process.pid(), true)
	return round{gateway: gateway, database: database, memory: memory}, err
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

// ask puts one question after the other until the end: every so many, from one
// on, of those not put yet.
func (l *asking) ask(ctx context.Context, c *client, first, step int, end time.Time) ([]time.Duration, error) {
	var latencies []time.Duration
	var text []byte
	cursor, page := []byte("null"), 0
	// Each client begins elsewhere among the askers.
	turn := l.next + first
	if l.workload.value == nil {
		turn, step = first*len(l.askers)/step, 1
	}
	for now := time.Now(); now.Before(end) && ctx.Err() == nil; {
		a := &l.askers[turn%len(l.askers)]
		if l.workload.pages {
			text = a.with(text[:0], cursor)
		} else {
			text = a.request(text[:0], turn)
		}
		now = time.Now()
		answer, err := c.ask(text)
		if err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(now))
		if l.workload.path == "" && !answered(answer) || !bytes.HasPrefix(answer, l.begun[a.name]) {
			return nil, fmt.Errorf("an answer changed while measuring: %.300s", answer)
		}
		if page++; !l.workload.pages || page == pagesEach {
			page, turn = 0, turn+step
			cursor = []byte("null")
		} else {
			cursor = endCursor(answer)
		}
		now = time.Now()
	}
	return latencies, ctx.Err()
}

// askersOf are those who ask a server a workload.
func (s *stage) askersOf(v *server, w workload) ([]asker, error) {
	tenants := v.tenants
	if w.large {
		tenants = []string{s.plan.data.large()}
	}
	tokens := func(tenant string) []string { return s.tokens[tenant][:1] }
	if w.rights {
		tokens = func(tenant string) []string { return s.tokens[tenant][1:] }
	}
	var out []asker
	for _, tenant := range tenants {
		for i, token := range tokens(tenant) {
			one, err := newAsker(v, w, fmt.Sprintf("%s %d", tenant, i), token, s.holdings[tenant])
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b asker) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	return out, nil
}

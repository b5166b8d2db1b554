package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/bench/token"
)

// growth is the report of what an answer costs when something else grows. One
// client asks, so that no two questions are alike at the same time.
type growth struct {
	machine  machine
	date     time.Time
	plan     plan
	families []family
	cold     []cold
	soaks    []soak
}

// family is one thing that grows, and what was measured at each size.
type family struct {
	title, unit string
	expected    string
	points      []point
}

type point struct {
	n        int
	ready    time.Duration
	idle     int64
	measured round
}

// soak is the resident memory while very many questions are asked.
type soak struct {
	title  string
	points []memoryAt
}

// memoryAt is the resident memory after so many requests.
type memoryAt struct {
	requests int
	bytes    int64
}

const (
	growthRound = 2 * time.Second
	soakSteps   = 10
	soakClients = 16
	soakLimit   = 8 * time.Minute // of one; then it ends with what was asked
)

// measureGrowth runs the report over the data of a plan.
func measureGrowth(ctx context.Context, p plan, usher, cache string) (_ *growth, err error) {
	p.databases, p.locales, p.peers = 0, false, false
	s, err := newStage(ctx, p, usher, cache)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	g := &growth{plan: p, date: time.Now()}
	if g.machine, err = describe(ctx, s); err != nil {
		return nil, err
	}
	list := workloads[0]
	for _, f := range []struct {
		family
		sizes []int
		at    func(n int) (asked, setting)
	}{
		{family{title: "Datasets in the catalog", unit: "dataset", expected: "an answer costs the same"}, []int{10, 100, 1000}, func(n int) (asked, setting) {
			return asked{workload: list}, setting{shop: shopC, datasets: n}
		}},
		{family{title: "Registered tenants", unit: "tenant", expected: "an answer costs the same"}, []int{1, 1000, 100_000}, func(n int) (asked, setting) {
			return asked{workload: list}, setting{shop: shopC, tenants: n, store: true}
		}},
		{family{title: "Root fields of an operation", unit: "field", expected: "linear"}, []int{1, 10, 50}, func(n int) (asked, setting) {
			return asked{workload: fieldsOf(n)}, setting{shop: shopC}
		}},
		{family{title: "Rows of an answer", unit: "row", expected: "linear"}, []int{10, 1000, 10_000}, func(n int) (asked, setting) {
			return asked{workload: rowsOf(n), large: true}, setting{shop: shopC}
		}},
	} {
		for _, n := range f.sizes {
			question, how := f.at(n)
			one, err := s.grown(ctx, question, how)
			if err != nil {
				return nil, fmt.Errorf("%s, %d: %w", f.title, n, err)
			}
			one.n = n
			f.points = append(f.points, one)
			progress("%s %d: gateway %s, database %s, ready after %s, %d MiB", f.title, n, each(one.measured.gateway, one.measured.requests),
				each(one.measured.database, one.measured.requests), one.ready.Round(time.Millisecond), one.idle>>20)
		}
		g.families = append(g.families, f.family)
	}
	if g.cold, err = s.cold(ctx); err != nil {
		return nil, err
	}
	for _, of := range []struct{ title, name string }{
		{"the same again and again", "W1"}, {"another value each time", "W1_distinct"}, {"another document each time", "W1text_texts"},
	} {
		one := soak{title: of.title}
		if one.points, err = s.soak(ctx, workloads[slices.IndexFunc(workloads, func(w workload) bool { return w.name == of.name })]); err != nil {
			return nil, err
		}
		g.soaks = append(g.soaks, one)
	}
	return g, err
}

// asked is a question of one tenant.
type asked struct {
	workload
	large bool
}

// fieldsOf asks for so many lists that are not alike.
func fieldsOf(n int) workload {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, " f%d: orders(orderBy: [{orderedAt: DESC}], limit: 20, offset: %d) { id customer region amount orderedAt }", i, i)
	}
	b.WriteString(" }")
	return workload{name: "Fields", documents: map[kind]string{ofUsher: "query Fields " + b.String()}}
}

func rowsOf(n int) workload {
	return workload{name: "Rows", documents: map[kind]string{ofUsher: fmt.Sprintf("query Rows { orders(orderBy: [{orderedAt: DESC}], limit: %d) { id reference customer region status amount quantity orderedAt } }", n)}}
}

// grown starts usher with a setting and asks it one question again and again.
func (s *stage) grown(ctx context.Context, a asked, how setting) (_ point, err error) {
	v := s.newUsher("growth", s.usher)
	if err := s.configure(v.config, how); err != nil {
		return point{}, err
	}
	if how.store {
		if err := s.register(ctx, v.config, how.tenants); err != nil {
			return point{}, err
		}
	}
	began := time.Now()
	if err := s.start(ctx, v); err != nil {
		return point{}, err
	}
	defer func() { err = errors.Join(err, v.process.stop()) }()
	out := point{ready: time.Since(began)}
	if _, out.idle, err = usage(v.process.pid(), false); err != nil {
		return out, err
	}
	v.tenants = s.plan.data.rotated()[:1]
	if how.tenants == 1 {
		v.tenants = []string{tenant(1)}
	}
	a.workload.large = a.large
	askers, err := s.askersOf(v, a.workload)
	if err != nil {
		return out, err
	}
	l := &asking{workload: a.workload, askers: askers}
	if _, err := s.measure(ctx, v, l, 1, growthRound/4); err != nil {
		return out, err
	}
	out.measured, err = s.measure(ctx, v, l, 1, growthRound)
	return out, err
}

// register makes a control store with so many tenants. The tables are usher's
// own doing; the rows are written at once, where usher would write one by one.
func (s *stage) register(ctx context.Context, config string, tenants int) error {
	if err := s.inDatabase(ctx, "postgres", "DROP DATABASE IF EXISTS "+control, "CREATE DATABASE "+control); err != nil {
		return err
	}
	v := s.newUsher("registering", s.usher)
	v.config = config
	if err := s.start(ctx, v); err != nil {
		return err
	}
	if err := v.process.stop(); err != nil {
		return err
	}
	first := 0
	if tenants == 1 {
		first = 1 // the largest is not like the others
	}
	return s.inDatabase(ctx, control, fmt.Sprintf(`INSERT INTO usher.tenants (id, tenant_key, name, status, strategy, accounts, created_at, changed_at, generation)
SELECT id, id, id, 'active', '', '', 0, 0, 1 FROM (SELECT 't' || lpad(i::text, greatest(4, length(i::text)), '0') AS id FROM generate_series(%d, %d) AS i) AS t`, first, first+tenants-1), "ANALYZE usher.tenants")
}

func (s *stage) inDatabase(ctx context.Context, database string, statements ...string) (err error) {
	db, err := sql.Open("postgres", s.cluster.dsn(superuser, database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return execute(ctx, db, statements...)
}

// soak asks a million times in the names of all tenants and looks at the memory.
func (s *stage) soak(ctx context.Context, w workload) (out []memoryAt, err error) {
	v := s.newUsher("growth", s.usher)
	if err := s.configure(v.config, setting{shop: shopC}); err != nil {
		return nil, err
	}
	if err := s.start(ctx, v); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.process.stop()) }()
	look := func(n int) error {
		_, bytes, err := usage(v.process.pid(), false)
		out = append(out, memoryAt{n, bytes})
		progress("%s: memory after %d requests of %d tenants: %d MiB", w.name, n, s.plan.data.tenants, bytes>>20)
		return err
	}
	if err := look(0); err != nil {
		return nil, err
	}
	askers, err := s.everybody(v, w, s.plan.data.tenants)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for step := range soakSteps {
		if err := askEach(ctx, v, askers, step*s.plan.soak/soakSteps, s.plan.soak/soakSteps); err != nil {
			return nil, err
		}
		if err := look((step + 1) * s.plan.soak / soakSteps); err != nil {
			return nil, err
		}
		if time.Since(began) > soakLimit {
			break
		}
	}
	return out, nil
}

// everybody asks in the names of so many tenants.
func (s *stage) everybody(v *server, w workload, tenants int) ([]asker, error) {
	var out []asker
	for i := range tenants {
		signed, err := token.Sign([]byte(s.secret), tenant(i), nil, time.Now())
		if err != nil {
			return nil, err
		}
		one, err := newAsker(v, w, tenant(i), signed, &holding{data: s.plan.data, tenant: tenant(i)})
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// askEach asks so many requests in turn, by several clients.
func askEach(ctx context.Context, v *server, askers []asker, first, n int) error {
	errs := make(chan error, soakClients)
	for c := range soakClients {
		go func() {
			errs <- func() error {
				client, err := dial(ctx, v.address)
				if err != nil {
					return err
				}
				defer func() { _ = client.close() }()
				var text []byte
				for i := first + c; i < first+n && ctx.Err() == nil; i += soakClients {
					text = askers[i%len(askers)].request(text[:0], i)
					answer, err := client.ask(text)
					if err != nil {
						return err
					}
					if !answered(answer) {
						return fmt.Errorf("an answer while soaking: %.200s", answer)
					}
				}
				return ctx.Err()
			}()
		}()
	}
	var all []error
	for range soakClients {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// markdown is the report.
func (g *growth) markdown() []byte {
	var b bytes.Buffer
	put := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	put("# Growth\n\nWhat one answer costs when something else grows: one client, one question again and again; and how usher behaves when it is cold. `make bench-growth` writes this file.\n\n")
	put("- **Date** %s\n", g.date.UTC().Format("2006-01-02 15:04 UTC"))
	put("- **Machine** %s, %d cores, %d GiB, %s; load average at the start %s\n", g.machine.processor, g.machine.cores, (g.machine.memory+1<<29)>>30, g.machine.system, g.machine.busy)
	put("- **Programs** %s, PostgreSQL %s, %s\n", g.machine.usher, g.machine.postgres, g.machine.goVersion)
	put("- **Data** %d tenants, %d orders, %d of them of the largest tenant\n", g.plan.data.tenants, g.plan.data.orders, g.plan.data.largest)
	for _, f := range g.families {
		put("\n## %s\n\nExpected: %s.\n\n| %ss | CPU of the gateway | CPU of PostgreSQL | p50 | p99 | ready after | memory when ready |\n|---|---|---|---|---|---|---|\n", f.title, f.expected, f.unit)
		for _, p := range f.points {
			m := p.measured
			put("| %d | %.3f ms | %.3f ms | %.2f ms | %.2f ms | %.0f ms | %d MiB |\n", p.n, ms(m.gateway)/float64(m.requests), ms(m.database)/float64(m.requests),
				ms(m.quantile(0.5)), ms(m.quantile(0.99)), ms(p.ready), p.idle>>20)
		}
		first, last := f.points[0], f.points[len(f.points)-1]
		put("\nFrom %d to %d (× %d) the gateway's CPU for an answer grows × %.2f, its memory when ready × %.2f, its start × %.2f.\n", first.n, last.n, last.n/first.n,
			perRequest(last)/perRequest(first), float64(last.idle)/float64(first.idle), float64(last.ready)/float64(first.ready))
	}
	g.coldTables(put)
	put("\n## Requests\n\nResident memory of the gateway while %d tenants ask in turn, %d clients at a time", g.plan.data.tenants, soakClients)
	put("; a run ends early after %s.\n\n| requests |", soakLimit)
	for _, one := range g.soaks {
		put(" %s |", one.title)
	}
	put("\n|---|%s\n", strings.Repeat("---|", len(g.soaks)))
	for i := range soakSteps + 1 {
		put("| %d |", i*g.plan.soak/soakSteps)
		for _, one := range g.soaks {
			if i < len(one.points) {
				put(" %d MiB |", one.points[i].bytes>>20)
			} else {
				put(" – |")
			}
		}
		put("\n")
	}
	return b.Bytes()
}

func perRequest(p point) float64 { return ms(p.measured.gateway) / float64(p.measured.requests) }

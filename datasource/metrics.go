package datasource

import (
	"github.com/prometheus/client_golang/prometheus"

	"usher/admit"
	"usher/datasource/cost"
	"usher/datasource/pool"
	"usher/datasource/upstream"
	"usher/plan"
)

// metrics count what sources are asked. The only label is a source's name, so
// that there are as many series as there are sources; what a statement counts
// with is made when its account is opened.
type metrics struct {
	statements *prometheus.CounterVec
	pipelined  *prometheus.CounterVec
	rows       *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	coalesced  *prometheus.CounterVec
	lookedUp   prometheus.Counter
	combined   prometheus.Counter
	hits       prometheus.Counter
	misses     prometheus.Counter
	purges     prometheus.Counter
	refused    admit.Counts
	costs      *cost.Costs
	traced     bool
}

func newMetrics(opts Options) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "usher", Name: name, Help: help})
	}
	bySource := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "usher", Name: name, Help: help}, []string{"source"})
	}
	return &metrics{
		costs: cost.New(opts.Clock), traced: opts.Traced,
		statements: bySource("statements_total", "Statements that databases were sent."),
		pipelined:  bySource("pipelined_statements_total", "Statements that went to databases in one packet with others."),
		rows:       bySource("rows_total", "Rows that databases returned."),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "usher", Name: "statement_duration_seconds", Help: "Time from asking for a connection to the last row.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"source"}),
		coalesced: bySource("coalesced_total", "Questions that an equal one under way answered."),
		lookedUp:  counter("looked_up_total", "Questions answered by one database, with columns of others looked up by key."),
		combined:  counter("combined_total", "Questions answered in the embedded engine, from rows of several sources or APIs."),
		hits:      counter("cache_hits_total", "Questions that a kept answer answered."),
		misses:    counter("cache_misses_total", "Questions whose answers may be kept and were not there."),
		purges:    counter("cache_purges_total", "Changes that made kept answers old."),
	}
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.statements, m.pipelined, m.rows, m.duration, m.coalesced, m.lookedUp, m.combined, m.hits, m.misses, m.purges, m.costs}
}

// What is counted at the moment it is asked for.
var (
	cacheBytes  = prometheus.NewDesc("usher_cache_bytes", "Bytes of kept answers.", nil, nil)
	heldBytes   = prometheus.NewDesc("usher_rows_held_bytes", "Bytes of rows that were read, and of answers made of them, until they are sent.", nil, nil)
	accountsNow = prometheus.NewDesc("usher_accounts", "Accounts that are open.", []string{"source"}, nil)
	connections = prometheus.NewDesc("usher_connections", "Connections to databases, by state: used or idle.", []string{"source", "state"}, nil)
	hostsNow    = prometheus.NewDesc("usher_hosts", "Hosts of sources that have several, by state: primary, fresh, behind or down.", []string{"source", "state"}, nil)
	waitingNow  = prometheus.NewDesc("usher_connections_waiting", "Questions that wait for a connection.", []string{"source"}, nil)
	admitting   = prometheus.NewDesc("usher_admission_waiting", "Questions that wait for their tenant's turn, by source; without a source: in the embedded engine.", []string{"source"}, nil)
	refusals    = prometheus.NewDesc("usher_admission_refused_total", "Questions refused before a source was asked: full, the tenant's line; expired, the time to wait.", []string{"reason"}, nil)
)

// Describe implements prometheus.Collector.
func (s *Sources) Describe(out chan<- *prometheus.Desc) {
	for _, c := range s.metrics.all() {
		c.Describe(out)
	}
	for _, d := range []*prometheus.Desc{cacheBytes, heldBytes, accountsNow, connections, hostsNow, waitingNow, admitting, refusals} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Sources) Collect(out chan<- prometheus.Metric) {
	for _, c := range s.metrics.all() {
		c.Collect(out)
	}
	gauge := func(d *prometheus.Desc, n float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
	}
	gauge(cacheBytes, float64(s.cache.entries.Cost()))
	gauge(heldBytes, float64(s.budget.Used()))
	for reason, n := range map[string]int64{"full": s.metrics.refused.Full.Load(), "expired": s.metrics.refused.Expired.Load()} {
		out <- prometheus.MustNewConstMetric(refusals, prometheus.CounterValue, float64(n), reason)
	}
	hosts := make(map[string]map[string]int)
	accounts, conns, lines := make(map[string]int), make(map[string]pool.Stats), map[string]int{"": s.gate.Waiting() + s.turns.Waiting()}
	for name := range s.accounts.cat.Sources {
		accounts[name] = 0
	}
	s.accounts.each(func(t plan.Target, source Source) {
		accounts[t.Source]++
		if api, ok := source.(*upstream.Source); ok {
			lines[t.Source] += api.Waiting()
		}
		db, ok := source.(*database)
		if !ok {
			return
		}
		lines[t.Source] += db.gate.Waiting()
		if db.short != nil {
			lines[t.Source] += db.short.Waiting()
		}
		if several, ok := db.db.(interface{ Hosts() map[string]int }); ok && t.Tenant == "" {
			for state, n := range several.Hosts() {
				if hosts[t.Source] == nil {
					hosts[t.Source] = make(map[string]int)
				}
				hosts[t.Source][state] += n
			}
		}
		if counted, ok := db.db.(interface{ Stats() pool.Stats }); ok {
			n, now := conns[t.Source], counted.Stats()
			conns[t.Source] = pool.Stats{Open: n.Open + now.Open, Idle: n.Idle + now.Idle, Waiting: n.Waiting + now.Waiting}
		}
	})
	for name, n := range accounts {
		gauge(accountsNow, float64(n), name)
	}
	for name, states := range hosts {
		for state, n := range states {
			gauge(hostsNow, float64(n), name, state)
		}
	}
	for name, n := range lines {
		gauge(admitting, float64(n), name)
	}
	for name, n := range conns {
		gauge(connections, float64(n.Open-n.Idle), name, "used")
		gauge(connections, float64(n.Idle), name, "idle")
		gauge(waitingNow, float64(n.Waiting), name)
	}
}

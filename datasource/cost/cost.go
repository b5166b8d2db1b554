// Package cost owns what tenants cost the databases and APIs, in seconds, by name for those few
// that cost most. It refuses to grow with the number of tenants: there are Named
// series, and one for everybody else.
//
// Every second is counted once, where its tenant stands at that moment: in its own
// series, or in the others'. So no counter ever goes back, and the increase of all of
// them is what everybody cost. What a tenant cost before it was among the first is with
// the others. The series of one that is to make room for another stays as it is for a
// while, so that whoever reads has seen its end; when the tenant is back it goes on from
// there, or from nothing if the tenant was forgotten meanwhile, as counters do after a
// restart.
package cost

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// Named is how many tenants have a series of their own.
	Named = 50
	// Others is the label of everybody else, and Everybodys that of principals of all tenants.
	// No tenant's id has parentheses around it in what is shown.
	Others     = "(others)"
	Everybodys = "(all tenants)"

	known    = 1000             // tenants whose cost is remembered, at least; twice as many at most
	halfLife = 10 * time.Minute // of what a tenant has cost, for its rank
	settled  = time.Minute      // between two looks at who is among the first
	farewell = 5 * time.Minute  // for which a series that ends is shown
	lead     = 1.5              // by so much must a tenant cost more to take another's place
	maxName  = 128              // bytes of a label
)

// Costs counts. It is safe for concurrent use.
type Costs struct {
	now  func() time.Time
	desc *prometheus.Desc

	mu      sync.Mutex
	tenants map[string]*tenant
	named   int
	ranked  time.Time
	others  float64
	all     float64 // of principals of all tenants
}

// tenant is what is known of one.
type tenant struct {
	total  float64   // what its series shows
	recent float64   // what it has cost, less the longer ago; at its time
	at     time.Time // of recent
	named  bool
	leaves time.Time // its series ends then; zero: it counts
}

// counts tells whether the tenant's series does.
func (t *tenant) counts() bool { return t.named && t.leaves.IsZero() }

// weight is what the tenant's recent cost is worth at a time.
func (t *tenant) weight(now time.Time) float64 {
	return t.recent * math.Exp2(-float64(now.Sub(t.at))/float64(halfLife))
}

// New makes Costs; the caller registers them.
func New(now func() time.Time) *Costs {
	return &Costs{
		now: now, tenants: make(map[string]*tenant), ranked: now(),
		desc: prometheus.NewDesc("usher_tenant_cost_seconds_total",
			"Seconds that databases and APIs were at work for a tenant while it was among the 50 that cost most; (others): everybody else.", []string{"tenant"}, nil),
	}
}

// Add counts what databases and APIs did for a tenant; empty: for a principal of all tenants.
func (c *Costs) Add(id string, took time.Duration) {
	seconds, now := max(took, 0).Seconds(), c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == "" {
		c.all += seconds
		return
	}
	t := c.tenants[id]
	if t == nil {
		if len(c.tenants) >= 2*known {
			c.forget(now)
		}
		t = &tenant{at: now}
		c.tenants[strings.Clone(id)] = t
	}
	t.recent, t.at = t.weight(now)+seconds, now
	if !t.named && c.named < Named {
		t.named = true
		c.named++
	}
	if t.counts() {
		t.total += seconds
	} else {
		c.others += seconds
	}
	if now.Sub(c.ranked) >= settled {
		c.rank(now)
	}
}

// rank has those who cost little make room for those who cost clearly more, and gives the
// room that has come free to those who cost most. Nothing that was counted moves.
func (c *Costs) rank(now time.Time) {
	c.ranked = now
	var first, rest []*tenant
	leaving := 0
	for _, t := range c.tenants {
		if t.named && !t.leaves.IsZero() && !now.Before(t.leaves) {
			t.named, t.leaves = false, time.Time{}
			c.named--
		}
		switch {
		case t.counts():
			first = append(first, t)
		case t.named:
			leaving++
		default:
			rest = append(rest, t)
		}
	}
	slices.SortFunc(first, func(a, b *tenant) int { return cmp.Compare(a.weight(now), b.weight(now)) })
	slices.SortFunc(rest, func(a, b *tenant) int { return cmp.Compare(b.weight(now), a.weight(now)) })
	for len(rest) > 0 && c.named < Named {
		rest[0].named, rest = true, rest[1:]
		c.named++
	}
	rest = rest[min(leaving, len(rest)):] // there is room to come for these
	for i := range min(len(first), len(rest)) {
		if rest[i].weight(now) <= lead*first[i].weight(now) {
			return
		}
		first[i].leaves = now.Add(farewell)
	}
}

// forget forgets all but those who cost most. Who is among the first stays.
func (c *Costs) forget(now time.Time) {
	weights := make([]float64, 0, len(c.tenants))
	for _, t := range c.tenants {
		weights = append(weights, t.weight(now))
	}
	slices.Sort(weights)
	least := weights[len(weights)-known]
	for id, t := range c.tenants {
		if w := t.weight(now); !t.named && (w < least || w == least && len(c.tenants) > known) {
			delete(c.tenants, id)
		}
	}
}

// Describe implements prometheus.Collector.
func (c *Costs) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect implements prometheus.Collector.
func (c *Costs) Collect(out chan<- prometheus.Metric) {
	shown := map[string]float64{}
	c.mu.Lock()
	for id, t := range c.tenants {
		if t.named {
			shown[label(id)] += t.total
		}
	}
	others, all := c.others, c.all
	c.mu.Unlock()
	shown[Others] += others
	if all > 0 {
		shown[Everybodys] += all
	}
	for name, seconds := range shown {
		out <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, seconds, name)
	}
}

// label is how a tenant is shown: what no label can hold is left out, and nobody is
// shown as what stands for others.
func label(id string) string {
	name := strings.ToValidUTF8(id[:min(len(id), maxName)], "")
	if name == Others || name == Everybodys {
		return "(" + name + ")"
	}
	return name
}

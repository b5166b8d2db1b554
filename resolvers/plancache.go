package resolvers

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/catalog"
	"usher/graph"
	"usher/lru"
	"usher/plan"
	"usher/principal"
	"usher/slot"
)

// planKey is all that could make another plan of an operation, but for the values
// of its slots: who asks, by all that their rights have beside values, and what, in
// which view of which catalog.
type planKey struct {
	catalog *catalog.Catalog
	view    *catalog.View
	rights  string
	asked   graph.AskedKey
}

// planKeyOf is the key, and the values of all slots: first the operation's, then those
// of who asks, last the time.
func planKeyOf(cat *catalog.Catalog, view *catalog.View, who principal.Principal, asked graph.Asked, now time.Time) (planKey, slot.Inputs) {
	rights, in := who.AppendShape(make([]byte, 0, 256), slices.Clip(asked.Inputs))
	return planKey{catalog: cat, view: view, rights: string(rights), asked: asked.Key}, append(in, plan.Now(now))
}

// size is about how many bytes the key takes in memory, with the cache's own.
func (k planKey) size() int { return len(k.rights) + k.asked.Size() + 512 }

// Planned counts how operations were found, whatever configurations a process has served.
type Planned struct{ hits, misses prometheus.Counter }

// NewPlanned counts from zero.
func NewPlanned() *Planned {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "usher", Subsystem: "known_operations", Name: name, Help: help})
	}
	return &Planned{
		hits:   counter("hits_total", "Operations that were planned before."),
		misses: counter("misses_total", "Operations that had to be planned."),
	}
}

// Describe implements prometheus.Collector.
func (p *Planned) Describe(out chan<- *prometheus.Desc) {
	p.hits.Describe(out)
	p.misses.Describe(out)
}

// Collect implements prometheus.Collector.
func (p *Planned) Collect(out chan<- prometheus.Metric) {
	p.hits.Collect(out)
	p.misses.Collect(out)
}

// planCache keeps operations ready, those that were asked last (an LRU). Where a
// plan was made by what was said of its values, it is found by what is said of others.
type planCache struct {
	kept    *lru.Cache[keptKey, kept]
	planned *Planned
}

// keptKey is an operation, and what its guards said; the operation's first entry
// has nothing there.
type keptKey struct {
	planKey
	said string
}

// kept is an operation whose guards said that, and in the first entry also the
// guards of all others.
type kept struct {
	op     *operation
	guards []slot.Guards
}

// mostGuards is how many sequences of guards one operation may have. Each is tried.
const mostGuards = 16

// planCacheBytes bounds the operations that are kept ready, and largestKept each
// of them: a large one is asked once, and would drive out many small ones.
const (
	planCacheBytes = 64 << 20
	largestKept    = planCacheBytes / 64
)

func newPlanCache(planned *Planned) planCache {
	return planCache{kept: lru.New[keptKey, kept](planCacheBytes), planned: planned}
}

// get finds an operation that is the same for these inputs, and the texts of its
// terms for them.
func (c *planCache) get(key planKey, in slot.Inputs) (*operation, []string, bool) {
	op, texts := c.find(key, in)
	if op == nil {
		c.planned.misses.Inc()
		return nil, nil, false
	}
	if op.each {
		c.planned.misses.Inc()
		return op, nil, true
	}
	c.planned.hits.Inc()
	return op, texts, true
}

func (c *planCache) find(key planKey, in slot.Inputs) (*operation, []string) {
	first, ok := c.kept.Get(keptKey{planKey: key})
	if !ok {
		return nil, nil
	}
	op, told := first.op, slot.Told(nil)
	for i := 0; op == nil && i < len(first.guards); i++ {
		said, of, ok := first.guards[i].Answers(make([]byte, 0, 256), in)
		if ok {
			found, _ := c.kept.Get(keptKey{key, string(said)})
			op, told = found.op, of
		}
	}
	if op == nil {
		return nil, nil
	}
	texts, ok := op.slots.BindTold(in, told)
	if !ok { // who plans it says what is wrong with them
		return nil, nil
	}
	return op, texts
}

// add keeps an operation, if it will be the same tomorrow and is not too large.
func (c *planCache) add(key planKey, op *operation) {
	said := op.slots.Said()
	size := op.size + key.size() + len(said)
	if !op.lasting || size > largestKept {
		return
	}
	if said == "" {
		c.kept.Add(keptKey{planKey: key}, kept{op: op}, size)
		return
	}
	first, _ := c.kept.Get(keptKey{planKey: key})
	guards := op.slots.Guards()
	if !slices.ContainsFunc(first.guards, guards.Same) {
		if len(first.guards) == mostGuards {
			return
		}
		first.guards = append(slices.Clip(first.guards), guards) // others read the old ones
		c.kept.Add(keptKey{planKey: key}, first, key.size()+256*(len(first.guards)+guards.Len()))
	}
	c.kept.Add(keptKey{key, said}, kept{op: op}, size)
}

var (
	keptNow       = prometheus.NewDesc("usher_known_operations", "Operations that are kept ready.", nil, nil)
	keptBytesDesc = prometheus.NewDesc("usher_known_operations_bytes", "About how many bytes they take.", nil, nil)
)

// Describe implements prometheus.Collector.
func (d *Datasets) Describe(out chan<- *prometheus.Desc) {
	out <- keptNow
	out <- keptBytesDesc
}

// Collect implements prometheus.Collector.
func (d *Datasets) Collect(out chan<- prometheus.Metric) {
	out <- prometheus.MustNewConstMetric(keptNow, prometheus.GaugeValue, float64(d.plans.kept.Len()))
	out <- prometheus.MustNewConstMetric(keptBytesDesc, prometheus.GaugeValue, float64(d.plans.kept.Cost()))
}

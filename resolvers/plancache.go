package resolvers

import (
	"github.com/prometheus/client_golang/prometheus"

	"usher/catalog"
	"usher/graph"
	"usher/lru"
	"usher/principal"
)

// planKey is all that could make another plan of an operation: who asks, by
// their rights written out in full, and what, with its variables, in which view
// of which catalog.
type planKey struct {
	catalog *catalog.Catalog
	view    *catalog.View
	rights  string
	asked   graph.AskedKey
}

func planKeyOf(cat *catalog.Catalog, view *catalog.View, who principal.Principal, asked graph.AskedKey) planKey {
	return planKey{catalog: cat, view: view, rights: string(who.AppendRights(make([]byte, 0, 256))), asked: asked}
}

// size is about how many bytes the key takes in memory, with the cache's own.
func (k planKey) size() int { return len(k.rights) + k.asked.Size() + 512 }

// planCache keeps operations ready, those that were asked last (an LRU).
type planCache struct {
	kept         *lru.Cache[planKey, *operation]
	hits, misses prometheus.Counter
}

// planCacheBytes bounds the operations that are kept ready, and largestKept each
// of them: a large one is asked once, and would drive out many small ones.
const (
	planCacheBytes = 16 << 20
	largestKept    = planCacheBytes / 32
)

func newPlanCache() planCache {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "usher", Subsystem: "known_operations", Name: name, Help: help})
	}
	return planCache{
		kept:   lru.New[planKey, *operation](planCacheBytes),
		hits:   counter("hits_total", "Operations that were planned before."),
		misses: counter("misses_total", "Operations that had to be planned."),
	}
}

func (c *planCache) get(key planKey) (*operation, bool) {
	op, kept := c.kept.Get(key)
	if kept {
		c.hits.Inc()
	} else {
		c.misses.Inc()
	}
	return op, kept
}

// add keeps an operation, if it will be the same tomorrow and is not too large.
func (c *planCache) add(key planKey, op *operation) {
	if size := op.size + key.size(); op.lasting && size <= largestKept {
		c.kept.Add(key, op, size)
	}
}

var (
	keptNow       = prometheus.NewDesc("usher_known_operations", "Operations that are kept ready.", nil, nil)
	keptBytesDesc = prometheus.NewDesc("usher_known_operations_bytes", "About how many bytes they take.", nil, nil)
)

// Describe implements prometheus.Collector.
func (d *Datasets) Describe(out chan<- *prometheus.Desc) {
	d.plans.hits.Describe(out)
	d.plans.misses.Describe(out)
	out <- keptNow
	out <- keptBytesDesc
}

// Collect implements prometheus.Collector.
func (d *Datasets) Collect(out chan<- prometheus.Metric) {
	d.plans.hits.Collect(out)
	d.plans.misses.Collect(out)
	out <- prometheus.MustNewConstMetric(keptNow, prometheus.GaugeValue, float64(d.plans.kept.Len()))
	out <- prometheus.MustNewConstMetric(keptBytesDesc, prometheus.GaugeValue, float64(d.plans.kept.Cost()))
}

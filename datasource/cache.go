package datasource

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"usher/datasource/receipt"
	"usher/datasource/sqlexec"
	"usher/lru"
	"usher/plan"
	"usher/trace"
	"usher/value"
)

// cached answers with what was answered before, if it may be so old, and keeps
// what is answered now.
type cached struct {
	next
	cache   *cache
	metrics *metrics
}

func (c *cached) ask(ctx context.Context, q *Question) (Answered, error) {
	if q.maxAge == 0 {
		return c.next.ask(ctx, q)
	}
	key := cacheKey{q.target, q.statement.Key()}
	if answered, ok := c.cache.get(key, q.maxAge); ok {
		c.metrics.hits.Inc()
		if _, span := trace.Ask(ctx, "source", sourceOf(q.target)); span.Recorded() {
			span.Kept()
			span.Rows(rowsOf(answered.Results...))
			span.End()
		}
		if notes := receipt.From(ctx); notes != nil {
			notes.Add(receipt.Step{Source: q.target.Source, SQL: q.statement.Text(), Rows: rowsOf(answered.Results...), Kept: true})
		}
		return answered, nil
	}
	c.metrics.misses.Inc()
	purges, at := c.cache.purges.Load(), c.cache.now()
	answered, err := c.next.ask(ctx, q)
	if err != nil {
		return Answered{}, err
	}
	c.cache.put(key, &kept{results: answered.Results, at: at, tenant: q.owner(), datasets: q.datasets}, purges)
	answered.MaxAge = q.maxAge
	return answered, nil
}

// cache keeps the answers of questions whose datasets all allow it. An entry
// belongs to an account, a statement and its arguments, so tenants share one
// exactly when they ask the same of the same rows: data common to all.
type cache struct {
	now     func() time.Time
	purges  atomic.Uint64
	mu      sync.Mutex // between a purge and answers that were on their way
	entries *lru.Cache[cacheKey, *kept]
}

type cacheKey struct {
	target    plan.Target
	statement sqlexec.Key
}

type kept struct {
	results  []*value.Result
	at       time.Time
	tenant   string
	datasets []string
}

func newCache(bytes int, now func() time.Time) *cache {
	return &cache{now: now, entries: lru.New[cacheKey, *kept](bytes)}
}

func (c *cache) get(key cacheKey, longest time.Duration) (Answered, bool) {
	k, ok := c.entries.Get(key)
	if !ok {
		return Answered{}, false
	}
	age := c.now().Sub(k.at)
	if age < 0 || age >= longest {
		return Answered{}, false
	}
	return Answered{Results: k.results, Age: age, MaxAge: longest}, true
}

// put keeps results that were asked for when purges had that value.
func (c *cache) put(key cacheKey, k *kept, purges uint64) {
	size := key.statement.Size() + 256
	for _, r := range k.results {
		size += r.Size()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.purges.Load() == purges {
		c.entries.Add(key, k, size)
	}
}

// purge forgets the answers from a dataset: a tenant's, or with no tenant
// everybody's. Of data common to all everybody's answers go.
func (c *cache) purge(tenant, dataset string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.purges.Add(1)
	c.entries.Remove(func(_ cacheKey, k *kept) bool {
		return (dataset == "" || slices.Contains(k.datasets, dataset)) && (tenant == "" || k.tenant == "" || k.tenant == tenant)
	})
}

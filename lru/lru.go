// Package lru owns the cache that forgets (LRU, least recently used): values up
// to a total cost, those unused for longest leave first. Where values are to be
// counted, each costs 1. The total holds at every moment, since some of the costs
// are bytes; it closes nothing, so what has to be closed is not kept here.
package lru

import (
	"container/list"
	"sync"
)

// Cache keeps values up to a total cost. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	mu    sync.Mutex
	max   int
	cost  int
	order *list.List // of *kept, the last used first
	byKey map[K]*list.Element
}

type kept[K comparable, V any] struct {
	key   K
	value V
	cost  int
}

// New makes a cache of a total cost.
func New[K comparable, V any](maxCost int) *Cache[K, V] {
	return &Cache[K, V]{max: maxCost, order: list.New(), byKey: make(map[K]*list.Element)}
}

// Get returns a value that is kept.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.byKey[key]
	if !ok {
		var none V
		return none, false
	}
	c.order.MoveToFront(at)
	return at.Value.(*kept[K, V]).value, true
}

// Add keeps a value. What costs more than everything may cost is not kept.
func (c *Cache[K, V]) Add(key K, value V, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, value, cost)
}

func (c *Cache[K, V]) add(key K, value V, cost int) {
	if at, ok := c.byKey[key]; ok {
		c.drop(at)
	}
	if cost > c.max {
		return
	}
	c.byKey[key] = c.order.PushFront(&kept[K, V]{key, value, cost})
	for c.cost += cost; c.cost > c.max; {
		c.drop(c.order.Back())
	}
}

// GetOrAdd returns a value that is kept, or keeps the one that is made. All who
// ask at once get the same.
func (c *Cache[K, V]) GetOrAdd(key K, cost int, build func() V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byKey[key]; ok {
		c.order.MoveToFront(at)
		return at.Value.(*kept[K, V]).value
	}
	value := build()
	c.add(key, value, cost)
	return value
}

// Forget drops a value.
func (c *Cache[K, V]) Forget(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byKey[key]; ok {
		c.drop(at)
	}
}

// Cost is the total cost of what is kept.
func (c *Cache[K, V]) Cost() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cost
}

// Len is how many values are kept.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}

// Remove drops the values that match.
func (c *Cache[K, V]) Remove(match func(K, V) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at := c.order.Front(); at != nil; {
		next, k := at.Next(), at.Value.(*kept[K, V])
		if match(k.key, k.value) {
			c.drop(at)
		}
		at = next
	}
}

func (c *Cache[K, V]) drop(at *list.Element) {
	k := c.order.Remove(at).(*kept[K, V])
	delete(c.byKey, k.key)
	c.cost -= k.cost
}

package graph

import (
	"container/list"
	"sync"
)

// lru keeps values up to a total cost and forgets those unused for longest.
type lru[K comparable, V any] struct {
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

func newLRU[K comparable, V any](maxCost int) *lru[K, V] {
	return &lru[K, V]{max: maxCost, order: list.New(), byKey: make(map[K]*list.Element)}
}

func (c *lru[K, V]) get(key K) (V, bool) {
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

// add keeps a value. What costs more than everything may cost is not kept.
func (c *lru[K, V]) add(key K, value V, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byKey[key]; ok {
		c.forget(at)
	}
	if cost > c.max {
		return
	}
	c.byKey[key] = c.order.PushFront(&kept[K, V]{key, value, cost})
	for c.cost += cost; c.cost > c.max; {
		c.forget(c.order.Back())
	}
}

func (c *lru[K, V]) forget(at *list.Element) {
	k := c.order.Remove(at).(*kept[K, V])
	delete(c.byKey, k.key)
	c.cost -= k.cost
}

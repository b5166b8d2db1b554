package tenancy

import (
	"container/list"
	"sync"
)

// lru keeps the most recently used values, up to a number.
type lru[K comparable, V any] struct {
	mu    sync.Mutex
	most  int
	order *list.List // of node; the front was used last
	nodes map[K]*list.Element
}

type node[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](most int) *lru[K, V] {
	return &lru[K, V]{most: most, order: list.New(), nodes: map[K]*list.Element{}}
}

func (c *lru[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.nodes[key]
	if element == nil {
		var none V
		return none, false
	}
	c.order.MoveToFront(element)
	return element.Value.(node[K, V]).value, true
}

func (c *lru[K, V]) put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(key, value)
}

func (c *lru[K, V]) set(key K, value V) {
	if element := c.nodes[key]; element != nil {
		element.Value = node[K, V]{key, value}
		c.order.MoveToFront(element)
		return
	}
	c.nodes[key] = c.order.PushFront(node[K, V]{key, value})
	if c.order.Len() > c.most {
		oldest := c.order.Back()
		delete(c.nodes, c.order.Remove(oldest).(node[K, V]).key)
	}
}

// update replaces the value of a key by what change makes of it; the zero value
// stands for none.
func (c *lru[K, V]) update(key K, change func(V) V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	var value V
	if element := c.nodes[key]; element != nil {
		value = element.Value.(node[K, V]).value
	}
	value = change(value)
	c.set(key, value)
	return value
}

func (c *lru[K, V]) remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element := c.nodes[key]; element != nil {
		c.order.Remove(element)
		delete(c.nodes, key)
	}
}

func (c *lru[K, V]) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}

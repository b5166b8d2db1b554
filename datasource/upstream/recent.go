package upstream

import (
	"container/list"
	"sync"
)

// recent keeps the values that were used last, as many as fit its limit (LRU).
type recent[K comparable, V any] struct {
	limit   int64
	dropped func(V) // may be nil

	mu    sync.Mutex
	size  int64
	order list.List // of entry[K, V], used last first
	index map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
	size  int64
}

// get returns the value of a key.
func (r *recent[K, V]) get(key K) (v V, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.index[key]
	if at == nil {
		return v, false
	}
	r.order.MoveToFront(at)
	return at.Value.(entry[K, V]).value, true
}

// put sets the value of a key, which takes so much of the limit.
func (r *recent[K, V]) put(key K, v V, size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set(key, v, size)
}

// getOr returns the value of a key, made if there is none.
func (r *recent[K, V]) getOr(key K, create func() V) V {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := r.index[key]; at != nil {
		r.order.MoveToFront(at)
		return at.Value.(entry[K, V]).value
	}
	v := create()
	r.set(key, v, 1)
	return v
}

// each calls f with every value.
func (r *recent[K, V]) each(f func(V)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := r.order.Front(); at != nil; at = at.Next() {
		f(at.Value.(entry[K, V]).value)
	}
}

// clear forgets everything.
func (r *recent[K, V]) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.order.Len() > 0 {
		r.drop(r.order.Back())
	}
}

// remove forgets a key.
func (r *recent[K, V]) remove(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := r.index[key]; at != nil {
		r.drop(at)
	}
}

func (r *recent[K, V]) set(key K, v V, size int64) {
	if at := r.index[key]; at != nil {
		r.drop(at)
	}
	if size > r.limit {
		return
	}
	if r.index == nil {
		r.index = make(map[K]*list.Element)
	}
	r.index[key] = r.order.PushFront(entry[K, V]{key, v, size})
	for r.size += size; r.size > r.limit; {
		r.drop(r.order.Back())
	}
}

func (r *recent[K, V]) drop(at *list.Element) {
	e := r.order.Remove(at).(entry[K, V])
	delete(r.index, e.key)
	r.size -= e.size
	if r.dropped != nil {
		r.dropped(e.value)
	}
}

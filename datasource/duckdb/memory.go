package duckdb

import (
	"cmp"
	"container/list"
	"context"
	"database/sql"
	"math/bits"
	"sync"
	"time"

	"usher/fault"
)

const (
	fullLimit  = 1 << 30  // bytes that an instance needs at most, unless it is told otherwise
	leastLimit = 32 << 20 // and with which it answers small questions still
)

// Memory is what the instances of all sources together may use. The limit of an
// instance is settled when it opens, and locked: so each gets a fair part of
// the whole then, instances that nobody uses are closed to make room and open
// again with the next question, and who finds all in use waits for one.
type Memory struct {
	bound, full, least int64

	mu    sync.Mutex
	free  int64
	open  *list.List    // of *instance, used last first
	freed chan struct{} // closed when somebody who waits may look again
}

// NewMemory makes a bound of so many bytes.
func NewMemory(bound int64) *Memory {
	return &Memory{
		bound: bound, full: min(fullLimit, bound), least: min(leastLimit, bound),
		free: bound, open: list.New(), freed: make(chan struct{}),
	}
}

// memory is what the instances of these options share, or have for themselves.
func (o Options) memory() *Memory {
	if o.Memory != nil {
		return o.Memory
	}
	m := NewMemory(cmp.Or(o.MemoryLimit, fullLimit))
	m.full, m.least = m.bound, m.bound
	return m
}

// use returns the pool of an instance, which is opened if it is not. The caller
// calls done when it no longer uses it.
func (m *Memory) use(ctx context.Context, i *instance) (*sql.DB, error) {
	select { // one opens, the others find it open
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return nil, fault.From(ctx.Err())
	}
	for {
		pool, wait, err := m.enter(i)
		switch {
		case err != nil || pool != nil:
			return pool, err
		case wait == nil:
			return m.start(i)
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, fault.From(ctx.Err())
		}
	}
}

// enter counts a user of an instance that is open. For one that is not it
// reserves a part; without any it returns what to wait for.
func (m *Memory) enter(i *instance) (pool *sql.DB, wait <-chan struct{}, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i.retired {
		return nil, nil, unreadable(errRetired)
	}
	if i.closed {
		return nil, nil, fault.New(fault.Unavailable, "the source has just been closed")
	}
	if i.pool != nil && i.yields {
		return nil, m.freed, nil
	}
	if i.pool != nil {
		i.enters()
		m.open.MoveToFront(i.at)
		return i.pool, nil, nil
	}
	part := m.fair()
	for e := m.open.Back(); e != nil && m.free < part; {
		idle, before := e.Value.(*instance), e.Prev()
		if idle.users == 0 {
			m.close(idle)
		}
		e = before
	}
	if m.free < m.least {
		return nil, m.freed, nil
	}
	i.limit = min(part, max(m.free/2, m.least)) // those that are busy for long leave something for others
	m.free -= i.limit
	i.users++
	i.at = m.open.PushFront(i)
	return nil, nil, nil
}

// fair is the part of one that opens now. It is halved when there are twice as
// many, so that those that are there are not opened anew for each that comes.
func (m *Memory) fair() int64 {
	n := int64(1) << bits.Len(uint(m.open.Len()))
	return max(min(m.bound/n, m.full), m.least)
}

// start opens an instance that has its part.
func (m *Memory) start(i *instance) (*sql.DB, error) {
	pool, err := i.open(i.limit)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		i.users--
		m.drop(i)
		return nil, err
	}
	i.pool = pool
	return pool, nil
}

// done counts one user less.
func (m *Memory) done(i *instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i.leaves(); i.users > 0 {
		return
	}
	if i.closed && i.at != nil {
		m.drop(i)
		return
	}
	if i.retired || i.yields {
		m.close(i)
		return
	}
	m.tell()
}

// enters counts a user more.
func (i *instance) enters() {
	if i.users++; i.users > 1 {
		i.several = time.Now()
	}
}

// leaves counts a user less.
func (i *instance) leaves() {
	if i.users > 1 {
		i.several = time.Now()
	}
	i.users--
}

// shared tells whether an instance has had several users at a time since then: what it may use was not one's alone.
func (m *Memory) shared(i *instance, since time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return i.users > 1 || i.several.After(since)
}

// yield closes an instance as soon as nobody uses it; whoever comes then opens it again.
func (m *Memory) yield(i *instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i.users == 0 {
		m.close(i)
		return
	}
	i.yields = true
}

// retire lets nobody use an instance any more. It closes when its users have left.
func (m *Memory) retire(i *instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i.retired = true
	if i.users == 0 {
		m.close(i)
	}
}

// end closes an instance for good; its part is free when its users have left.
func (m *Memory) end(i *instance) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i.closed = true
	if i.pool == nil {
		return nil
	}
	err := i.pool.Close()
	i.pool = nil
	if i.users == 0 {
		m.drop(i)
	}
	return err
}

// close closes an instance that nobody uses. The lock is held: what it used is
// free before another opens.
func (m *Memory) close(i *instance) {
	if i.pool == nil {
		return
	}
	_ = i.pool.Close()
	i.pool = nil
	m.drop(i)
}

// drop gives the part of an instance back, which nobody uses.
func (m *Memory) drop(i *instance) {
	if i.ended != nil {
		i.ended()
	}
	m.open.Remove(i.at)
	m.free += i.limit
	i.at, i.limit, i.yields = nil, 0, false
	m.tell()
}

func (m *Memory) tell() {
	close(m.freed)
	m.freed = make(chan struct{})
}

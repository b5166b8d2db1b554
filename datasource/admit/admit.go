// Package admit owns whose turn it is to be at work at a source. A shared
// database is one account for all its tenants: without this, one of them could
// fill it, and the line before it, with questions of its own.
//
// The rules of a gate with n slots:
//
//   - Each tenant has a line of its own, first come, first served. Lines are
//     served in turn, whatever their length.
//   - With k tenants at work or in line, a tenant's share is n/k, rounded up. A
//     tenant that has its share gets no further slot while one below its own
//     waits. Nobody else waiting, it may have more.
//   - The last free slot is only for a tenant that has none (if there are two at
//     least). So a tenant alone has all but one, and whoever comes next finds
//     a free slot however slow the others' questions are.
//
// It refuses at once, and holds nothing for, those whose tenant's line is full,
// and those who have waited for too long. It knows neither sources nor plans.
package admit

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"usher/fault"
)

// Limits bound a tenant's line. Zero values mean the defaults.
type Limits struct {
	Waiting int           // callers of one tenant in line; default 100
	Wait    time.Duration // how long one waits at most; default 10 s
}

// Counts are what the gates of a gateway count together.
type Counts struct {
	Full    atomic.Int64 // refused, because the tenant's line was full
	Expired atomic.Int64 // refused, because no slot became free in time
}

// Gate is the way into one account.
type Gate struct {
	limits Limits
	counts *Counts
	slots  int

	mu      sync.Mutex
	free    int
	tenants map[string]*tenant // those at work or in line
	turns   list.List          // of *tenant: those in line, the next one first
	waiting int
	spare   *tenant // to be used again
}

// tenant is one tenant's part of a gate.
type tenant struct {
	name string
	held int       // slots
	line list.List // of *waiter
	turn *list.Element
}

// waiter is a caller in line.
type waiter struct {
	admitted chan struct{} // closed when a slot is the caller's
	at       *list.Element
}

// Slot is the right to be at work. Whoever got it calls Leave, once.
type Slot struct {
	gate   *Gate
	tenant *tenant
}

// New makes a gate with so many slots, one at least. Counts may be nil.
func New(slots int, l Limits, counts *Counts) *Gate {
	l.Waiting, l.Wait = cmp.Or(l.Waiting, 100), cmp.Or(l.Wait, 10*time.Second)
	if counts == nil {
		counts = &Counts{}
	}
	slots = max(slots, 1)
	return &Gate{limits: l, counts: counts, slots: slots, free: slots, tenants: make(map[string]*tenant)}
}

// Waiting is how many callers are in line.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting
}

// Enter returns when a slot is the caller's, or with the reason why none is. All
// principals without a tenant are one tenant, whose name is empty.
func (g *Gate) Enter(ctx context.Context, name string) (Slot, error) {
	t, w, err := g.ask(name)
	switch {
	case err != nil:
		return Slot{}, err
	case w == nil:
		return Slot{g, t}, nil
	}
	limit := time.NewTimer(g.limits.Wait)
	defer limit.Stop()
	select {
	case <-w.admitted:
		return Slot{g, t}, nil
	case <-limit.C:
		err = g.expired()
	case <-ctx.Done():
		if err = fault.From(ctx.Err()); errors.Is(err, context.DeadlineExceeded) {
			err = g.expired()
		}
	}
	if !g.giveUp(t, w) { // admitted just now
		Slot{g, t}.Leave()
	}
	return Slot{}, err
}

// again is when a caller that was refused may try again.
const again = time.Second

func (g *Gate) full() error {
	g.counts.Full.Add(1)
	f := fault.New(fault.TooManyRequests, "too many requests of this tenant wait for the source").WithHint("Send fewer at a time.")
	f.RetryAfter = again
	return f
}

func (g *Gate) expired() error {
	g.counts.Expired.Add(1)
	f := fault.New(fault.Unavailable, "the source has too much to do").WithHint("Try again in a moment.")
	f.RetryAfter = again
	return f
}

// ask admits at once or puts the caller in line.
func (g *Gate) ask(name string) (*tenant, *waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.tenant(name)
	if g.turns.Len() == 0 && g.mayEnter(t) {
		g.enter(t)
		return t, nil, nil
	}
	if t.line.Len() >= g.limits.Waiting {
		return nil, nil, g.full()
	}
	w := &waiter{admitted: make(chan struct{})}
	w.at = t.line.PushBack(w)
	g.waiting++
	if t.turn == nil {
		t.turn = g.turns.PushBack(t)
	}
	g.serve() // those in line may all have their share
	return t, w, nil
}

// giveUp tells whether the caller was still in line.
func (g *Gate) giveUp(t *tenant, w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.at == nil {
		return false
	}
	g.out(t, w)
	g.settle(t)
	g.serve() // the shares of the others are larger now
	return true
}

// Leave gives the slot back.
func (s Slot) Leave() {
	g := s.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	s.tenant.held--
	g.free++
	g.settle(s.tenant)
	g.serve()
}

// serve admits whoever may enter, in turn.
func (g *Gate) serve() {
	for t := g.next(); t != nil; t = g.next() {
		w := t.line.Front().Value.(*waiter)
		g.out(t, w)
		if t.turn != nil {
			g.turns.MoveToBack(t.turn)
		}
		g.enter(t)
		close(w.admitted)
	}
}

// next is the first in turn that is below its share, or else the first. The walk
// is short: no more tenants than there are slots can have their share, or one.
func (g *Gate) next() *tenant {
	var first *tenant
	for e := g.turns.Front(); e != nil && g.free > 0; e = e.Next() {
		t := e.Value.(*tenant)
		if !g.mayEnter(t) {
			continue
		}
		if t.held < g.share() {
			return t
		}
		if first == nil {
			first = t
		}
	}
	return first
}

// mayEnter keeps the last free slot for those who have none.
func (g *Gate) mayEnter(t *tenant) bool {
	return g.free > 1 || g.free == 1 && (t.held == 0 || g.slots == 1)
}

// share is how many slots a tenant has before others that wait come first. All
// tenants weigh the same; weights would stand here and in the turns.
func (g *Gate) share() int { return (g.slots + len(g.tenants) - 1) / len(g.tenants) }

func (g *Gate) enter(t *tenant) {
	t.held++
	g.free--
}

// out takes a caller out of its tenant's line.
func (g *Gate) out(t *tenant, w *waiter) {
	t.line.Remove(w.at)
	w.at = nil
	g.waiting--
	if t.line.Len() == 0 {
		g.turns.Remove(t.turn)
		t.turn = nil
	}
}

func (g *Gate) tenant(name string) *tenant {
	t := g.tenants[name]
	if t == nil {
		if t, g.spare = g.spare, nil; t == nil {
			t = &tenant{}
		}
		t.name = name
		g.tenants[name] = t
	}
	return t
}

// settle forgets a tenant that is neither at work nor in line.
func (g *Gate) settle(t *tenant) {
	if t.held == 0 && t.line.Len() == 0 {
		delete(g.tenants, t.name)
		g.spare = t
	}
}

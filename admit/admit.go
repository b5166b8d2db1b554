// Package admit owns whose turn it is: to be at work at a source (Gate), and at the
// gateway itself (Turns). A shared database is one account for all its tenants: without
// this, one of them could fill it, and the line before it, with questions of its own.
//
// The rules of a gate with n slots:
//
//   - Each tenant has a line of its own, first come, first served. Lines are
//     served in turn, whatever their length: of each as many as the tenant weighs.
//   - Of those at work or in line a tenant's share is its part of their weights,
//     rounded up. A tenant that has its share gets no further slot while one
//     below its own waits. Nobody else waiting, it may have more.
//   - The last free slot is only for a tenant that has none (if there are two at
//     least). So a tenant alone has all but one, and whoever comes next finds
//     a free slot however slow the others' questions are. Beside others it is, in
//     its turn, for one that weighs more and is below its share, too.
//   - While another has asked within the last second, a tenant has half of the slots
//     at most, or less if Limits say so, or its share beside that one if it weighs
//     more. So what others ask now and then does not find the source, or the
//     processors, at work for one tenant alone.
//   - What takes long and nobody looks at (see InBulk) is a class of its own, with
//     lines of its own. It comes when nobody else waits who might enter, takes no
//     more than half of the slots, and never the last one. While another tenant has asked
//     within the last second for what somebody waits for, one has a quarter of the slots at
//     most for it, or one: each is a processor's work at the source for as long as it lasts.
//     So that it does not starve, one of it comes in its turn when 4n others went before and
//     none of it is at work. Whoever asks for it waits as long as there is time.
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
	Waiting int           // callers of one tenant and class in line; default 100
	Wait    time.Duration // how long one waits at most; default 10 s
	Beside  int           // slots of a tenant while others ask; default half of them, rounded up
}

// Counts are what the gates of a gateway count together.
type Counts struct {
	Full    atomic.Int64 // refused, because the tenant's line was full
	Expired atomic.Int64 // refused, because no slot became free in time
}

// class is who comes first.
type class int

const (
	interactive class = iota // somebody waits for it
	bulk
	classes
)

type inContext struct{}

// caller is what a context says of those who ask in it.
type caller struct {
	class  class
	weight int // of the tenant; 0: 1
}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(inContext{}).(caller)
	c.weight = max(c.weight, 1)
	return c
}

// InBulk is the context of what takes long and nobody looks at while it lasts: exports and
// imports, and all that they ask.
func InBulk(ctx context.Context) context.Context {
	c := callerOf(ctx)
	c.class = bulk
	return context.WithValue(ctx, inContext{}, c)
}

// Weighing is the context of a tenant that weighs so much. All its requests are to say the
// same: the last one counts.
func Weighing(ctx context.Context, weight int) context.Context {
	c := callerOf(ctx)
	if c.weight == max(weight, 1) {
		return ctx
	}
	c.weight = weight
	return context.WithValue(ctx, inContext{}, c)
}

// Gate is the way into one account.
type Gate struct {
	limits Limits
	counts *Counts
	slots  int

	mu      sync.Mutex
	free    int
	tenants map[string]*tenant // those at work or in line
	weight  int                // theirs
	turns   [classes]list.List // of *tenant: those in line, the next one first
	waiting int
	atWork  [classes]int // slots
	passed  int          // how many went before those of the lower class that wait
	spare   *tenant      // to be used again
	asking  asking
	waited  *waitedFor
}

// tenant is one tenant's part of a gate.
type tenant struct {
	name   string
	weight int
	of     [classes]part
}

// part is what a tenant has of one class.
type part struct {
	held int       // slots
	line list.List // of *waiter
	turn *list.Element
	left int // how many are still served in this turn
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
	class  class
}

// New makes a gate with so many slots, one at least. Counts may be nil.
func New(slots int, l Limits, counts *Counts) *Gate {
	l.Waiting, l.Wait = cmp.Or(l.Waiting, 100), cmp.Or(l.Wait, 10*time.Second)
	if counts == nil {
		counts = &Counts{}
	}
	slots = max(slots, 1)
	l.Beside = cmp.Or(l.Beside, (slots+1)/2)
	return &Gate{limits: l, counts: counts, slots: slots, free: slots, tenants: make(map[string]*tenant), waited: &waitedFor{}}
}

// With has two gates to one account know together whose questions are waited for. It is called
// before anybody enters.
func (g *Gate) With(other *Gate) { g.waited = other.waited }

// Waiting is how many callers are in line.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting
}

// Enter returns when a slot is the caller's, or with the reason why none is. All
// principals without a tenant are one tenant, whose name is empty.
func (g *Gate) Enter(ctx context.Context, name string) (Slot, error) {
	by := callerOf(ctx)
	c := by.class
	t, w, err := g.ask(name, by)
	switch {
	case err != nil:
		return Slot{}, err
	case w == nil:
		return Slot{g, t, c}, nil
	}
	var late <-chan time.Time
	if c == interactive {
		limit := time.NewTimer(g.limits.Wait)
		defer limit.Stop()
		late = limit.C
	}
	select {
	case <-w.admitted:
		return Slot{g, t, c}, nil
	case <-late:
		err = g.expired()
	case <-ctx.Done():
		if err = fault.From(ctx.Err()); errors.Is(err, context.DeadlineExceeded) {
			err = g.expired()
		}
	}
	if !g.giveUp(t, c, w) { // admitted just now
		Slot{g, t, c}.Leave()
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
func (g *Gate) ask(name string, by caller) (*tenant, *waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.asking.note(name, by.weight, now)
	if by.class == interactive {
		g.waited.note(name, now)
	}
	t, c := g.tenant(name, by.weight), by.class
	if g.waiting == 0 && g.mayEnter(t, c) {
		g.enter(t, c)
		return t, nil, nil
	}
	p := &t.of[c]
	if p.line.Len() >= g.limits.Waiting {
		g.settle(t)
		return nil, nil, g.full()
	}
	w := &waiter{admitted: make(chan struct{})}
	w.at = p.line.PushBack(w)
	g.waiting++
	if p.turn == nil {
		p.turn, p.left = g.turns[c].PushBack(t), t.weight
	}
	g.serve() // those in line may all have their share
	return t, w, nil
}

// giveUp tells whether the caller was still in line.
func (g *Gate) giveUp(t *tenant, c class, w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.at == nil {
		return false
	}
	g.out(t, c, w)
	g.settle(t)
	g.serve() // the shares of the others are larger now
	return true
}

// Leave gives the slot back.
func (s Slot) Leave() {
	g := s.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	s.tenant.of[s.class].held--
	g.atWork[s.class]--
	g.free++
	g.settle(s.tenant)
	g.serve()
}

// serve admits whoever may enter, in turn.
func (g *Gate) serve() {
	for t, c := g.next(); t != nil; t, c = g.next() {
		p := &t.of[c]
		w := p.line.Front().Value.(*waiter)
		g.out(t, c, w)
		if p.left--; p.left <= 0 && p.turn != nil {
			g.turns[c].MoveToBack(p.turn)
			p.left = t.weight
		}
		g.enter(t, c)
		close(w.admitted)
	}
}

// next is who is served next: somebody of the lower class when it would starve, and
// else when there is nobody of the higher one.
func (g *Gate) next() (*tenant, class) {
	if g.free == 0 {
		return nil, bulk
	}
	if g.starving() {
		if t := g.first(bulk); t != nil {
			return t, bulk
		}
	}
	if t := g.first(interactive); t != nil {
		return t, interactive
	}
	return g.first(bulk), bulk
}

// first is the first in turn that is below its share, or else the first. The walk
// is short: no more tenants than there are slots can have their share, or one.
func (g *Gate) first(c class) *tenant {
	var first *tenant
	for e := g.turns[c].Front(); e != nil; e = e.Next() {
		t := e.Value.(*tenant)
		if !g.mayEnter(t, c) && (e.Prev() != nil || c == bulk || !g.outweighs(t)) {
			if c == bulk && !g.roomInBulk() { // nor may anybody else of it
				return nil
			}
			continue
		}
		if t.of[c].held < g.share(t) {
			return t
		}
		if first == nil {
			first = t
		}
	}
	return first
}

// mayEnter keeps the last free slot for those who have none, and for those whom
// somebody waits for.
func (g *Gate) mayEnter(t *tenant, c class) bool {
	if c == interactive {
		held := t.of[c].held
		return g.free > 0 && (held == 0 || g.slots == 1 || g.free > 1 && held < g.most(t))
	}
	return g.roomInBulk() && (t.of[bulk].held < max(g.slots/4, 1) || !g.waited.beside(t.name))
}

// roomInBulk tells that somebody of the lower class may be at work beside those who are.
func (g *Gate) roomInBulk() bool {
	kept := 1
	if g.slots == 1 || g.starving() {
		kept = 0
	}
	return g.free > kept && g.atWork[bulk] < max(g.slots/2, 1)
}

// most is how many slots a tenant has while no one waits who comes before it.
func (g *Gate) most(t *tenant) int {
	other, there := g.asking.beside(t.name)
	if !there {
		return g.slots
	}
	all := g.weight
	if len(g.tenants) == 1 {
		all += other.weight
	}
	return beside(g.limits.Beside, t.weight, all)
}

// outweighs tells that a tenant that weighs more than others has less than its share
// beside them: who has no slot does not come before it each time then, but in turn.
func (g *Gate) outweighs(t *tenant) bool {
	return t.weight > 1 && len(g.tenants) > 1 && t.of[interactive].held < g.share(t)
}

// starving tells that the lower class was passed by for long enough.
func (g *Gate) starving() bool { return g.atWork[bulk] == 0 && g.passed >= passes*g.slots }

// passes is how often each slot is given to others before one of the lower class gets it.
const passes = 4

// share is how many slots a tenant has before others that wait come first.
func (g *Gate) share(t *tenant) int { return (g.slots*t.weight + g.weight - 1) / g.weight }

func (g *Gate) enter(t *tenant, c class) {
	t.of[c].held++
	g.atWork[c]++
	g.free--
	if c == bulk || g.turns[bulk].Len() == 0 {
		g.passed = 0
	} else {
		g.passed++
	}
}

// out takes a caller out of its tenant's line.
func (g *Gate) out(t *tenant, c class, w *waiter) {
	p := &t.of[c]
	p.line.Remove(w.at)
	w.at = nil
	g.waiting--
	if p.line.Len() == 0 {
		g.turns[c].Remove(p.turn)
		p.turn = nil
	}
}

func (g *Gate) tenant(name string, weight int) *tenant {
	t := g.tenants[name]
	if t == nil {
		if t, g.spare = g.spare, nil; t == nil {
			t = &tenant{}
		}
		t.name, t.weight = name, 0
		g.tenants[name] = t
	}
	g.weight += weight - t.weight
	t.weight = weight
	return t
}

// settle forgets a tenant that is neither at work nor in line.
func (g *Gate) settle(t *tenant) {
	for c := range t.of {
		if t.of[c].held > 0 || t.of[c].line.Len() > 0 {
			return
		}
	}
	delete(g.tenants, t.name)
	g.weight -= t.weight
	g.spare = t
}

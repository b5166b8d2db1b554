package admit

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"usher/fault"
)

// Turns bound how many requests of one tenant are under way on this machine while others
// ask, so that they wait in the tenant's line, which costs nothing, and not among those
// that are about to run, here and in a database beside it, where everybody would wait for
// them. A tenant alone is not bounded. Who waits for a source is away: its turn goes to the
// next one when that takes longer than a while, so that slow sources bound nobody.
//
// A nil *Turns bounds nobody.
type Turns struct {
	most    int           // of a tenant beside others
	brief   time.Duration // who is away for less keeps its turn
	limits  Limits
	counts  *Counts
	waiting atomic.Int64

	mu      sync.Mutex
	tenants map[string]*underWay // those with requests
	weight  int                  // theirs
	asking  asking
	spare   *underWay // to be used again
}

// underWay is one tenant's part of the turns.
type underWay struct {
	name     string
	weight   int
	requests int         // that have begun, and not ended
	held     int         // turns
	away     []*Turn     // those that hold one, who left first is first: not many more than a tenant has beside others
	back     list.List   // of *queued: those that were away for long come first
	line     list.List   // of *queued: those that have not begun
	timer    *time.Timer // of the first that is away, when somebody waits
}

// Turn is one request's. A nil *Turn is that of a request that nobody bounds.
type Turn struct {
	turns *Turns
	of    *underWay
	done  <-chan struct{} // the request has ended
	away  int             // goroutines that wait for something else
	since time.Time       // the first of them does
	held  bool
	left  bool
}

// queued is who waits for a request's turn.
type queued struct {
	turn     *Turn
	admitted chan struct{} // closed when the turn has come
	at       *list.Element
}

// NewTurns makes turns, so many of one tenant beside others or more as it weighs, of which
// nobody keeps one while it is away for longer than brief. Counts may be nil.
func NewTurns(most int, brief time.Duration, l Limits, counts *Counts) *Turns {
	l.Waiting, l.Wait = cmp.Or(l.Waiting, 100), cmp.Or(l.Wait, 10*time.Second)
	if counts == nil {
		counts = &Counts{}
	}
	return &Turns{most: max(most, 1), brief: brief, limits: l, counts: counts, tenants: make(map[string]*underWay)}
}

// Waiting is how many wait for a turn.
func (t *Turns) Waiting() int { return int(t.waiting.Load()) }

type turnInContext struct{}

// Enter returns when it is the turn of a request, or with the reason why it will not be.
// The context that it returns is that of the request, in which Away tells that it has
// something to wait for. Whoever got the turn calls Leave.
func (t *Turns) Enter(ctx context.Context, name string) (context.Context, *Turn, error) {
	if t == nil {
		return ctx, nil, nil
	}
	turn := &Turn{turns: t, done: ctx.Done()}
	w, err := t.begin(turn, name, callerOf(ctx).weight)
	if err == nil && w != nil {
		err = t.wait(ctx, w)
	}
	if err != nil {
		turn.Leave()
		return ctx, nil, err
	}
	return context.WithValue(ctx, turnInContext{}, turn), turn, nil
}

// begin takes a turn at once, or puts the request in line.
func (t *Turns) begin(turn *Turn, name string, weight int) (*queued, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asking.note(name, weight, time.Now())
	c := t.of(name, weight)
	c.requests++
	turn.of = c
	if c.line.Len() == 0 && c.back.Len() == 0 && c.held < t.bound(c) {
		turn.take()
		return nil, nil
	}
	t.serve(c) // nobody else may have asked for a while
	if c.line.Len() >= t.limits.Waiting {
		t.counts.Full.Add(1)
		f := fault.New(fault.TooManyRequests, "too many requests of this tenant wait for their turn").WithHint("Send fewer at a time.")
		f.RetryAfter = again
		return nil, f
	}
	w := t.push(&c.line, turn)
	t.serve(c)
	return w, nil
}

func (t *Turns) push(line *list.List, turn *Turn) *queued {
	w := &queued{turn: turn, admitted: make(chan struct{})}
	w.at = line.PushBack(w)
	t.waiting.Add(1)
	return w
}

func (t *Turns) wait(ctx context.Context, w *queued) error {
	limit := time.NewTimer(t.limits.Wait)
	defer limit.Stop()
	select {
	case <-w.admitted:
		return nil
	case <-limit.C:
	case <-ctx.Done():
		if err := fault.From(ctx.Err()); !errors.Is(err, context.DeadlineExceeded) {
			t.giveUp(w)
			return err
		}
	}
	t.giveUp(w)
	t.counts.Expired.Add(1)
	f := fault.New(fault.Unavailable, "the gateway has too much to do for this tenant").WithHint("Try again in a moment.")
	f.RetryAfter = again
	return f
}

func (t *Turns) giveUp(w *queued) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.at != nil {
		t.out(w)
	}
}

func (t *Turns) out(w *queued) {
	w.turn.of.back.Remove(w.at) // of the two lists it is in one
	w.turn.of.line.Remove(w.at)
	w.at = nil
	t.waiting.Add(-1)
}

// bound is how many turns a tenant has at most.
func (t *Turns) bound(c *underWay) int {
	other, there := t.asking.beside(c.name)
	if !there {
		return math.MaxInt
	}
	all := t.weight
	if len(t.tenants) == 1 {
		all += other.weight
	}
	return beside(t.most, c.weight, all)
}

// serve gives a tenant's turns to those of its requests that wait, those included that
// somebody has who is away for too long.
func (t *Turns) serve(c *underWay) {
	for {
		first := c.back.Front()
		if first == nil {
			first = c.line.Front()
		}
		if first == nil {
			return
		}
		if c.held >= t.bound(c) && !t.recall(c) {
			return
		}
		w := first.Value.(*queued)
		t.out(w)
		w.turn.take()
		close(w.admitted)
	}
}

// recall takes its turn from the first who is away, or sees to it that this is done in time.
func (t *Turns) recall(c *underWay) bool {
	if len(c.away) == 0 {
		return false
	}
	r := c.away[0]
	left := t.brief - time.Since(r.since)
	if left <= 0 {
		r.give()
		return true
	}
	if c.timer == nil {
		c.timer = time.AfterFunc(left, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			c.timer = nil
			t.serve(c)
		})
	}
	return false
}

// take makes a turn the request's, unless it has one, or waits for something else by now.
func (r *Turn) take() {
	if !r.held && r.away == 0 && !r.left {
		r.held = true
		r.of.held++
	}
}

// here takes the turn out of those that are away.
func (r *Turn) here() {
	if at := slices.Index(r.of.away, r); at >= 0 {
		r.of.away = slices.Delete(r.of.away, at, at+1)
	}
}

func (r *Turn) give() {
	r.here()
	if r.held {
		r.held = false
		r.of.held--
	}
}

// Away tells that a goroutine of the context's request waits for something else than a
// processor. It calls Back, once, when it goes on.
func Away(ctx context.Context) *Turn {
	r, _ := ctx.Value(turnInContext{}).(*Turn)
	if r == nil {
		return nil
	}
	t, c := r.turns, r.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.away++; r.away > 1 || !r.held {
		return r
	}
	if _, there := t.asking.beside(c.name); !there {
		r.give()
	} else {
		r.since, c.away = time.Now(), append(c.away, r)
	}
	t.serve(c)
	return r
}

// Back returns when the request may go on, or has ended.
func (r *Turn) Back() {
	w := r.returns()
	if w == nil {
		return
	}
	select {
	case <-w.admitted:
	case <-r.done:
		r.turns.giveUp(w)
	}
}

func (r *Turn) returns() *queued {
	if r == nil {
		return nil
	}
	t, c := r.turns, r.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.away--; r.away > 0 || r.left {
		return nil
	}
	r.here()
	if r.held {
		return nil
	}
	if c.back.Len() == 0 && c.held < t.bound(c) {
		r.take()
		return nil
	}
	w := t.push(&c.back, r)
	t.serve(c)
	if w.at == nil {
		return nil
	}
	return w
}

// Leave ends the request's turn. Only the first time counts.
func (r *Turn) Leave() {
	if r == nil || r.of == nil {
		return
	}
	t, c := r.turns, r.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.left {
		return
	}
	r.left = true
	r.give()
	t.serve(c)
	if c.requests--; c.requests == 0 {
		if c.timer != nil {
			c.timer.Stop()
			c.timer = nil
		}
		delete(t.tenants, c.name)
		t.weight -= c.weight
		t.spare = c
	}
}

func (t *Turns) of(name string, weight int) *underWay {
	c := t.tenants[name]
	if c == nil {
		if c, t.spare = t.spare, nil; c == nil {
			c = &underWay{}
		}
		c.name, c.weight = name, 0
		t.tenants[name] = c
	}
	t.weight += weight - c.weight
	c.weight = weight
	return c
}

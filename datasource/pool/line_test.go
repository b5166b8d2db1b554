package pool

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// An account whose callers fill the line does not keep the callers of others
// from a place that both wait for: accounts take turns.
func TestAccountsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: time.Millisecond}
		p := New(Limits{Conns: 4, PerHost: 2})
		defer p.Close()
		flood, quiet, elsewhere := p.Account("h", 2, s.connect("h")), p.Account("h", 2, s.connect("h")), p.Account("i", 2, s.connect("i"))
		ctx, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 5000 {
			group.Go(func() {
				c, err := flood.Take(ctx)
				if err != nil {
					return
				}
				pass(10 * time.Millisecond)
				flood.Return(c, true)
			})
		}
		pass(100 * time.Millisecond)
		for _, a := range []*Account{quiet, elsewhere, quiet} {
			start := time.Now()
			c := must(t, a)
			if took := time.Since(start); took > 15*time.Millisecond {
				t.Errorf("behind %d callers of another it took %s", flood.Stats().Waiting, took)
			}
			a.Return(c, true)
		}
		if n := flood.Stats().Waiting; n < 4000 {
			t.Errorf("only %d were left in line", n)
		}
		stop()
		group.Wait()
	})
}

// What becomes free goes to one caller; the line is not walked for it.
func TestALongLineCostsNothing(t *testing.T) {
	t.Parallel()
	short, long := perReturn(10), perReturn(10_000)
	t.Logf("a return takes %s with 10 callers in line, %s with 10000", short, long)
	if long > 10*short+10*time.Microsecond {
		t.Errorf("a return takes %s with 10 callers in line, %s with 10000", short, long)
	}
}

// perReturn is about how long the return of a connection takes that the next in
// line gets, with so many in line.
func perReturn(callers int) time.Duration {
	s := &server{}
	p := New(Limits{Waiting: callers})
	defer p.Close()
	a := p.Account("h", 1, s.connect("h"))
	c, _ := a.Take(context.Background())
	grants := make([]*waiter, callers)
	for i := range grants {
		_, grants[i] = p.ask(a, false)
	}
	best := time.Hour // of several batches: the machine has other work
	for batch := range 50 {
		const rounds = 100
		began := time.Now()
		for i := range rounds {
			a.Return(c, true)
			at := (batch*rounds + i) % callers
			c = (<-grants[at].granted).conn
			_, grants[at] = p.ask(a, false)
		}
		best = min(best, time.Since(began)/rounds)
	}
	return best
}

// hostile is a connection whose methods panic when they are told to.
type hostile struct {
	*conn
	aliveness, closing bool
}

func (h *hostile) Alive() bool {
	if h.aliveness {
		panic("alive")
	}
	return h.conn.Alive()
}

func (h *hostile) Close() error {
	_ = h.conn.Close()
	if h.closing {
		panic("close")
	}
	return nil
}

// A panic in what opens and closes connections costs no place.
func TestPanicsGiveThePlaceBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := New(Limits{Conns: 1})
		panics, next := true, &hostile{}
		a := p.Account("h", 1, func(ctx context.Context) (Conn, error) {
			if panics {
				panic("connect")
			}
			c, err := s.connect("h")(ctx)
			if err != nil {
				return nil, err
			}
			next.conn = c.(*conn)
			return next, nil
		})
		take := func() (c Conn, panicked any) {
			defer func() { panicked = recover() }()
			return must(t, a), nil
		}
		for range 3 {
			panics = true
			if _, panicked := take(); panicked != "connect" {
				t.Fatalf("connecting: %v", panicked)
			}
			panics, next = false, &hostile{aliveness: true}
			pass(time.Second)
			c, _ := take()
			a.Return(c, true)
			if _, panicked := take(); panicked != "alive" {
				t.Fatalf("looking: %v", panicked)
			}
			next = &hostile{closing: true}
			c, _ = take()
			a.Return(c, false) // its Close panics
			next = &hostile{closing: true}
			c, _ = take()
			a.Return(c, true)
			b := p.Account("h", 1, s.connect("h"))
			b.Return(must(t, b), false) // evicts the one whose Close panics
			synctest.Wait()
		}
		p.Close()
		synctest.Wait()
		if s.open() != 0 || p.counted() != 0 {
			t.Errorf("%d connections are left, %d counted", s.open(), p.counted())
		}
	})
}

// Connections do not get older than they may, however busy they are kept: a
// password that was changed is not served for ever.
func TestConnectionsGetOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := New(Limits{MaxAge: 10 * time.Minute, Idle: time.Hour})
		defer p.Close()
		a := p.Account("h", 4, s.connect("h"))
		first := must(t, a)
		start := time.Now()
		for c := first; c == first; c = must(t, a) {
			pass(time.Second)
			a.Return(c, true)
			if time.Since(start) > 10*time.Minute+2*time.Second {
				t.Fatal("it is never old")
			}
		}
		if age := time.Since(start); age < 8*time.Minute {
			t.Errorf("it was old after %s", age)
		}
		synctest.Wait()
		if s.open() != 1 { // the new one, in use
			t.Errorf("%d connections are open", s.open())
		}
		// Old ones that nobody uses are closed by themselves.
		var all []Conn
		for range 3 {
			all = append(all, must(t, a))
		}
		for _, c := range all {
			a.Return(c, true)
		}
		pass(10*time.Minute + time.Second)
		synctest.Wait()
		if s.open() != 1 {
			t.Errorf("%d connections are open", s.open())
		}
	})
}

// Connections that were opened together do not all end together.
func TestAgesDiffer(t *testing.T) {
	t.Parallel()
	p := New(Limits{MaxAge: time.Hour})
	ages := make(map[time.Duration]bool)
	for range 100 {
		age := p.age()
		if age > time.Hour || age < 48*time.Minute {
			t.Fatalf("an age of %s", age)
		}
		ages[age] = true
	}
	if len(ages) < 90 {
		t.Errorf("%d different ages of 100", len(ages))
	}
}

// outage is a server that goes away with all connections, and comes back.
func outage(t *testing.T, lasts time.Duration, callers int) (refused int, worst time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: 2 * time.Millisecond}
		p := New(Limits{})
		defer p.Close()
		a := p.Account("h", 8, s.connect("h"))
		var mu sync.Mutex
		var over time.Time // when the outage ended
		var late time.Duration
		ctx, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				for ctx.Err() == nil {
					asked := time.Now()
					c, err := a.Take(ctx)
					mu.Lock()
					switch {
					case ctx.Err() != nil:
					case err != nil:
						refused++
						if !over.IsZero() && asked.After(over) {
							late = max(late, time.Since(over))
						}
					case !over.IsZero() && !asked.After(over.Add(time.Second)):
						worst = max(worst, min(time.Since(asked), time.Since(over)))
					}
					mu.Unlock()
					pass(5 * time.Millisecond)
					if err == nil {
						a.Return(c, c.Alive())
					}
				}
			})
		}
		pass(time.Second)
		s.mu.Lock()
		s.down = errors.New("connection refused")
		s.crashes++
		s.mu.Unlock()
		pass(lasts)
		mu.Lock()
		over = time.Now()
		mu.Unlock()
		s.mu.Lock()
		s.down = nil
		s.mu.Unlock()
		pass(10 * time.Second)
		stop()
		group.Wait()
		worst = max(worst, late)
		if s.dials > 60 {
			t.Errorf("%d dials", s.dials)
		}
	})
	return refused, worst
}

// A pause is no longer than the outage was. Connections that it has ended are
// not failures of connecting: there may be many of them.
func TestShortOutages(t *testing.T) {
	t.Parallel()
	for _, lasts := range []time.Duration{20 * time.Millisecond, 179 * time.Millisecond, 200 * time.Millisecond, time.Second} {
		refused, worst := outage(t, lasts, 16)
		t.Logf("after %s: %d refused, answered %s after its end", lasts, refused, worst)
		if worst > lasts+firstPause+10*time.Millisecond {
			t.Errorf("after an outage of %s it takes %s until callers are served", lasts, worst)
		}
		if lasts <= 200*time.Millisecond && refused > 16 { // one for each caller that tried
			t.Errorf("in an outage of %s %d callers were sent away", lasts, refused)
		}
	}
}

// While an account is left alone callers are told so at once, and for how long;
// what is hardly worth a refusal is waited for.
func TestPausesAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("connection refused")
		s := &server{down: refused}
		p := New(Limits{})
		defer p.Close()
		a := p.Account("h", 8, s.connect("h"))
		var paused *PausedError
		for range 20 {
			_, err := a.Take(t.Context())
			if !errors.Is(err, refused) {
				t.Fatal(err)
			}
			if errors.As(err, &paused) {
				break
			}
		}
		if paused == nil || paused.Left <= patience {
			t.Fatalf("%v", paused)
		}
		start := time.Now()
		for range 100 {
			_, err := a.Take(t.Context())
			if !errors.As(err, &paused) || time.Since(start) != 0 {
				t.Fatalf("%v after %s", err, time.Since(start))
			}
		}
		s.mu.Lock()
		s.down = nil
		s.mu.Unlock()
		pass(paused.Left - patience)
		a.Return(must(t, a), true)
		if waited := time.Since(start); waited != paused.Left {
			t.Errorf("it was tried after %s, not after %s", waited, paused.Left)
		}
	})
}

// A caller that had hardly any time left says nothing of the account.
func TestHastyCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: 100 * time.Millisecond}
		p := New(Limits{})
		defer p.Close()
		a := p.Account("h", 8, s.connect("h"))
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			if _, err := a.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
		start := time.Now()
		a.Return(must(t, a), true)
		if took := time.Since(start); took != s.takes {
			t.Errorf("it took %s", took)
		}
	})
}

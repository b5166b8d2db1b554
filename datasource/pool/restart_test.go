package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// restarting is a pool with an account that has answered once, whose server is away now.
func restarting(t *testing.T, err error) (*server, *Account) {
	t.Helper()
	s := &server{takes: 2 * time.Millisecond}
	p := New(Limits{Conns: 9})
	t.Cleanup(p.Close)
	a := p.Account("h", 8, s.connect("h"))
	a.Return(must(t, a), false)
	synctest.Wait()
	s.set(err)
	return s, a
}

// set says what becomes of attempts to connect from now on.
func (s *server) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
}

var errAway = &AwayError{Cause: errors.New("connection refused")}

// A server that was there and is away is waited for: nobody is refused, it is tried by one
// caller at a time, and others have all places but that one.
func TestRestartsAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, lasts := range []time.Duration{20 * time.Millisecond, time.Second, 9 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s, a := restarting(t, errAway)
			dials := s.dials
			var group sync.WaitGroup
			var latest atomic.Int64
			began := time.Now()
			for i := range 200 {
				group.Go(func() {
					pass(time.Duration(i) * 10 * time.Millisecond)
					c, err := a.Take(t.Context())
					if err != nil {
						t.Errorf("an outage of %s: %v", lasts, err)
						return
					}
					latest.Store(int64(time.Since(began)))
					pass(time.Millisecond)
					a.Return(c, true)
				})
			}
			pass(lasts / 2)
			up := &server{}
			b := a.pool.Account("i", 8, up.connect("i"))
			var others []Conn
			for range 8 {
				asked := time.Now()
				others = append(others, must(t, b))
				if took := time.Since(asked); lasts > time.Second && took > time.Millisecond {
					t.Errorf("another account waits %s", took)
				}
			}
			for _, c := range others {
				b.Return(c, false)
			}
			pass(lasts - time.Since(began))
			s.set(nil)
			group.Wait()
			if after := time.Duration(latest.Load()) - max(lasts, 2*time.Second); after > patience+50*time.Millisecond {
				t.Errorf("an outage of %s: the last is served %s after it", lasts, after)
			}
			if most := int(lasts/patience) + 30; s.dials-dials > most {
				t.Errorf("an outage of %s: %d dials", lasts, s.dials-dials)
			}
		})
	}
}

// One that stays away is refused in the end, and at once from then on. A caller with less
// time waits no longer than that.
func TestWaitingForARestartEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, a := restarting(t, errAway)
		began := time.Now()
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Take(hasty); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if _, err := a.Take(t.Context()); !errors.Is(err, errAway.Cause) || time.Since(began) < restarts || time.Since(began) > restarts+time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		var paused *PausedError
		for range 100 {
			asked := time.Now()
			_, err := a.Take(t.Context())
			if !errors.Is(err, errAway.Cause) || time.Since(asked) > patience+5*time.Millisecond {
				t.Fatalf("%v after %s", err, time.Since(asked))
			}
			if errors.As(err, &paused) {
				pass(50 * time.Millisecond)
			}
		}
		if paused == nil {
			t.Error("it is never left alone")
		}
	})
}

// Who was never connected is not restarting, nor is one that refuses the account or says
// nothing.
func TestNotEveryFailureIsARestart(t *testing.T) {
	t.Parallel()
	for name, failing := range map[string]func(*testing.T) *Account{
		"never there": func(*testing.T) *Account { return New(Limits{}).Account("h", 8, (&server{down: errAway}).connect("h")) },
		"refuses":     func(t *testing.T) *Account { _, a := restarting(t, errors.New("no such user")); return a },
		"refuses after it was away": func(t *testing.T) *Account {
			s, a := restarting(t, errAway)
			time.AfterFunc(time.Second, func() { s.set(errors.New("no such user")) })
			pass(time.Second)
			return a
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := failing(t)
			began := time.Now()
			if _, err := a.Take(t.Context()); err == nil || time.Since(began) > time.Second {
				t.Errorf("%s: %v after %s", name, err, time.Since(began))
			}
		})
	}
}

// A server that says nothing is tried by one caller, who waits for it; all others are told so
// at once, also while somebody tries.
func TestSilentServersAreTriedByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: 3 * time.Second, down: errors.New("no answer")}
		p := New(Limits{})
		defer p.Close()
		a := p.Account("h", 8, s.connect("h"))
		for range 2 { // until it is known
			if _, err := a.Take(t.Context()); err == nil {
				t.Fatal("it answers")
			}
		}
		var waited atomic.Int64
		var group sync.WaitGroup
		for i := range 3000 {
			group.Go(func() {
				pass(time.Duration(i) * 10 * time.Millisecond)
				asked := time.Now()
				if _, err := a.Take(t.Context()); err == nil {
					t.Error("it answers")
				}
				if time.Since(asked) > patience {
					waited.Add(1)
				}
			})
		}
		group.Wait()
		if n := waited.Load(); n > 5 { // those that try, in 30 s
			t.Errorf("%d of 3000 have waited", n)
		}
		if s.dials > 8 {
			t.Errorf("%d dials", s.dials)
		}
		s.set(nil)
		began := time.Now()
		for {
			c, err := a.Take(t.Context())
			if err == nil {
				a.Return(c, true)
				break
			}
			pass(10 * time.Millisecond)
		}
		if took := time.Since(began); took > 2*3*time.Second+patience {
			t.Errorf("it is served %s after it is back", took)
		}
	})
}

// Of one that refuses at once, as many as come while it is tried are served when it is back, however
// long it was away.
func TestWhoComesWhileItIsTriedIsServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a := restarting(t, errAway)
		for began := time.Now(); time.Since(began) < time.Minute; pass(10 * time.Millisecond) {
			_, _ = a.Take(t.Context())
		}
		s.set(nil)
		pass(maxPause)
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				c, err := a.Take(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				a.Return(c, true)
			})
		}
		group.Wait()
	})
}

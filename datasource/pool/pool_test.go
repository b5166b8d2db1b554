package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// server counts the connections to it and remembers the most.
type server struct {
	mu        sync.Mutex
	now, most int
	hosts     map[string]int
	dials     int
	down      error
	crashes   int           // each ends the connections there are
	takes     time.Duration // to connect
	lingers   time.Duration // to close
}

func (s *server) connect(host string) func(context.Context) (Conn, error) {
	return func(ctx context.Context) (Conn, error) {
		s.mu.Lock()
		s.dials++
		down, takes, crashes := s.down, s.takes, s.crashes
		s.mu.Unlock()
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if down != nil {
			return nil, down
		}
		s.count(host, 1)
		return &conn{server: s, host: host, alive: true, crashes: crashes}, nil
	}
}

func (s *server) count(host string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += n
	s.most = max(s.most, s.now)
	if s.hosts == nil {
		s.hosts = make(map[string]int)
	}
	s.hosts[host] += n
	s.hosts["most of "+host] = max(s.hosts["most of "+host], s.hosts[host])
}

// open is how many connections there are.
func (s *server) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// counted is how many the pool knows of.
func (p *Pool) counted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open + len(p.hosts) + p.waiting + len(p.inLine) + len(p.turns)
}

type conn struct {
	server *server
	host   string
	alive  bool

	crashes int // of the server, when it was made
}

func (c *conn) Alive() bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return c.alive && c.crashes == c.server.crashes
}

func (c *conn) Close() error {
	pass(c.server.lingers)
	c.server.count(c.host, -1)
	return nil
}

// pass lets time pass, which is not the world's.
func pass(d time.Duration) { <-time.After(d) }

func must(t *testing.T, a *Account) Conn {
	t.Helper()
	c, err := a.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNoMoreThanTheLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: 3 * time.Millisecond, lingers: 7 * time.Millisecond}
		p := New(Limits{Conns: 8, PerHost: 5})
		var accounts []*Account
		for i := range 40 {
			host := fmt.Sprintf("h%d", i%3)
			accounts = append(accounts, p.Account(host, 2, s.connect(host)))
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		served := make(map[int]int)
		for w := range 32 {
			rng := rand.New(rand.NewPCG(1, uint64(w)))
			group.Go(func() {
				for range 50 {
					i := rng.IntN(len(accounts))
					c, err := accounts[i].Take(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					pass(time.Duration(rng.IntN(10)) * time.Millisecond)
					accounts[i].Return(c, rng.IntN(10) > 0)
					mu.Lock()
					served[i]++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		p.Close()
		pass(time.Second)
		synctest.Wait()
		if s.most > 8 || len(served) != len(accounts) {
			t.Errorf("%d connections at most, %d accounts served", s.most, len(served))
		}
		for i := range 3 {
			if most := s.hosts[fmt.Sprintf("most of h%d", i)]; most > 5 || most < 2 {
				t.Errorf("%d connections to h%d", most, i)
			}
		}
		if s.open() != 0 || p.counted() != 0 {
			t.Errorf("%d connections are left, %d counted", s.open(), p.counted())
		}
	})
}

// Those in line are served in their order, whoever asks again meanwhile; an
// account that was served goes behind the others.
func TestFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := New(Limits{Conns: 1})
		defer p.Close()
		hot := p.Account("h", 1, s.connect("h"))
		held := must(t, hot)
		var order []int
		var group sync.WaitGroup
		for i := range 5 {
			a := p.Account("h", 1, s.connect("h"))
			if i%2 == 1 {
				a = hot
			}
			group.Go(func() {
				c, err := a.Take(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, i)
				a.Return(c, true)
			})
			synctest.Wait()
		}
		hot.Return(held, true)
		group.Wait()
		if fmt.Sprint(order) != "[0 1 2 4 3]" { // 3 is the hot account's second
			t.Errorf("served in the order %v", order)
		}
	})
}

// An account that always has work does not keep the others out.
func TestNobodyStarves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: time.Millisecond}
		p := New(Limits{Conns: 2})
		defer p.Close()
		hot, cold := p.Account("h", 2, s.connect("h")), p.Account("h", 2, s.connect("h"))
		ctx, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for ctx.Err() == nil {
					c, err := hot.Take(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					pass(time.Millisecond)
					hot.Return(c, true)
				}
			})
		}
		pass(100 * time.Millisecond)
		start := time.Now()
		c := must(t, cold)
		if took := time.Since(start); took > 20*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		cold.Return(c, true)
		stop()
		group.Wait()
	})
}

func TestWaitingEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := New(Limits{Conns: 1, Waiting: 1})
		defer p.Close()
		a, b := p.Account("h", 1, s.connect("h")), p.Account("h", 1, s.connect("h"))
		held := must(t, a)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() {
			start := time.Now()
			if _, err := b.Take(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("%v after %s", err, time.Since(start))
			}
		})
		synctest.Wait()
		if _, err := a.Take(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("a second in line: %v", err)
		}
		group.Wait()
		a.Return(held, true)
		b.Return(must(t, b), true)
		if s.most != 1 {
			t.Errorf("%d connections", s.most)
		}
	})
}

// Whoever leaves at the moment of being served takes nothing along.
func TestLateGrants(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: time.Millisecond, lingers: time.Millisecond}
		p := New(Limits{Conns: 2})
		accounts := []*Account{p.Account("h", 2, s.connect("h")), p.Account("h", 2, s.connect("h")), p.Account("h", 2, s.connect("h"))}
		var group sync.WaitGroup
		for w := range 16 {
			rng := rand.New(rand.NewPCG(2, uint64(w)))
			group.Go(func() {
				for range 100 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(8))*time.Millisecond)
					a := accounts[rng.IntN(3)]
					if c, err := a.Take(ctx); err == nil {
						pass(time.Millisecond)
						a.Return(c, true)
					}
					cancel()
				}
			})
		}
		group.Wait()
		p.Close()
		pass(time.Second)
		synctest.Wait()
		if s.open() != 0 || p.counted() != 0 || s.most > 2 {
			t.Errorf("%d at most, %d left, %d counted", s.most, s.open(), p.counted())
		}
		for _, a := range accounts {
			if a.open != 0 || a.connecting != 0 {
				t.Errorf("%d open, %d connecting", a.open, a.connecting)
			}
		}
	})
}

// A dead account takes one place while it is tried, and is left alone between.
func TestDeadAccounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("connection refused")
		dead, live := &server{takes: time.Second, down: refused}, &server{}
		p := New(Limits{Conns: 2})
		defer p.Close()
		d, l := p.Account("dead", 2, dead.connect("dead")), p.Account("live", 2, live.connect("live"))
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, err := d.Take(t.Context()); !errors.Is(err, refused) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		l.Return(must(t, l), true)
		if time.Since(start) != 0 {
			t.Error("the live account waited for the dead one")
		}
		group.Wait()
		if dead.dials != 2 { // the second makes sure
			t.Errorf("20 callers dialed %d times", dead.dials)
		}
		for range 1000 {
			if _, err := d.Take(t.Context()); !errors.Is(err, refused) {
				t.Error(err)
			}
			pass(time.Millisecond)
		}
		if dead.dials > 6 {
			t.Errorf("%d dials in a second", dead.dials)
		}
		dead.mu.Lock()
		dead.down = nil
		dead.mu.Unlock()
		pass(maxPause)
		d.Return(must(t, d), true) // it is not given up
	})
}

// A caller that leaves says nothing of the account.
func TestCanceledConnecting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{takes: time.Second}
		p := New(Limits{})
		defer p.Close()
		a := p.Account("h", 2, s.connect("h"))
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := a.Take(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		group.Wait()
		a.Return(must(t, a), true)
	})
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := New(Limits{Idle: time.Minute})
		defer p.Close()
		a, b := p.Account("h", 2, s.connect("h")), p.Account("h", 2, s.connect("h"))
		a.Return(must(t, a), true)
		pass(40 * time.Second)
		b.Return(must(t, b), true)
		pass(30 * time.Second)
		synctest.Wait()
		if s.open() != 1 {
			t.Errorf("%d connections after a minute", s.open())
		}
		pass(40 * time.Second)
		synctest.Wait()
		if s.open() != 0 {
			t.Errorf("%d connections after another", s.open())
		}
	})
}

func TestDeadConnectionsAreReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := New(Limits{Conns: 1})
		defer p.Close()
		a := p.Account("h", 1, s.connect("h"))
		c := must(t, a)
		c.(*conn).alive = false
		a.Return(c, true)
		again := must(t, a)
		if again == c || s.most != 1 {
			t.Errorf("the dead one is used, or %d are open", s.most)
		}
		a.Return(again, true)
	})
}

func TestClosedAccounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := New(Limits{Conns: 2})
		a, b := p.Account("h", 1, s.connect("h")), p.Account("h", 1, s.connect("h"))
		held := must(t, a)
		b.Return(must(t, b), true)
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := a.Take(t.Context()); !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
		synctest.Wait()
		a.Close()
		group.Wait()
		a.Return(held, true)
		synctest.Wait()
		if s.open() != 1 {
			t.Errorf("%d connections, want b's alone", s.open())
		}
		p.Close()
		synctest.Wait()
		if _, err := b.Take(t.Context()); !errors.Is(err, ErrClosed) || s.open() != 0 {
			t.Errorf("%v with %d connections", err, s.open())
		}
	})
}

// Stats count what is open, idle and waited for, whatever becomes of those in
// line.
func TestStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New(Limits{})
		defer p.Close()
		s := &server{}
		a := p.Account("h", 1, s.connect("h"))
		check := func(want Stats) {
			t.Helper()
			synctest.Wait()
			if got := a.Stats(); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
		check(Stats{})
		c, err := a.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		check(Stats{Open: 1})
		short, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		got := make(chan Conn, 1)
		group.Go(func() {
			if _, err := a.Take(short); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		group.Go(func() {
			c, err := a.Take(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- c
		})
		check(Stats{Open: 1, Waiting: 2})
		leave()
		check(Stats{Open: 1, Waiting: 1})
		a.Return(c, true)
		group.Wait()
		check(Stats{Open: 1})
		a.Return(<-got, true)
		check(Stats{Open: 1, Idle: 1})
	})
}

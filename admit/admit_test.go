package admit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"usher/fault"
)

// pass lets time pass, which is not the world's.
func pass(d time.Duration) { <-time.After(d) }

func must(t *testing.T, g *Gate, tenant string) Slot {
	t.Helper()
	slot, err := g.Enter(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return slot
}

// flood has a tenant's workers ask one question after another until it is ended.
func flood(t *testing.T, g *Gate, tenant string, workers int, takes time.Duration) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for ctx.Err() == nil {
				slot, err := g.Enter(ctx, tenant)
				if err != nil {
					continue
				}
				pass(takes)
				slot.Leave()
			}
		})
	}
	synctest.Wait()
	return func() {
		cancel()
		group.Wait()
	}
}

func (g *Gate) held(tenant string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.tenants[tenant]; t != nil {
		return t.of[interactive].held
	}
	return 0
}

// idle checks that nothing is left of what was asked.
func (g *Gate) idle(t *testing.T) {
	t.Helper()
	if g.free != g.slots || g.waiting != 0 || g.turns[interactive].Len() != 0 || g.turns[bulk].Len() != 0 || len(g.tenants) != 0 || g.weight != 0 {
		t.Errorf("%d of %d slots are free, %d in line, %d turns, %d tenants", g.free, g.slots, g.waiting, g.turns[interactive].Len()+g.turns[bulk].Len(), len(g.tenants))
	}
}

// However slow a tenant's questions are and however many, another one's are
// admitted at once.
func TestNoMonopoly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(4, Limits{Wait: time.Hour}, nil)
		end := flood(t, g, "loud", 50, time.Minute)
		if n := g.held("loud"); n != 3 {
			t.Errorf("alone it has %d of 4 slots", n)
		}
		for range 10 {
			start := time.Now()
			slot := must(t, g, "quiet")
			if waited := time.Since(start); waited != 0 {
				t.Errorf("the quiet one waited %s", waited)
			}
			pass(time.Millisecond)
			slot.Leave()
		}
		end()
		g.idle(t)
	})
}

// While others ask now and then, one tenant has half of the slots; when they have not asked
// for a second, all but one. One that weighs more has its share.
func TestHalfBesideOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ slots, beside, weight, half, alone int }{{2, 0, 1, 1, 1}, {3, 0, 1, 2, 2}, {8, 0, 1, 4, 7}, {8, 2, 1, 2, 7}, {8, 0, 3, 6, 7}, {8, 2, 3, 3, 7}, {1, 0, 1, 1, 1}} {
		synctest.Test(t, func(t *testing.T) {
			g := New(c.slots, Limits{Wait: time.Hour, Beside: c.beside}, nil)
			ctx, cancel := context.WithCancel(Weighing(t.Context(), c.weight))
			var group sync.WaitGroup
			for range 50 {
				group.Go(func() {
					for ctx.Err() == nil {
						slot, err := g.Enter(ctx, "loud")
						if err != nil {
							return
						}
						pass(10 * time.Millisecond)
						slot.Leave()
					}
				})
			}
			for range 30 {
				must(t, g, "quiet").Leave()
				pass(95 * time.Millisecond)
				synctest.Wait()
				if n := g.held("loud"); n > c.half {
					t.Fatalf("%+v: beside another it has %d", c, n)
				}
			}
			pass(2 * time.Second)
			synctest.Wait()
			if n := g.held("loud"); n != c.alone {
				t.Errorf("%+v: alone it has %d", c, n)
			}
			cancel()
			group.Wait()
			g.idle(t)
		})
	}
}

// A weight that changes counts from the next request on, and weights of one tenant are not added up.
func TestWeightsChange(t *testing.T) {
	t.Parallel()
	g := New(8, Limits{}, nil)
	for _, weight := range []int{3, 3, 100, 0, -1} {
		slot, err := g.Enter(InBulk(Weighing(t.Context(), weight)), "a")
		if err != nil {
			t.Fatal(err)
		}
		if g.weight != max(weight, 1) {
			t.Errorf("with the weight %d all weigh %d", weight, g.weight)
		}
		defer slot.Leave()
		if weight == 100 {
			break
		}
	}
	must(t, g, "a").Leave()
	if g.weight != 1 {
		t.Errorf("all weigh %d", g.weight)
	}
}

// Tenants that always have more to ask come to have equal shares.
func TestShares(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(8, Limits{}, nil)
		var ends []func()
		for i := range 4 {
			ends = append(ends, flood(t, g, fmt.Sprint(i), 10*(i+1), 10*time.Millisecond))
		}
		pass(time.Second)
		synctest.Wait()
		for i := range 4 {
			if n := g.held(fmt.Sprint(i)); n < 1 || n > 2 {
				t.Errorf("tenant %d of 4 has %d of 8 slots", i, n)
			}
		}
		for _, end := range ends {
			end()
		}
		g.idle(t)
	})
}

// Lines are served in turn, each first come, first served.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(1, Limits{}, nil)
		held := must(t, g, "a")
		var mu sync.Mutex
		var order []string
		var group sync.WaitGroup
		for _, who := range []string{"a1", "a2", "a3", "b1", "b2", "c1"} {
			group.Go(func() {
				slot := must(t, g, who[:1])
				mu.Lock()
				order = append(order, who)
				mu.Unlock()
				slot.Leave()
			})
			synctest.Wait()
		}
		held.Leave()
		group.Wait()
		if fmt.Sprint(order) != "[a1 b1 c1 a2 b2 a3]" {
			t.Errorf("served in the order %v", order)
		}
		g.idle(t)
	})
}

// Tenants that always have more to ask are served as they weigh.
func TestWeights(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 4, 8, 10} {
		synctest.Test(t, func(t *testing.T) {
			g := New(slots, Limits{Wait: time.Hour}, nil)
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			served := make(map[string]int)
			var mu sync.Mutex
			for _, who := range []string{"heavy", "light", "none"} {
				for range 4 * slots {
					group.Go(func() {
						for ctx.Err() == nil {
							slot, err := g.Enter(Weighing(ctx, map[string]int{"heavy": 3, "none": -1}[who]), who)
							if err != nil {
								return
							}
							mu.Lock()
							served[who]++
							mu.Unlock()
							pass(10 * time.Millisecond)
							slot.Leave()
						}
					})
				}
			}
			pass(20 * time.Second)
			cancel()
			group.Wait()
			ratio := float64(served["heavy"]) / float64(served["light"])
			if same := float64(served["none"]) / float64(served["light"]); ratio < 2.5 || ratio > 3.5 || same < 0.9 || same > 1.1 {
				t.Errorf("of %d slots: %v", slots, served)
			}
			g.idle(t)
		})
	}
}

// Whoever is waited for waits for nothing of the lower class but what is at work, and half
// of the slots are never its.
func TestClasses(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 2, 4, 9} {
		synctest.Test(t, func(t *testing.T) {
			g := New(slots, Limits{Wait: time.Hour}, nil)
			ctx, cancel := context.WithCancel(InBulk(t.Context()))
			var group sync.WaitGroup
			for i := range 20 {
				group.Go(func() {
					slot, err := g.Enter(ctx, fmt.Sprint(i%3))
					if err != nil {
						return
					}
					<-ctx.Done()
					slot.Leave()
				})
			}
			synctest.Wait()
			if n := g.atWork[bulk]; n != max(slots/2, 1) {
				t.Errorf("of %d slots the lower class has %d", slots, n)
			}
			if slots > 1 { // also of the tenants that are at work in bulk
				began := time.Now()
				for i := range 50 {
					must(t, g, fmt.Sprint(i%5)).Leave()
				}
				if time.Since(began) != 0 {
					t.Error("somebody waited for the lower class")
				}
			}
			cancel()
			group.Wait()
			g.idle(t)
		})
	}
}

// While another tenant asks now and then for what it waits for, be it at another gate to the same
// account, a tenant has a quarter of the slots in the lower class; its own questions leave it as it is. Beside
// it others of that class have the rest of its half, and nobody of it is refused for having waited.
func TestBulkBesideOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ slots, beside, alone int }{{1, 1, 1}, {2, 1, 1}, {4, 1, 2}, {10, 2, 5}} {
		synctest.Test(t, func(t *testing.T) {
			g, other := New(c.slots, Limits{Wait: 15 * time.Millisecond}, nil), New(16, Limits{}, nil)
			other.With(g)
			ctx, cancel := context.WithCancel(InBulk(t.Context()))
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					for ctx.Err() == nil {
						slot, err := g.Enter(ctx, "loud")
						if err != nil {
							if ctx.Err() == nil {
								t.Error(err)
							}
							return
						}
						pass(10 * time.Millisecond)
						slot.Leave()
					}
				})
			}
			held := func() int {
				synctest.Wait()
				g.mu.Lock()
				defer g.mu.Unlock()
				return g.atWork[bulk]
			}
			for _, tenant := range []string{"loud", "quiet", "loud"} {
				want := map[string]int{"loud": c.alone, "quiet": c.beside}[tenant]
				for n := range 20 {
					must(t, other, tenant).Leave()
					pass(95 * time.Millisecond)
					if got := held(); n > 10 && got != want {
						t.Fatalf("%+v: while %s asks the lower class has %d", c, tenant, got)
					}
				}
				if tenant == "quiet" && c.alone > 1 {
					slot, err := g.Enter(InBulk(t.Context()), "third")
					if err != nil {
						t.Fatal(err)
					}
					if got := held(); got != c.beside+1 {
						t.Errorf("%+v: with another one beside it the lower class has %d", c, got)
					}
					slot.Leave()
				}
			}
			cancel()
			group.Wait()
			g.idle(t)
		})
	}
}

// However many are waited for, the lower class gets on.
func TestNobodyStarves(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 2, 8} {
		synctest.Test(t, func(t *testing.T) {
			g := New(slots, Limits{Wait: time.Hour}, nil)
			var ends []func()
			for i := range slots + 1 {
				ends = append(ends, flood(t, g, fmt.Sprint(i), 4, time.Millisecond))
			}
			began, n := time.Now(), 0
			for ; n < 10; n++ {
				slot, err := g.Enter(InBulk(t.Context()), "patient")
				if err != nil {
					t.Fatal(err)
				}
				pass(time.Millisecond)
				slot.Leave()
			}
			if waited := time.Since(began); waited > time.Duration(n)*(passes+3)*time.Millisecond || waited < time.Duration(n)*passes*time.Millisecond {
				t.Errorf("of %d slots the lower class got %d after %s", slots, n, waited)
			}
			for _, end := range ends {
				end()
			}
			g.idle(t)
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		counts := &Counts{}
		g := New(2, Limits{Waiting: 3, Wait: 5 * time.Second}, counts)
		slot := must(t, g, "loud")
		start := time.Now()
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				_, err := g.Enter(t.Context(), "loud")
				refused(t, err, fault.Unavailable)
				if waited := time.Since(start); waited != 5*time.Second {
					t.Errorf("it waited %s", waited)
				}
			})
		}
		synctest.Wait()
		_, err := g.Enter(t.Context(), "loud")
		refused(t, err, fault.TooManyRequests)
		if time.Since(start) != 0 {
			t.Error("that the line is full is not said at once")
		}
		must(t, g, "quiet").Leave() // has a line of its own
		group.Wait()
		// The request's own time ends the waiting as well.
		for err, code := range map[error]fault.Code{context.DeadlineExceeded: fault.Unavailable, context.Canceled: fault.Timeout} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if errors.Is(err, context.Canceled) {
				time.AfterFunc(time.Millisecond, cancel)
			}
			_, got := g.Enter(ctx, "loud")
			if f := fault.From(got); f.Code != code {
				t.Errorf("%v: %v", err, got)
			}
			cancel()
		}
		slot.Leave()
		g.idle(t)
		if counts.Full.Load() != 1 || counts.Expired.Load() != 4 {
			t.Errorf("%d and %d are counted", counts.Full.Load(), counts.Expired.Load())
		}
	})
}

func refused(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if f := fault.From(err); f == nil || f.Code != code || f.RetryAfter <= 0 {
		t.Errorf("%v, want %s and when to try again", err, code)
	}
}

// Whoever gives up at the moment of being admitted takes no slot along, and
// nobody waits while a slot is free that may be taken.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 2, 3, 8} {
		synctest.Test(t, func(t *testing.T) {
			g := New(slots, Limits{Waiting: 5}, nil)
			var group sync.WaitGroup
			for w := range 40 {
				rng := rand.New(rand.NewPCG(5, uint64(w)))
				group.Go(func() {
					for range 50 {
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(8))*time.Millisecond)
						if rng.IntN(4) == 0 {
							ctx = InBulk(ctx)
						}
						if slot, err := g.Enter(ctx, fmt.Sprint(w%6)); err == nil {
							pass(time.Duration(rng.IntN(3)) * time.Millisecond)
							g.check(t)
							slot.Leave()
						}
						cancel()
					}
				})
			}
			group.Wait()
			synctest.Wait()
			g.idle(t)
		})
	}
}

func (g *Gate) check(t *testing.T) {
	g.mu.Lock()
	defer g.mu.Unlock()
	held, waiting := 0, 0
	for _, other := range g.tenants {
		for _, p := range other.of {
			held += p.held
			waiting += p.line.Len()
		}
	}
	if held+g.free != g.slots || waiting != g.waiting || g.free < 0 {
		t.Errorf("%d held, %d free of %d, %d in lines, %d counted", held, g.free, g.slots, waiting, g.waiting)
	}
	if next, _ := g.next(); next != nil {
		t.Errorf("%q waits while it might enter", next.name)
	}
}

// Whom nobody keeps waiting pays next to nothing.
func TestUncontendedCostsNoMemory(t *testing.T) {
	g := New(8, Limits{}, nil)
	must(t, g, "a").Leave()
	if n := testing.AllocsPerRun(1000, func() {
		slot, err := g.Enter(context.Background(), "a")
		if err != nil {
			t.Error(err)
		}
		slot.Leave()
	}); n != 0 {
		t.Errorf("%.1f allocations", n)
	}
}

func BenchmarkUncontended(b *testing.B) {
	g := New(8, Limits{}, nil)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		slot, err := g.Enter(ctx, "acme")
		if err != nil {
			b.Fatal(err)
		}
		slot.Leave()
	}
}

package quota

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/fault"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func holder(limits Limits) Holder { return Holder{Of: Tenant, Name: [3]string{"acme"}, Limits: limits} }

// store keeps budgets as the control store does.
type store struct {
	clock    *clock
	mu       sync.Mutex
	gateways int
	left     map[string]float64
	at       map[string]time.Time
	calls    atomic.Int64
	silent   atomic.Bool
}

func newStore(c *clock, gateways int) *store {
	return &store{clock: c, gateways: gateways, left: make(map[string]float64), at: make(map[string]time.Time)}
}

func (s *store) settle(ctx context.Context, claims []Claim) ([]Grant, int, error) {
	if s.silent.Load() {
		<-ctx.Done()
		return nil, 0, ctx.Err()
	}
	s.calls.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	grants := make([]Grant, len(claims))
	for i, c := range claims {
		left := c.Limit
		if at, known := s.at[c.Who]; known {
			left = min(c.Limit, s.left[c.Who]+now.Sub(at).Minutes()*c.Limit)
		}
		left = min(left-c.Used, c.Limit)
		lease := max(min(c.Want, left), 0)
		s.left[c.Who], s.at[c.Who] = left-lease, now
		grants[i] = Grant{Lease: lease, Level: left - lease}
	}
	return grants, s.gateways, nil
}

func (s *store) keeper() *Keeper {
	return New(Options{Settle: s.settle, Clock: s.clock.Now, Log: slog.New(slog.DiscardHandler), Patience: 10 * time.Second})
}

func refused(t *testing.T, err error, after time.Duration, words ...string) {
	t.Helper()
	f := fault.From(err)
	if f == nil || f.Code != fault.TooManyRequests || f.RetryAfter != after {
		t.Fatalf("%v, want a refusal for %s", err, after)
	}
	for _, w := range words {
		if !strings.Contains(f.Message+f.Hint, w) {
			t.Errorf("%s %s: it does not say %q", f.Message, f.Hint, w)
		}
	}
}

// Each budget is counted as it was used: what is beyond it is a debt.
func TestBudgets(t *testing.T) {
	t.Parallel()
	for kind := Database; kind < kinds; kind++ {
		for name, make := range map[string]func(*clock) *Keeper{
			"alone":    func(c *clock) *Keeper { return New(Options{Clock: c.Now, Log: slog.New(slog.DiscardHandler)}) },
			"together": func(c *clock) *Keeper { return newStore(c, 2).keeper() },
		} {
			t.Run(kind.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				c := newClock()
				k := make(c)
				var limits Limits
				limits[kind] = 600
				begin := func() *Account {
					ctx, err := k.Begin(t.Context(), holder(limits))
					if err != nil {
						t.Fatal(err)
					}
					return From(ctx)
				}
				spend := func(a *Account, n int) {
					var all [kinds]int
					all[kind] = n
					a.Spend(time.Duration(all[Database])*time.Millisecond, all[Rows], all[Bytes])
				}
				first, second := begin(), begin()
				for _, a := range []*Account{first, second} {
					if err := a.Admit(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				spend(first, 600)
				if left := first.Left(); len(left) != 1 || left[0] != (Left{"tenant", kind.String(), 600, 0}) {
					t.Errorf("left are %v", left)
				}
				spend(second, 599) // which ends normally
				if err := second.Admit(t.Context()); err != nil {
					t.Errorf("one that runs is refused: %v", err)
				}
				k.Tick(t.Context())
				after := 60 * time.Second
				words := map[Kind]string{Database: "600ms of database time", Rows: "600 rows", Bytes: "600 bytes"}
				refused(t, begin().Admit(t.Context()), after, "tenant", words[kind], "60 s")
				c.pass(30 * time.Second)
				refused(t, begin().Admit(t.Context()), 30*time.Second)
				c.pass(30 * time.Second)
				if err := begin().Admit(t.Context()); err != nil {
					t.Errorf("after the time that was told: %v", err)
				}
			})
		}
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	c := newClock()
	k := New(Options{Clock: c.Now, Log: slog.New(slog.DiscardHandler)})
	token := Holder{Of: Token, Name: [3]string{"a"}, Limits: Limits{Requests: 2}}
	tenant := holder(Limits{Requests: 3})
	ask := func(of ...Holder) error {
		ctx, err := k.Begin(t.Context(), of...)
		if From(ctx) != nil {
			t.Error("a request of which nothing more is counted has an account")
		}
		return err
	}
	for range 2 {
		if err := ask(token, tenant); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, ask(token, tenant), 30*time.Second, "token", "2 requests")
	other := token
	other.Name = [3]string{"b"}
	if err := ask(other, tenant); err != nil {
		t.Fatal(err)
	}
	refused(t, ask(other, tenant), 20*time.Second, "tenant", "3 requests")
	c.pass(20 * time.Second)
	if err := ask(other, tenant); err != nil { // it was not counted for the token either
		t.Error(err)
	}
	if k.refused[Tenant][Requests] != 1 || k.refused[Token][Requests] != 1 {
		t.Errorf("counted are %v", k.refused)
	}
	for range 10 { // no limit, no count
		if err := ask(holder(Limits{})); err != nil {
			t.Error(err)
		}
	}
}

// Two gateways allow what one would, whoever is asked, and ask the store seldom.
func TestTogether(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := newStore(c, 2)
	keepers := []*Keeper{s.keeper(), s.keeper()}
	h := holder(Limits{Requests: 600})
	flood := func(n int) int64 {
		var allowed atomic.Int64
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				for range n / 8 {
					if keepers[w%2].Take(t.Context(), h) == nil {
						allowed.Add(1)
					}
				}
			})
		}
		group.Wait()
		return allowed.Load()
	}
	if n := flood(8000); n != 600 {
		t.Errorf("%d were allowed at once", n)
	}
	if calls := s.calls.Load(); calls > 60 {
		t.Errorf("the store was asked %d times", calls)
	}
	all := int64(0)
	for range 30 {
		c.pass(time.Second)
		for _, k := range keepers {
			k.Tick(t.Context())
		}
		all += flood(800)
	}
	if all < 290 || all > 300 {
		t.Errorf("%d were allowed in 30 s, want 300", all)
	}
	if calls := s.calls.Load(); calls > 60+30*12 {
		t.Errorf("the store was asked %d times", calls)
	}
	// What one has and does not use comes back for the other.
	c.pass(10 * time.Minute)
	for range 10 {
		if err := keepers[0].Take(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	c.pass(time.Second)
	keepers[0].Tick(t.Context())
	c.pass(time.Second)
	keepers[0].Tick(t.Context())
	n := 0
	for keepers[1].Take(t.Context(), h) == nil {
		n++
	}
	if n != 600 {
		t.Errorf("the other has %d", n)
	}
	keepers[1].Return(t.Context())
}

// When the store is silent each has its share, and what it used is told later.
func TestSilentStore(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := newStore(c, 3)
	k := s.keeper()
	h := holder(Limits{Requests: 90})
	if err := k.Take(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Minute)
	k.Tick(t.Context())
	s.silent.Store(true)
	k.opts.Patience = time.Millisecond
	began, n := time.Now(), 0
	for ; n < 200; n++ {
		if err := k.Take(t.Context(), h); err != nil {
			if f := fault.From(err); f.RetryAfter != time.Second && f.RetryAfter != 2*time.Second { // of one in two seconds
				t.Errorf("it says to come back in %s", f.RetryAfter)
			}
			break
		}
	}
	if n < 29 || n > 32 {
		t.Errorf("it allows %d of 90, one of three parts", n)
	}
	c.pass(2 * time.Second)
	if err := k.Take(t.Context(), h); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	s.silent.Store(false)
	for second := range 4 { // others may come back later, and tell then what they have used
		c.pass(time.Second)
		k.Tick(t.Context())
		if k.silent != (second < 2) {
			t.Errorf("in second %d of the store's answers: alone %t", second, k.silent)
		}
	}
	k.Return(t.Context()) // what it has for the next second
	other := s.keeper()
	m := 0
	for other.Take(t.Context(), h) == nil {
		m++
	}
	if m+n < 80 || m+n > 95 {
		t.Errorf("%d and %d of 90 were allowed", n, m)
	}
	broken := New(Options{Clock: c.Now, Log: slog.New(slog.DiscardHandler), Settle: func(context.Context, []Claim) ([]Grant, int, error) { return nil, 0, errors.New("no") }})
	if err := broken.Take(t.Context(), h); err != nil {
		t.Errorf("a store that has never answered: %v", err)
	}
}

// The log tells of a store that fails, and that it answers again; not of one answer that is late,
// but when that happens again.
func TestLogOfASilentStore(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := newStore(c, 2)
	var lines bytes.Buffer
	k := New(Options{Settle: s.settle, Clock: c.Now, Log: slog.New(slog.NewTextHandler(&lines, nil)), Patience: 10 * time.Second})
	told := func(when string, want ...string) {
		t.Helper()
		k.mu.Lock()
		defer k.mu.Unlock()
		got := strings.Split(strings.TrimSuffix(lines.String(), "\n"), "\n")
		lines.Reset()
		if len(want) == 0 && got[0] == "" {
			return
		}
		if len(got) != len(want) {
			t.Errorf("%s: %q", when, got)
			return
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) || strings.Contains(got[i], "nil") {
				t.Errorf("%s: %s; want %s", when, got[i], want[i])
			}
		}
	}
	mends := func() {
		for range 3 {
			c.pass(time.Second)
			k.Tick(t.Context())
		}
		if k.Alone() {
			t.Error("it counts alone still")
		}
	}
	late := func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.silence(t.Context(), errLate)
		k.silence(t.Context(), errLate) // of those who waited together
	}
	late()
	told("one late answer")
	mends()
	told("and then it answers")
	c.pass(time.Hour)
	late()
	told("another, long after")
	mends()
	late()
	told("another, soon after", "level=WARN msg=\"the control store does not answer for budgets: this gateway goes on with its share of them\" gateways=2 patience=10s error=\"it does not answer as soon as requests need it\"")
	mends()
	told("it answers", "level=INFO msg=\"the control store answers for budgets again: this gateway counts with the others\" gateways=2")
	c.pass(time.Hour)
	k.opts.Patience = time.Millisecond
	s.silent.Store(true)
	if err := k.Take(t.Context(), holder(Limits{Requests: 90})); err != nil {
		t.Error(err)
	}
	told("nothing is heard yet")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		c.pass(time.Second)
		k.Tick(ended)
	}
	told("it fails", "level=WARN msg=\"the control store does not answer for budgets: this gateway goes on with its share of them\" gateways=2 patience=1ms error=\"context canceled\"")
	s.silent.Store(false)
	mends()
	told("it answers after that", "level=INFO")
}

// Refusing costs no question to the store and hardly any time.
func TestRefusing(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := newStore(c, 1)
	k := s.keeper()
	h := holder(Limits{Requests: 1})
	if err := k.Take(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	refused(t, k.Take(t.Context(), h), time.Minute)
	calls, began := s.calls.Load(), time.Now()
	for range 10_000 {
		refused(t, k.Take(t.Context(), h), time.Minute)
	}
	if s.calls.Load() != calls {
		t.Errorf("refusals have asked the store %d times", s.calls.Load()-calls)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("10,000 refusals took %s", took)
	}
}

func TestForgetting(t *testing.T) {
	t.Parallel()
	c := newClock()
	for name, k := range map[string]*Keeper{"alone": New(Options{Clock: c.Now}), "together": newStore(c, 1).keeper()} {
		for i := range 1000 {
			if err := k.Take(t.Context(), Holder{Of: Token, Name: [3]string{fmt.Sprint(i)}, Limits: Limits{Requests: 5}}); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			c.pass(time.Minute)
			k.Tick(t.Context())
		}
		if len(k.buckets) > 0 {
			t.Errorf("%s: %d are kept", name, len(k.buckets))
		}
	}
}

// Where nobody is limited nothing is counted, and nothing is made for it.
func TestUnlimitedCostsNoMemory(t *testing.T) {
	k := New(Options{})
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		with, err := k.Begin(ctx, holder(Limits{}))
		if err != nil {
			t.Error(err)
		}
		a := From(with)
		if err := a.Admit(with); err != nil {
			t.Error(err)
		}
		a.Spend(time.Second, 1, 1)
	}); n != 0 {
		t.Errorf("%.1f allocations", n)
	}
}

func BenchmarkLimited(b *testing.B) {
	k := New(Options{})
	ctx := b.Context()
	all := Limits{1 << 40, 1 << 40, 1 << 40, 1 << 40}
	b.ReportAllocs()
	for b.Loop() {
		with, err := k.Begin(ctx, Holder{Of: Token, Name: [3]string{"t", "acme", "idp"}, Limits: all}, holder(all))
		if err != nil {
			b.Fatal(err)
		}
		a := From(with)
		if err := a.Admit(with); err != nil {
			b.Fatal(err)
		}
		a.Spend(time.Millisecond, 20, 1000)
	}
}

// A budget that is used up says the same time at each gateway once they have settled, whoever has used
// how much of it: one may have a second's worth left that the other waits for.
func TestGatewaysSayTheSameTime(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := newStore(c, 2)
	keepers := []*Keeper{s.keeper(), s.keeper()}
	random := rand.New(rand.NewPCG(7, 7))
	longest := time.Duration(0)
	for n := range 300 {
		h := Holder{Of: Token, Name: [3]string{fmt.Sprint(n)}, Limits: Limits{Bytes: 1 + random.Int64N(5000)}}
		after := func(k *Keeper) (wait time.Duration) {
			ctx, err := k.Begin(t.Context(), h)
			if err != nil {
				t.Fatal(err)
			}
			a := From(ctx)
			if err := a.Admit(t.Context()); err != nil {
				return fault.From(err).RetryAfter
			}
			a.Spend(0, 0, random.IntN(20_000))
			return 0
		}
		for range 10 {
			after(keepers[random.IntN(2)])
			c.pass(time.Duration(random.IntN(3000)) * time.Millisecond)
		}
		for range 2 * len(keepers) {
			c.pass(Together)
			for _, k := range keepers {
				k.Tick(t.Context())
			}
		}
		one, other := after(keepers[0]), after(keepers[1])
		if (one - other).Abs() > time.Second {
			t.Errorf("of %d bytes a minute one says %s and the other %s", h.Limits[Bytes], one, other)
		}
		longest = max(longest, one)
	}
	if longest < time.Minute {
		t.Errorf("the longest is %s", longest)
	}
}

// The patience of requests follows how long the store's answers take, within bounds.
func TestPatience(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := newStore(c, 2)
	var trip time.Duration
	k := New(Options{Clock: c.Now, Log: slog.New(slog.DiscardHandler), Settle: func(ctx context.Context, claims []Claim) ([]Grant, int, error) {
		<-time.After(trip)
		return s.settle(ctx, claims)
	}})
	if got := k.patience(); got != mostPatience {
		t.Errorf("before an answer it is %s", got)
	}
	for _, want := range []struct{ trip, least, most time.Duration }{{0, leastPatience, leastPatience}, {40 * time.Millisecond, 100 * time.Millisecond, mostPatience}, {150 * time.Millisecond, mostPatience, mostPatience}} {
		trip = want.trip
		for range 8 {
			k.settle(t.Context(), nil)
		}
		if got := k.patience(); got < want.least || got > want.most {
			t.Errorf("answers take %s, and requests wait %s", trip, got)
		}
	}
}

// Who comes at the time that was told, and nobody else, is served: also by a gateway that counts alone by then, or again
// with the others.
func TestToldTimeHolds(t *testing.T) {
	t.Parallel()
	for _, alone := range []struct{ told, back bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		t.Run(fmt.Sprintf("told alone %t, back alone %t", alone.told, alone.back), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			s := newStore(c, 2)
			k, other := s.keeper(), s.keeper()
			h := holder(Limits{Rows: 600})
			admit := func(k *Keeper, rows int) error {
				ctx, err := k.Begin(t.Context(), h)
				if err != nil {
					t.Fatal(err)
				}
				a := From(ctx)
				if err := a.Admit(ctx); err != nil {
					return err
				}
				a.Spend(0, rows, 0)
				return nil
			}
			silent := func(is bool) {
				k.mu.Lock()
				defer k.mu.Unlock()
				if k.silent = is; is {
					k.silence(t.Context(), errLate)
				}
			}
			if err := admit(other, 900); err != nil {
				t.Fatal(err)
			}
			c.pass(time.Second)
			other.Tick(t.Context())
			_ = admit(k, 1) // it hears of it
			silent(alone.told)
			err := admit(k, 1)
			told := fault.From(err).RetryAfter
			if err == nil || told < 20*time.Second || told > 61*time.Second {
				t.Fatalf("%v", err)
			}
			c.pass(told)
			silent(alone.back)
			if err := admit(k, 1); err != nil {
				t.Errorf("told %s: %v %s", told, err, fault.From(err).Hint)
			}
		})
	}
}

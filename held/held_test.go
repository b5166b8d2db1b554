package held

import (
	"context"
	"math"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"usher/fault"
)

func code(err error) fault.Code {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func TestTake(t *testing.T) {
	t.Parallel()
	b := New(1000)
	ctx, one := b.Begin(t.Context())
	_, two := b.Begin(t.Context())
	_, three := b.Begin(t.Context())
	if From(ctx) != one || From(t.Context()) != nil {
		t.Error("a context has another share than its own")
	}
	for _, c := range []struct {
		share *Share
		n     int64
		want  fault.Code
		used  int64
	}{
		{one, 500, "", 500},
		{one, 1, fault.TooComplex, 500}, // half is for one
		{two, 400, "", 900},
		{three, 101, fault.Unavailable, 900},
		{three, 100, "", 1000},
		{two, 1, fault.Unavailable, 1000},
		{nil, 5000, "", 1000},
	} {
		if err := c.share.Take(c.n); code(err) != c.want || b.Used() != c.used {
			t.Errorf("%d more: %v, %d used, want %q and %d", c.n, err, b.Used(), c.want, c.used)
		}
	}
	if one.Refused() != nil || code(two.Refused()) != fault.Unavailable || fault.From(two.Refused()).RetryAfter != time.Second {
		t.Errorf("refused: %v, %v", one.Refused(), two.Refused())
	}
	p := three.Part()
	one.Give(100)
	if err := p.Take(100); err != nil || b.Used() != 1000 {
		t.Error(err, b.Used())
	}
	p.Release()
	p.Release()
	if b.Used() != 900 {
		t.Errorf("%d after a part was given back", b.Used())
	}
	one.End()
	two.End()
	three.End()
	three.End()
	if b.Used() != 0 {
		t.Errorf("%d bytes are held by nobody", b.Used())
	}
}

func TestManyTake(t *testing.T) {
	t.Parallel()
	b := New(1 << 20)
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			_, s := b.Begin(context.Background())
			defer s.End()
			for range 100 {
				if s.Take(1000) == nil && b.Used() < 0 {
					t.Error("less than nothing is held")
				}
			}
		})
	}
	group.Wait()
	if b.Used() != 0 {
		t.Errorf("%d bytes are held by nobody", b.Used())
	}
}

// TestRest: memory goes back once after a burst, not after each request of it,
// and not when little was held.
func TestRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, freed := New(1<<30), 0
		b.rest.free = func() { freed++ }
		request := func(n int64) {
			_, s := b.Begin(t.Context())
			if err := s.Take(n); err != nil {
				t.Error(err)
			}
			s.End()
		}
		after := func(want int) {
			t.Helper()
			<-time.After(restAfter + time.Millisecond)
			synctest.Wait()
			if freed != want {
				t.Errorf("freed %d times, want %d", freed, want)
			}
		}
		request(much - 1)
		after(0)
		for range 20 {
			request(much)
		}
		after(1)
		after(1)
		request(much)
		_, busy := b.Begin(t.Context())
		if err := busy.Take(much); err != nil {
			t.Error(err)
		}
		after(1) // much is held again
		busy.End()
		after(2)
	})
}

func TestMemory(t *testing.T) {
	t.Parallel()
	if n := total([]byte("MemFree: 1 kB\nMemTotal:       2048 kB\n")); n != 2<<20 {
		t.Errorf("%d", n)
	}
	for _, text := range []string{"", "MemTotal: x kB", "MemTotal: -1 kB", "MemTotal: 5"} {
		if n := total([]byte(text)); n != math.MaxInt64 {
			t.Errorf("%q: %d", text, n)
		}
	}
	if m, d := Memory(), Default(); m <= 0 || d <= 0 || d > m || d > maxDefault {
		t.Errorf("%d of %d", d, m)
	}
}

// The runtime's limit that a gateway sets for itself is no measure of the memory
// that there is: another gateway would find less, and the next one less again.
func TestMemoryIsNotMeasuredByItself(t *testing.T) {
	before := Memory()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(before / 16))
	if after := Memory(); after != before {
		t.Errorf("%d bytes, and %d once a limit was set", before, after)
	}
}

// However little GOMEMLIMIT leaves, an answer has room.
func TestTheLeastDefault(t *testing.T) {
	defer func(was int64) { askedFor = was }(askedFor)
	askedFor = 1 << 10
	if got := Default(); got != 1<<20 {
		t.Errorf("%d bytes may be held", got)
	}
	if Limit() <= Memory() {
		t.Errorf("of %d bytes that there are %d may be used", Limit(), Memory())
	}
}

package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/admit"
	"usher/catalog"
)

// These tests run in bubbles, whose clock moves when nothing else does: they
// wait for nothing, and a goroutine that is left behind fails them.

// roundTrip is a server without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answers(status int, header ...string) *http.Response {
	return answersWith(status, strings.NewReader(`{"data":[]}`), header...)
}

func answersWith(status int, body io.Reader, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(body), ContentLength: -1}
}

func at(server roundTrip, concurrent int) *account {
	return newAccount(&http.Client{Transport: server}, admit.New(concurrent, admit.Limits{Wait: time.Hour}, nil), longestFair, newKept(0), NewMetrics().of("partner"), uncounted)
}

func uncounted(string, time.Duration) {}

// ask is a call that is equal to no other with another name.
func ask(name string) call {
	return call{
		method: http.MethodGet, url: &url.URL{Scheme: "https", Host: "api.example", Path: "/" + name},
		header: http.Header{"Authorization": {"Bearer a"}}, idempotent: true, format: catalog.JSON,
	}
}

// pass lets the bubble's time pass.
func pass(d time.Duration) { <-time.After(d) }

var errHangUp = errors.New("connection reset")

func TestRetry(t *testing.T) {
	t.Parallel()
	post := ask("post")
	post.method, post.idempotent = http.MethodPost, false
	for name, c := range map[string]struct {
		call  call
		first func() (*http.Response, error)
		calls int
		fails bool
	}{
		"502":                     {ask(""), func() (*http.Response, error) { return answers(502), nil }, 2, false},
		"503":                     {ask(""), func() (*http.Response, error) { return answers(503), nil }, 2, false},
		"504":                     {ask(""), func() (*http.Response, error) { return answers(504), nil }, 2, false},
		"429":                     {ask(""), func() (*http.Response, error) { return answers(429), nil }, 2, false},
		"a connection":            {ask(""), func() (*http.Response, error) { return nil, errHangUp }, 2, false},
		"half a reply":            {ask(""), func() (*http.Response, error) { return answersWith(200, half{}), nil }, 2, false},
		"500":                     {ask(""), func() (*http.Response, error) { return answers(500), nil }, 1, true},
		"404":                     {ask(""), func() (*http.Response, error) { return answers(404), nil }, 1, true},
		"HTML":                    {ask(""), func() (*http.Response, error) { return answers(200, "Content-Type", "text/html"), nil }, 1, true},
		"what is not idempotent":  {post, func() (*http.Response, error) { return nil, errHangUp }, 1, true},
		"Retry-After within":      {ask(""), func() (*http.Response, error) { return answers(503, "Retry-After", "3"), nil }, 2, false},
		"Retry-After beyond time": {ask(""), func() (*http.Response, error) { return answers(503, "Retry-After", "5"), nil }, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				a := at(func(*http.Request) (*http.Response, error) {
					if calls++; calls == 1 {
						return c.first()
					}
					return answers(200), nil
				}, 1)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				start := time.Now()
				_, err := a.do(ctx, "acme", c.call)
				if calls != c.calls || (err != nil) != c.fails {
					t.Errorf("%d calls, %v", calls, err)
				}
				took := time.Since(start)
				if strings.HasSuffix(name, "within") && took < 3*time.Second || strings.HasSuffix(name, "time") && took > 0 {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// half is a body that breaks off.
type half struct{}

func (half) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestRetryBudget: an API in trouble gets a fifth more calls, and not twice as
// many.
func TestRetryBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a := at(func(*http.Request) (*http.Response, error) { calls++; return answers(429), nil }, 1)
		const n = 1000
		for i := range n {
			_, _ = a.do(t.Context(), "acme", ask(fmt.Sprint(i)))
		}
		if calls < n*6/5 || calls > n*6/5+1 {
			t.Errorf("%d calls for %d requests", calls, n)
		}
	})
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls, dead := 0, true
		a := at(func(*http.Request) (*http.Response, error) {
			calls++
			if dead {
				return nil, errHangUp
			}
			return answers(200), nil
		}, 4)
		a.budget.saved = -1000 // no retries
		for range breakAfter {
			if _, err := a.do(t.Context(), "acme", ask("")); !errors.Is(err, errHangUp) {
				t.Fatal(err)
			}
		}
		paused := func(want int) {
			t.Helper()
			start := time.Now()
			_, err := a.do(t.Context(), "acme", ask(""))
			if !errors.Is(err, errPaused) || time.Since(start) != 0 || calls != want {
				t.Errorf("%v after %s and %d calls", err, time.Since(start), calls)
			}
		}
		paused(breakAfter)
		pass(pauseFor + time.Millisecond)
		if _, err := a.do(t.Context(), "acme", ask("")); !errors.Is(err, errHangUp) || calls != breakAfter+1 {
			t.Errorf("the probe: %v after %d calls", err, calls)
		}
		paused(breakAfter + 1)
		dead = false
		pass(pauseFor + time.Millisecond)
		for range 3 {
			if _, err := a.do(t.Context(), "acme", ask("")); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestOneProbe: while one call finds out whether the API is back, others are
// refused at once.
func TestOneProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		probe := make(chan struct{})
		calls := 0
		a := at(func(*http.Request) (*http.Response, error) {
			if calls++; calls <= breakAfter {
				return nil, errHangUp
			}
			<-probe
			return answers(200), nil
		}, 4)
		a.budget.saved = -1000
		for range breakAfter {
			_, _ = a.do(t.Context(), "acme", ask(""))
		}
		pass(pauseFor + time.Millisecond)
		first := make(chan error)
		go func() { _, err := a.do(t.Context(), "acme", ask("first")); first <- err }()
		synctest.Wait()
		if _, err := a.do(t.Context(), "acme", ask("second")); !errors.Is(err, errPaused) {
			t.Error(err)
		}
		close(probe)
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// TestLeavingIsNoFailure: callers that leave open no breaker, neither do
// answers about one question.
func TestLeavingIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := at(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, "/bad") {
				return answers(500), nil
			}
			if r.URL.Path == "/good" {
				return answers(200), nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, 4)
		for i := range 3 * breakAfter {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			if _, err := a.do(ctx, "acme", ask(fmt.Sprint(i))); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			synctest.Wait()
		}
		if _, err := a.do(t.Context(), "acme", ask("good")); err != nil {
			t.Error("after many that left:", err)
		}
		for i := range 3 * breakAfter {
			_, _ = a.do(t.Context(), "acme", ask(fmt.Sprint("bad", i)))
		}
		if _, err := a.do(t.Context(), "acme", ask("good")); err != nil {
			t.Error("after many bad questions:", err)
		}
	})
}

// allFree checks that every slot of an account's bulkhead was given back.
func allFree(t *testing.T, a *account, slots int) {
	t.Helper()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range slots {
		if _, err := a.gate.Enter(ended, fmt.Sprint(i)); err != nil {
			t.Errorf("of %d slots only %d are free", slots, i)
			return
		}
	}
}

// TestBulkhead: so many calls at once, the others in the order they came, none
// beyond its deadline.
func TestBulkhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		var mu sync.Mutex
		var order []string
		a := at(func(r *http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			mu.Lock()
			order = append(order, r.URL.Path)
			mu.Unlock()
			pass(time.Second)
			return answers(200), nil
		}, 2)
		var group sync.WaitGroup
		for i := range 6 {
			group.Go(func() {
				if _, err := a.do(t.Context(), []string{"acme", "zeta"}[i%2], ask(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if _, err := a.do(ctx, "acme", ask("late")); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		group.Wait()
		for i := 0; i+1 < len(order); i += 2 { // two places become free at the same moment
			slices.Sort(order[i : i+2])
		}
		if got := strings.Join(order, " "); most.Load() != 2 || got != "/0 /1 /2 /3 /4 /5" {
			t.Errorf("%d at once, in the order %s", most.Load(), got)
		}
		if _, err := a.do(t.Context(), "acme", ask("after")); err != nil {
			t.Error("the breaker counts those that only waited:", err)
		}
	})
}

// TestNeighbors: an API that hangs takes nothing from another base URL of the
// same source.
func TestNeighbors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source, err := Open(&catalog.Source{Name: "partner", Kind: catalog.API, API: catalog.APISpec{BaseURL: "https://alive.example"}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		source.client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "dead.example" {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answers(200), nil
		})
		var group sync.WaitGroup
		for i := range 200 {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				c := ask(fmt.Sprint(i))
				c.url.Host = "dead.example"
				if _, err := source.account("https://dead.example").do(ctx, "acme", c); err == nil {
					t.Error("the dead one answered")
				}
			})
		}
		synctest.Wait()
		for i := range 100 {
			start := time.Now()
			if _, err := source.account("https://alive.example").do(t.Context(), "acme", ask(fmt.Sprint(i))); err != nil || time.Since(start) != 0 {
				t.Errorf("%v after %s", err, time.Since(start))
			}
		}
		group.Wait()
	})
}

func TestShared(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"short": 100, "long": 3 * maxShared} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				text := strings.Repeat("x", size)
				a := at(func(*http.Request) (*http.Response, error) {
					calls.Add(1)
					pass(time.Second)
					return answersWith(200, strings.NewReader(text)), nil
				}, 16)
				var group sync.WaitGroup
				for i := range 10 {
					c := ask("same")
					if i == 9 {
						c.header = http.Header{"Authorization": {"Bearer b"}}
					}
					group.Go(func() {
						r, err := a.do(t.Context(), "acme", c)
						if err != nil {
							t.Error(err)
							return
						}
						body := r.body()
						if got, err := io.ReadAll(body); err != nil || string(got) != text {
							t.Errorf("%d bytes, %v", len(got), err)
						}
						if err := body.Close(); err != nil {
							t.Error(err)
						}
					})
				}
				group.Wait()
				if want := map[string]int64{"short": 2, "long": 10}[name]; calls.Load() != want {
					t.Errorf("%d calls, want %d", calls.Load(), want)
				}
				allFree(t, a, 16)
			})
		})
	}
}

// TestLeaving: a shared call outlives those who leave, and ends with the last.
func TestLeaving(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		a := at(func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(10 * time.Second):
				return answers(200), nil
			case <-r.Context().Done():
				ended++
				return nil, r.Context().Err()
			}
		}, 4)
		asks := func(name string, patience time.Duration) chan error {
			out := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(patience, cancel)
			go func() { _, err := a.do(ctx, "acme", ask(name)); out <- err }()
			synctest.Wait()
			return out
		}
		first, second := asks("a", time.Second), asks("a", time.Minute)
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := <-second; err != nil || ended != 0 {
			t.Error("the first caller's leaving ended the second's call:", err)
		}
		first, second = asks("b", time.Second), asks("b", 2*time.Second)
		if one, other := <-first, <-second; one == nil || other == nil {
			t.Error(one, other)
		}
		synctest.Wait()
		if ended != 1 {
			t.Error("a call goes on that nobody waits for")
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { _, _ = a.do(short, "acme", ask("c")) }()
		synctest.Wait()
		if err := <-asks("c", time.Minute); err != nil {
			t.Error("the first caller's deadline became the second's:", err)
		}
	})
}

func TestStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var failure func() (*http.Response, error)
		a := newAccount(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			if failure != nil {
				return failure()
			}
			return answersWith(200, strings.NewReader("fresh")), nil
		})}, admit.New(4, admit.Limits{}, nil), longestFair, newKept(5*time.Minute), NewMetrics().of("partner"), uncounted)
		read := func(c call) (string, time.Time, error) {
			r, err := a.do(t.Context(), "acme", c)
			return string(r.head), r.asOf, err
		}
		if text, asOf, err := read(ask("")); text != "fresh" || !asOf.IsZero() || err != nil {
			t.Fatal(text, asOf, err)
		}
		was := time.Now()
		pass(time.Minute)
		for name, c := range map[string]struct {
			answer func() (*http.Response, error)
			ok     bool
		}{
			"gone":   {func() (*http.Response, error) { return nil, errHangUp }, true},
			"500":    {func() (*http.Response, error) { return answers(500), nil }, true},
			"429":    {func() (*http.Response, error) { return answers(429), nil }, true},
			"401":    {func() (*http.Response, error) { return answers(401), nil }, false},
			"403":    {func() (*http.Response, error) { return answers(403), nil }, false},
			"404":    {func() (*http.Response, error) { return answers(404), nil }, false},
			"no row": {func() (*http.Response, error) { return answers(200, "Content-Type", "text/html"), nil }, false},
		} {
			failure = c.answer
			text, asOf, err := read(ask(""))
			if c.ok && (text != "fresh" || !asOf.Equal(was)) || c.ok != (err == nil) {
				t.Errorf("%s: %q as of %s, %v", name, text, asOf, err)
			}
		}
		failure = func() (*http.Response, error) { return nil, errHangUp }
		other := ask("")
		other.header = http.Header{"Authorization": {"Bearer b"}}
		if text, _, err := read(other); err == nil {
			t.Errorf("somebody else's reply: %q", text)
		}
		pass(5 * time.Minute)
		if text, _, err := read(ask("")); err == nil {
			t.Errorf("too old: %q", text)
		}
	})
}

func TestRecent(t *testing.T) {
	t.Parallel()
	var dropped []string
	r := recent[string, string]{limit: 10, dropped: func(v string) { dropped = append(dropped, v) }}
	r.put("a", "A", 4)
	r.put("b", "B", 4)
	r.get("a")
	r.put("c", "C", 4)
	if _, ok := r.get("b"); ok || strings.Join(dropped, "") != "B" {
		t.Errorf("dropped %q", dropped)
	}
	r.put("big", "BIG", 11)
	r.put("a", "A2", 5)
	if v, _ := r.get("a"); v != "A2" || r.size != 9 || r.order.Len() != 2 {
		t.Errorf("%q, %d in %d", v, r.size, r.order.Len())
	}
}

// TestMetrics: one series for each source and kind, whoever asks.
func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMetrics()
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(m)
		a := newAccount(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, errHangUp })}, admit.New(4, admit.Limits{}, nil), longestFair, newKept(0), m.of("partner"), uncounted)
		for i := range 10 {
			_, _ = a.do(t.Context(), "acme", ask(fmt.Sprint(i)))
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, s := range f.GetMetric() {
				name := strings.TrimPrefix(f.GetName(), "usher_upstream_")
				for _, l := range s.GetLabel() {
					if l.GetName() == "kind" {
						name += " " + l.GetValue()
					} else if l.GetName() != "source" || l.GetValue() != "partner" {
						t.Errorf("label %s=%s", l.GetName(), l.GetValue())
					}
				}
				got[name] += s.GetCounter().GetValue() + s.GetGauge().GetValue() + float64(s.GetHistogram().GetSampleCount())
			}
		}
		for name, want := range map[string]float64{
			"requests_total": 10, "errors_total connection": breakAfter, "errors_total paused": 6, "retries_total": 1,
			"paused": 1, "in_flight": 0, "coalesced_total": 0, "stale_total": 0, "duration_seconds": breakAfter,
		} {
			if got[name] != want {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		}
		a.retire()
	})
}

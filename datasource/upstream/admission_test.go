package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"usher/admit"
	"usher/catalog"
	"usher/fault"
	"usher/principal"
)

// by is a principal of a tenant, whose calls are equal to no other subject's.
func by(tenant string, n int) principal.Principal {
	return principal.Principal{Subject: fmt.Sprint(tenant, n), Tenant: tenant, TenantKey: tenant}
}

// A tenant with fifty workers whose calls are slow leaves another its answers:
// none fails, and none waits for one of the slow ones. The flood's refusals do not
// make the API one that fails.
func TestAFloodIsItsTenantsOwn(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	counts := &admit.Counts{}
	a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Query().Get("as"), "loud") {
			select {
			case <-time.After(200 * time.Millisecond):
			case <-stop:
			}
		}
		says(`{"data":[]}`)(w, r)
	}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.MaxConcurrent, s.Query = new(8), map[string]catalog.Template{"as": "{subject}"}
	})
	a.gate = func(slots int) *admit.Gate {
		return admit.New(slots, admit.Limits{Waiting: 20, Wait: 2 * time.Second}, counts)
	}
	quietly := func() time.Duration {
		took := make([]time.Duration, 200)
		for i := range took {
			began := time.Now()
			asked(t, a, a.things(t, by("quiet", i), nil, "id"))
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		return took[len(took)*99/100]
	}
	quietly()
	alone := quietly()

	var mu sync.Mutex
	late := 0 // refusals
	codes := make(map[fault.Code]int)
	var group sync.WaitGroup
	for w := range 50 {
		group.Go(func() {
			for i := w; ; i += 50 {
				select {
				case <-stop:
					return
				default:
				}
				began := time.Now()
				_, err := a.fetch(t.Context(), a.things(t, by("loud", i), nil, "id"))
				f := fault.From(err)
				mu.Lock()
				if f == nil {
					codes[""]++
				} else if codes[f.Code]++; f.RetryAfter <= 0 {
					t.Errorf("%v does not say when to try again", err)
				}
				mu.Unlock()
				if f != nil && f.Code == fault.TooManyRequests {
					if time.Since(began) > time.Second {
						mu.Lock()
						late++
						mu.Unlock()
					}
					pass(50 * time.Millisecond)
				}
			}
		})
	}
	pass(500 * time.Millisecond)
	if n := a.Waiting(); n < 15 || n > 20 { // full, but for those who were just let in
		t.Errorf("%d calls are in line", n)
	}
	// What waits for a slow call waits each time; a machine that has much to do does not.
	most := alone*3/2 + 100*time.Millisecond
	beside := quietly()
	for range 3 {
		if beside > most {
			beside = min(beside, quietly())
		}
	}
	close(stop)
	group.Wait()
	t.Logf("p99 alone %s, beside the flood %s; the flood gets %v", alone, beside, codes)
	if beside > most {
		t.Errorf("p99 is %s beside the flood, %s alone", beside, alone)
	}
	if codes[""] == 0 || codes[fault.TooManyRequests] == 0 || len(codes) > 2 {
		t.Errorf("the flood gets %v", codes)
	}
	if late > codes[fault.TooManyRequests]/20 {
		t.Errorf("of %d refusals that the line is full %d came after a second", codes[fault.TooManyRequests], late)
	}
	if n := counts.Full.Load(); int(n) != codes[fault.TooManyRequests] {
		t.Errorf("%d refusals are counted, %d were made", n, codes[fault.TooManyRequests])
	}
}

// A call that is not made says nothing about the API: it opens no breaker, is not
// repeated and earns no retry. Nor does an older reply stand in for one whose
// tenant asks too much.
func TestRefusalsAreNoFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a := at(func(*http.Request) (*http.Response, error) {
			calls++
			pass(time.Minute)
			return answers(200), nil
		}, 1)
		a.kept.age = time.Hour
		if _, err := a.do(t.Context(), "acme", ask("known")); err != nil {
			t.Fatal(err)
		}
		a.gate = admit.New(1, admit.Limits{Waiting: 1, Wait: time.Second}, nil)
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				_, err := a.do(t.Context(), "acme", ask(fmt.Sprint(i)))
				switch f := fault.From(err); {
				case i == 0 && err == nil:
				case i == 1 && f.Code == fault.Unavailable && f.RetryAfter > 0:
				case i > 1 && f.Code == fault.TooManyRequests && f.RetryAfter > 0:
				default:
					t.Errorf("call %d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		if _, err := a.do(t.Context(), "acme", ask("known")); fault.From(err) == nil || fault.From(err).Code != fault.TooManyRequests {
			t.Errorf("refused for its tenant's flood, it got %v", err)
		}
		pass(2 * time.Second)
		if r, err := a.do(t.Context(), "acme", ask("known")); err != nil || r.asOf.IsZero() {
			t.Errorf("beside an API with too much to do, it got %v", err)
		}
		group.Wait()
		if _, err := a.do(t.Context(), "acme", ask("after")); err != nil || calls != 3 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

// A retry that is not admitted is none: what the API did before stands.
func TestRetryNotAdmitted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := at(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/first" {
				return answers(502), nil
			}
			pass(time.Minute)
			return answers(200), nil
		}, 1)
		a.gate = admit.New(1, admit.Limits{Wait: time.Second}, nil)
		failed := make(chan error, 1)
		go func() {
			_, err := a.do(t.Context(), "acme", ask("first"))
			failed <- err
		}()
		synctest.Wait() // it has failed and pauses
		saved := a.budget.saved
		var group sync.WaitGroup
		defer group.Wait()
		group.Go(func() { _, _ = a.do(t.Context(), "acme", ask("second")) })
		if err := <-failed; !errors.As(err, new(*statusError)) {
			t.Error(err)
		}
		if a.budget.saved != saved+perRetry+1 { // given back, and what the second call earned
			t.Errorf("of %d saved %d are left", saved, a.budget.saved)
		}
	})
}

// Equal calls of several tenants share one that is under way; while it waits in
// one tenant's line, no other tenant waits with it.
func TestNobodyWaitsInAnothersLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		a := at(func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			pass(time.Second)
			return answers(200), nil
		}, 2)
		begin := time.Now()
		var group sync.WaitGroup
		do := func(tenant, name string, after time.Duration) {
			group.Go(func() {
				if _, err := a.do(t.Context(), tenant, ask(name)); err != nil {
					t.Error(err)
				}
				if took := time.Since(begin); took != after {
					t.Errorf("%s's %s came after %s", tenant, name, took)
				}
			})
			synctest.Wait()
		}
		do("loud", "slow", time.Second)
		do("loud", "common", 2*time.Second)  // waits in its line
		do("quiet", "common", time.Second)   // does not
		do("loud", "common", time.Second)    // joins what is under way
		do("another", "slow", time.Second)   // so does this
		do("another", "common", time.Second) // and this, and none takes a slot
		if n := a.gate.Waiting(); n != 1 {
			t.Errorf("%d wait", n)
		}
		group.Wait()
		if calls.Load() != 3 {
			t.Errorf("%d calls", calls.Load())
		}
	})
}

// A time that is over in the line is said as such, and counted.
func TestTimeIsOverInLine(t *testing.T) {
	t.Parallel()
	counts := &admit.Counts{}
	release := make(chan struct{})
	a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		<-release
		says(`{"data":[]}`)(w, r)
	}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.MaxConcurrent, s.Timeout, s.Query = new(1), new(300*time.Millisecond), map[string]catalog.Template{"as": "{subject}"}
	})
	a.gate = func(slots int) *admit.Gate { return admit.New(slots, admit.Limits{}, counts) }
	slot, err := a.account(a.spec.API.BaseURL).gate.Enter(t.Context(), "loud")
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.fetch(t.Context(), a.things(t, by("loud", 1), nil, "id"))
	refused(t, err, fault.Unavailable, "too much to do")
	if fault.From(err).RetryAfter <= 0 {
		t.Error("it does not say when to try again")
	}
	for counts.Expired.Load() == 0 { // by the call itself, which nobody waits for any more
		pass(time.Millisecond)
	}
	slot.Leave()
	close(release)
	asked(t, a, a.things(t, by("loud", 2), nil, "id"))
}

// A token that several tenants use is fetched once, in one tenant's line; what that
// one is refused, the others are not.
func TestTokensAreFetchedInTurn(t *testing.T) {
	t.Parallel()
	i := &issuer{}
	a := i.open(t, func(s *catalog.SourceSpec) { s.OAuth2.ClientID, s.OAuth2.ClientSecret = "shared", "s-shared" })
	a.tokens.params = nil // they would tell the tenants apart
	gate := admit.New(1, admit.Limits{Wait: 300 * time.Millisecond}, nil)
	a.tokens.account.gate = gate
	slot, err := gate.Enter(t.Context(), "somebody")
	if err != nil {
		t.Fatal(err)
	}
	fetch := func(tenant string) chan error {
		c, err := a.tokens.client(identity(t, of(tenant)))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := a.tokens.token(t.Context(), tenant, c)
			done <- err
		}()
		return done
	}
	loud := fetch("loud")
	for gate.Waiting() == 0 {
		pass(time.Millisecond)
	}
	quiet := fetch("quiet")
	if f := fault.From(<-loud); f == nil || f.Code != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("whose line it was got %v", f)
	}
	slot.Leave()
	if err := <-quiet; err != nil || i.issued["shared"] != 1 {
		t.Errorf("%v, %d tokens", err, i.issued["shared"])
	}
}

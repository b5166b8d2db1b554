package datasource

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"usher/catalog"
	"usher/datasource/pool"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/plan"
)

// limited makes accounts of an API, which nothing has to be opened for.
func limited(n int) *accounts {
	return newAccounts(&catalog.Catalog{Sources: map[string]*catalog.Source{"a": {
		Name: "a", Kind: catalog.API, API: catalog.APISpec{BaseURL: "https://a.example", Pages: catalog.Pages{Kind: catalog.NoPages, Max: 1}, MaxConcurrent: 1},
	}}}, &lasting{opts: Options{Accounts: n, Conns: pool.Limits{Idle: time.Minute}}, metrics: newMetrics(Options{Clock: time.Now})})
}

func of(tenant string) plan.Target {
	return plan.Target{Source: "a", Kind: catalog.API, Tenant: tenant}
}

func (a *accounts) must(t *testing.T, tenant string) (release func()) {
	t.Helper()
	_, release, err := a.get(t.Context(), of(tenant))
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// count is how many of a tenant's own there are.
func (a *accounts) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.slots
}

func TestNoMoreAccountsThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := limited(3)
		defer func() { _ = a.close() }()
		first, second, third := a.must(t, "t1"), a.must(t, "t2"), a.must(t, "t3")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := a.get(ctx, of("t4")); fault.From(err).Code != fault.Timeout {
			t.Errorf("a fourth account: %v", err)
		}
		shared := a.must(t, "t2") // which is open: nothing to wait for
		shared()
		first()
		a.must(t, "t4")()
		second()
		third()
		if n := a.count(); n > 3 {
			t.Errorf("%d accounts are open", n)
		}
		<-time.After(3 * time.Minute)
		synctest.Wait()
		if n := a.count(); n != 0 {
			t.Errorf("%d accounts are open that nobody uses", n)
		}
	})
}

// Accounts that always have a user end all the same when others wait.
func TestBusyAccountsMakeRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := limited(2)
		ctx, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				for ctx.Err() == nil {
					release := a.must(t, fmt.Sprintf("hot%d", w%2))
					<-time.After(time.Duration(5+w) * time.Millisecond)
					release()
				}
			})
		}
		<-time.After(100 * time.Millisecond)
		for i := range 20 {
			start := time.Now()
			release := a.must(t, fmt.Sprintf("cold%d", i))
			if took := time.Since(start); took > 100*time.Millisecond {
				t.Errorf("cold%d waited %s", i, took)
			}
			<-time.After(10 * time.Millisecond)
			release()
			if n := a.count(); n > 2 {
				t.Errorf("%d accounts are open", n)
			}
		}
		stop()
		group.Wait()
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLateSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := limited(2)
		var group sync.WaitGroup
		for w := range 12 {
			group.Go(func() {
				for i := range 50 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration((w+i)%7)*time.Millisecond)
					if _, release, err := a.get(ctx, of(fmt.Sprintf("t%d", (w*i)%5))); err == nil {
						<-time.After(time.Duration(w%3) * time.Millisecond)
						release()
					}
					cancel()
				}
			})
		}
		group.Wait()
		<-time.After(3 * time.Minute)
		synctest.Wait()
		if n := a.count(); n != 0 || a.draining != 0 || a.waiting.Len() != 0 || len(a.open) != 0 {
			t.Errorf("%d slots are taken, %d leaving, %d in line, %d open", n, a.draining, a.waiting.Len(), len(a.open))
		}
		_ = a.close()
		if _, _, err := a.get(t.Context(), of("t1")); fault.From(err).Code != fault.Unavailable {
			t.Errorf("after the end: %v", err)
		}
	})
}

// slow is a source that takes its time to close.
type slow struct {
	Source
	closing, closed chan struct{}
	panics          bool
}

func (s *slow) Close() error {
	close(s.closing)
	<-s.closed
	if s.panics {
		panic("close")
	}
	return nil
}

// An account that takes long to close, or panics, is nobody else's matter.
func TestClosingHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := limited(2)
			a.must(t, "t1")()
			s := &slow{closing: make(chan struct{}), closed: make(chan struct{}), panics: panics}
			a.open[of("t1")].source = s
			release := a.must(t, "t2")
			var group sync.WaitGroup
			group.Go(func() { a.must(t, "t3")() }) // in t1's slot
			<-s.closing
			start := time.Now()
			a.must(t, "t2")()
			a.each(func(plan.Target, Source) {})
			if took := time.Since(start); took != 0 {
				t.Errorf("others wait %s for what is being closed", took)
			}
			if n := a.count(); n != 2 {
				t.Errorf("%d slots are taken while an account is being closed", n)
			}
			close(s.closed)
			group.Wait()
			release()
			<-time.After(3 * time.Minute)
			synctest.Wait()
			if n := a.count(); n != 0 {
				t.Errorf("%d slots are taken", n)
			}
			_ = a.close()
		})
	}
}

// A panic while an account is opened fails those who wait for it, and no others.
func TestPanicWhileOpening(t *testing.T) {
	t.Parallel()
	a := limited(1)
	defer func() { _ = a.close() }()
	for range 3 {
		a.opts.Upstream.Metrics = &upstream.Metrics{} // which lacks what it counts with
		func() {
			defer func() {
				if recover() == nil {
					t.Error("nothing panicked")
				}
			}()
			_, _, _ = a.get(t.Context(), of("t1"))
		}()
		a.opts.Upstream.Metrics = nil
	}
	a.must(t, "t1")()
	if n := a.count(); n != 1 {
		t.Errorf("%d slots are taken", n)
	}
}

package datasource

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"usher/fault"
	"usher/value"
)

// asked runs one question in the background.
type asked struct {
	result *value.Result
	err    error
}

func ask(ctx context.Context, group *sync.WaitGroup, f *group[string, *value.Result], key string, run func(context.Context) (*value.Result, error)) *asked {
	a := &asked{}
	group.Go(func() { a.result, _, a.err = f.do(ctx, key, run) })
	return a
}

func TestEqualQuestionsShareOneExecution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f group[string, *value.Result]
		var runs atomic.Int32
		hold := make(chan struct{})
		want := &value.Result{}
		run := func(context.Context) (*value.Result, error) {
			runs.Add(1)
			<-hold
			return want, nil
		}
		var group sync.WaitGroup
		var all []*asked
		for range 5 {
			all = append(all, ask(t.Context(), &group, &f, "same", run))
		}
		ask(t.Context(), &group, &f, "other", run)
		synctest.Wait()
		close(hold)
		group.Wait()
		if n := runs.Load(); n != 2 {
			t.Errorf("two different questions ran %d times", n)
		}
		for _, a := range all {
			if a.result != want || a.err != nil {
				t.Errorf("got %v, %v", a.result, a.err)
			}
		}
		if _, _, err := f.do(t.Context(), "same", run); err != nil || runs.Load() != 3 {
			t.Errorf("a later question did not run by itself: %v after %d runs", err, runs.Load())
		}
	})
}

func TestAnErrorIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f group[string, *value.Result]
		hold, failed := make(chan struct{}), errors.New("the table is gone")
		run := func(context.Context) (*value.Result, error) {
			<-hold
			return nil, failed
		}
		var group sync.WaitGroup
		a, b := ask(t.Context(), &group, &f, "k", run), ask(t.Context(), &group, &f, "k", run)
		synctest.Wait()
		close(hold)
		group.Wait()
		if !errors.Is(a.err, failed) || !errors.Is(b.err, failed) {
			t.Errorf("got %v and %v", a.err, b.err)
		}
	})
}

// Whoever runs the question may leave; those who wait get an answer all the
// same, and whoever waits may leave without ending the run.
func TestOneCancellationIsNobodyElses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f group[string, *value.Result]
		var runs atomic.Int32
		hold := make(chan struct{})
		run := func(ctx context.Context) (*value.Result, error) {
			runs.Add(1)
			select {
			case <-hold:
				return &value.Result{}, nil
			case <-ctx.Done():
				return nil, fault.From(ctx.Err())
			}
		}
		first, leave := context.WithCancel(t.Context())
		second, leaveToo := context.WithCancel(t.Context())
		var group sync.WaitGroup
		a := ask(first, &group, &f, "k", run)
		synctest.Wait() // a runs
		b := ask(second, &group, &f, "k", run)
		c := ask(t.Context(), &group, &f, "k", run)
		synctest.Wait() // b and c wait
		leaveToo()
		synctest.Wait()
		if fault.From(b.err) == nil || runs.Load() != 1 {
			t.Fatalf("a caller that left still waits, or ended the run: %v after %d runs", b.err, runs.Load())
		}
		leave()
		synctest.Wait() // c runs now
		close(hold)
		group.Wait()
		if a.err == nil || c.err != nil || c.result == nil || runs.Load() != 2 {
			t.Errorf("got %v and %v, %v after %d runs", a.err, c.result, c.err, runs.Load())
		}
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f group[string, *value.Result]
		hold := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			defer func() { _ = recover() }()
			_, _, _ = f.do(t.Context(), "k", func(context.Context) (*value.Result, error) {
				<-hold
				panic("a bug")
			})
		})
		synctest.Wait()
		b := ask(t.Context(), &group, &f, "k", func(context.Context) (*value.Result, error) { return &value.Result{}, nil })
		synctest.Wait()
		close(hold)
		group.Wait()
		if b.err != nil || b.result == nil {
			t.Errorf("got %v, %v", b.result, b.err)
		}
	})
}

// What is under way was perhaps read before a change: whoever asks after it
// asks anew.
func TestNobodyJoinsWhatIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f group[string, *value.Result]
		old, fresh, hold := &value.Result{}, &value.Result{}, make(chan struct{})
		var group sync.WaitGroup
		a := ask(t.Context(), &group, &f, "k", func(context.Context) (*value.Result, error) {
			<-hold
			return old, nil
		})
		synctest.Wait()
		f.forget()
		wait := make(chan struct{})
		b := ask(t.Context(), &group, &f, "k", func(context.Context) (*value.Result, error) {
			<-wait
			return fresh, nil
		})
		synctest.Wait()
		close(hold)
		synctest.Wait() // a is done, and has left b's alone
		c := ask(t.Context(), &group, &f, "k", func(context.Context) (*value.Result, error) { return nil, errors.New("b's was to be shared") })
		synctest.Wait()
		close(wait)
		group.Wait()
		if a.result != old || b.result != fresh || c.result != fresh {
			t.Errorf("got %v, %v, %v (%v)", a.result, b.result, c.result, c.err)
		}
	})
}

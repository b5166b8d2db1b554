package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// silent is an API that never answers.
func silent(calls *int) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		*calls++
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
}

// TestSilenceOpensTheBreaker: an API that never answers within its callers'
// deadlines is left alone, whichever of a caller and its call ends first.
func TestSilenceOpensTheBreaker(t *testing.T) {
	t.Parallel()
	for range 50 { // deadlines that fall together end in either order
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			a := at(silent(&calls), 4)
			for i := range 3 * breakAfter {
				ctx, cancel := context.WithTimeout(t.Context(), longestFair)
				_, err := a.do(ctx, "acme", ask(fmt.Sprint(i)))
				cancel()
				if i < breakAfter && !errors.Is(err, context.DeadlineExceeded) || i >= breakAfter && !errors.Is(err, errPaused) {
					t.Fatalf("question %d: %v", i, err)
				}
				synctest.Wait()
			}
			if calls != breakAfter {
				t.Errorf("%d calls; want %d", calls, breakAfter)
			}
		})
	}
}

// TestSilenceToWhoJoined: the deadline of whoever waits last counts, too.
func TestSilenceToWhoJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a := at(silent(&calls), 4)
		for i := range breakAfter {
			first, leave := context.WithCancel(t.Context())
			go func() { _, _ = a.do(first, "acme", ask(fmt.Sprint(i))) }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 2*longestFair)
			time.AfterFunc(longestFair, leave)
			if _, err := a.do(ctx, "acme", ask(fmt.Sprint(i))); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
			synctest.Wait()
		}
		if _, err := a.do(t.Context(), "acme", ask("next")); !errors.Is(err, errPaused) || calls != breakAfter {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

// TestHasteIsNoFailure: callers that give an API no time to answer open no
// breaker for the others.
func TestHasteIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := at(func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(longestFair / 2):
				return answers(200), nil
			case <-r.Context().Done():
				return nil, context.Cause(r.Context())
			}
		}, 4)
		for i := range 3 * breakAfter {
			ctx, cancel := context.WithTimeout(t.Context(), longestFair/4)
			if _, err := a.do(ctx, "acme", ask(fmt.Sprint(i))); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
			synctest.Wait()
		}
		if _, err := a.do(t.Context(), "acme", ask("patient")); err != nil {
			t.Error(err)
		}
	})
}

package upstream

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	breakAfter = 5               // failures one after another open the breaker
	pauseFor   = 3 * time.Second // then the API is left alone for this long; half-open, it is asked once

	longestFair = time.Second
)

// errPaused is the answer of an account whose API failed again and again.
var errPaused = errors.New("the API failed several times in a row and is left alone for a while")

func newBreaker(m *meter) *gobreaker.TwoStepCircuitBreaker[reply] {
	return gobreaker.NewTwoStepCircuitBreaker[reply](gobreaker.Settings{
		Timeout:       pauseFor,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakAfter },
		OnStateChange: func(_ string, from, to gobreaker.State) { m.state(from, to) },
	})
}

// fairTime is how long an API must have been given before a call that its
// caller's deadline cut counts as one that it did not answer: half of the
// source's timeout, a second at most. A caller who comes with less says nothing
// about the API.
func fairTime(timeout time.Duration) time.Duration { return min(timeout/2, longestFair) }

// admitted makes a call that has its slot, if the circuit breaker allows it.
func (a *account) admitted(ctx context.Context, c call) (reply, error) {
	report, err := a.breaker.Allow()
	if err != nil {
		a.meter.failed(errPaused)
		return reply{}, errPaused
	}
	end, began := a.meter.begin(), time.Now()
	r, err := send(ctx, a.client, c)
	end()
	if err != nil {
		a.meter.failed(err)
	}
	switch {
	case alive(err):
		report(true)
	case ctx.Err() == nil || overdue(ctx) && time.Since(began) >= a.fair:
		report(false)
	case a.breaker.State() == gobreaker.StateHalfOpen:
		report(false) // who asked has gone before the API could show that it is back
	}
	return r, err
}

// overdue tells whether a deadline ended the context, not somebody who left.
func overdue(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

// alive tells whether a call's outcome shows that the API is there. What it
// makes of one question, even a 500, says nothing about others.
func alive(err error) bool {
	var status *statusError
	var content contentError
	switch {
	case errors.As(err, &status):
		return !status.busy() || status.code == http.StatusTooManyRequests
	case errors.As(err, &content):
		return true
	}
	return err == nil
}

package pool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long an account that cannot be connected to is left alone: not at all
// after one failure, which may be a mishap; then for a moment, and twice as long
// after each further one, up to a second: whoever is back shall not be waited for
// much longer. A pause is never shorter than the attempt was, so that no more than
// half of the time is spent on trying.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
	maxPause   = 5 * time.Second // after attempts that take so long
)

// patience is for how much of a pause callers wait. When more is left of it they
// are told so at once.
const patience = 250 * time.Millisecond

// restarts is how long a server that was there may take to restart: so long callers
// wait for it, as long as each of them has time, before they are refused.
const restarts = 10 * time.Second

// AwayError is why a server takes no connection that is restarting, or has gone: nothing
// listens, or it says that it is not ready. One that is silent, or that refuses the
// account, is not away.
type AwayError struct{ Cause error }

func (e *AwayError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *AwayError) Unwrap() error { return e.Cause }

// PausedError says that an account is left alone because it could not be
// connected to.
type PausedError struct {
	Cause error         // of the last attempt
	Left  time.Duration // until the next
}

func (e *PausedError) Error() string {
	return fmt.Sprintf("not tried again for %s, because: %v", e.Left.Round(time.Millisecond), e.Cause)
}

// Unwrap returns the cause.
func (e *PausedError) Unwrap() error { return e.Cause }

// backoff is exponential: why an account cannot be connected to, and until when that is
// taken for granted. The zero value is no failure.
type backoff struct {
	err   error
	since time.Time // the first attempt ended that failed
	away  bool      // the account had answered before, and all that has failed since is an AwayError
	ended time.Time // the attempt
	took  time.Duration
	pause time.Duration
	over  *time.Timer // ends the pause for those in line
}

// failed notes a failed attempt. One that began before the last failure was known
// tells nothing new: many callers that see one outage make no longer pause.
func (b *backoff) failed(err error, known bool, began, now time.Time, over func()) {
	first, same := b.err == nil, began.Before(b.ended)
	if first {
		b.since, b.away = now, known
	}
	b.err = err
	b.away = b.away && errors.As(err, new(*AwayError))
	if !first && same {
		return
	}
	if !first {
		b.pause = min(max(min(max(2*b.pause, firstPause), lastPause), now.Sub(began)), maxPause)
		if b.restarting(now) { // which is waited for
			b.pause = min(b.pause, patience)
		}
	}
	b.ended, b.took = now, now.Sub(began)
	b.stop()
	if b.pause > 0 {
		b.over = time.AfterFunc(b.pause, over)
	}
}

// restarting tells whether the account is that of a server which may be back soon.
func (b *backoff) restarting(now time.Time) bool { return b.away && now.Sub(b.since) < restarts }

// clear forgets the failure.
func (b *backoff) clear() {
	b.stop()
	*b = backoff{}
}

func (b *backoff) stop() {
	if b.over != nil {
		b.over.Stop()
		b.over = nil
	}
}

// remaining is how much of the pause is left.
func (b *backoff) remaining(now time.Time) time.Duration {
	if b.err == nil {
		return 0
	}
	return max(0, b.pause-now.Sub(b.ended))
}

// excused tells that an attempt ended with its caller, which says nothing of the
// account: the caller has left, or had hardly any time.
func excused(ctx context.Context, took time.Duration) bool {
	return errors.Is(ctx.Err(), context.Canceled) || ctx.Err() != nil && took < patience
}

package pool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long an account that cannot be connected to is left alone: not at all
// after one failure, which may be a mishap; then for a moment, and twice as long
// after each further one. A pause is never shorter than the attempt was, so that
// no more than half of the time is spent on trying.
const (
	firstPause = 20 * time.Millisecond
	maxPause   = 5 * time.Second
)

// patience is for how much of a pause callers wait. When more is left of it they
// are told so at once.
const patience = 250 * time.Millisecond

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

// failure is why an account cannot be connected to, and until when that is
// taken for granted. The zero value is none.
type failure struct {
	err   error
	ended time.Time // the attempt
	pause time.Duration
	over  *time.Timer // ends the pause for those in line
}

// again notes a failed attempt. One that began before the last failure was known
// tells nothing new: many callers that see one outage make no longer pause.
func (f *failure) again(err error, began, now time.Time, over func()) {
	first, same := f.err == nil, began.Before(f.ended)
	f.err = err
	if !first && same {
		return
	}
	if !first {
		f.pause = min(max(2*f.pause, firstPause, now.Sub(began)), maxPause)
	}
	f.ended = now
	f.stop()
	if f.pause > 0 {
		f.over = time.AfterFunc(f.pause, over)
	}
}

// clear forgets the failure.
func (f *failure) clear() {
	f.stop()
	*f = failure{}
}

func (f *failure) stop() {
	if f.over != nil {
		f.over.Stop()
		f.over = nil
	}
}

// left is how much of the pause is left.
func (f *failure) left(now time.Time) time.Duration {
	if f.err == nil {
		return 0
	}
	return max(0, f.pause-now.Sub(f.ended))
}

// excused tells that an attempt ended with its caller, which says nothing of the
// account: the caller has left, or had hardly any time.
func excused(ctx context.Context, took time.Duration) bool {
	return errors.Is(ctx.Err(), context.Canceled) || ctx.Err() != nil && took < patience
}

package pool

import "time"

// How long an account that cannot be connected to is left alone: not at all
// after one failure, then twice as long after each further one.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// failure is why an account cannot be connected to, and until when that is
// taken for granted.
type failure struct {
	err   error
	until time.Time
	pause time.Duration
}

func (f *failure) again(err error, now time.Time) {
	if f.err != nil {
		f.pause = min(max(2*f.pause, firstPause), maxPause)
	}
	f.err, f.until = err, now.Add(f.pause)
}

func (f *failure) holds(now time.Time) bool { return f.err != nil && now.Before(f.until) }

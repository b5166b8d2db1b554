package tenancy

import (
	"time"

	"usher/fault"
)

// maxAttempts is how many names and addresses are remembered, in this process.
const maxAttempts = 1 << 16

// attempt is how often logging in has failed, for a name or from an address.
type attempt struct {
	failures int
	until    time.Time // before it, nothing is tried
}

// attemptForgotten is after how long a quiet name begins anew.
const attemptForgotten = 24 * time.Hour

// admit refuses while one has to wait. That the name exists makes no
// difference.
func (s *Store) admit(keys []attemptKey) error {
	now := s.now()
	for _, key := range keys {
		known, _ := s.attempts.get(key.text)
		if now.Before(known.until) {
			locked := fault.New(fault.TooManyRequests, "too many attempts to log in have failed")
			locked.RetryAfter = known.until.Sub(now).Round(time.Second)
			return locked
		}
	}
	return nil
}

// attemptKey is what failures are counted for.
type attemptKey struct {
	text string
	free int // failures before waiting begins
}

// failed counts a failure: each after the free ones doubles the wait.
func (s *Store) failed(keys []attemptKey) {
	now := s.now()
	for _, key := range keys {
		s.attempts.update(key.text, func(a attempt) attempt {
			if now.Sub(a.until) > attemptForgotten {
				a = attempt{}
			}
			a.failures++
			a.until = now
			if over := a.failures - key.free; over >= 0 {
				wait := s.opts.MaxLockout
				if over < 20 {
					wait = min(wait, time.Second<<over)
				}
				a.until = now.Add(wait)
			}
			return a
		})
	}
}

func (s *Store) succeeded(key attemptKey) { s.attempts.remove(key.text) }

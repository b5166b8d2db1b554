package tenancy

import (
	"context"
	"sync"
	"time"
)

// apart is how far two uses are apart to be both noted. A token ends by the use
// that was noted last, never later than said and at most this much sooner.
func apart(inactivity time.Duration) time.Duration {
	if inactivity == 0 {
		return time.Minute
	}
	return min(time.Minute, inactivity/10)
}

// touches are last uses still to be written, by token id.
type touches struct {
	mu   sync.Mutex
	used map[string]int64
}

// maxTouches is how many of them are written at once, and a bound for those
// that wait; more are noted with a later use.
const maxTouches = 10_000

// touch notes that the token was used. It writes nothing itself.
func (s *Store) touch(v *verified) {
	now := micros(s.now())
	v.used.Store(max(now, v.used.Load()))
	noted := v.noted.Load()
	if now-noted < apart(v.inactivity).Microseconds() || !v.noted.CompareAndSwap(noted, now) {
		return
	}
	s.touches.mu.Lock()
	defer s.touches.mu.Unlock()
	if s.touches.used == nil {
		s.touches.used = map[string]int64{}
	}
	if len(s.touches.used) < maxTouches {
		s.touches.used[v.principal.TokenID] = now
	}
}

// writeTouches writes what was noted, in the order of ids and not while tokens are
// ended, so that nobody waits for each other in a circle.
func (s *Store) writeTouches(ctx context.Context) error {
	s.touches.mu.Lock()
	used := s.touches.used
	s.touches.used = nil
	s.touches.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	return s.write(ctx, func(t *tx) error {
		if err := t.issuing(); err != nil {
			return err
		}
		for _, id := range sortedKeys(used) {
			if _, err := t.Exec("UPDATE store.tokens SET used_at = $2 WHERE id = $1 AND used_at < $2", id, used[id]); err != nil {
				return err
			}
		}
		return nil
	})
}

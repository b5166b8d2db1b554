package held

import (
	"sync/atomic"
	"time"
)

const (
	much      = 64 << 20         // bytes after which it is worth to give memory back
	restAfter = 10 * time.Second // and how long after: there is often more to come
)

// rest gives memory back to the system after much of it was held and little is
// any more. The runtime does so by itself when it collects next, which without
// requests it does every two minutes. It happens once after a burst, and while
// there are many at most once in restAfter.
type rest struct {
	free    func()
	seen    atomic.Bool // that much was held
	resting atomic.Bool // a timer runs
}

func (r *rest) held(bytes int64) {
	if bytes >= much && !r.seen.Load() {
		r.seen.Store(true)
	}
}

// left is told how much is held still.
func (r *rest) left(bytes int64, now *atomic.Int64) {
	if bytes >= much || !r.seen.Load() || !r.resting.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(restAfter, func() {
		r.resting.Store(false)
		if now.Load() < much { // else whoever ends next comes here
			r.seen.Store(false)
			r.free()
		}
	})
}

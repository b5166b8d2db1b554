package quota

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// bucket is what is left of one kind for one holder. It holds a minute's worth at most and
// is filled as time goes by. It belongs to its keeper's lock.
type bucket struct {
	who   string
	limit float64 // a minute

	// The account with the store.
	leased  float64 // when it was asked last
	spent   float64 // since then
	level   float64 // what was left of the whole
	settled time.Time
	until   time.Time // there is nothing to be had until then: nobody asks
	waiting int       // for the store's answer
	asked   bool      // it is to be asked, or is being asked
	chunk   float64   // what is asked for, at least

	// What this gateway has by itself, while the store is silent or there is none.
	own   float64
	ownAt time.Time // zero: the store is asked

	logged time.Time
}

func newBucket(of key) *bucket {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%d\x00%q", of.of, of.kind, of.name))
	return &bucket{who: hex.EncodeToString(sum[:])}
}

// left is how much may be used. One part of share is this gateway's; 0: the store is asked.
func (b *bucket) left(share int, now time.Time) float64 {
	if share == 0 {
		b.ownAt = time.Time{}
		return b.leased - b.spent
	}
	most := max(b.limit/float64(share), 1)
	if b.ownAt.IsZero() { // the store was asked until now
		b.own, b.ownAt = most, now
		if !b.settled.IsZero() { // at least one of what is left of the whole: somebody may have been told to come for it
			filled := min(b.limit, b.level+b.limit*now.Sub(b.settled).Minutes())
			mine, all := filled/float64(share)+b.leased-b.spent, filled+b.leased-b.spent
			b.own = min(most, max(mine, min(all, 1)))
		}
	}
	if passed := now.Sub(b.ownAt); passed > 0 {
		b.own = min(most, b.own+most*passed.Minutes())
		b.ownAt = now
	}
	b.own = min(b.own, most)
	return b.own
}

func (b *bucket) spend(n float64, share int, now time.Time) {
	b.left(share, now)
	b.spent += n
	if share > 0 {
		b.own -= n
	}
}

// wait is how long it takes until something is left, of the share and, as far as is known, of the whole: the store may
// answer again by then.
func (b *bucket) wait(share int, now time.Time) (wait time.Duration) {
	if share == 0 || !b.settled.IsZero() {
		wait = max(fills(1-b.level-b.leased+b.spent, b.limit)-now.Sub(b.settled), 0)
	}
	if share > 0 {
		wait = max(wait, fills(1-b.own, max(b.limit/float64(share), 1)))
	}
	return wait
}

// one is left when it is but for what is lost in rounding, so that who comes at the time that was told finds it.
const one = 1 - 1e-6

// fills is how long it takes to fill up so much.
func fills(missing, perMinute float64) time.Duration {
	return time.Duration(min(missing/perMinute*60, longest.Seconds()) * float64(time.Second))
}

// longest is how long somebody is told to wait.
const longest = 24 * time.Hour

// claim is what the store is told. What waits is wanted, and twice as much as the last time
// when that was used up within a second.
func (b *bucket) claim(now time.Time) Claim {
	second := b.limit / 60
	switch {
	case b.waiting == 0: // to have it before somebody waits
		b.chunk = min(max(b.spent, 0), b.limit)
	case !b.settled.IsZero() && now.Sub(b.settled) < time.Second:
		b.chunk = min(max(2*b.chunk, second, 1), b.limit)
	default:
		b.chunk = min(max(b.spent, second, 1), b.limit)
	}
	return Claim{Who: b.who, Limit: b.limit, Used: b.spent - b.leased, Want: min(max(b.chunk, float64(b.waiting)), b.limit)}
}

// granted is the store's answer to a claim, since which so much more was spent.
func (b *bucket) granted(g Grant, since float64, now time.Time) {
	b.leased, b.spent, b.level, b.settled = g.Lease, since, g.Level, now
	if b.leased-b.spent < one {
		b.until = now.Add(min(b.wait(0, now), time.Second)) // others may give back what they have
	}
}

// idle tells that nothing is lost when the bucket is forgotten.
func (b *bucket) idle(alone bool, share int, now time.Time) bool {
	if b.asked || b.waiting > 0 {
		return false
	}
	if share == 0 {
		return b.leased == b.spent && now.Sub(b.settled) > time.Minute
	}
	return b.left(share, now) >= max(b.limit/float64(share), 1) && (alone || b.leased == b.spent)
}

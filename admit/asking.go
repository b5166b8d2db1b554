package admit

import (
	"sync"
	"time"
)

// asking is who has asked lately. It knows no other time than that of who asks, so that
// nobody's turn comes while nothing happens.
type asking struct {
	at   time.Time // the last time that anybody did
	last [2]asker  // who asked last, and who else did before
}

// asker is when a tenant has asked last.
type asker struct {
	name   string
	weight int
	at     time.Time
}

// lately is for how long one who has asked counts as being there.
const lately = time.Second

// note keeps who has asked.
func (a *asking) note(name string, weight int, now time.Time) {
	if a.last[0].name != name {
		a.last[0], a.last[1] = asker{name: name}, a.last[0]
	}
	a.at, a.last[0].at, a.last[0].weight = now, now, weight
}

// beside is who else has asked lately, if anybody has.
func (a *asking) beside(name string) (asker, bool) {
	other := a.last[0]
	if other.name == name {
		other = a.last[1]
	}
	return other, !other.at.IsZero() && a.at.Sub(other.at) < lately
}

// waitedFor are those who have asked lately for what somebody waits for, at one gate or at several.
type waitedFor struct {
	mu sync.Mutex
	asking
}

func (w *waitedFor) note(name string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asking.note(name, 1, now)
}

// beside tells whether another one has asked lately, by now: what is not waited for comes and goes
// without being noted.
func (w *waitedFor) beside(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	other, there := w.asking.beside(name)
	return there && time.Since(other.at) < lately
}

// beside is how many of what there is a tenant has beside others: a number, or more if it
// weighs more than they do on average.
func beside(n, weight, all int) int { return max(n, (2*n*weight+all-1)/all) }

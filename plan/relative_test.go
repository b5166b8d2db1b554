package plan

import (
	"testing"
	"time"
)

// TestRangesHoldNow: what was written just now has been until now, at every moment of a second; and what is asked
// within one second is one question, but for ranges of milliseconds.
func TestRangesHoldNow(t *testing.T) {
	t.Parallel()
	const name = "last"
	now := time.Date(2026, 11, 30, 5, 50, 26, 921_000_000, time.UTC)
	written, second := now.Add(-6*time.Millisecond), now.Truncate(time.Second)
	for unit := range unitLength {
		for _, name := range []string{name, "toDate"} {
			from, to := rangeOf(name, now, unit, 500)
			if name == "last" && written.Before(from) || written.After(to) || now.After(to) {
				t.Errorf("%s %s: %s is not from %s to %s", name, unit, written, from, to)
			}
			sameFrom, sameTo := rangeOf(name, second, unit, 500)
			if same := from.Equal(sameFrom) && to.Equal(sameTo); same == (unit == Millisecond) {
				t.Errorf("%s %s: from %s to %s, and at the second's beginning from %s to %s", name, unit, from, to, sameFrom, sameTo)
			}
		}
	}
	if from, to := rangeOf(name, now, Millisecond, 500); !from.Equal(now.Add(-500*time.Millisecond)) || !to.Equal(now) {
		t.Errorf("500 ms until %s are from %s to %s", now, from, to)
	}
}

package traffic_test

import (
	"fmt"
	"testing"
	"time"

	"usher/traffic"
)

func sum(all []traffic.Minute) (n string) {
	requests, errors := 0, 0
	for _, m := range all {
		requests, errors = requests+m.Requests, errors+m.Errors
	}
	return fmt.Sprintf("%d/%d of %d", requests, errors, len(all))
}

// A request is counted for an hour, for all and for its tenant alone.
func TestHour(t *testing.T) {
	t.Parallel()
	h, now := traffic.New(), time.Date(2026, 1, 1, 12, 0, 30, 0, time.UTC)
	h.Count("acme", false, now)
	h.Count("acme", true, now.Add(time.Minute))
	h.Count("other", true, now.Add(time.Minute))
	h.Count("", false, now.Add(time.Minute))
	for after, want := range map[time.Duration][4]string{ // all, acme, other, nobody
		time.Minute:      {"4/2 of 60", "2/1 of 60", "1/1 of 60", "0/0 of 60"},
		59 * time.Minute: {"4/2 of 60", "2/1 of 60", "1/1 of 60", "0/0 of 60"},
		60 * time.Minute: {"3/2 of 60", "1/1 of 60", "1/1 of 60", "0/0 of 60"},
		61 * time.Minute: {"0/0 of 60", "0/0 of 60", "0/0 of 60", "0/0 of 60"},
	} {
		at := now.Add(after)
		for i, got := range []string{sum(h.All(at)), sum(h.Of("acme", at)), sum(h.Of("other", at)), sum(h.Of("", at))} {
			if got != want[i] {
				t.Errorf("after %s %d is %s, want %s", after, i, got, want[i])
			}
		}
	}
	last := h.All(now.Add(time.Minute))
	if m := last[59]; m.Requests != 3 || !m.At.Equal(now.Add(time.Minute).Truncate(time.Minute)) {
		t.Errorf("%+v", m)
	}
	for i := range 100_000 { // of tenants without number those are known that asked last
		h.Count(fmt.Sprint("t", i), false, now)
	}
	if got := sum(h.Of("t99999", now)) + sum(h.Of("t1", now)); got != "1/0 of 60"+"0/0 of 60" {
		t.Error(got)
	}
	(*traffic.Hour)(nil).Count("acme", false, now)
}

func TestSources(t *testing.T) {
	t.Parallel()
	var s traffic.Sources
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	if s.Of("shop").Failing(now) {
		t.Error("what was never asked fails")
	}
	s.Answered("shop", now)
	s.Failed("shop", "UNAVAILABLE", now.Add(time.Millisecond))
	if seen := s.Of("shop"); !seen.Failing(now.Add(time.Minute)) || seen.Failing(now.Add(2*time.Hour)) || seen.Code != "UNAVAILABLE" || s.Of("other").Failing(now) {
		t.Errorf("%+v", seen)
	}
	s.Answered("shop", now.Add(2*time.Millisecond))
	if s.Of("shop").Failing(now.Add(time.Minute)) {
		t.Error("what has answered since fails")
	}
}

// Package traffic owns how many requests there were in the last hour, of all and of
// each tenant, and when each source last answered and last failed. It is bounded:
// of tenants it knows those that asked last. It keeps counts and moments alone,
// nothing that anybody asked or was answered.
package traffic

import (
	"sync"
	"time"

	"usher/lru"
)

// mostTenants is of how many tenants the last hour is known; each takes about half
// a kilobyte.
const mostTenants = 4096

const minutes = 60

// Minute is how many requests there were in a minute.
type Minute struct {
	At       time.Time
	Requests int
	Errors   int // of them, those that were refused or had an error in the answer
}

// Hour counts requests. Its zero value is not usable; see New.
type Hour struct {
	mu      sync.Mutex
	all     ring
	tenants *lru.Cache[string, *ring]
}

// ring is an hour, minute by minute: each has the place of its number.
type ring [minutes]struct {
	minute           int64
	requests, errors uint32
}

// New begins to count.
func New() *Hour { return &Hour{tenants: lru.New[string, *ring](mostTenants)} }

// Count counts a request of a tenant, or of none.
func (h *Hour) Count(tenant string, failed bool, now time.Time) {
	if h == nil {
		return
	}
	minute := now.Unix() / 60
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all.count(minute, failed)
	if tenant != "" {
		h.tenants.GetOrAdd(tenant, 1, func() *ring { return &ring{} }).count(minute, failed)
	}
}

func (r *ring) count(minute int64, failed bool) {
	at := &r[minute%minutes]
	if at.minute != minute {
		at.minute, at.requests, at.errors = minute, 0, 0
	}
	at.requests++
	if failed {
		at.errors++
	}
}

// All are the minutes of the last hour, of everybody.
func (h *Hour) All(now time.Time) []Minute {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.last(now)
}

// Of are those of a tenant.
func (h *Hour) Of(tenant string, now time.Time) []Minute {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r, ok := h.tenants.Get(tenant); ok && tenant != "" {
		return r.last(now)
	}
	return (&ring{}).last(now)
}

func (r *ring) last(now time.Time) []Minute {
	current := now.Unix() / 60
	out := make([]Minute, minutes)
	for i := range out {
		minute := current - minutes + 1 + int64(i)
		out[i].At = time.Unix(minute*60, 0).UTC()
		if at := r[minute%minutes]; at.minute == minute {
			out[i].Requests, out[i].Errors = int(at.requests), int(at.errors)
		}
	}
	return out
}

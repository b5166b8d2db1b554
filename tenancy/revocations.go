package tenancy

import (
	"sync"
	"time"

	"usher/principal"
)

// mark says that tokens are revoked: those on which all of its members that
// are not empty fit, issued before a moment.
type mark struct {
	Issuer  string `db:"issuer"`
	Tenant  string `db:"tenant"`
	Subject string `db:"subject"`
	Token   string `db:"token"`
}

// shape says which members of a mark are set. There are few shapes, so that a
// token is compared with all marks by a few lookups.
type shape [4]bool

func (m mark) shape() shape {
	return shape{m.Issuer != "", m.Tenant != "", m.Subject != "", m.Token != ""}
}

// of is the mark of this shape that would fit the principal.
func (s shape) of(p principal.Principal) mark {
	var m mark
	for i, pair := range []struct {
		to   *string
		from string
	}{{&m.Issuer, p.Issuer}, {&m.Tenant, p.Tenant}, {&m.Subject, p.Subject}, {&m.Token, p.TokenID}} {
		if s[i] {
			*pair.to = pair.from
		}
	}
	return m
}

// limit is what a mark says and how long it is of any use.
type limit struct {
	before, expires time.Time
}

// marks are all marks there are, in memory.
type marks struct {
	mu     sync.RWMutex
	limits map[mark]limit
	shapes map[shape]bool
}

func newMarks() *marks { return &marks{limits: map[mark]limit{}, shapes: map[shape]bool{}} }

func (m *marks) add(key mark, l limit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.limits[key]; ok {
		l.before, l.expires = latest(known.before, l.before), latest(known.expires, l.expires)
	}
	m.limits[key] = l
	m.shapes[key.shape()] = true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// revoked tells whether a mark fits. A token that does not say when it was
// issued was issued before everything.
func (m *marks) revoked(p principal.Principal) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for s := range m.shapes {
		if l, ok := m.limits[s.of(p)]; ok && p.Issued.Before(l.before) {
			return true
		}
	}
	return false
}

// forget drops the marks of tokens that have all expired.
func (m *marks) forget(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, l := range m.limits {
		if l.expires.Before(now) {
			delete(m.limits, key)
		}
	}
}

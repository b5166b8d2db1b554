package tenancy

import (
	"sync"
	"time"

	"usher/principal"
)

// revocationKey says which tokens a revocation ends: those on which all of its
// members that are not empty fit. In the store's tables revocations are marks.
type revocationKey struct {
	Issuer  string `db:"issuer"`
	Tenant  string `db:"tenant"`
	Subject string `db:"subject"`
	Token   string `db:"token"`
}

// shape says which members of a key are set. There are few shapes, so that a
// token is compared with all revocations by a few lookups.
type shape [4]bool

func (k revocationKey) shape() shape {
	return shape{k.Issuer != "", k.Tenant != "", k.Subject != "", k.Token != ""}
}

// of is the key of this shape that would fit the principal.
func (s shape) of(p principal.Principal) revocationKey {
	var k revocationKey
	for i, pair := range []struct {
		to   *string
		from string
	}{{&k.Issuer, p.Issuer}, {&k.Tenant, p.Tenant}, {&k.Subject, p.Subject}, {&k.Token, p.TokenID}} {
		if s[i] {
			*pair.to = pair.from
		}
	}
	return k
}

// cutoff is the moment before which a token has to be issued to be revoked, and
// the one until which that is of any use.
type cutoff struct {
	before, expires time.Time
}

// revocations are all there are, in memory (a certificate authority would call
// them a revocation list).
type revocations struct {
	mu      sync.RWMutex
	cutoffs map[revocationKey]cutoff
	shapes  map[shape]bool
}

func newRevocations() *revocations {
	return &revocations{cutoffs: map[revocationKey]cutoff{}, shapes: map[shape]bool{}}
}

func (r *revocations) add(key revocationKey, c cutoff) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.cutoffs[key]; ok {
		c.before, c.expires = latest(known.before, c.before), latest(known.expires, c.expires)
	}
	r.cutoffs[key] = c
	r.shapes[key.shape()] = true
}

// become takes another's place, which nobody else has.
func (r *revocations) become(other *revocations) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cutoffs, r.shapes = other.cutoffs, other.shapes
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// revoked tells whether a revocation fits. A token that does not say when it was
// issued was issued before everything.
func (r *revocations) revoked(p principal.Principal) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for s := range r.shapes {
		if c, ok := r.cutoffs[s.of(p)]; ok && p.Issued.Before(c.before) {
			return true
		}
	}
	return false
}

// forget drops the revocations of tokens that have all expired.
func (r *revocations) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, c := range r.cutoffs {
		if c.expires.Before(now) {
			delete(r.cutoffs, key)
		}
	}
}

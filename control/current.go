package control

import (
	"iter"
	"sync/atomic"

	"usher/principal"
	"usher/tenancy"
)

// Current are the neighbors of the catalog that is served now.
type Current struct{ now atomic.Pointer[Neighbors] }

var _ tenancy.Places = (*Current)(nil)

// Set takes the neighbors of another catalog.
func (c *Current) Set(n *Neighbors) { c.now.Store(n) }

// Seen implements tenancy.Places.
func (c *Current) Seen() int64 { return c.now.Load().Seen() }

// Follow implements tenancy.Places.
func (c *Current) Follow(since, generation int64, changed iter.Seq2[tenancy.Record, error]) error {
	return c.now.Load().Follow(since, generation, changed)
}

// Forget implements tenancy.Places.
func (c *Current) Forget() {
	if n := c.now.Load(); n != nil { // else nothing is served yet
		n.Forget()
	}
}

// CheckRecord implements tenancy.Places.
func (c *Current) CheckRecord(record principal.Principal, generation int64) error {
	return c.now.Load().CheckRecord(record, generation)
}

// CheckAccounts implements tenancy.Places.
func (c *Current) CheckAccounts(token principal.Principal, generation int64) error {
	return c.now.Load().CheckAccounts(token, generation)
}

// CheckDisjoint implements tenancy.Places.
func (c *Current) CheckDisjoint(p principal.Principal, others iter.Seq2[tenancy.Record, error]) error {
	return c.now.Load().CheckDisjoint(p, others)
}

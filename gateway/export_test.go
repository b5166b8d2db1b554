package gateway

import "usher/tenancy"

// Control is the store, for tests that set up what it holds.
func (g *Gateway) Control() *tenancy.Store { return g.control }

// Held is how many bytes requests hold now.
func (g *Gateway) Held() int64 { return g.budget.Used() }

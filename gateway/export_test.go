package gateway

import "usher/tenancy"

// Control is the store, for tests that set up what it holds.
func (g *Gateway) Control() *tenancy.Store { return g.control }

package cost

// Known is how many tenants are remembered.
func (c *Costs) Known() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.tenants)
}

package catalog

import "time"

// Budgets are what each tenant and each token may use.
type Budgets struct{ Tenant, Token Budget }

// Budget is how much there is for a minute; 0: it is not limited.
type Budget struct {
	Requests     int64
	DatabaseTime time.Duration
	Rows, Bytes  int64
}

// mostWeight bounds how much more often than others a tenant has its turn: whoever weighs 1
// beside it is not to wait for thousands.
const mostWeight = 100

// Weight is how often a tenant has its turn, beside one that weighs 1.
func (c *Catalog) Weight(tenant string) int {
	if w, ok := c.weights[tenant]; ok {
		return w
	}
	return 1
}

func budget(at place, spec BudgetSpec) Budget {
	var b Budget
	for _, limit := range []struct {
		key  string
		spec *int64
		to   *int64
	}{{"requests", spec.Requests, &b.Requests}, {"rows", spec.Rows, &b.Rows}, {"bytes", spec.Bytes, &b.Bytes}} {
		if limit.spec == nil {
			continue
		}
		if *limit.to = *limit.spec; *limit.to < 1 {
			at.in(limit.key).problem("must be at least 1; leave it out if it shall not be limited")
		}
	}
	if spec.DatabaseTime != nil {
		if b.DatabaseTime = *spec.DatabaseTime; b.DatabaseTime < time.Millisecond {
			at.in("database_time").problem("must be at least 1ms; leave it out if it shall not be limited")
		}
	}
	return b
}

func (c *compiler) weight(at place, id string, weight *int) {
	if weight == nil {
		return
	}
	if *weight < 1 || *weight > mostWeight {
		at.in("weight").problem("must be from 1 to %d; to keep a tenant out, suspend it", mostWeight)
		return
	}
	c.catalog.weights[id] = *weight
}

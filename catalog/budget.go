package catalog

import (
	"cmp"
	"time"

	"usher/principal"
)

// Budgets are what each tenant and each token may use; what is 0 is not limited.
type Budgets struct{ Tenant, Token principal.Budget }

// Share is a tenant's share as the file says: of that tenant, or else of every one. What
// its record says comes before.
func (c *Catalog) Share(tenant string, record principal.Share) principal.Share {
	own := c.shares[tenant]
	return principal.Share{Weight: cmp.Or(record.Weight, own.Weight, 1), Limits: record.Limits.Over(own.Limits).Over(c.Budgets.Tenant)}
}

func budget(at place, spec BudgetSpec) principal.Budget {
	var b principal.Budget
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

func (c *compiler) share(at place, id string, spec TenantSpec) {
	share := principal.Share{Limits: budget(at.in("limits"), spec.Limits)}
	if w := spec.Weight; w != nil {
		if share.Weight = *w; *w < 1 || *w > principal.MostWeight {
			at.in("weight").problem("must be from 1 to %d; to keep a tenant out, suspend it", principal.MostWeight)
		}
	}
	if share != (principal.Share{}) {
		c.catalog.shares[id] = share
	}
}

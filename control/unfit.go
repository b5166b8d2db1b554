package control

import (
	"context"
	"fmt"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/tenancy"
)

// mostUnfit is how many records are told of one by one.
const mostUnfit = 100

// Unfit says which tenants' records in the store name what the catalog does not have, or
// no longer has: what is asked for them is refused. What cannot be judged yet is left out.
func Unfit(ctx context.Context, cat *catalog.Catalog, store *tenancy.Store) ([]string, error) {
	check := CheckGrant(func() *catalog.Catalog { return cat }, time.Now)
	var out []string
	more := 0
	for record, err := range store.Routings(ctx) {
		if err != nil {
			return out, err
		}
		err := check(record)
		switch {
		case err == nil || fault.From(err).Code == fault.Unavailable:
		case len(out) == mostUnfit:
			more++
		default:
			out = append(out, fmt.Sprintf("tenant %s of the control store: %s", record.Tenant, fault.From(err).Message))
		}
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("and %d more tenants of the control store", more))
	}
	return out, nil
}

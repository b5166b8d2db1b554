package control

import (
	"context"
	"time"

	"usher/catalog"
	"usher/tenancy"
)

// mostUnfit is how many records are told of one by one.
const mostUnfit = 100

// Unfit says which tenants' records in the store name what the catalog does not have, or
// no longer has: what is asked for them is refused. What cannot be judged yet is left out.
func Unfit(ctx context.Context, cat *catalog.Catalog, store *tenancy.Store) ([]string, error) {
	check, t := CheckGrant(func() *catalog.Catalog { return cat }, time.Now), &listing{kind: "tenants", most: mostUnfit}
	for record, err := range store.Routings(ctx) {
		if err != nil {
			return t.lines, err
		}
		t.add("tenant "+record.Tenant, check(record))
	}
	return t.all(), nil
}

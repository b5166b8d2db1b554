package tenancy

import (
	"context"

	"usher/principal"
)

func checkCell(name string) error { return checkLine("the cell's name", name, maxName) }

// SetTenantCell changes where the tenant's rows are in sources that have cells;
// empty is where those are themselves. Nobody moves the rows: that is done before,
// while the tenant is suspended.
func (s *Store) SetTenantCell(ctx context.Context, p principal.Principal, id, cell string) error {
	return s.setPlace(ctx, p, act{operation: "setTenantCell", tenant: id}, checkCell(cell), func(r *principal.Routing) { r.Cell = cell }, func(row *tenantRow) error {
		row.Cell = cell
		return nil
	})
}

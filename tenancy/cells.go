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
	a := act{operation: "setTenantCell", tenant: id, global: true}
	var since int64
	if a.allowed(p) == nil {
		known, err := s.registered(ctx, id)
		if err != nil {
			return err
		}
		if known != nil {
			routing := known.routing
			routing.Cell = cell
			if since, err = s.checkDisjoint(ctx, recordOf(id, known.key, routing)); err != nil {
				return s.refused(p, a, err)
			}
		}
	}
	return s.administer(ctx, p, a, func(t *tx) error {
		if err := checkCell(cell); err != nil {
			return err
		}
		return t.changeTenant(id, func(row *tenantRow) error {
			row.Cell = cell
			routing, err := s.routing(*row)
			if err != nil {
				return err
			}
			if err := s.checkRouting(row.ID, row.Key, routing); err != nil {
				return err
			}
			return t.checkDisjoint(recordOf(row.ID, row.Key, routing), since)
		})
	})
}

package tenancy

import (
	"context"

	"usher/principal"
)

// checkBindings refuses bindings that name nothing.
func checkBindings(by map[string]string) error {
	if err := checkNames("dataset", sortedKeys(by)); err != nil {
		return err
	}
	for _, dataset := range sortedKeys(by) {
		if err := checkPresent("the binding of dataset "+dataset, by[dataset], maxName); err != nil {
			return err
		}
	}
	return nil
}

// SetTenantBindings replaces by which bindings the tenant's datasets are read, of those
// that the configuration has by name. Nobody moves the rows.
func (s *Store) SetTenantBindings(ctx context.Context, p principal.Principal, id string, bindings map[string]string) error {
	return s.setPlace(ctx, p, act{operation: "setTenantBindings", tenant: id}, checkBindings(bindings), func(r *principal.Routing) { r.Bindings = bindings }, func(row *tenantRow) (err error) {
		row.Bindings, err = writeList(bindings)
		return err
	})
}

// setPlace changes where the tenant's rows are: nothing of it may be read from another's place then.
func (s *Store) setPlace(ctx context.Context, p principal.Principal, a act, problem error, routed func(*principal.Routing), change func(*tenantRow) error) error {
	a.global = true
	id := a.tenant
	var since int64
	if a.allowed(p) == nil && problem == nil {
		known, err := s.registered(ctx, id)
		if err != nil {
			return err
		}
		if known != nil {
			routing := known.routing
			routed(&routing)
			if since, err = s.checkDisjoint(ctx, recordOf(id, known.key, routing)); err != nil {
				return s.refused(p, a, err)
			}
		}
	}
	return s.administer(ctx, p, a, func(t *tx) error {
		if problem != nil {
			return problem
		}
		return t.changeTenant(id, func(row *tenantRow) error {
			if err := change(row); err != nil {
				return err
			}
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

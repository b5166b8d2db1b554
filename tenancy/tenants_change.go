package tenancy

import (
	"cmp"
	"context"

	"usher/fault"
	"usher/principal"
)

// RenameTenant changes the name, which is for people only.
func (s *Store) RenameTenant(ctx context.Context, p principal.Principal, id, name string) error {
	return s.administer(ctx, p, act{operation: "renameTenant", tenant: id}, func(t *tx) error {
		if err := checkPresent("the tenant's name", name, maxName); err != nil {
			return err
		}
		return t.changeTenant(id, func(row *tenantRow) error {
			row.Name = name
			return nil
		})
	})
}

// SetTenantStrategy replaces what the record says of strategies: the default one,
// empty is the configuration's, and those of single datasets.
func (s *Store) SetTenantStrategy(ctx context.Context, p principal.Principal, id, strategy string, strategies map[string]string) error {
	return s.setRouting(ctx, p, "setTenantStrategy", id, cmp.Or(checkStrategy(strategy), checkStrategies(strategies)), func(row *tenantRow) (err error) {
		row.Strategy = strategy
		row.Strategies, err = writeList(strategies)
		return err
	})
}

// SetTenantAllowHosts replaces where the tenant's accounts may lead, of what the
// sources allow; nil is all of that.
func (s *Store) SetTenantAllowHosts(ctx context.Context, p principal.Principal, id string, hosts []string) error {
	return s.setRouting(ctx, p, "setTenantAllowHosts", id, checkHosts(hosts), func(row *tenantRow) (err error) {
		row.AllowHosts, err = writeList(hosts)
		return err
	})
}

// setRouting changes how the tenant's data is reached, within its accounts; the
// catalog judges what comes of it.
func (s *Store) setRouting(ctx context.Context, p principal.Principal, operation, id string, problem error, change func(*tenantRow) error) error {
	return s.administer(ctx, p, act{operation: operation, tenant: id, global: true}, func(t *tx) error {
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
			return s.checkRouting(row.ID, row.Key, routing)
		})
	})
}

// SuspendTenant stops all tokens of the tenant: here at once, elsewhere within
// a second.
func (s *Store) SuspendTenant(ctx context.Context, p principal.Principal, id string) error {
	return s.setStatus(ctx, p, "suspendTenant", id, Suspended)
}

// ResumeTenant ends a suspension.
func (s *Store) ResumeTenant(ctx context.Context, p principal.Principal, id string) error {
	return s.setStatus(ctx, p, "resumeTenant", id, Active)
}

// DeleteTenant ends the tenant for ever. Its record stays, so that neither its id nor its key becomes
// another's, nor where its rows are, until that is released. Its external ids are nobody's
// until they are given to another: that is for whoever runs the identity provider.
func (s *Store) DeleteTenant(ctx context.Context, p principal.Principal, id string) error {
	return s.setStatus(ctx, p, "deleteTenant", id, Deleted)
}

func (s *Store) setStatus(ctx context.Context, p principal.Principal, operation, id string, status Status) error {
	return s.administer(ctx, p, act{operation: operation, tenant: id, global: true}, func(t *tx) error {
		return t.changeTenant(id, func(row *tenantRow) error {
			row.Status = status
			if status == Deleted {
				row.Accounts, row.External = s.bareAccounts(*row), ""
				return t.purge(id)
			}
			return nil
		})
	})
}

// bareAccounts are a tenant's accounts without what lets somebody in. Of those that cannot be read, as
// their key is lost, nothing is kept: to delete the tenant is the way out of that.
func (s *Store) bareAccounts(row tenantRow) string {
	accounts, err := s.sealer.openAccounts(row.Accounts, accountRow(row.ID))
	if err != nil {
		s.opts.Log.Warn("where the rows of a deleted tenant are is not known: its accounts cannot be read", "tenant", row.ID, "error", err)
		return ""
	}
	for source, a := range accounts {
		accounts[source] = a.Bare()
	}
	sealed, err := s.sealer.sealAccounts(accounts, accountRow(row.ID))
	if err != nil {
		return ""
	}
	return sealed
}

// ReleasePlaces lets other tenants have where the rows of a deleted one were: whoever says so knows
// that the rows are gone.
func (s *Store) ReleasePlaces(ctx context.Context, p principal.Principal, id string) error {
	return s.administer(ctx, p, act{operation: "releasePlaces", tenant: id, global: true}, func(t *tx) error {
		generation, err := t.nextGeneration()
		if err != nil {
			return err
		}
		row, err := t.tenantRow(id)
		switch {
		case err != nil:
			return err
		case row.Status != Deleted:
			return fault.New(fault.Conflict, "tenant %s is %s, and its rows are where it is read from", id, row.Status).
				WithHint("Places are released of tenants that are deleted, once their rows are gone.")
		case row.Released != 0:
			return nil
		}
		_, err = t.Exec("UPDATE store.tenants SET accounts = '', released_at = $2, changed_at = $2, generation = $3 WHERE id = $1", id, micros(t.now), generation)
		return err
	})
}

// purge removes what belonged to a tenant, except its audit log.
func (t *tx) purge(tenant string) error {
	if err := t.revoking(); err != nil {
		return err
	}
	for _, statement := range []string{
		"DELETE FROM store.users WHERE tenant = $1",
		"DELETE FROM store.roles WHERE tenant = $1",
		"DELETE FROM store.saved WHERE tenant = $1",
		"DELETE FROM store.dashboards WHERE tenant = $1",
		"DELETE FROM store.tokens WHERE tenant = $1",
		"DELETE FROM store.external_ids WHERE tenant = $1",
	} {
		if _, err := t.Exec(statement, tenant); err != nil {
			return err
		}
	}
	return t.invalidateRights()
}

// changeTenant changes the record of a tenant that is not deleted. Raising the
// generation first makes changes wait for one another.
func (t *tx) changeTenant(id string, change func(*tenantRow) error) error {
	generation, err := t.nextGeneration()
	if err != nil {
		return err
	}
	row, err := t.tenantRow(id)
	if err != nil {
		return err
	}
	if row.Status == Deleted {
		return fault.New(fault.Conflict, "tenant %s is deleted", id)
	}
	if err := change(&row); err != nil {
		return err
	}
	_, err = t.Exec("UPDATE store.tenants SET name = $2, status = $3, strategy = $4, accounts = $5, changed_at = $6, generation = $7, strategies = $8, allow_hosts = $9, external_ids = $10, cell = $11, bindings = $12, share = $13 WHERE id = $1",
		id, row.Name, string(row.Status), row.Strategy, row.Accounts, micros(t.now), generation, row.Strategies, row.AllowHosts, row.External, row.Cell, row.Bindings, row.Share)
	return err
}

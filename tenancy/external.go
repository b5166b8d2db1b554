package tenancy

import (
	"context"
	"fmt"
	"slices"

	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

// maxExternalIDs is how many external ids one tenant may have.
const maxExternalIDs = 100

func checkExternalIDs(ids []string) error {
	if len(ids) > maxExternalIDs {
		return unusable("a tenant has at most %d external ids", maxExternalIDs)
	}
	for i, id := range ids {
		if err := principal.CheckExternalID(id); err != nil {
			return unusable("%s", err)
		}
		if slices.Contains(ids[:i], id) {
			return unusable("the external id %s is given twice", id)
		}
	}
	return nil
}

func isExternalID(id string) bool { return principal.CheckExternalID(id) == nil }

// SetTenantExternalIDs replaces what identity providers call the tenant.
func (s *Store) SetTenantExternalIDs(ctx context.Context, p principal.Principal, id string, ids []string) error {
	return s.administer(ctx, p, act{operation: "setTenantExternalIds", tenant: id, global: true}, func(t *tx) error {
		if err := checkExternalIDs(ids); err != nil {
			return err
		}
		return t.changeTenant(id, func(row *tenantRow) error {
			have, err := row.externalIDs()
			if err != nil {
				return err
			}
			if row.External, err = writeList(ids); err != nil {
				return err
			}
			return t.setExternalIDs(id, have, ids)
		})
	})
}

// setExternalIDs changes only what differs. Changes of tenants wait for one
// another, so of two that are given one id, the second sees the first. An external
// id is one tenant's, and no other's id or key: the same word in two tokens must
// not mean two tenants.
func (t *tx) setExternalIDs(tenant string, have, want []string) error {
	for _, id := range have {
		if slices.Contains(want, id) {
			continue
		}
		if _, err := t.Exec("DELETE FROM store.external_ids WHERE external_id = $1", id); err != nil {
			return err
		}
	}
	for _, id := range want {
		if slices.Contains(have, id) {
			continue
		}
		var known int
		err := t.Get(&known, `SELECT (SELECT count(*) FROM store.tenants WHERE id <> $2 AND (id = $1 OR tenant_key = $1))
			+ (SELECT count(*) FROM store.external_ids WHERE external_id = $1)`, id, tenant)
		if err != nil {
			return err
		}
		if known > 0 || t.store.opts.Configured(id) {
			return fault.New(fault.Conflict, "the external id %s is another tenant's, or is, or was, its id or key", id).
				WithHint("An external id leads to one tenant; take it from the other one first.")
		}
		if _, err := t.Exec("INSERT INTO store.external_ids (external_id, tenant) VALUES ($1, $2)", id, tenant); err != nil {
			return err
		}
	}
	return nil
}

// TenantOf is the id of the tenant that an identity provider calls so; whether it
// is active is Tenant's to say. What nobody is called is refused with ErrNoTenant.
func (s *Store) TenantOf(ctx context.Context, externalID string) (string, error) {
	if err := s.Ready(); err != nil {
		return "", err
	}
	id, err := s.named(ctx, externalID)
	if err == nil && id == "" {
		return "", refuse(fmt.Errorf("%w: %w", ErrTenant, ErrNoTenant))
	}
	return id, err
}

// named finds whose an external id is, empty if nobody's. What is remembered of a
// tenant's holds as long as its record, which is forgotten when it changes, has it.
func (s *Store) named(ctx context.Context, externalID string) (string, error) {
	if !isExternalID(externalID) {
		return "", nil
	}
	if id, ok := s.tenants.named.Get(externalID); ok {
		if id == "" {
			return "", nil
		}
		record, err := s.registered(ctx, id)
		if err != nil || record != nil && slices.Contains(record.externalIDs, externalID) {
			return id, err
		}
	}
	changes := s.tenants.changes.Load()
	var id string
	if err := s.db.Get(ctx, &id, "SELECT tenant FROM store.external_ids WHERE external_id = $1", externalID); err != nil && !database.Missing(err) {
		return "", database.Translate(ctx, err)
	}
	s.tenants.name(externalID, id, changes)
	return id, nil
}

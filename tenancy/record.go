package tenancy

import (
	"context"

	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

// TestAccount returns the record of a tenant whose accounts somebody is about to try:
// an administrator of the tenant, or of all. Found is false for a tenant that the
// store does not know; the configuration may.
func (s *Store) TestAccount(ctx context.Context, p principal.Principal, id string) (record principal.Principal, found bool, err error) {
	err = s.administer(ctx, p, act{operation: "testAccount", tenant: id}, func(t *tx) error {
		if err := checkTenantID(id); err != nil {
			return err
		}
		row, err := t.tenantRow(id)
		if err == nil {
			record, found, err = s.record(row)
		}
		switch {
		case err != nil && fault.From(err).Code != fault.NotFound:
			return err
		case !found && !s.opts.Configured(id):
			return notFound("there is no tenant %s", id)
		}
		return nil
	})
	return record, found, err
}

// Record is the record of a tenant that is not deleted, for whoever holds the
// store's own credentials.
func (s *Store) Record(ctx context.Context, id string) (record principal.Principal, found bool, err error) {
	var row tenantRow
	err = s.db.Get(ctx, &row, "SELECT "+tenantColumns+" FROM store.tenants WHERE id = $1", id)
	if database.Missing(err) {
		return principal.Principal{}, false, nil
	}
	if err != nil {
		return principal.Principal{}, false, database.Translate(ctx, err)
	}
	return s.record(row)
}

func (s *Store) record(row tenantRow) (principal.Principal, bool, error) {
	if row.Status == Deleted {
		return principal.Principal{}, false, nil
	}
	routing, err := s.routing(row)
	return recordOf(row.ID, row.Key, routing), err == nil, err
}

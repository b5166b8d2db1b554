package tenancy

import (
	"context"
	"iter"

	"usher/principal"
)

// Homes returns, one after the other, all tenants that are not deleted: their
// ids, keys and how their data is reached.
func (s *Store) Homes(ctx context.Context) iter.Seq2[principal.Principal, error] {
	return s.homes(func(into any, text string, args ...any) error {
		return translate(ctx, s.list(ctx, into, text, args...))
	})
}

// homesPage is how many records are read at a time.
const homesPage = 1000

func (s *Store) homes(list func(into any, text string, args ...any) error) iter.Seq2[principal.Principal, error] {
	return func(yield func(principal.Principal, error) bool) {
		for after, more := "", true; more; {
			var rows []tenantRow
			err := list(&rows, "SELECT "+tenantColumns+" FROM store.tenants WHERE id > $1 AND status <> $2 ORDER BY id LIMIT $3", after, string(Deleted), homesPage)
			if err != nil {
				yield(principal.Principal{}, err)
				return
			}
			for _, row := range rows {
				home, err := s.home(row)
				if !yield(recordOf(row.ID, row.Key, home), err) || err != nil {
					return
				}
				after = row.ID
			}
			more = len(rows) == homesPage
		}
	}
}

// recordOf is a tenant's record as the catalog judges it.
func recordOf(id, key string, home principal.Home) principal.Principal {
	return principal.Principal{Issuer: Issuer, Tenant: id, TenantKey: key, Home: home}
}

// apart refuses a tenant, or a token with accounts of its own, that would be read
// from another's place. Who changes a tenant raises the generation before: of two
// that are set at the same time, on whichever gateway, the second sees the first.
func (t *tx) apart(p principal.Principal) error {
	if t.store.opts.Apart == nil {
		return nil
	}
	return t.store.opts.Apart(p, t.store.homes(t.list))
}

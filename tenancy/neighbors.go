package tenancy

import (
	"context"
	"iter"

	"usher/principal"
)

// Routings returns, one after the other, all tenants that are not deleted: their
// ids, keys and how their data is reached.
func (s *Store) Routings(ctx context.Context) iter.Seq2[principal.Principal, error] {
	return s.routings(s.lister(ctx), 0, Deleted)
}

// lister reads all rows into a slice.
type lister func(into any, text string, args ...any) error

func (s *Store) lister(ctx context.Context) lister {
	return func(into any, text string, args ...any) error {
		return translate(ctx, s.list(ctx, into, text, args...))
	}
}

// homesPage is how many records are read at a time.
const homesPage = 1000

// routings are the tenants that have changed after a generation, but those of a status.
func (s *Store) routings(list lister, since int64, but Status) iter.Seq2[principal.Principal, error] {
	return func(yield func(principal.Principal, error) bool) {
		for after, more := "", true; more; {
			var rows []tenantRow
			err := list(&rows, "SELECT "+tenantColumns+" FROM store.tenants WHERE id > $1 AND status <> $2 AND generation > $3 ORDER BY id LIMIT $4",
				after, string(but), since, homesPage)
			if err != nil {
				yield(principal.Principal{}, err)
				return
			}
			for _, row := range rows {
				routing, err := s.routing(row)
				if !yield(recordOf(row.ID, row.Key, routing), err) || err != nil {
					return
				}
				after = row.ID
			}
			more = len(rows) == homesPage
		}
	}
}

// recordOf is a tenant's record as the catalog judges it.
func recordOf(id, key string, routing principal.Routing) principal.Principal {
	return principal.Principal{Issuer: Issuer, Tenant: id, TenantKey: key, Routing: routing}
}

// checkDisjoint refuses a tenant's record that leads to another's place, as
// things are at a generation, which it returns. It looks at all tenants, and
// therefore holds up nobody: who then sets the record looks at those that have
// changed.
func (s *Store) checkDisjoint(ctx context.Context, record principal.Principal) (generation int64, err error) {
	if s.opts.CheckDisjoint == nil {
		return 0, nil
	}
	if err := s.get(ctx, &generation, "SELECT n FROM store.generation WHERE id = 1"); err != nil {
		return 0, translate(ctx, err)
	}
	return generation, s.opts.CheckDisjoint(record, s.routings(s.lister(ctx), 0, Deleted))
}

// checkDisjoint looks at those that have changed since a generation. This one
// has been raised: of two that are set at the same time, on whichever gateway, the second
// sees the first.
func (t *tx) checkDisjoint(record principal.Principal, since int64) error {
	if t.store.opts.CheckDisjoint == nil {
		return nil
	}
	return t.store.opts.CheckDisjoint(record, t.store.routings(t.list, since, Deleted))
}

// Places know where the rows of each registered tenant are read, as things were at a
// generation, and judge whether a token's accounts lead to another's.
type Places interface {
	// Seen is the generation, 0 in the beginning.
	Seen() int64
	// Follow takes the tenants that have changed since a generation, up to another.
	Follow(since, generation int64, changed iter.Seq2[principal.Principal, error]) error
	// CheckAccounts refuses a token with an account that leads to the place of another
	// tenant, where nothing else keeps the two apart, as things are at a generation.
	CheckAccounts(token principal.Principal, generation int64) error
}

// followPlaces reads what has changed. Deleted tenants are among it: what they leave
// behind is nobody else's.
func (s *Store) followPlaces(get, list lister) (now int64, err error) {
	places := s.opts.Places
	if places == nil {
		return 0, nil
	}
	if err := get(&now, "SELECT n FROM store.generation WHERE id = 1"); err != nil {
		return 0, err
	}
	if seen := places.Seen(); now != seen {
		return now, places.Follow(seen, now, s.routings(list, seen, ""))
	}
	return now, nil
}

// readPlaces takes the long first reading out of the transaction.
func (s *Store) readPlaces(ctx context.Context) error {
	get := func(into any, text string, args ...any) error { return translate(ctx, s.get(ctx, into, text, args...)) }
	_, err := s.followPlaces(get, s.lister(ctx))
	return err
}

// checkPlaces judges the accounts of a token that is about to be made.
func (t *tx) checkPlaces(token principal.Principal) error {
	if t.store.opts.Places == nil || len(token.Grant.Accounts) == 0 {
		return nil
	}
	now, err := t.store.followPlaces(t.get, t.list)
	if err != nil {
		return err
	}
	return t.store.opts.Places.CheckAccounts(token, now)
}

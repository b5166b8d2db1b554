package tenancy

import (
	"context"
	"iter"

	"usher/principal"
	"usher/tenancy/database"
)

// Routings returns, one after the other, all tenants that are not deleted: their
// ids, keys and how their data is reached.
func (s *Store) Routings(ctx context.Context) iter.Seq2[principal.Principal, error] {
	return func(yield func(principal.Principal, error) bool) {
		for r, err := range s.routings(s.lister(ctx), 0) {
			if (err != nil || !r.Deleted) && !yield(r.Principal, err) { // no error is lost: it ends the list
				return
			}
		}
	}
}

// Record is a tenant's record as the catalog judges it.
type Record struct {
	principal.Principal

	Deleted  bool // what it has left behind is where it was
	Released bool // and is gone, as an operator says
}

// lister reads all rows into a slice.
type lister func(into any, text string, args ...any) error

func (s *Store) lister(ctx context.Context) lister {
	return func(into any, text string, args ...any) error {
		return database.Translate(ctx, s.db.List(ctx, into, text, args...))
	}
}

// homesPage is how many rows are read at a time.
const homesPage = 1000

// routings are the tenants that have changed after a generation, deleted ones among them.
func (s *Store) routings(list lister, since int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for row, err := range pages(list, "SELECT "+tenantColumns+" FROM store.tenants WHERE id > $1 AND generation > $2 ORDER BY id LIMIT $3",
			func(row tenantRow) []any { return []any{row.ID, since} }, "", since) {
			if err != nil {
				yield(Record{}, err)
				return
			}
			routing, err := s.routing(row)
			if !yield(Record{recordOf(row.ID, row.Key, routing), row.Status == Deleted, row.Released != 0}, err) || err != nil {
				return
			}
		}
	}
}

// pages reads rows in the order of a key, some at a time. The key's places in the text come first.
func pages[R any](list lister, text string, key func(R) []any, after ...any) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for more := true; more; {
			var rows []R
			if err := list(&rows, text, append(after, homesPage)...); err != nil {
				var none R
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = key(row)
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
// things are at a generation, which it returns. It holds up nobody, also where all tenants
// are still to be read: who then sets the record looks at those that have changed.
func (s *Store) checkDisjoint(ctx context.Context, record principal.Principal) (generation int64, err error) {
	generation, err = s.readPlaces(ctx)
	if err != nil || s.opts.Places == nil {
		return generation, err
	}
	return generation, s.opts.Places.CheckRecord(record, generation)
}

// checkDisjoint looks at those that have changed since a generation. This one
// has been raised: of two that are set at the same time, on whichever gateway, the second
// sees the first. What is read here may never be committed, and so is not kept.
func (t *tx) checkDisjoint(record principal.Principal, since int64) error {
	if t.store.opts.Places == nil {
		return nil
	}
	if t.generation <= since {
		return readAnew(t.store.opts.Poll)
	}
	return t.store.opts.Places.CheckDisjoint(record, t.store.routings(t.List, since))
}

// Places know where the rows of each registered tenant are read, as things were at a
// generation, and judge whether a tenant's record or a token's accounts lead to another's.
type Places interface {
	// Seen is the generation, 0 in the beginning.
	Seen() int64
	// Follow takes the tenants that have changed since a generation, up to another.
	Follow(since, generation int64, changed iter.Seq2[Record, error]) error
	// Forget has all tenants read anew: the store has gone back.
	Forget()
	// CheckRecord refuses a tenant's record that leads to the place of another tenant, also of one that is
	// deleted until its places are released, where nothing else keeps the two apart, as things are at a generation.
	CheckRecord(record principal.Principal, generation int64) error
	// CheckDisjoint refuses it for what others are, and for no others.
	CheckDisjoint(record principal.Principal, others iter.Seq2[Record, error]) error
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
	seen := places.Seen() // before the store's, which only goes on
	if err := get(&now, "SELECT n FROM store.generation WHERE id = 1"); err != nil {
		return 0, err
	}
	if now < seen {
		return 0, readAnew(s.opts.Poll)
	}
	if now > seen {
		return now, places.Follow(seen, now, s.routings(list, seen))
	}
	return now, nil
}

// readPlaces takes the long first reading out of the transaction.
func (s *Store) readPlaces(ctx context.Context) (now int64, err error) {
	get := func(into any, text string, args ...any) error {
		return database.Translate(ctx, s.db.Get(ctx, into, text, args...))
	}
	return s.followPlaces(get, s.lister(ctx))
}

// checkPlaces judges the accounts of a token that is about to be made.
func (t *tx) checkPlaces(token principal.Principal) error {
	if t.store.opts.Places == nil || len(token.Grant.Accounts) == 0 {
		return nil
	}
	now, err := t.store.followPlaces(t.Get, t.List)
	if err != nil {
		return err
	}
	return t.store.opts.Places.CheckAccounts(token, now)
}

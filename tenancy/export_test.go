package tenancy

import (
	"context"
	"time"

	"usher/principal"
)

// Exec and Texts let tests look at the tables themselves.
func (s *Store) Exec(ctx context.Context, text string, args ...any) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.Exec(text, args...)
		return err
	})
}

// Texts returns every text in the store, of all tables.
func (s *Store) Texts(ctx context.Context) ([]string, error) {
	var columns []struct {
		Table  string `db:"table_name"`
		Column string `db:"column_name"`
	}
	err := s.db.List(ctx, &columns, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema || '.' = 'store.'")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, c := range columns {
		var found []string
		if err := s.db.List(ctx, &found, "SELECT CAST("+c.Column+" AS TEXT) FROM store."+c.Table); err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// Remembered is how many tenants and tokens are in memory.
func (s *Store) Remembered() (tenants, tokens int) { return s.tenants.records.Len(), s.verified.Len() }

// Revocations is how many revocations are in memory.
func (s *Store) Revocations() int {
	s.revocations.mu.RLock()
	defer s.revocations.mu.RUnlock()
	return len(s.revocations.cutoffs)
}

// KeepAttempts prunes attempts to log in to a number.
func (s *Store) KeepAttempts(ctx context.Context, most int) error {
	return s.write(ctx, func(t *tx) error { return t.pruneAttempts(most) })
}

// Hashing takes a turn to hash, until it is given back.
func (s *Store) Hashing() (done func()) {
	s.hashing <- struct{}{}
	return func() { <-s.hashing }
}

// Count is how many rows a table of the store has.
func (s *Store) Count(ctx context.Context, table string) (n int, err error) {
	err = s.db.Get(ctx, &n, "SELECT count(*) FROM store."+table)
	return n, err
}

// Flush writes what waits to be written.
func (s *Store) Flush(ctx context.Context) { s.flush(ctx) }

// Shared tells whether other gateways may have the same store.
func (s *Store) Shared() bool { return s.db.Shared() }

// RightsGeneration changes with every user and role.
func (s *Store) RightsGeneration() int64 { return s.rights.Load() }

// Generation is that of the store now.
func (s *Store) Generation(ctx context.Context) (n int64, err error) {
	err = s.db.Get(ctx, &n, "SELECT n FROM store.generation WHERE id = 1")
	return n, err
}

// CatchUp reads what has changed.
func (s *Store) CatchUp(ctx context.Context) error { return s.catchUp(ctx) }

// Deafen makes a store that has heard nothing for so long.
func (s *Store) Deafen(d time.Duration) { s.heard.Store(s.heard.Load() - int64(d)) }

// Appear tells the others that this gateway is there.
func (s *Store) Appear(ctx context.Context) { s.appear(ctx) }

// KeptAccounts are the accounts in a tenant's row, also of one that is deleted.
func (s *Store) KeptAccounts(ctx context.Context, id string) (map[string]principal.Account, error) {
	var row tenantRow
	if err := s.db.Get(ctx, &row, "SELECT "+tenantColumns+" FROM store.tenants WHERE id = $1", id); err != nil {
		return nil, err
	}
	routing, err := s.routing(row)
	return routing.Accounts, err
}

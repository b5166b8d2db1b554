package tenancy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"usher/lru"
	"usher/principal"
)

// registered is what authentication needs of a tenant.
type registered struct {
	key    string
	status Status
	home   principal.Home
}

// tenantCache remembers the tenants used last, and who is none. What was read
// before a change became known is not remembered after it.
type tenantCache struct {
	records *lru.Cache[string, *registered] // nil: no such tenant
	mu      sync.Mutex                      // of changes with the records they end
	changes atomic.Int64
}

func newTenantCache(most int) *tenantCache {
	return &tenantCache{records: lru.New[string, *registered](most)}
}

func (c *tenantCache) forget(ids []string) {
	if len(ids) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes.Add(1)
	for _, id := range ids {
		c.records.Forget(id)
	}
}

// remember keeps a record that was read when there had been so many changes.
func (c *tenantCache) remember(id string, record *registered, changes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes.Load() == changes {
		c.records.Add(id, record, 1)
	}
}

// Tenant returns what authentication needs of an active tenant: its key and
// how its data is reached. An unknown, suspended or deleted tenant is refused
// with ErrTenant; one that is unknown with ErrNoTenant, too.
func (s *Store) Tenant(ctx context.Context, id string) (key string, home principal.Home, err error) {
	if err := s.Ready(); err != nil {
		return "", principal.Home{}, err
	}
	record, err := s.registered(ctx, id)
	if err != nil {
		return "", principal.Home{}, err
	}
	switch {
	case record == nil:
		return "", principal.Home{}, refuse(fmt.Errorf("%w: %w", ErrTenant, ErrNoTenant))
	case record.status != Active:
		return "", principal.Home{}, refuse(ErrTenant)
	}
	return record.key, record.home, nil
}

func (s *Store) registered(ctx context.Context, id string) (*registered, error) {
	if !principal.IsTenantID(id) {
		return nil, nil
	}
	if record, ok := s.tenants.records.Get(id); ok {
		return record, nil
	}
	changes := s.tenants.changes.Load()
	var row tenantRow
	err := s.get(ctx, &row, "SELECT "+tenantColumns+" FROM store.tenants WHERE id = $1", id)
	var record *registered
	switch {
	case missing(err):
	case err != nil:
		return nil, translate(ctx, err)
	default:
		home, err := s.home(row)
		if err != nil {
			return nil, err
		}
		record = &registered{key: row.Key, status: row.Status, home: home}
	}
	s.tenants.remember(id, record, changes)
	return record, nil
}

// Taken tells whether an id or a key is, or ever was, a tenant's.
func (s *Store) Taken(ctx context.Context, id, key string) (bool, error) {
	var known int
	if err := s.get(ctx, &known, "SELECT count(*) FROM store.tenants WHERE id = $1 OR tenant_key = $2", id, key); err != nil {
		return false, translate(ctx, err)
	}
	return known > 0, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

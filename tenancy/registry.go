package tenancy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"usher/fault"
	"usher/lru"
	"usher/principal"
	"usher/tenancy/database"
)

// registered is what authentication needs of a tenant.
type registered struct {
	id      string // another one than was asked for: that is this tenant's key
	key     string
	status  Status
	routing principal.Routing

	externalIDs []string
}

// tenantCache remembers the tenants used last, and who is none. What was read
// before a change became known is not remembered after it.
type tenantCache struct {
	records *lru.Cache[string, *registered] // nil: no such tenant
	named   *lru.Cache[string, string]      // ids by external id; empty: nobody's
	mu      sync.Mutex                      // of changes with the records they end
	changes atomic.Int64
}

func newTenantCache(most int) *tenantCache {
	return &tenantCache{records: lru.New[string, *registered](most), named: lru.New[string, string](most)}
}

func (c *tenantCache) forget(ids, externalIDs []string) {
	if len(ids) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes.Add(1)
	for _, id := range ids {
		c.records.Forget(id)
	}
	for _, id := range externalIDs {
		c.named.Forget(id)
	}
}

// forgetAll leaves nothing remembered.
func (c *tenantCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes.Add(1)
	c.records.Remove(func(string, *registered) bool { return true })
	c.named.Remove(func(string, string) bool { return true })
}

// remember keeps a record that was read when there had been so many changes.
func (c *tenantCache) remember(id string, record *registered, changes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes.Load() == changes {
		c.records.Add(id, record, 1)
	}
}

// name is remember for an external id.
func (c *tenantCache) name(externalID, id string, changes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes.Load() == changes {
		c.named.Add(externalID, id, 1)
	}
}

// Tenant returns what authentication needs of an active tenant: its key and
// how its data is reached. An unknown, suspended or deleted tenant is refused
// with ErrTenant; one that is unknown with ErrNoTenant, too, and what is the key
// of another tenant, whatever became of that one, with ErrForeignKey.
func (s *Store) Tenant(ctx context.Context, id string) (key string, routing principal.Routing, err error) {
	if err := s.Ready(); err != nil {
		return "", principal.Routing{}, err
	}
	record, err := s.lookUp(ctx, id)
	if err != nil {
		return "", principal.Routing{}, err
	}
	switch {
	case record == nil:
		why := ErrNoTenant
		if other, err := s.named(ctx, id); err != nil {
			return "", principal.Routing{}, err
		} else if other != "" { // what another tenant is called is nobody's id either
			why = ErrForeignKey
		}
		return "", principal.Routing{}, refuse(fmt.Errorf("%w: %w", ErrTenant, why))
	case record.id != id:
		return "", principal.Routing{}, refuse(fmt.Errorf("%w: %w", ErrTenant, ErrForeignKey))
	case record.status != Active:
		return "", principal.Routing{}, refuse(ErrTenant)
	}
	return record.key, record.routing, nil
}

// maxClosed bounds the tenants that a change of rows of all tenants leaves out.
const maxClosed = 10_000

// Closed are the keys of the tenants that are suspended or deleted.
func (s *Store) Closed(ctx context.Context) ([]string, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	var keys []string
	err := s.db.List(ctx, &keys, "SELECT tenant_key FROM store.tenants WHERE status <> $1 ORDER BY tenant_key LIMIT $2", Active, maxClosed+1)
	if err != nil {
		return nil, database.Translate(ctx, err)
	}
	if len(keys) > maxClosed {
		return nil, fault.New(fault.TooComplex, "more than %d tenants are suspended or deleted, and rows of all others cannot be written at once", maxClosed).
			WithHint("name the tenant whose rows they are")
	}
	return keys, nil
}

// registered is the record of a tenant, nil if there is none.
func (s *Store) registered(ctx context.Context, id string) (*registered, error) {
	record, err := s.lookUp(ctx, id)
	if record != nil && record.id != id {
		record = nil
	}
	return record, err
}

// lookUp finds whose an id is: the tenant of this id, or else the one that has it
// for a key.
func (s *Store) lookUp(ctx context.Context, id string) (*registered, error) {
	if !principal.IsTenantID(id) {
		return nil, nil
	}
	if record, ok := s.tenants.records.Get(id); ok {
		return record, nil
	}
	changes := s.tenants.changes.Load()
	var row tenantRow
	err := s.db.Get(ctx, &row, "SELECT "+tenantColumns+" FROM store.tenants WHERE id = $1 OR tenant_key = $1 ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1", id)
	var record *registered
	switch {
	case database.Missing(err):
	case err != nil:
		return nil, database.Translate(ctx, err)
	case row.ID != id:
		record = &registered{id: row.ID}
	default:
		routing, err := s.routing(row)
		if err != nil {
			return nil, err
		}
		external, err := row.externalIDs()
		if err != nil {
			return nil, err
		}
		record = &registered{id: row.ID, key: row.Key, status: row.Status, routing: routing, externalIDs: external}
	}
	s.tenants.remember(id, record, changes)
	return record, nil
}

// taken counts the tenants that have, or ever had, an id or a key, or that have an
// external id. All of them are one set of names: whoever names the key of a
// tenant as an id must not become another one, with the rows of the first.
const taken = `SELECT (SELECT count(*) FROM store.tenants WHERE id = $1 OR tenant_key = $1) + (SELECT count(*) FROM store.external_ids WHERE external_id = $1)`

// takenAtOnce is how many names one statement asks about.
const takenAtOnce = 500

// Taken are those of some names that are, or ever were, the id or the key of a tenant, or are an external id.
func (s *Store) Taken(ctx context.Context, names ...string) (map[string]bool, error) {
	out := make(map[string]bool)
	for some := range slices.Chunk(names, takenAtOnce) {
		args, list := make([]any, len(some)), make([]string, len(some))
		for i, name := range some {
			args[i], list[i] = name, fmt.Sprintf("$%d", i+1)
		}
		in := " IN (" + strings.Join(list, ", ") + ")"
		var known []string
		if err := s.db.List(ctx, &known, "SELECT id FROM store.tenants WHERE id"+in+" UNION SELECT tenant_key FROM store.tenants WHERE tenant_key"+in+
			" UNION SELECT external_id FROM store.external_ids WHERE external_id"+in, args...); err != nil {
			return nil, database.Translate(ctx, err)
		}
		for _, name := range known {
			out[name] = true
		}
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

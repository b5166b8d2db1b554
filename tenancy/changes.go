package tenancy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"usher/tenancy/database"
)

// Change tells gateways that rows of a dataset are others in a source.
type Change struct {
	Source, Dataset string   // empty, both: any
	Tenants         []string // whose rows; nil: anybody's
}

const (
	// maxChangeTenants bounds what is kept of one change: of more tenants than
	// that everybody's rows count as changed. To forget too much does no harm.
	maxChangeTenants = 100
	// maxChanges is how many a gateway reads at a time; of more it forgets all.
	maxChanges = 1000
	// keptChanges is how long a change is kept for gateways that cannot hear of it.
	keptChanges = time.Hour
	// maxSilence is how long a gateway may have been deaf and still trust what
	// it reads: gateways' clocks differ, so well below keptChanges.
	maxSilence = keptChanges / 2
)

// OnChange says what is to be done here with changes that other gateways were
// told of. What comes before is missed: there is nothing to forget yet.
func (s *Store) OnChange(do func(Change)) { s.changed.Store(&do) }

// TellChange tells the other gateways of a change; they forget within a second.
// An embedded store has no others.
func (s *Store) TellChange(ctx context.Context, c Change) error {
	if !s.db.Shared() {
		return nil
	}
	var tenants []byte
	if c.Tenants != nil && len(c.Tenants) <= maxChangeTenants {
		var err error
		if tenants, err = json.Marshal(c.Tenants); err != nil {
			return err
		}
	}
	return s.write(ctx, func(t *tx) error {
		generation, err := t.nextGeneration()
		if err != nil {
			return err
		}
		_, err = t.Exec("INSERT INTO store.changes (id, source, dataset, tenants, gateway, made_at, generation) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			newID(), c.Source, c.Dataset, string(tenants), s.gateway, micros(t.now), generation)
		return err
	})
}

// readChanges hears of changes that other gateways were told of. Silence is how
// long this one has heard nothing: what was told meanwhile may be gone. So may what was
// told of a store that is read anew.
func (s *Store) readChanges(ctx context.Context, since int64, silence time.Duration) error {
	do := s.changed.Load()
	if !s.db.Shared() || do == nil {
		return nil // there are no others, or nothing is kept yet
	}
	if since == 0 || silence > maxSilence {
		(*do)(Change{})
		return nil
	}
	var found []struct {
		Source  string `db:"source"`
		Dataset string `db:"dataset"`
		Tenants string `db:"tenants"`
	}
	err := s.db.List(ctx, &found, fmt.Sprintf("SELECT DISTINCT source, dataset, tenants FROM store.changes WHERE generation > $1 AND gateway <> $2 LIMIT %d", maxChanges+1), since, s.gateway)
	if err != nil {
		return err
	}
	if len(found) > maxChanges {
		(*do)(Change{})
		return nil
	}
	for _, f := range found {
		c := Change{Source: f.Source, Dataset: f.Dataset}
		if f.Tenants != "" && json.Unmarshal([]byte(f.Tenants), &c.Tenants) != nil {
			c.Tenants = nil // whoever's they are
		}
		(*do)(c)
	}
	return nil
}

// pruneChanges removes what every gateway has heard of.
func (t *tx) pruneChanges() error {
	_, err := t.Exec("DELETE FROM store.changes WHERE made_at < $1", micros(t.now.Add(-keptChanges)))
	return err
}

// idsAtOnce is how many ids one statement asks for.
const idsAtOnce = 500

// Unregistered are those of some ids that no tenant of the store has, or ever had.
func (s *Store) Unregistered(ctx context.Context, ids []string) ([]string, error) {
	known := make(map[string]bool, len(ids))
	for rest := ids; len(rest) > 0; {
		some := rest[:min(idsAtOnce, len(rest))]
		rest = rest[len(some):]
		places, args := make([]string, len(some)), make([]any, len(some))
		for i, id := range some {
			places[i], args[i] = fmt.Sprintf("$%d", i+1), id
		}
		var found []string
		if err := s.db.List(ctx, &found, "SELECT id FROM store.tenants WHERE id IN ("+strings.Join(places, ", ")+")", args...); err != nil {
			return nil, database.Translate(ctx, err)
		}
		for _, id := range found {
			known[id] = true
		}
	}
	var out []string
	for _, id := range ids {
		if !known[id] {
			out = append(out, id)
		}
	}
	return out, nil
}

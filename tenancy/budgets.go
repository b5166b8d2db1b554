package tenancy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"usher/quota"
)

// Budgets are counted in a store in PostgreSQL, so that they hold over all gateways: what is left of
// each, as of a moment. It fills up with time, by the gateways' clocks; a moment only
// goes forward, so that clocks which differ fill nothing twice.

// Budgets are those that all gateways of the store share.
func (s *Store) Budgets() *quota.Keeper { return s.budgets }

// claimsAtOnce is how many claims one statement has.
const claimsAtOnce = 200

// settleBudgets answers claims, whose names differ, in their order.
func (s *Store) settleBudgets(ctx context.Context, claims []quota.Claim) (grants []quota.Grant, gateways int, err error) {
	err = s.write(ctx, func(t *tx) error {
		grants = grants[:0]
		for rest := claims; len(rest) > 0; {
			some := rest[:min(len(rest), claimsAtOnce)]
			rest = rest[len(some):]
			answers, err := t.settleBudgets(some)
			if err != nil {
				return err
			}
			grants = append(grants, answers...)
		}
		gateways, err = t.appear()
		return err
	})
	return grants, gateways, err
}

// filled is what is left of a budget before the lease: filled up, and without what was
// used. A moment that is far ahead is that of a clock which was wrong.
const filled = `least(excluded.per_minute, least(excluded.per_minute,
	b.level + least(greatest(excluded.changed_at - b.changed_at, 0), 3600000000) * excluded.per_minute / 60000000.0) - excluded.used)`

func (t *tx) settleBudgets(claims []quota.Claim) ([]quota.Grant, error) {
	args := []any{micros(t.now)}
	var rows strings.Builder
	for i, c := range claims {
		fresh := min(c.Limit, c.Limit-c.Used)
		lease := max(min(c.Want, fresh), 0)
		if i > 0 {
			rows.WriteString(", ")
		}
		n := len(args)
		fmt.Fprintf(&rows, "($%d, CAST($%d AS FLOAT8), CAST($%d AS FLOAT8), CAST($%d AS FLOAT8), CAST($%d AS FLOAT8), CAST($%d AS FLOAT8), CAST($1 AS BIGINT))", n+1, n+2, n+3, n+4, n+5, n+6)
		args = append(args, c.Who, fresh-lease, lease, c.Want, c.Used, c.Limit)
	}
	var found []struct {
		Who   string  `db:"who"`
		Level float64 `db:"level"`
		Lease float64 `db:"granted"`
	}
	lease := "greatest(least(excluded.wanted, " + filled + "), 0)"
	err := t.List(&found, `INSERT INTO store.budgets AS b (who, level, granted, wanted, used, per_minute, changed_at) VALUES `+rows.String()+`
		ON CONFLICT (who) DO UPDATE SET level = `+filled+` - `+lease+`, granted = `+lease+`, wanted = excluded.wanted, used = excluded.used, per_minute = excluded.per_minute,
			changed_at = CASE WHEN b.changed_at > excluded.changed_at + 60000000 THEN excluded.changed_at ELSE greatest(b.changed_at, excluded.changed_at) END
		RETURNING who, level, granted`, args...)
	if err != nil {
		return nil, err
	}
	by := make(map[string]quota.Grant, len(found))
	for _, f := range found {
		by[f.Who] = quota.Grant{Lease: f.Lease, Level: f.Level}
	}
	grants := make([]quota.Grant, len(claims))
	for i, c := range claims {
		grants[i] = by[c.Who]
	}
	return grants, nil
}

const (
	// appearEvery is how often a gateway says that it is there.
	appearEvery = 5 * time.Second
	// gatewayGone is after how long of silence it is not.
	gatewayGone = 3 * appearEvery
)

// appear notes that this gateway is there, and counts those that are. A file is one
// gateway's.
func (t *tx) appear() (gateways int, err error) {
	if !t.store.db.Shared() {
		return 1, nil
	}
	if _, err := t.Exec(`INSERT INTO store.gateways AS g (id, seen_at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen_at = greatest(g.seen_at, excluded.seen_at)`,
		t.store.gateway, micros(t.now)); err != nil {
		return 0, err
	}
	err = t.Get(&gateways, "SELECT count(*) FROM store.gateways WHERE seen_at > $1", micros(t.now.Add(-gatewayGone)))
	return gateways, err
}

// appear tells the others that this gateway is there, and how many they are.
func (s *Store) appear(ctx context.Context) {
	if !s.db.Shared() {
		return
	}
	var gateways int
	if err := s.write(ctx, func(t *tx) (err error) {
		gateways, err = t.appear()
		return err
	}); err == nil {
		s.budgets.Gateways(gateways)
	}
}

// leave gives back what was not used, and says that this gateway is there no more.
func (s *Store) leave(ctx context.Context) {
	s.budgets.Return(ctx)
	if !s.db.Shared() {
		return
	}
	err := s.write(ctx, func(t *tx) error {
		_, err := t.Exec("DELETE FROM store.gateways WHERE id = $1", s.gateway)
		return err
	})
	if err != nil {
		s.opts.Log.WarnContext(ctx, "the control store was not told that this gateway ends", "error", err)
	}
}

// pruneBudgets forgets those that are full, and gateways that are gone.
func (t *tx) pruneBudgets() error {
	if _, err := t.Exec("DELETE FROM store.budgets WHERE level + ($1 - changed_at) * per_minute / 60000000.0 >= per_minute", micros(t.now)); err != nil {
		return err
	}
	_, err := t.Exec("DELETE FROM store.gateways WHERE seen_at < $1", micros(t.now.Add(-gatewayGone)))
	return err
}

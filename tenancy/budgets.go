package tenancy

import (
	"context"
	"encoding/json"
	"time"

	"usher/quota"
	"usher/tenancy/database"
)

// Budgets are counted in a store in PostgreSQL, so that they hold over all gateways: what is left of
// each, as of a moment. It fills up with time, by the gateways' clocks; a moment only
// goes forward, so that clocks which differ fill nothing twice.

// Budgets are those that all gateways of the store share.
func (s *Store) Budgets() *quota.Keeper { return s.budgets }

// filled is what is left of a budget before the lease: filled up, and without what was
// used. A moment that is far ahead is that of a clock which was wrong.
const filled = `least(excluded.per_minute, least(excluded.per_minute,
	b.level + least(greatest(excluded.changed_at - b.changed_at, 0), 3600000000) * excluded.per_minute / 60000000.0) - excluded.used)`

// lease is as much of what is wanted as there is.
const lease = "greatest(least(excluded.wanted, " + filled + "), 0)"

// settlement answers claims in their order, which is one for all gateways: it locks rows.
const settlement = `INSERT INTO store.budgets AS b (who, level, granted, wanted, used, per_minute, changed_at)
	SELECT who, level, granted, wanted, used, per_minute, CAST($2 AS BIGINT)
		FROM json_to_recordset(CAST($1 AS JSON)) AS c (who TEXT, level FLOAT8, granted FLOAT8, wanted FLOAT8, used FLOAT8, per_minute FLOAT8)
	ON CONFLICT (who) DO UPDATE SET level = ` + filled + ` - ` + lease + `, granted = ` + lease + `, wanted = excluded.wanted, used = excluded.used, per_minute = excluded.per_minute,
		changed_at = CASE WHEN b.changed_at > excluded.changed_at + 60000000 THEN excluded.changed_at ELSE greatest(b.changed_at, excluded.changed_at) END
	RETURNING who, level, granted, (` + countGateways + `$3) AS gateways`

// settlement's claims and answers.
type (
	claimed struct {
		Who       string  `json:"who"`
		Level     float64 `json:"level"` // of a budget that the store does not know
		Granted   float64 `json:"granted"`
		Wanted    float64 `json:"wanted"`
		Used      float64 `json:"used"`
		PerMinute float64 `json:"per_minute"`
	}
	settled struct {
		Who      string  `db:"who"`
		Level    float64 `db:"level"`
		Granted  float64 `db:"granted"`
		Gateways int     `db:"gateways"`
	}
)

// settleBudgets answers claims, whose names differ, in their order. It is one statement, for requests wait for it.
func (s *Store) settleBudgets(ctx context.Context, claims []quota.Claim) (grants []quota.Grant, gateways int, err error) {
	now := s.now()
	since := micros(now.Add(-gatewayGone))
	if len(claims) == 0 {
		err = s.db.Get(ctx, &gateways, countGateways+"$1", since)
		return nil, gateways, database.Translate(ctx, err)
	}
	rows := make([]claimed, len(claims))
	for i, c := range claims {
		fresh := min(c.Limit, c.Limit-c.Used)
		granted := max(min(c.Want, fresh), 0)
		rows[i] = claimed{c.Who, fresh - granted, granted, c.Want, c.Used, c.Limit}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return nil, 0, err
	}
	var found []settled
	if err := s.db.List(ctx, &found, settlement, string(text), micros(now), since); err != nil {
		return nil, 0, database.Translate(ctx, err)
	}
	by := make(map[string]quota.Grant, len(found))
	for _, f := range found {
		by[f.Who], gateways = quota.Grant{Lease: f.Granted, Level: f.Level}, f.Gateways
	}
	grants = make([]quota.Grant, len(claims))
	for i, c := range claims {
		grants[i] = by[c.Who]
	}
	return grants, gateways, nil
}

const (
	// appearEvery is how often a gateway says that it is there.
	appearEvery = 5 * time.Second
	// gatewayGone is after how long of silence it is not.
	gatewayGone = 3 * appearEvery
)

// countGateways counts those that were seen since.
const countGateways = "SELECT count(*) FROM store.gateways WHERE seen_at > "

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
	err = t.Get(&gateways, countGateways+"$1", micros(t.now.Add(-gatewayGone)))
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

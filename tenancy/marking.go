package tenancy

import (
	"fmt"
	"slices"
	"time"
)

// markLeeway is how long a mark outlives its token: gateways' clocks differ.
const markLeeway = 5 * time.Minute

// lastMark is the end of a mark whose tokens' ends the store does not know: they
// may live for the longest time.
func (t *tx) lastMark() int64 { return micros(t.now.Add(year + 24*time.Hour)) }

// markEnd is how long a mark is of any use. Of one token of the store's own that
// is until the token would have ended anyway, so that people who log in and out
// leave nothing behind for long.
func (t *tx) markEnd(m mark) (int64, error) {
	if m.Issuer != Issuer || m.Token == "" {
		return t.lastMark(), nil
	}
	var ends int64
	err := t.get(&ends, "SELECT expires_at FROM store.tokens WHERE id = $1", m.Token)
	switch {
	case missing(err):
		return micros(t.now.Add(markLeeway)), nil // there is no such token
	case err != nil:
		return 0, err
	case ends == 0:
		return t.lastMark(), nil
	}
	return ends + markLeeway.Microseconds(), nil
}

// markEach puts a mark for each token of the store on which a condition fits and
// that is not revoked yet.
func (t *tx) markEach(condition string, args ...any) error {
	generation, err := t.raise()
	if err != nil {
		return err
	}
	n := len(args)
	text := fmt.Sprintf(`INSERT INTO store.marks (id, issuer, tenant, subject, token, issued_before, expires_at, generation)
		SELECT 'token ' || id, 'usher', '', '', id, CAST($%d AS BIGINT), CASE WHEN expires_at = 0 THEN CAST($%d AS BIGINT) ELSE expires_at + CAST($%d AS BIGINT) END,
			CAST($%d AS BIGINT) FROM store.tokens WHERE revoked_at = 0 AND `, n+1, n+2, n+3, n+4)
	_, err = t.exec(text+condition, append(slices.Clone(args), micros(forever), t.lastMark(), markLeeway.Microseconds(), generation)...)
	return err
}

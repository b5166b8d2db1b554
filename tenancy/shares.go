package tenancy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"usher/principal"
)

// share is a principal.Share as it is stored; what is 0 is left out, and means that the
// configuration says it.
type share struct {
	Weight int    `json:"weight,omitempty"`
	Limits budget `json:"limits,omitzero"`
}

// budget is a principal.Budget as it is stored.
type budget struct {
	Requests     int64 `json:"requests,omitempty"`
	Milliseconds int64 `json:"databaseMilliseconds,omitempty"`
	Rows         int64 `json:"rows,omitempty"`
	Bytes        int64 `json:"bytes,omitempty"`
}

func storedBudget(b principal.Budget) budget {
	return budget{Requests: b.Requests, Milliseconds: b.DatabaseTime.Milliseconds(), Rows: b.Rows, Bytes: b.Bytes}
}

func (b budget) budget() principal.Budget {
	return principal.Budget{Requests: b.Requests, DatabaseTime: time.Duration(b.Milliseconds) * time.Millisecond, Rows: b.Rows, Bytes: b.Bytes}
}

func readShare(text string, into *principal.Share) error {
	var s share
	if err := readList(text, &s); err != nil {
		return err
	}
	*into = principal.Share{Weight: s.Weight, Limits: s.Limits.budget()}
	return nil
}

// writeShare is empty for a share of which nothing is said.
func writeShare(s principal.Share) (string, error) {
	if s == (principal.Share{}) {
		return "", nil
	}
	text, err := json.Marshal(share{Weight: s.Weight, Limits: storedBudget(s.Limits)})
	return string(text), err
}

func checkShare(s principal.Share) error {
	if s.Weight < 0 || s.Weight > principal.MostWeight {
		return unusable("a weight is from 1 to %d", principal.MostWeight)
	}
	return checkBudget(s.Limits)
}

// mostTime bounds the time that a budget has of a minute: a million connections at work.
const mostTime = 1_000_000 * time.Minute

func checkBudget(b principal.Budget) error {
	if min(b.Requests, int64(b.DatabaseTime), b.Rows, b.Bytes) < 0 || b.DatabaseTime > mostTime || b.DatabaseTime%time.Millisecond != 0 {
		return unusable("limits are whole numbers of at least 1, and times of at most %d milliseconds", mostTime.Milliseconds())
	}
	return nil
}

// SetTenantWeight says how often the tenant has its turn; 0: as the configuration says.
func (s *Store) SetTenantWeight(ctx context.Context, p principal.Principal, id string, weight int) error {
	said := "as the configuration says"
	if weight != 0 {
		said = fmt.Sprintf("weight %d", weight)
	}
	return s.setShare(ctx, p, act{operation: "setTenantWeight", tenant: id, global: true, detail: said}, func(share *principal.Share) { share.Weight = weight })
}

// SetTenantLimits replaces what the tenant may use in a minute; what is 0 is as the configuration says.
func (s *Store) SetTenantLimits(ctx context.Context, p principal.Principal, id string, limits principal.Budget) error {
	return s.setShare(ctx, p, act{operation: "setTenantLimits", tenant: id, global: true, detail: spokenBudget(limits)}, func(share *principal.Share) { share.Limits = limits })
}

func (s *Store) setShare(ctx context.Context, p principal.Principal, a act, change func(*principal.Share)) error {
	return s.administer(ctx, p, a, func(t *tx) error {
		return t.changeTenant(a.tenant, func(row *tenantRow) (err error) {
			var share principal.Share
			if err := readShare(row.Share, &share); err != nil {
				return unreadableTenant(err)
			}
			change(&share)
			if err := checkShare(share); err != nil {
				return err
			}
			row.Share, err = writeShare(share)
			return err
		})
	})
}

// spokenBudget is a budget for the audit log.
func spokenBudget(b principal.Budget) string {
	var parts []string
	for _, part := range []struct {
		n    int64
		what string
	}{{b.Requests, "requests"}, {b.DatabaseTime.Milliseconds(), "ms of database time"}, {b.Rows, "rows"}, {b.Bytes, "bytes"}} {
		if part.n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if parts == nil {
		return "as the configuration says"
	}
	return strings.Join(parts, ", ") + " a minute"
}

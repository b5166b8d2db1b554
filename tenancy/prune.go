package tenancy

import (
	"context"
	"time"
)

// keptTokens is how long a token can still be looked up after its end.
const keptTokens = 30 * 24 * time.Hour

// pruneEvery is how often what has had its time is removed.
const pruneEvery = time.Hour

func (s *Store) pruneExpired(ctx context.Context) {
	err := s.Prune(ctx)
	if err == nil {
		s.upkeep.pruned.Store(int64(time.Since(s.started)))
	} else if ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "the control store was not pruned", "error", err)
	}
}

// Prune removes revocations, changes that were told, attempts to log in and tokens that have had their time, and
// entries of the audit log beyond its retention.
func (s *Store) Prune(ctx context.Context) error {
	now := s.now()
	s.revocations.forget(now)
	return s.write(ctx, func(t *tx) error {
		if _, err := t.Exec("DELETE FROM store.marks WHERE expires_at < $1", micros(now)); err != nil {
			return err
		}
		if err := t.pruneAttempts(maxAttempts); err != nil {
			return err
		}
		if err := t.pruneBudgets(); err != nil {
			return err
		}
		if err := t.pruneChanges(); err != nil {
			return err
		}
		ended := micros(now.Add(-keptTokens))
		// A token stays for as long as one that was made with it: who has minted
		// what is found along them.
		_, err := t.Exec(`DELETE FROM store.tokens WHERE (expires_at <> 0 AND expires_at < $1 OR revoked_at <> 0 AND revoked_at < $1)
			AND NOT EXISTS (SELECT 1 FROM store.tokens made WHERE made.minter_token = store.tokens.id)`, ended)
		if kept := s.opts.ReadsRetention; err == nil && kept > 0 {
			err = t.pruneQuestions(now.Add(-kept))
		}
		if err != nil || s.opts.AuditRetention < 0 {
			return err
		}
		return t.pruneAudit(now.Add(-s.opts.AuditRetention))
	})
}

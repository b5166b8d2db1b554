package tenancy

import (
	"context"
	"errors"
	"time"

	"usher/fault"
	"usher/outage"
	"usher/tenancy/database"
)

// watch keeps this process's memory up with the store.
func (s *Store) watch(ctx context.Context, hasten <-chan struct{}) {
	ticker := time.NewTicker(s.opts.Poll)
	defer ticker.Stop()
	var silent outage.Outage
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-hasten:
		}
		switch err := s.catchUp(ctx); {
		case ctx.Err() != nil:
		case err != nil:
			s.unread.Store(fault.From(err))
			silent.Lasts(ctx, s.opts.Log, "the control store cannot be read", err)
		default:
			s.unread.Store(nil)
			silent.Over(ctx, s.opts.Log, "the control store answers again")
		}
	}
}

// catchUp reads what has changed since the generation this process has seen.
func (s *Store) catchUp(ctx context.Context) error {
	s.polling.Lock()
	defer s.polling.Unlock()
	asked := time.Since(s.started)
	var now struct {
		N      int64 `db:"n"`
		Rights int64 `db:"people"`
	}
	if err := s.db.Try(ctx, &now, "SELECT n, people FROM store.generation WHERE id = 1"); database.Missing(err) {
		return database.Emptied(err)
	} else if err != nil {
		return database.Translate(ctx, err)
	}
	if now.N != s.seen {
		if err := s.readRevocations(ctx); err != nil {
			return database.Translate(ctx, err)
		}
		if err := s.readTenants(ctx); err != nil {
			return database.Translate(ctx, err)
		}
		if err := s.readChanges(ctx, asked-time.Duration(s.heard.Load())); err != nil {
			return database.Translate(ctx, err)
		}
		s.rights.Store(now.Rights)
		s.seen = now.N
	}
	s.heard.Store(int64(asked))
	return nil
}

func (s *Store) readRevocations(ctx context.Context) error {
	var found []struct {
		revocationKey
		Before  int64 `db:"issued_before"`
		Expires int64 `db:"expires_at"`
	}
	err := s.db.List(ctx, &found, "SELECT issuer, tenant, subject, token, issued_before, expires_at FROM store.marks WHERE generation > $1 AND expires_at > $2",
		s.seen, micros(s.now()))
	if err != nil {
		return err
	}
	for _, f := range found {
		s.revocations.add(f.revocationKey, cutoff{before: moment(f.Before), expires: moment(f.Expires)})
	}
	return nil
}

// readTenants forgets the records that have changed; they are read again when
// they are needed.
func (s *Store) readTenants(ctx context.Context) error {
	if s.seen == 0 {
		return nil // nothing is remembered yet
	}
	var changed []string // ids, and what was looked up as one and is a key
	if err := s.db.List(ctx, &changed, "SELECT id FROM store.tenants WHERE generation > $1 UNION SELECT tenant_key FROM store.tenants WHERE generation > $1", s.seen); err != nil {
		return err
	}
	var external []string // of them: they may have been nobody's
	if err := s.db.List(ctx, &external, `SELECT e.external_id FROM store.external_ids e JOIN store.tenants t ON t.id = e.tenant WHERE t.generation > $1`, s.seen); err != nil {
		return err
	}
	s.tenants.forget(changed, external)
	return nil
}

// Ready is nil while the store answers. After MaxStale without an answer it is
// the refusal of whatever depends on the store: a revocation may have been
// missed.
func (s *Store) Ready() error {
	if silent := time.Since(s.started) - time.Duration(s.heard.Load()); silent > s.opts.MaxStale {
		silence := fault.New(fault.Unavailable, "the control store does not answer").WithHint("Try again in a moment.")
		if why := s.unread.Load(); why != nil && errors.Is(why, database.ErrDiffers) { // waiting does not mend it
			silence = why
		}
		silence = silence.Because(silence.Unwrap())
		silence.RetryAfter = s.opts.Poll
		return silence
	}
	return nil
}

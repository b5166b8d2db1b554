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
	silence := asked - time.Duration(s.heard.Load())
	now, err := s.stands(ctx)
	if database.Missing(err) {
		return database.Emptied(err)
	} else if err != nil {
		return database.Translate(ctx, err)
	}
	since, back := s.seen, now.before(s.seen)
	anew := back || since.N != 0 && (now.Server != since.Server || silence > s.opts.MaxStale || s.settled.again(asked))
	if anew {
		since = standing{}
		s.forget(back)
	}
	if now.N != since.N {
		if err := s.readRevocations(ctx, since.N); err != nil {
			return database.Translate(ctx, err)
		}
		if err := s.readTenants(ctx, since.N); err != nil {
			return database.Translate(ctx, err)
		}
		if err := s.readChanges(ctx, since.N, silence); err != nil {
			return database.Translate(ctx, err)
		}
		if now.Rights != since.Rights {
			s.rights.Add(1)
		}
	}
	if back {
		s.tellBack(ctx, now)
	}
	if anew {
		s.settled.read(asked, back)
	}
	s.seen = now
	s.reached.Store(now.N)
	s.astray.Store(false)
	s.heard.Store(int64(asked))
	return nil
}

// readRevocations reads those since a generation; since the beginning, they are all there are.
func (s *Store) readRevocations(ctx context.Context, since int64) error {
	var found []struct {
		revocationKey
		Before  int64 `db:"issued_before"`
		Expires int64 `db:"expires_at"`
	}
	err := s.db.List(ctx, &found, "SELECT issuer, tenant, subject, token, issued_before, expires_at FROM store.marks WHERE generation > $1 AND expires_at > $2",
		since, micros(s.now()))
	if err != nil {
		return err
	}
	into := s.revocations
	if since == 0 {
		into = newRevocations()
		defer s.revocations.become(into)
	}
	for _, f := range found {
		into.add(f.revocationKey, cutoff{before: moment(f.Before), expires: moment(f.Expires)})
	}
	return nil
}

// readTenants forgets the records that have changed; they are read again when
// they are needed.
func (s *Store) readTenants(ctx context.Context, since int64) error {
	if since == 0 {
		return nil // nothing is remembered
	}
	var changed []string // ids, and what was looked up as one and is a key
	if err := s.db.List(ctx, &changed, "SELECT id FROM store.tenants WHERE generation > $1 UNION SELECT tenant_key FROM store.tenants WHERE generation > $1", since); err != nil {
		return err
	}
	var external []string // of them: they may have been nobody's
	if err := s.db.List(ctx, &external, `SELECT e.external_id FROM store.external_ids e JOIN store.tenants t ON t.id = e.tenant WHERE t.generation > $1`, since); err != nil {
		return err
	}
	s.tenants.forget(changed, external)
	return nil
}

// Ready is nil while the store answers. After MaxStale without an answer it is
// the refusal of whatever depends on the store: a revocation may have been
// missed.
func (s *Store) Ready() error {
	silent := time.Since(s.started)-time.Duration(s.heard.Load()) > s.opts.MaxStale
	astray := s.astray.Load()
	if !silent && !astray {
		return nil
	}
	refusal := fault.New(fault.Unavailable, "the control store does not answer").WithHint("Try again in a moment.")
	switch why := s.unread.Load(); {
	case why != nil && errors.Is(why, database.ErrDiffers): // waiting does not mend it
		refusal = why
	case astray:
		refusal = readAnew(s.opts.Poll)
	}
	refusal = refusal.Because(refusal.Unwrap())
	refusal.RetryAfter = s.opts.Poll
	return refusal
}

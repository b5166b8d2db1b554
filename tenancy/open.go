package tenancy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/lru"
	"usher/quota"
	"usher/tenancy/database"
)

// openTimeout bounds one try of connecting, migrating and the first reading.
const openTimeout = 60 * time.Second

// Open opens the store, brings its tables to this program's version and reads
// what revocations there are. Several gateways may do so at the same time on
// one PostgreSQL database.
func Open(ctx context.Context, spec database.Spec, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	sealer, err := newSealer(opts.Key, opts.OldKeys)
	if err != nil {
		return nil, fault.New(fault.Internal, "the control store's key cannot be used: %s", err)
	}
	s := &Store{
		opts:        opts,
		sealer:      sealer,
		tenants:     newTenantCache(opts.Tenants),
		verified:    lru.New[[32]byte, *verified](opts.Verified),
		revocations: newRevocations(),
		started:     time.Now(),
		gateway:     newID(),
		hashing:     make(chan struct{}, opts.Logins),
		decoy:       opts.Password.hash("the password of nobody"),
	}
	s.audit = audit.NewQueue(opts.AuditQueue, s.now, opts.Log, s.noting(&s.upkeep.soon, s.writeSoon))
	s.journal = audit.NewJournal(s.now, opts.Log, s.noting(&s.upkeep.chained, s.writeChained))
	s.chains = newChains(s.gateway, opts.Key)
	budgets := quota.Options{Clock: s.now, Log: opts.Log, Patience: opts.Patience}
	if spec.Postgres != nil { // a file is one gateway's, which counts in its memory
		budgets.Settle = s.settleBudgets
	}
	s.budgets = quota.New(budgets)
	if s.db, err = database.Open(ctx, spec, opts.Log); err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	s.start()
	return s, nil
}

// askEvery is how often a store that does not answer is asked again at the start.
const askEvery = 2 * time.Second

// await prepares the store as soon as it answers, for as long as it may be waited for.
func (s *Store) await(ctx context.Context) error {
	for {
		tried, cancel := context.WithTimeout(ctx, openTimeout)
		err := s.prepare(tried)
		cancel()
		waited := time.Since(s.started)
		if err == nil || waited >= s.opts.Wait || fault.From(err).Code != fault.Unavailable || errors.Is(err, database.ErrNewer) {
			return err
		}
		s.opts.Log.WarnContext(ctx, "the control store does not answer; usher waits for it and serves nobody yet",
			"waited", waited.Round(time.Second).String(), "at_most", s.opts.Wait.String(), "error", err)
		select {
		case <-time.After(askEvery):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// prepare migrates and reads the state that has to be in memory.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.db.Migrate(ctx); err != nil {
		return err
	}
	if err := s.sameKeys(ctx); err != nil {
		return err
	}
	s.appear(ctx)
	return s.catchUp(ctx)
}

func (s *Store) start() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	hasten := make(chan struct{}, 1)
	s.background.Go(func() { s.watch(ctx, hasten) })
	s.background.Go(func() { every(ctx, writeEvery, s.flush) })
	s.background.Go(func() { s.journal.Run(ctx) })
	s.background.Go(func() { every(ctx, pruneEvery, s.pruneExpired) })
	s.background.Go(func() {
		s.measure(ctx)
		every(ctx, measureEvery, s.measure)
	})
	s.background.Go(func() { every(ctx, quota.Together, s.budgets.Tick) })
	s.background.Go(func() { every(ctx, appearEvery, s.appear) })
	s.background.Go(func() { s.db.Listen(ctx, hasten) })
}

// every calls f at intervals until the context ends.
func every(ctx context.Context, interval time.Duration, f func(context.Context)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f(ctx)
		}
	}
}

// SignInWith has connections to the store that are made from now on show another password.
// It is tried first, and where the store does not take it nothing changes.
func (s *Store) SignInWith(ctx context.Context, password string) error {
	return s.db.SignInWith(ctx, password)
}

// Check tells whether the store could be opened, and changes nothing of it.
func Check(ctx context.Context, spec database.Spec, opts Options) error {
	if _, err := newSealer(opts.Key, opts.OldKeys); err != nil {
		return fmt.Errorf("its key cannot be used: %w", err)
	}
	return database.Check(ctx, spec)
}

// closeTimeout bounds the last writing.
const closeTimeout = 5 * time.Second

// Close writes what is still to be written and closes the store.
func (s *Store) Close() error {
	s.stop()
	s.background.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	s.flush(ctx)
	s.journal.Close(ctx)
	s.leave(ctx)
	s.audit.Close(ctx)
	return s.db.Close()
}

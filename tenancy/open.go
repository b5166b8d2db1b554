package tenancy

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/jmoiron/sqlx"

	"usher/audit"
	"usher/fault"
	"usher/lru"
	"usher/quota"
)

// Spec says where the store is: exactly one of Postgres and Path.
type Spec struct {
	Postgres *PostgresSpec
	Path     string // of a DuckDB file, which is made if it is missing
	Schema   string // of the tables; default usher
}

var schemaForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)

func (spec Spec) check() error {
	if (spec.Postgres == nil) == (spec.Path == "") {
		return errors.New("name either a PostgreSQL database or a DuckDB file")
	}
	if !schemaForm.MatchString(spec.Schema) {
		return errors.New("the schema's name must have the form " + schemaForm.String())
	}
	return nil
}

// openTimeout bounds connecting, migrating and the first reading.
const openTimeout = 60 * time.Second

// Open opens the store, brings its tables to this program's version and reads
// what revocations there are. Several gateways may do so at the same time on
// one PostgreSQL database.
func Open(ctx context.Context, spec Spec, opts Options) (*Store, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if spec.Schema == "" {
		spec.Schema = "usher"
	}
	if err := spec.check(); err != nil {
		return nil, fault.New(fault.Internal, "the control store is not configured: %s", err)
	}
	opts = opts.withDefaults()
	sealer, err := newSealer(opts.Key, opts.OldKeys)
	if err != nil {
		return nil, fault.New(fault.Internal, "the control store's key cannot be used: %s", err)
	}
	s := &Store{
		schema:      spec.Schema,
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
	s.audit = audit.NewQueue(opts.AuditQueue, s.now, opts.Log, s.writeSoon)
	s.journal = audit.NewJournal(s.now, opts.Log, s.writeChained)
	s.chains = newChains(s.gateway, opts.Key)
	budgets := quota.Options{Clock: s.now, Log: opts.Log, Patience: opts.Patience}
	if spec.Postgres != nil { // a file is one gateway's, which counts in its memory
		budgets.Settle = s.settleBudgets
	}
	s.budgets = quota.New(budgets)
	if err := s.connect(ctx, spec); err != nil {
		return nil, fault.New(fault.Unavailable, "the control store cannot be opened").Because(redacted(err))
	}
	if err := s.prepare(ctx); err != nil {
		err = errors.Join(err, s.db.Close())
		if s.dsn != nil {
			s.dsn.close()
		}
		return nil, err
	}
	s.start()
	return s, nil
}

func (s *Store) connect(ctx context.Context, spec Spec) error {
	if spec.Path != "" {
		pool, err := openDuckDB(ctx, spec.Path)
		if err != nil {
			return err
		}
		s.db, s.writer = sqlx.NewDb(pool, "duckdb"), make(chan struct{}, 1)
		return nil
	}
	var err error
	if s.dsn, err = newPostgresConnector(*spec.Postgres, s.opts.Log); err != nil {
		return err
	}
	s.db = sqlx.NewDb(s.dsn.pool(), "postgres")
	return nil
}

// prepare migrates and reads the state that has to be in memory.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return translate(ctx, err)
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
	s.background.Go(func() { every(ctx, quota.Together, s.budgets.Tick) })
	s.background.Go(func() { every(ctx, appearEvery, s.appear) })
	if s.dsn != nil {
		s.background.Go(func() { s.listen(ctx, hasten) })
	}
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
	err := s.db.Close()
	if s.dsn != nil {
		s.dsn.close()
	}
	return err
}

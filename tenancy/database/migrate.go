package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"usher/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// sql puts the configured schema in the place of the name store. The texts are
// constants of the program; values are always arguments.
func (d *DB) sql(text string) string { return strings.ReplaceAll(text, "store.", d.schema+".") }

// Migrate brings the tables to this program's version, one gateway at a time.
func (d *DB) Migrate(ctx context.Context) error {
	return Translate(ctx, d.migrate(try(ctx)))
}

func (d *DB) migrate(ctx context.Context) error {
	if d.dsn == nil {
		return d.migrateAlone(ctx)
	}
	tx, err := d.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // ends the lock
	if err := awaitTurn(ctx, tx, "usher control store "+d.schema); err != nil {
		return err
	}
	return d.migrateAlone(ctx)
}

// awaitTurn asks again and again: a statement that waited for the lock would
// be ended by its time limit.
func awaitTurn(ctx context.Context, tx *sql.Tx, name string) error {
	for {
		var mine bool
		if err := tx.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", name).Scan(&mine); err != nil || mine {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another gateway that migrates the store: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *DB) migrateAlone(ctx context.Context) error {
	versions, err := d.Versions()
	if err != nil {
		return err
	}
	return d.MigrateTo(ctx, versions[len(versions)-1])
}

// Versions are those that tables can have, from the oldest to this program's.
func (d *DB) Versions() ([]int64, error) {
	all, err := d.migrations()
	versions := make([]int64, len(all))
	for i, m := range all {
		versions[i] = m.Version
	}
	slices.Sort(versions)
	return versions, err
}

// ErrNewer is the cause of what is said of tables that a newer program has migrated: waiting does not mend it.
var ErrNewer = errors.New("a newer usher has migrated the control store")

// MigrateTo brings the tables to a version, and refuses those of a newer program. The caller
// is alone.
func (d *DB) MigrateTo(ctx context.Context, version int64) error {
	if err := d.makeSchema(ctx); err != nil {
		return err
	}
	provider, err := d.migrating()
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return newer(current, target)
	}
	if current < version {
		if err := d.room(); err != nil {
			return err
		}
	}
	_, err = provider.UpTo(ctx, version)
	return err
}

func newer(current, known int64) error {
	return fault.New(fault.Unavailable, "the control store has version %d, this program knows versions up to %d", current, known).
		WithHint("Start the newer usher that has migrated the store, or restore the store from before.").Because(ErrNewer)
}

// ErrEmpty is what Check says of a database without tables, which Migrate makes: worth a word where there was a store before.
var ErrEmpty = fault.New(fault.Unavailable, "the control store has no tables yet")

// checkVersion refuses tables of a newer program, and a database in which the account may
// not make those that it lacks.
func (d *DB) checkVersion(ctx context.Context) error {
	var can struct {
		There bool `db:"there"`
		Make  bool `db:"make"`
	}
	if err := d.pool.GetContext(ctx, &can, `SELECT to_regclass($1) IS NOT NULL AS there,
		coalesce(has_schema_privilege(to_regnamespace($2), 'CREATE'), has_database_privilege(current_database(), 'CREATE')) AS make`, d.schema+".migrations", d.schema); err != nil {
		return err
	}
	if !can.There && !can.Make {
		return fault.New(fault.Unavailable, "the account of the control store may not make its tables").
			WithHint("GRANT CREATE ON DATABASE, or make the schema %s and GRANT USAGE, CREATE ON SCHEMA %s.", d.schema, d.schema)
	}
	if !can.There {
		return ErrEmpty
	}
	current, known, err := d.versions(ctx)
	if err == nil && current > known {
		return newer(current, known)
	}
	if err != nil {
		return err
	}
	return d.checkRights(ctx)
}

// current refuses tables of another program's version, and none.
func (d *DB) current(ctx context.Context) error {
	var there int
	if err := d.pool.GetContext(ctx, &there, "SELECT count(*) FROM information_schema.tables WHERE table_schema = $1 AND table_name = 'migrations'", d.schema); err != nil {
		return err
	}
	if there == 0 {
		return ErrNone
	}
	current, known, err := d.versions(ctx)
	switch {
	case err != nil:
		return err
	case current > known:
		return newer(current, known)
	case current < known:
		return ErrOlder
	}
	return nil
}

// versions are that of the tables, and the latest that this program knows.
func (d *DB) versions(ctx context.Context) (current, known int64, err error) {
	all, err := d.Versions()
	if err != nil {
		return 0, 0, err
	}
	err = d.pool.GetContext(ctx, &current, d.sql("SELECT coalesce(max(version_id), 0) FROM store.migrations WHERE is_applied"))
	return current, all[len(all)-1], err
}

// checkRights refuses tables that the account may not use: everything may be read then, and no change be made.
func (d *DB) checkRights(ctx context.Context) error {
	var lacking []string
	err := d.pool.SelectContext(ctx, &lacking, `SELECT r || ' ON ' || c.relname
		FROM pg_class c CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r
		WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r' AND NOT has_table_privilege(c.oid, r) ORDER BY c.relname, r`, d.schema)
	if err != nil || len(lacking) == 0 {
		return err
	}
	more := ""
	if n := len(lacking) - maxLacking; n > 0 {
		lacking, more = lacking[:maxLacking], fmt.Sprintf(" and %d more", n)
	}
	return fault.New(fault.Unavailable, "the account of the control store lacks %s%s: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s", strings.Join(lacking, ", "), more, d.schema)
}

// maxLacking is how many of the rights that an account lacks are named.
const maxLacking = 4

// makeSchema makes the schema of the tables, if it is missing.
func (d *DB) makeSchema(ctx context.Context) error {
	// The account may be allowed to use the schema and not to make it.
	var schemas int
	if err := d.pool.QueryRowContext(ctx, "SELECT count(*) FROM information_schema.schemata WHERE schema_name = $1", d.schema).Scan(&schemas); err != nil {
		return err
	}
	if schemas == 0 {
		if _, err := d.pool.ExecContext(ctx, "CREATE SCHEMA "+d.schema); err != nil {
			return err
		}
	}
	return nil
}

// migrating knows the versions that there are, and which the store has.
func (d *DB) migrating() (*goose.Provider, error) {
	all, err := d.migrations()
	if err != nil {
		return nil, err
	}
	// Of goose's own dialects this one asks for nothing DuckDB lacks: its keys
	// are counted, not generated. The lock is ours, so that it also covers the
	// making of the schema.
	versions, err := database.NewStore(database.DialectAuroraDSQL, d.schema+".migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider("", d.pool.DB, nil,
		goose.WithStore(versions), goose.WithGoMigrations(all...), goose.WithDisableGlobalRegistry(true))
}

// migrations are the embedded files, with the schema put in: goose runs a file
// as it is written.
func (d *DB) migrations() ([]*goose.Migration, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []*goose.Migration
	for _, name := range names {
		version, err := goose.NumericComponent(path.Base(name))
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		up := func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, d.sql(string(text)))
			return err
		}
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{RunTx: up}, nil))
	}
	if len(all) == 0 {
		return nil, errors.New("the program holds no migrations")
	}
	return all, nil
}

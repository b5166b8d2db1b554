// Package database owns how the control store is reached: a PostgreSQL database that several
// gateways share, or an embedded DuckDB file, which is one gateway's. It connects, brings the
// tables to this program's version, gives transactions, announces changes to other gateways,
// and says what an engine's errors mean.
//
// It knows no table but that of the versions. It refuses connection poolers, standbys, the
// process's environment, and to repeat what an engine says of values.
package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/jmoiron/sqlx"

	"usher/duckwal"
	"usher/fault"
)

// Spec says where the store is: exactly one of Postgres and Path.
type Spec struct {
	Postgres *Postgres
	Path     string // of a DuckDB file, which is made if it is missing
	Schema   string // of the tables; default usher

	toRead bool // a file is not made, and not written to
}

var schemaForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)

func (spec Spec) check() error {
	if (spec.Postgres == nil) == (spec.Path == "") {
		return errors.New("name either a PostgreSQL database or a DuckDB file")
	}
	if !schemaForm.MatchString(spec.Schema) {
		return errors.New("the schema's name must have the form " + schemaForm.String())
	}
	if whole, err := filepath.Abs(spec.Path); spec.Path != "" && (err != nil || strings.ContainsAny(whole, "?#%")) { // which is where the driver looks for options
		return fmt.Errorf("the path of its file may have no ?, # or %%: %s", whole)
	}
	return nil
}

// DB is the store's database. It is safe for concurrent use. The texts of its statements are
// constants in which the schema is called store; values are always arguments.
type DB struct {
	pool   *sqlx.DB
	dsn    *connector // nil on DuckDB
	schema string
	path   string        // of DuckDB's file; empty on PostgreSQL
	writer chan struct{} // on DuckDB: held by the one who writes
	log    *slog.Logger
}

// Open connects. What the database holds may be of another version, until Migrate.
func Open(ctx context.Context, spec Spec, log *slog.Logger) (*DB, error) {
	spec.Schema = cmp.Or(spec.Schema, usualSchema)
	if err := spec.check(); err != nil {
		return nil, fault.New(fault.Internal, "the control store is not configured: %s", err)
	}
	d := &DB{schema: spec.Schema, log: log}
	if err := d.connect(ctx, spec); err != nil {
		return nil, fault.New(fault.Unavailable, "the control store cannot be opened").Because(Redacted(err))
	}
	return d, nil
}

// The reasons why a store is not read by whoever is to change nothing of it.
var (
	ErrNone  = errors.New("there is no control store yet")
	ErrOlder = errors.New("its tables are of an older usher, and are changed when this one first serves")
	ErrInUse = errors.New("the file is open already, and is for one at a time")
)

// OpenToRead connects for whoever changes nothing: it neither makes tables nor brings them to this program's version,
// and refuses those of another one. A file is not made; one that is open is refused.
func OpenToRead(ctx context.Context, spec Spec, log *slog.Logger) (*DB, error) {
	spec.toRead = true
	if spec.Path != "" {
		if _, err := os.Stat(spec.Path); errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNone
		}
	}
	d, err := Open(ctx, spec, log)
	if err != nil {
		return nil, err
	}
	err = d.current(ctx)
	switch {
	case err == nil:
		return d, nil
	case !errors.Is(err, ErrNone) && !errors.Is(err, ErrOlder):
		err = Translate(ctx, err)
	}
	return nil, errors.Join(err, d.Close())
}

func (d *DB) connect(ctx context.Context, spec Spec) error {
	if spec.Path != "" {
		if info, err := os.Stat(spec.Path); err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
			return fmt.Errorf("%s is no file", spec.Path)
		}
		pool, err := openDuckDB(ctx, spec.Path, spec.toRead)
		if err != nil {
			return err
		}
		d.pool, d.writer, d.path = sqlx.NewDb(pool, "duckdb"), make(chan struct{}, 1), spec.Path
		return nil
	}
	var err error
	if d.dsn, err = newConnector(*spec.Postgres, d.log); err != nil {
		return err
	}
	d.pool = sqlx.NewDb(d.dsn.pool(), "postgres")
	return nil
}

// Close ends every connection.
func (d *DB) Close() error {
	err := d.pool.Close()
	if d.dsn != nil {
		d.dsn.close()
	}
	return err
}

// SignInWith has connections that are made from now on show another password of the same
// account, if the server takes it. Those that there are go on.
func (d *DB) SignInWith(ctx context.Context, password string) error {
	if d.dsn == nil {
		return errors.New("a store in a file has no password")
	}
	spec := d.dsn.spec
	spec.Password = password
	if err := signsIn(ctx, spec); err != nil {
		return err
	}
	d.dsn.password.Store(&password)
	return nil
}

// signsIn tells whether the primary takes the account.
func signsIn(ctx context.Context, spec Postgres) error {
	c, err := newConnector(spec, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer c.close()
	conn, _, _, err := c.connect(ctx)
	if err != nil {
		return Translate(ctx, err)
	}
	_ = conn.Close() // it was not used
	return nil
}

// Check tells whether a store can be opened, and changes nothing of it. A file is looked at
// from outside: whoever has it open has it alone.
func Check(ctx context.Context, spec Spec) error {
	spec.Schema = cmp.Or(spec.Schema, usualSchema)
	if err := spec.check(); err != nil {
		return err
	}
	if spec.Path != "" {
		return checkFile(spec.Path)
	}
	if err := signsIn(ctx, *spec.Postgres); err != nil {
		return err
	}
	d, err := Open(ctx, spec, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // nothing was written
	return Translate(ctx, d.checkVersion(ctx))
}

// checkFile tells whether the file can be made, with its folders, or written, and its log beside it. It is not opened for
// that: to close a file ends the locks that the process itself has of it.
func checkFile(name string) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", name)
	}
	for errors.Is(err, fs.ErrNotExist) { // it is made
		name = filepath.Dir(name)
		if info, err = os.Stat(name); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is no folder", name)
		}
	}
	if err == nil {
		err = syscall.Access(name, mayWrite)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	if info.IsDir() {
		return takesFiles(name)
	}
	return errors.Join(duckwal.Check(name), takesFiles(beside(name)))
}

// beside is the folder in which the log of a file is made.
func beside(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	return filepath.Dir(name)
}

// takesFiles tries whether files are made in a folder: there are some that take none, whoever asks, as /proc.
func takesFiles(folder string) error {
	tried, err := os.CreateTemp(folder, ".usher-*")
	if err != nil {
		return fmt.Errorf("no file can be made in %s: %w", folder, err)
	}
	return errors.Join(tried.Close(), os.Remove(tried.Name()))
}

// mayWrite is W_OK of access(2), which the syscall package does not name.
const mayWrite = 2

const usualSchema = "usher"

// Shared tells whether other gateways may have the same database.
func (d *DB) Shared() bool { return d.dsn != nil }

// admit refuses at once, and not only after its patience, who would ask a server that is known to be silent.
func (d *DB) admit(ctx context.Context) (context.Context, error) {
	if d.dsn == nil {
		return ctx, nil
	}
	return d.dsn.silence.admit(ctx)
}

// Try is Get for whoever keeps up with the store: it asks a silent server, too.
func (d *DB) Try(ctx context.Context, into any, text string, args ...any) error {
	return d.Get(try(ctx), into, text, args...)
}

// Size is how many bytes a table takes with its indexes or, in a file, all of them together, with what is still in the
// log beside it.
func (d *DB) Size(ctx context.Context, table string) (bytes int64, err error) {
	if d.dsn == nil {
		for _, name := range []string{d.path, d.path + ".wal"} {
			file, err := os.Stat(name)
			if errors.Is(err, fs.ErrNotExist) && name != d.path { // all of it is in the file
				continue
			}
			if err != nil {
				return 0, err
			}
			bytes += file.Size()
		}
		return bytes, nil
	}
	err = d.Get(ctx, &bytes, "SELECT pg_total_relation_size(CAST($1 AS regclass))", d.schema+"."+table)
	return bytes, err
}

// Get reads one row into a struct or a value.
func (d *DB) Get(ctx context.Context, into any, text string, args ...any) error {
	ctx, err := d.admit(ctx)
	if err != nil {
		return err
	}
	return d.pool.GetContext(ctx, into, d.sql(text), args...)
}

// List reads all rows into a slice.
func (d *DB) List(ctx context.Context, into any, text string, args ...any) error {
	ctx, err := d.admit(ctx)
	if err != nil {
		return err
	}
	return d.pool.SelectContext(ctx, into, d.sql(text), args...)
}

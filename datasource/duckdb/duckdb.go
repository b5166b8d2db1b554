// Package duckdb owns DuckDB: sources that are a database file or files read
// in place, and the embedded engine's scratch tables for what a source cannot
// answer itself. Everything it runs is confined: no file but those bound, no
// extension, no change of settings, bounded memory and threads. It refuses to
// write to a source but in Write, and to open a file that does not exist.
package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"usher/catalog"
	"usher/datasource/trouble"
	"usher/duckwal"
	"usher/fault"
)

// Options bound one instance of the engine. Zero values mean the defaults.
type Options struct {
	Memory      *Memory // what it shares with others; nil: nothing
	MemoryLimit int64   // bytes, of one that shares nothing; default 1 GiB
	Threads     int     // default 2
	TempDir     string  // where work larger than the memory spills; empty: it fails instead
	TempLimit   int64   // bytes in TempDir; default 4 GiB
	MaxConns    int     // sessions at the same time, more wait; default 8
	Writes      bool    // a database file is opened so that Write may be called
}

const defaultThreads = 2

// attached is the name under which a source's file is attached.
const attached = "source"

// DB is an open source.
type DB struct {
	*instance
	files bool          // its tables are views over files
	turn  chan struct{} // of who writes; nil: nobody does
	path  string        // of the file that is written
}

// Open opens a database file, read-only unless it is to be written, or files as the views
// of an in-memory database.
func Open(spec catalog.DuckDBSpec, opts Options) (*DB, error) {
	return openChecked(spec, opts, func([]*os.File) error { return nil })
}

// openChecked is Open with a check of the files whenever they are opened: of a
// database file before and after, and of files that are read in place when they are held.
func openChecked(spec catalog.DuckDBSpec, opts Options, check func([]*os.File) error) (*DB, error) {
	db, err := openPath(spec.Path, opts, check), error(nil)
	if spec.Path == "" {
		db, err = openFiles(spec.Files, opts, check)
	} else {
		_, err = existing(spec.Path)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if opts.Memory == nil { // there is nobody to wait for
		if _, err := db.use(context.Background()); err != nil {
			return nil, err
		}
		db.done()
	}
	return db, nil
}

// openPath is of a database file: the engine opens it once, and keeps it open.
func openPath(path string, opts Options, check func([]*os.File) error) *DB {
	db := &DB{}
	var claimed string // guarded as pool is
	db.instance = newInstance(opts.memory(), func(limit int64) (*sql.DB, error) {
		if err := check(nil); err != nil {
			return nil, unreadable(err)
		}
		real, setup, err := attach(path, opts.Writes)
		if err != nil {
			return nil, unreadable(err)
		}
		if claimed == "" {
			if err := opened.claim(real, db.instance, opts.Writes); err != nil {
				return nil, unreadable(err)
			}
			claimed = real
		}
		if err := duckwal.Check(real); err != nil {
			return nil, unreadable(err)
		}
		pool, err := start(opts, limit, setup, []string{"USE " + attached})
		if err != nil {
			return nil, unreadable(firstLine(err))
		}
		if err := check(nil); err != nil {
			return nil, unreadable(errors.Join(err, pool.Close()))
		}
		return pool, nil
	})
	db.ended = func() {
		if claimed != "" {
			opened.release(claimed, db.instance)
			claimed = ""
		}
	}
	if opts.Writes {
		db.alone, db.turn, db.path = true, make(chan struct{}, 1), path
	}
	return db
}

// openFiles is of files that are read in place. The engine opens them anew for each
// statement and each thread, so it is given descriptors that are held as long as
// somebody reads: whatever is renamed over a file meanwhile, it reads the one.
func openFiles(files map[string]string, opts Options, check func([]*os.File) error) (*DB, error) {
	names, tables, err := fileTables(files)
	if err != nil {
		return nil, err
	}
	var held []*os.File // guarded as pool is: there are users while it is opened, and none when it is let go
	release := func() {
		for _, f := range held {
			_ = f.Close()
		}
		held = nil
	}
	db := &DB{files: true, instance: newInstance(opts.memory(), func(limit int64) (*sql.DB, error) {
		if held == nil {
			if held, err = hold(tables); err == nil {
				err = check(held)
			}
			if err != nil {
				release()
				return nil, unreadable(err)
			}
		}
		pool, err := start(opts, limit, views(names, tables, held), nil)
		if err != nil {
			return nil, unreadable(firstLine(err))
		}
		return pool, nil
	})}
	db.ended = release
	return db, nil
}

func unreadable(cause error) error {
	if errors.Is(cause, os.ErrNotExist) {
		cause = trouble.With(trouble.NoDatabase, cause)
	}
	return fault.New(fault.Unavailable, "a file of the source cannot be opened").Because(cause)
}

// Close closes the source. Sessions that are running end first.
func (db *DB) Close() error { return db.close() }

// Renew opens the source anew if it is broken.
func (db *DB) Renew(ctx context.Context) error { return db.renew(ctx) }

// attach returns the file that a path leads to, and how it is attached. What is written
// first goes to a file beside it, which has to be found again whatever has led there.
func attach(path string, writes bool) (real string, _ []string, err error) {
	if path, err = existing(path); err != nil {
		return "", nil, err
	}
	if real, err = filepath.EvalSymlinks(path); err != nil {
		return "", nil, err
	}
	if writes {
		// What is large is logged, too: a checkpoint in its place that fails has the engine give up the file.
		return real, []string{"SET GLOBAL auto_checkpoint_skip_wal_threshold = 9000000000000000000", "ATTACH " + literal(real) + " AS " + attached + " (READ_WRITE, TYPE duckdb)"}, nil
	}
	return real, []string{"ATTACH " + literal(path) + " AS " + attached + " (READ_ONLY, TYPE duckdb)"}, nil
}

// existing returns the absolute path of a file; the engine would make a
// missing one, and take a pattern for many.
func existing(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(path, "*?[") {
		return "", fmt.Errorf("%s: a pattern does not name one file", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	return path, nil
}

// start makes an in-memory instance, runs setup in it, and locks it. perConn
// runs on every connection.
func start(opts Options, limit int64, setup, perConn []string) (*sql.DB, error) {
	if err := filesLeft(); err != nil {
		return nil, err
	}
	threads := cmp.Or(opts.Threads, defaultThreads)
	if opts.Memory != nil && limit < opts.Memory.full {
		threads = 1 // where memory is short, so are processors
	}
	settings := url.Values{
		"memory_limit":                 {bytes(limit)},
		"threads":                      {strconv.Itoa(threads)},
		"temp_directory":               {opts.TempDir},
		"max_temp_directory_size":      {bytes(cmp.Or(opts.TempLimit, 4<<30))},
		"autoload_known_extensions":    {"false"},
		"autoinstall_known_extensions": {"false"},
		"allow_community_extensions":   {"false"},
	}
	// The setup's own connection comes before what perConn may need.
	var onConnect []string
	connector, err := duckdb.NewConnector(":memory:?"+settings.Encode(), func(conn driver.ExecerContext) error {
		return exec(conn, onConnect)
	})
	if err != nil {
		return nil, err
	}
	if err := prepare(connector, setup); err != nil {
		return nil, errors.Join(err, connector.Close())
	}
	onConnect = perConn
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(cmp.Or(opts.MaxConns, 8))
	return pool, nil
}

// filesLeft refuses to start an instance where the process has no file left to open: there the engine throws in C++, where nobody
// catches it, and ends the process. It opens one at a time; a few more are for whoever opens theirs meanwhile.
func filesLeft() error {
	for range 8 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return fault.New(fault.Unavailable, "the gateway has too many files open").Because(err)
		}
		defer func() { _ = f.Close() }()
	}
	return nil
}

func prepare(connector *duckdb.Connector, setup []string) error {
	conn, err := connector.Connect(context.Background())
	if err != nil {
		return err
	}
	err = exec(conn.(driver.ExecerContext), slices.Concat(setup, []string{
		"SET GLOBAL TimeZone = 'UTC'",
		"SET GLOBAL enable_external_access = false",
		"SET GLOBAL lock_configuration = true",
	}))
	return errors.Join(err, conn.Close())
}

func exec(conn driver.ExecerContext, statements []string) error {
	for _, statement := range statements {
		if _, err := conn.ExecContext(context.Background(), statement, nil); err != nil {
			return err
		}
	}
	return nil
}

func bytes(n int64) string { return strconv.FormatInt(n, 10) + "B" }

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

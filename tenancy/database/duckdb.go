package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"

	"github.com/duckdb/duckdb-go/v2"

	"usher/duckwal"
)

// maxReaders is how many connections one file has; one at a time writes.
const maxReaders = 4

// openDuckDB opens the file, which nobody else may read, and locks the engine:
// the store's statements reach no other file. Who only reads changes neither the file nor its rights.
func openDuckDB(ctx context.Context, path string, toRead bool) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := duckwal.Check(path); err != nil {
		return nil, err
	}
	access, settle := "read_write", func() error { return confine(path) }
	if toRead {
		access, settle = "read_only", func() error { return nil }
	} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	connector, err := duckdb.NewConnector(path+"?access_mode="+access+"&memory_limit=256MB&threads=1&autoload_known_extensions=false&autoinstall_known_extensions=false&allow_community_extensions=false", nil)
	if err != nil {
		return nil, inUse(err)
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, errors.Join(err, connector.Close())
	}
	// What is large is logged, too: a checkpoint in its place that fails has the engine give up the file.
	_, err = conn.(driver.ExecerContext).ExecContext(ctx, "SET GLOBAL auto_checkpoint_skip_wal_threshold = 9000000000000000000; SET GLOBAL TimeZone = 'UTC'; SET GLOBAL enable_external_access = false; SET GLOBAL lock_configuration = true", nil)
	if err = errors.Join(err, conn.Close(), settle()); err != nil {
		return nil, errors.Join(err, connector.Close())
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(maxReaders)
	pool.SetMaxIdleConns(maxReaders)
	return pool, nil
}

// confine keeps others from reading the file. One that is confined is not touched: it would be changed after what is
// in its log.
func confine(path string) error {
	const owners = 0o600
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm() != owners {
		err = os.Chmod(path, owners)
	}
	return err
}

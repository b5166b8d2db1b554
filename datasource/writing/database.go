package writing

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"usher/admit"
	"usher/catalog"
	"usher/datasource/drift"
	"usher/datasource/duckdb"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/plan"
	"usher/sqlgen"
)

// Database is an account by which rows of a database are written: in transactions of a server, or
// of a file of DuckDB.
type Database struct {
	account Account
	reads   sqlexec.Sessions // of what has to be known of a refusal
	dialect sqlgen.ChangeDialect
	keys    *onceIn
	forgot  atomic.Int64 // when keys of mutations were forgotten for the last time

	// Of a server.
	server *postgres.DB
	tables *drift.Tables // nil: they are the source's
	guard  *guard        // nil: nobody else alters them

	// Of a file.
	file  *duckdb.Source
	files *drift.Files
}

// Account is what tells one account from another, and what it has in common with those who read.
type Account struct {
	Catalog *catalog.Catalog
	Target  plan.Target
	Timeout time.Duration // of a transaction, from when it is its tenant's turn; 0: as long as the request has
	Gate    *admit.Gate   // the way into the account
	Meter   Meter
}

// InServer writes by connections of their own: the others only read. Whoever has opened them closes them.
func InServer(a Account, server, reads *postgres.DB, tables *drift.Tables, known *Judgements) *Database {
	return &Database{
		account: a, reads: reads, dialect: sqlgen.PostgresChange, keys: &onceInPostgres, server: server, tables: tables,
		guard: &guard{cat: a.Catalog, target: a.Target, tables: reads, timeout: a.Timeout, looking: make(chan struct{}, 1), known: known},
	}
}

// InFile writes by the instance that reads the file.
func InFile(a Account, file *duckdb.Source, files *drift.Files) *Database {
	return &Database{account: a, reads: file, dialect: sqlgen.DuckDBChange, keys: &onceInFile, file: file, files: files}
}

// write runs a transaction. Those of a file are snapshots anyway.
func (d *Database) write(ctx context.Context, begins postgres.Transaction, fn func(sqlexec.Session) error) error {
	if d.file != nil {
		return d.file.Write(ctx, fn)
	}
	return d.server.Write(ctx, begins, fn)
}

// errTried ends a transaction that is not to be committed.
var errTried = errors.New("the rows could be written")

// try runs a transaction that is not committed, and tells whether it could have been.
func (d *Database) try(ctx context.Context, begins postgres.Transaction, fn func(sqlexec.Session) error) error {
	err := d.write(ctx, begins, func(s sqlexec.Session) error {
		if err := fn(s); err != nil {
			return err
		}
		return errTried
	})
	if errors.Is(err, errTried) {
		return nil
	}
	return err
}

// renewed has a file opened anew whose instance has broken: what was begun is not begun again, and the next
// shall not find it so.
func (d *Database) renewed(ctx context.Context, err error) error {
	if d.file == nil || !errors.Is(err, duckdb.ErrBroken) {
		return err
	}
	return errors.Join(err, d.file.Renew(ctx))
}

// fits refuses to write to tables that are not what was judged, in the file that a session writes: nobody
// alters one that is open, but another may have been put in its place.
func (d *Database) fits(ctx context.Context, session sqlexec.Session, c plan.Change) error {
	if d.file == nil {
		return nil
	}
	tables, err := d.files.In(ctx, session, changedRefs(c))
	if err != nil || tables == nil {
		return err
	}
	for _, w := range writtenBy(c) {
		j, ok, err := tables.Judged(ctx, w.table)
		if err == nil && ok {
			err = refusal(w, j, d.account.Target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

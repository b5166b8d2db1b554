package postgres

import (
	"reflect"
	"slices"

	"usher/catalog"
	"usher/datasource/pool"
)

// made is of what connections are made, but for functions. It is compared as a whole: a field that is new tells
// accounts apart until somebody says otherwise.
type made struct {
	spec catalog.PostgresSpec
	opts Options
	pool *pool.Pool // that they are counted in with others; nil: in one of their own
}

func madeOf(spec catalog.PostgresSpec, opts Options) made {
	m := made{spec, opts, opts.Pool}
	m.spec.Cells = nil // the account is in one place
	m.opts.Pool, m.opts.Control, m.opts.HostsChanged = nil, nil, nil
	return m
}

// Same tells whether nobody could tell the connections of two accounts apart: they lead to the same servers, by the
// same credentials and certificates, are bounded alike and counted in the same pool, and every session on them
// begins alike. Whether the functions that they were opened with do the same is for the caller to know. Accounts that
// have a pool of their own are never the same.
func (db *DB) Same(other *DB) bool {
	return db.made.pool != nil && db.made.pool == other.made.pool &&
		reflect.DeepEqual(db.made.spec, other.made.spec) && reflect.DeepEqual(db.made.opts, other.made.opts) &&
		slices.EqualFunc(db.hosts, other.hosts, func(a, b *host) bool { return a.connector.server.SameRoots(b.connector.server) })
}

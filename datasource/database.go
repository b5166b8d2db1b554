package datasource

import (
	"context"
	"errors"
	"time"

	"usher/admit"
	"usher/catalog"
	"usher/datasource/drift"
	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
	"usher/datasource/writing"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// database is an account of PostgreSQL or DuckDB: a source that answers whole
// statements.
type database struct {
	asker   // its way
	cat     *catalog.Catalog
	target  plan.Target
	db      sqlexec.Sessions
	end     func() error // of db and of the connections that write, which others may use still
	dialect sqlgen.Dialect
	timeout time.Duration
	tables  *drift.Tables // nil: they are the source's
	files   *drift.Files  // nil: the tables are in no files
	meter   *meter
	gate    *admit.Gate
	short   *admit.Gate // of statements that share connections; nil: none does
	flights group[sameQuestion, Answered]
	writes  *writing.Database // nil: nothing is written there
	written *lately
}

// opened makes a source of a database whose way is known.
func opened(d *database) *database {
	d.asker = d.way()
	return d
}

// Fetch implements Source.
func (d *database) Fetch(ctx context.Context, q plan.Query, each func(value.Rows) error) error {
	if q.Open() {
		return ErrNotPlanned
	}
	_, err := d.ask(ctx, &Question{
		query: q, tenant: q.Identity().Tenant(), target: q.Root().Ref(0).Target(), reads: drift.Reads(q.Root()), stream: &stream{each: each},
	})
	if errors.Is(err, duckdb.ErrBroken) { // the next fetch shall not find it broken; this one's rows are half taken
		return errors.Join(err, d.renew(ctx))
	}
	return err
}

// renew opens a database anew that can break as a whole.
func (d *database) renew(ctx context.Context) error {
	if db, ok := d.db.(interface{ Renew(context.Context) error }); ok {
		return db.Renew(ctx)
	}
	return nil
}

// Close implements Source.
func (d *database) Close() error { return d.end() }

// ask opens the account of a question's target, if it is not open, and asks it.
func (a *accounts) ask(ctx context.Context, q *Question) (Answered, error) {
	source, release, err := a.get(ctx, q.target)
	if err != nil {
		return Answered{}, err
	}
	defer release()
	db, ok := source.(*database)
	if !ok {
		return Answered{}, fault.Broken("source %q answers no statements", q.target.Source)
	}
	return db.ask(ctx, q)
}

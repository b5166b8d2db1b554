package datasource

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"

	"usher/datasource/drift"
	"usher/datasource/duckdb"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
)

// checked asks, unless the tables that a question reads are known to differ. When
// it does not fit them, they are looked at again: they may have changed.
type checked struct {
	next
	tables *drift.Tables // nil: they are the source's
}

func (c *checked) ask(ctx context.Context, q *Question) (Answered, error) {
	if c.tables == nil {
		return c.next.ask(ctx, q)
	}
	if err := c.tables.Check(ctx, q.reads); err != nil {
		return Answered{}, err
	}
	answered, err := c.next.ask(ctx, q)
	if errors.Is(err, postgres.ErrDrift) {
		c.tables.Forget()
		err = cmp.Or(c.tables.Check(ctx, q.reads), err)
	}
	return answered, err
}

// fits refuses a question whose tables are not what the catalog says, in the files that
// its session reads.
func (d *database) fits(ctx context.Context, session sqlexec.Session, q *Question) error {
	if d.files == nil {
		return nil
	}
	_, err := d.files.In(ctx, session, q.reads)
	return err
}

// looked has files looked at before anybody joins what is under way: it may be
// reading the files before.
type looked struct {
	next
	source *duckdb.Source // nil: there are no files
	seen   atomic.Uint64  // version
	forget func()         // what is under way
}

func (l *looked) ask(ctx context.Context, q *Question) (Answered, error) {
	if l.source == nil {
		return l.next.ask(ctx, q)
	}
	version, err := l.source.Look()
	if err != nil {
		return Answered{}, err
	}
	if l.seen.Load() != version {
		l.seen.Store(version)
		l.forget()
	}
	return l.next.ask(ctx, q)
}

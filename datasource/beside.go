package datasource

import (
	"context"
	"errors"

	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
	"usher/datasource/writing"
	"usher/held"
	"usher/plan"
	"usher/value"
)

// besides reads for those who write to APIs, in the way of what is combined.
type besides struct{ sources *Sources }

// Beside implements writing.Engine.
func (b besides) Beside(ctx context.Context, tenant string, do func(writing.Reading) error) error {
	s := b.sources
	slot, err := s.gate.Enter(ctx, tenant)
	if err != nil {
		return err
	}
	defer slot.Leave()
	scratch, err := s.engine.Scratch(ctx)
	if err != nil {
		return err
	}
	defer scratch.Close()
	c := &combination{sources: s, scratch: scratch, part: held.From(ctx).Part()}
	defer c.part.Release()
	err = scratch.Session(ctx, false, func(session sqlexec.Session) error {
		c.session = session
		return do(c)
	})
	if errors.Is(err, duckdb.ErrBroken) {
		err = errors.Join(err, s.engine.Renew(ctx))
	}
	return err
}

// Session implements writing.Reading.
func (c *combination) Session() sqlexec.Session { return c.session }

// Stale implements writing.Reading.
func (c *combination) Stale() bool { return !c.asOf.IsZero() }

// Bring implements writing.Reading.
func (c *combination) Bring(ctx context.Context, q plan.Query, l plan.Level, keys [][]value.Value, ahead writing.Ahead) (plan.Level, error) {
	c.query = q
	if ahead == nil {
		return c.bring(ctx, l, keys)
	}
	id := c.levels
	c.levels++
	fetches := c.query.Fetches(l, id)
	if err := c.loadAhead(ctx, l, fetches[0], keys, ahead); err != nil {
		return plan.Level{}, err
	}
	for i, f := range fetches[1:] {
		parts, err := c.narrow(ctx, l, fetches, i+1, f, keys)
		if err == nil {
			err = c.load(ctx, parts)
		}
		if err != nil {
			return plan.Level{}, err
		}
	}
	return l.OnScratch(id), nil
}

// loadAhead makes a table of rows as they are about to be.
func (c *combination) loadAhead(ctx context.Context, l plan.Level, f plan.Fetch, keys [][]value.Value, ahead writing.Ahead) error {
	ref := f.Query().Root().Ref(0)
	rows, err := ahead(ref, func() (value.Rows, error) {
		source, release, err := c.sources.accounts.get(ctx, ref.Target())
		if err != nil {
			return nil, err
		}
		defer release()
		return c.together(ctx, source, c.sources.parts(f, l.Link(0).Own().Name(), distinct(keys[0])))
	})
	if err != nil {
		return err
	}
	_, err = c.scratch.Load(ctx, f.Table(), scratchColumns(ref), rows, fetchCaps)
	return err
}

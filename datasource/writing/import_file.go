package writing

import (
	"context"
	"errors"
	"slices"
	"time"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
)

// A file takes the rows of an import as it takes those of mutations: portion by portion, each
// an insert with all of its checks, and all of them in one transaction, or so many rows in each.

// importFile writes the rows, and tells how many are in.
func (d *Database) importFile(ctx context.Context, p *cut, key *onceImport, told func(int64)) (in int64, err error) {
	if key != nil {
		done, err := d.passOver(ctx, p, key)
		if in = key.in; err != nil || done {
			return in, err
		}
	}
	for {
		p.count, p.waited = 0, 0
		here, err := p.mark()
		if err != nil {
			return in, err
		}
		first, err := p.next(false)
		if err != nil || len(first.lines) == 0 && key == nil {
			return in, err
		}
		err = d.loadInTurn(ctx, p, first, key)
		p.changed()                  // after a failure nobody may know what it has left
		if errors.Is(err, errKept) { // by another one that came between
			if err := p.back(here, first); err != nil {
				return in, err
			}
			done, err := key.skip()
			if in = key.in; err != nil || done {
				return in, err
			}
			continue
		}
		if err != nil {
			return in, err
		}
		in += p.count
		told(in)
		if key == nil {
			continue
		}
		key.in = in
		if p.ended {
			d.forget(ctx)
			return in, nil
		}
	}
}

// passOver passes over the rows that are in under a key, and tells whether these are all.
func (d *Database) passOver(ctx context.Context, p *cut, key *onceImport) (done bool, err error) {
	slot, err := d.account.Gate.Enter(ctx, p.plan.Identity().Tenant())
	if err != nil {
		return false, err
	}
	err = d.try(ctx, postgres.Transaction{}, func(s sqlexec.Session) error { return key.enter(ctx, s) })
	slot.Leave()
	if errors.Is(err, errKept) {
		return key.skip()
	}
	return false, err
}

// loadInTurn writes the rows of one transaction with what the first role presets that lets those of the
// first portion be written: what came before a later one has gone by.
func (d *Database) loadInTurn(ctx context.Context, p *cut, first portion, key *onceImport) error {
	of := p.plan
	defer func() { p.plan = of }()
	for {
		later := false
		err := d.loadFile(ctx, p, first, key, &later)
		next, again := p.plan.Otherwise(err)
		switch {
		case !again:
			return err
		case later:
			return fault.From(err).WithHint("another of your roles may let all of these rows be written: send them in batches of at most 10,000 rows, of which each is tried with every role")
		}
		p.plan = next
	}
}

// loadFile writes the rows of one transaction, and notes that a portion behind the first was begun.
func (d *Database) loadFile(ctx context.Context, p *cut, first portion, key *onceImport, later *bool) error {
	slot, err := d.account.Gate.Enter(ctx, p.plan.Identity().Tenant())
	if err != nil {
		return err
	}
	defer slot.Leave()
	var refused portion
	var kept []byte
	began := time.Now()
	err = d.write(ctx, postgres.Transaction{}, func(session sqlexec.Session) (err error) {
		if key != nil {
			if err := key.enter(ctx, session); err != nil {
				return err
			}
		}
		for now := first; len(now.lines) > 0; {
			refused = now
			began := time.Now()
			err := d.insertPortion(ctx, session, p.plan, now)
			p.counted.worked(time.Since(began))
			if err != nil {
				return err
			}
			refused = portion{}
			*later = true
			if now, err = p.next(true); err != nil {
				return err
			}
		}
		if key != nil {
			kept, err = key.leave(ctx, session)
		}
		return err
	})
	if err == nil && key != nil {
		key.kept = kept
	}
	err = d.renewed(ctx, err)
	took := max(time.Since(began)-p.waited, 0)
	p.counted.ends(took)
	d.account.Meter.Took(ctx, p.plan.Identity().Tenant(), took)
	if err == nil || len(refused.lines) == 0 {
		return err
	}
	return d.refusedPortion(ctx, p.plan, refused, err)
}

// insertPortion inserts a portion in a transaction of its caller's.
func (d *Database) insertPortion(ctx context.Context, s sqlexec.Session, i plan.Import, now portion) error {
	c, err := i.Portion(now.lines, now.rows)
	if err != nil {
		return err
	}
	if err := d.fits(ctx, s, c); err != nil {
		return err
	}
	_, err = sqlexec.Apply(ctx, s, d.dialect, c, nil, nil)
	return err
}

// refusedPortion says what is wrong with a portion, and with which line of it.
func (d *Database) refusedPortion(ctx context.Context, i plan.Import, refused portion, err error) error {
	f := fault.From(err)
	v := violationOf(err, nil)
	if f.Line > 0 || v == nil && f.Code != fault.Forbidden && f.Code != fault.NotFound || v != nil && v.Passing() {
		if v == nil {
			return err
		}
		return d.violated(i, false, v).Because(err)
	}
	line, at := d.firstRefused(ctx, i, refused, v != nil)
	if at != nil {
		err = at
	}
	if v == nil {
		of := *fault.From(err)
		of.Line = line
		return &of
	}
	c, unplanned := i.Portion(refused.lines, refused.rows)
	if unplanned != nil {
		return unplanned
	}
	v = violationOf(err, &c)
	f = d.violated(i, false, v)
	if row := slices.Index(refused.lines, line); row >= 0 && v.Class() == "22" {
		fields := ofRow(c, row)
		d.measured(ctx, c, fields)
		if loses(v, fields, d.untaken(ctx, v, c, fields)) {
			f = postgres.LostLabel()
		}
	}
	f.Line = line
	return f.Because(err)
}

// firstRefused finds the first line of a portion that is refused, by the source or by what has to be right
// of it, by trying the first of the rows, each time in a transaction of its own that is
// not committed. 0: it is not found, as where a row collides with one of the portions before.
func (d *Database) firstRefused(ctx context.Context, i plan.Import, of portion, bySource bool) (line int64, refused error) {
	row, refused, err := sqlexec.FirstRefused(0, int64(len(of.lines)-1), func(_, to int64) (refused, err error) {
		err = d.try(ctx, postgres.Transaction{}, func(session sqlexec.Session) error {
			return d.insertPortion(ctx, session, i, of.first(int(to)+1))
		})
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && (violationOf(err, nil) != nil) == bySource:
			return err, nil
		}
		return nil, nil
	})
	if err != nil || refused == nil {
		return 0, nil //nolint:nilerr // what could not be tried is told without a line
	}
	return of.lines[row], refused
}

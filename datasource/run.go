package datasource

import (
	"context"
	"time"

	"usher/datasource/sqlexec"
	"usher/sqlgen"
	"usher/value"
)

// runner is the end of the way: it runs a statement in a session of the database.
type runner struct {
	db       sqlexec.Sessions
	dialect  sqlgen.Dialect
	snapshot bool                                                    // sessions of exports are of a transaction; those of files read one version as it is
	fits     func(context.Context, sqlexec.Session, *Question) error // whether what a session reads is what the question is for
}

func (r *runner) ask(ctx context.Context, q *Question) (Answered, error) {
	if q.exports() {
		return Answered{}, r.db.Session(ctx, r.snapshot, func(session sqlexec.Session) error {
			if err := r.fits(ctx, session, q); err != nil {
				return err
			}
			return sqlexec.Run{Session: session, Dialect: r.dialect, Before: sqlexec.AsPlanned}.Export(ctx, q.query, q.stream.patience, q.stream.hand)
		})
	}
	if q.stream != nil {
		return Answered{}, r.db.Session(ctx, false, func(session sqlexec.Session) error {
			if err := r.fits(ctx, session, q); err != nil {
				return err
			}
			return sqlexec.Fetch(ctx, session, r.dialect, q.query, q.stream.take)
		})
	}
	results, ride, err := r.together(ctx, q)
	if !ride.Asked {
		err = r.db.Session(ctx, false, func(session sqlexec.Session) (err error) {
			if err := r.fits(ctx, session, q); err != nil {
				return err
			}
			results, err = q.statement.Run(ctx, session)
			return err
		})
	}
	answered := answeredWith(results...)
	answered.ride = ride
	return answered, err
}

// together asks in one packet with others, where the database and the statement are for that.
func (r *runner) together(ctx context.Context, q *Question) ([]*value.Result, sqlexec.Ride, error) {
	db, ok := r.db.(sqlexec.Together)
	if !ok {
		return nil, sqlexec.Ride{}, nil
	}
	return q.statement.RunTogether(ctx, db)
}

// stream is where the rows of a fetch go, or the portions of an export. It counts
// rows while they are read: it is a value.Rows.
type stream struct {
	value.Rows // nil until something was given out
	each       func(value.Rows) error
	read       int

	portion  func(*value.Result) error // of an export
	handed   bool                      // some were
	portions portions
	patience time.Duration // of a portion; 0: as long as the request has
}

// hand hands on a portion of an export.
func (s *stream) hand(r *value.Result) error {
	s.handed = true
	s.read += r.Rows.Len()
	return s.portions.hand(r, s.portion)
}

func (s *stream) take(rows value.Rows) error {
	s.Rows = rows
	return s.each(s)
}

// Next implements value.Rows.
func (s *stream) Next() bool {
	if !s.Rows.Next() {
		return false
	}
	s.read++
	return true
}

// given tells whether rows were given out: there is no second try then.
func (s *stream) given() bool { return s != nil && (s.Rows != nil || s.handed) }

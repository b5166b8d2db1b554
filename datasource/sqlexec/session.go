// Package sqlexec runs one plan as statements on one session.
package sqlexec

import (
	"context"
	"time"

	"usher/plan"
	"usher/value"
)

// Session runs statements in one read-only snapshot of one database.
type Session interface {
	// Query runs one statement. Placeholders are $1…; every argument is bound
	// as text, the statement casts it. One result is open at a time: the next
	// Query closes the rows of the one before.
	Query(ctx context.Context, text string, args []string) (value.Rows, error)
}

// Sessions is a database that has sessions. A snapshot reads what was there at its beginning.
type Sessions interface {
	Session(ctx context.Context, snapshot bool, fn func(Session) error) error
}

// Plans is a session of a database that may keep one plan of a statement for all
// arguments.
type Plans interface {
	// QueryByValues is Query with a plan that is made for these arguments.
	QueryByValues(ctx context.Context, text string, args []string) (value.Rows, error)
	// QueryForAll is Query with a plan that is made once, for any arguments.
	QueryForAll(ctx context.Context, text string, args []string) (value.Rows, error)
}

// Together is a database that sends short statements of several callers in one packet.
type Together interface {
	// Together runs a statement with a plan for any arguments and has its rows read, which must
	// wait for nothing else. It may not ask at all.
	Together(ctx context.Context, text string, args []string, read func(value.Rows) error) (Ride, error)
}

// Ride is how a statement went.
type Ride struct {
	Asked  bool          // false: it is to be asked in a session
	Shared bool          // others went in the same packet
	Waited time.Duration // for others
}

// Writes is a session of a database that has code of its owner's run when rows are written.
type Writes interface {
	// QueryWriting is Query, while the owner's code finds names where it finds them for
	// others; the statement itself is read as all are. Once says that it is not kept.
	QueryWriting(ctx context.Context, text string, args []string, once bool) (value.Rows, error)
	// QueryWritingForAll is QueryWriting with a plan that is made once, for any arguments.
	QueryWritingForAll(ctx context.Context, text string, args []string) (value.Rows, error)
}

// writing runs a statement that writes.
func writing(ctx context.Context, s Session, how planned, text string, args []string) (value.Rows, error) {
	w, ok := s.(Writes)
	switch {
	case ok && how == forAll:
		return w.QueryWritingForAll(ctx, text, args)
	case ok:
		return w.QueryWriting(ctx, text, args, how == byValues)
	}
	return s.Query(ctx, text, args)
}

// planned says how a statement is to be planned.
type planned uint8

const (
	asEver   planned = iota // as the database thinks best
	byValues                // it finds rows by their parents: how many there are depends on the tenant
	forAll                  // plan.Level.Generic
)

func plannedAs(l plan.Level) planned {
	switch {
	case l.Generic():
		return forAll
	case l.Steps():
		return byValues
	}
	return asEver
}

// ask runs a statement.
func ask(ctx context.Context, s Session, how planned, text string, args []string) (value.Rows, error) {
	p, ok := s.(Plans)
	switch {
	case ok && how == byValues:
		return p.QueryByValues(ctx, text, args)
	case ok && how == forAll:
		return p.QueryForAll(ctx, text, args)
	}
	return s.Query(ctx, text, args)
}

package tenancy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"usher/fault"
	"usher/pglink"
)

// translate makes a *fault.Error of what the database returned; faults stay.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known
	}
	cause := redacted(err)
	if ended := ctx.Err(); ended != nil {
		return fault.From(ended).Because(errors.Join(ended, cause))
	}
	kind, reported := pglink.KindOf(err)
	var engine *duckdb.Error
	switch {
	case duplicate(err):
		return fault.New(fault.Conflict, "something of that name exists already").Because(cause)
	case errors.As(err, &engine) && engine.Type == duckdb.ErrorTypeTransaction:
		return later("the control store is busy").Because(cause)
	case reported:
		switch kind {
		case pglink.Gone, pglink.Refused, pglink.NoDatabase, pglink.Busy, pglink.Overloaded, pglink.Canceled:
			return later("the control store does not answer").Because(cause)
		}
		if pglink.Away(err) {
			return fault.New(fault.Unavailable, "the control store does not answer").Because(cause)
		}
		return fault.New(fault.Internal, "the control store failed").Because(cause)
	case errors.As(err, &engine):
		return fault.New(fault.Internal, "the control store failed").Because(cause)
	default:
		return later("the control store does not answer").Because(cause)
	}
}

// later is what is said of the store to those who may ask again.
func later(message string) *fault.Error {
	f := fault.New(fault.Unavailable, "%s", message).WithHint("Try again in a moment.")
	f.RetryAfter = time.Second
	return f
}

// duplicate tells that a row of the same key exists.
func duplicate(err error) bool {
	if kind, reported := pglink.KindOf(err); reported {
		return kind == pglink.Duplicate
	}
	var engine *duckdb.Error
	return errors.As(err, &engine) && engine.Type == duckdb.ErrorTypeConstraint
}

func missing(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// redacted is the cause for the log: what a database says of a statement may
// quote values, except where it speaks of names.
func redacted(err error) error {
	var engine *duckdb.Error
	if errors.As(err, &engine) {
		switch engine.Type {
		case duckdb.ErrorTypeConstraint, duckdb.ErrorTypeConversion, duckdb.ErrorTypeOutOfRange:
			return fmt.Errorf("duckdb: error of type %d", engine.Type)
		}
	}
	return pglink.Redacted(err)
}

func forbidden(format string, args ...any) error { return fault.New(fault.Forbidden, format, args...) }

func unusable(format string, args ...any) error {
	return fault.New(fault.BadUserInput, format, args...)
}

// reason is what an error says, within another one.
func reason(err error) string {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}

func notFound(format string, args ...any) error { return fault.New(fault.NotFound, format, args...) }

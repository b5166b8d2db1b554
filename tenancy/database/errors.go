package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"usher/duckerr"
	"usher/fault"
	"usher/pglink"
)

// Translate makes a *fault.Error of what the database returned; faults stay.
func Translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known
	}
	cause := Redacted(err)
	if ended := ctx.Err(); ended != nil {
		return fault.From(ended).Because(errors.Join(ended, cause))
	}
	kind, reported := pglink.KindOf(err)
	var engine *duckdb.Error
	switch {
	case errors.As(err, &engine) && duckerr.Unwritten(engine.Msg) != nil:
		return fault.New(fault.Unavailable, "the control store's file cannot be written").
			WithHint("Tell an administrator: the log says why, as that the disk is full.").Because(cause)
	case Duplicate(err):
		return fault.New(fault.Conflict, "something of that name exists already").Because(cause)
	case errors.As(err, &engine) && engine.Type == duckdb.ErrorTypeTransaction:
		return later("the control store is busy").Because(cause)
	case reported:
		switch kind {
		case pglink.Gone, pglink.Refused, pglink.NoDatabase, pglink.Busy, pglink.Overloaded, pglink.NoRoom, pglink.Canceled:
			return later("the control store does not answer").Because(cause)
		}
		if kind == pglink.Differs || kind == pglink.Forbidden {
			return differs().Because(cause)
		}
		if pglink.Away(err) {
			return fault.New(fault.Unavailable, "the control store does not answer").Because(cause)
		}
		return fault.New(fault.Internal, "the control store failed").Because(cause)
	case errors.As(err, &engine) && (engine.Type == duckdb.ErrorTypeCatalog || engine.Type == duckdb.ErrorTypeBinder):
		return differs().Because(cause)
	case errors.As(err, &engine):
		return fault.New(fault.Internal, "the control store failed").Because(cause)
	default:
		return later("the control store does not answer").Because(cause)
	}
}

// differs is what is said of tables that another program has changed while this one runs.
func differs() *fault.Error {
	return fault.New(fault.Unavailable, "the control store's tables are not as this usher knows them").
		WithHint("Tell an administrator: usher's log says what differs. A newer usher may have changed them, or the store's account may not use them.")
}

// later is what is said of the store to those who may ask again.
func later(message string) *fault.Error {
	f := fault.New(fault.Unavailable, "%s", message).WithHint("Try again in a moment.")
	f.RetryAfter = time.Second
	return f
}

// Duplicate tells that a row of the same key exists.
func Duplicate(err error) bool {
	if kind, reported := pglink.KindOf(err); reported {
		return kind == pglink.Duplicate
	}
	var engine *duckdb.Error
	return errors.As(err, &engine) && engine.Type == duckdb.ErrorTypeConstraint
}

// Missing tells that there is no such row.
func Missing(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Redacted is the cause for the log: what a database says of a statement may
// quote values, except where it speaks of names.
func Redacted(err error) error {
	var engine *duckdb.Error
	if errors.As(err, &engine) {
		if why := duckerr.Unwritten(engine.Msg); why != nil {
			return why
		}
		switch engine.Type {
		case duckdb.ErrorTypeConstraint, duckdb.ErrorTypeConversion, duckdb.ErrorTypeOutOfRange:
			return fmt.Errorf("duckdb: error of type %d", engine.Type)
		}
	}
	return pglink.Redacted(err)
}

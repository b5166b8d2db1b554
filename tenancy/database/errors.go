package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"usher/diskroom"
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
	case Duplicate(err):
		return fault.New(fault.Conflict, "something of that name exists already").Because(cause)
	case errors.As(err, &engine) && diskroom.Unwritten(engine.Msg) != nil:
		return unwritten(cause)
	case errors.As(err, &engine) && engine.Type == duckdb.ErrorTypeTransaction:
		return later("the control store is busy").Because(cause)
	case reported:
		switch kind {
		case pglink.NoRoom:
			return unwritten(cause)
		case pglink.Gone, pglink.Refused, pglink.NoDatabase, pglink.Busy, pglink.Overloaded, pglink.Canceled:
			return later("the control store does not answer").Because(cause)
		}
		switch kind { //nolint:exhaustive // the others are told below
		case pglink.Differs:
			return differs(cause)
		case pglink.Forbidden, pglink.Barred:
			return fault.New(fault.Unavailable, "the control store's account may not do what usher needs").
				WithHint("Tell an administrator: usher check says which rights it lacks.").Because(fmt.Errorf("%w: %w", ErrDiffers, cause))
		}
		if pglink.Away(err) {
			return fault.New(fault.Unavailable, "the control store does not answer").Because(cause)
		}
		return fault.New(fault.Internal, "the control store failed").Because(cause)
	case errors.As(err, &engine) && (engine.Type == duckdb.ErrorTypeCatalog || engine.Type == duckdb.ErrorTypeBinder):
		return differs(cause)
	case errors.As(err, &engine):
		return fault.New(fault.Internal, "the control store failed").Because(cause)
	default:
		return later("the control store does not answer").Because(cause)
	}
}

// inUse marks what the engine says of a file that another program has open, or this one: it has no codes for that.
func inUse(err error) error {
	var engine *duckdb.Error
	if errors.As(err, &engine) && (engine.Type == duckdb.ErrorTypeConnection || strings.Contains(engine.Msg, "Could not set lock on file")) {
		return fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return err
}

// ErrDiffers is the cause of what is said of tables that waiting does not mend.
var ErrDiffers = errors.New("the tables are not there, are others, or may not be used")

// differs is what is said of tables that somebody has changed while this program runs.
func differs(cause error) *fault.Error {
	return fault.New(fault.Unavailable, "the control store's tables are not as this usher knows them").
		WithHint("Tell an administrator: usher's log says what differs. Somebody may have emptied or replaced the store, which is to be restored, or else made anew by a restart; or a newer usher has changed its tables.").Because(fmt.Errorf("%w: %w", ErrDiffers, cause))
}

// Emptied is what is said of a store that lacks a row that its tables are made with.
func Emptied(cause error) error { return differs(cause) }

// unwritten is what is said of a store whose disk is full.
func unwritten(cause error) error {
	if errors.Is(cause, diskroom.ErrReadOnly) {
		return fault.New(fault.Unavailable, "the control store cannot be written: its file system is for reading only").
			WithHint("Tell an administrator: nothing was changed, and when it can be written again, changes are made again.").Because(cause)
	}
	return fault.New(fault.Unavailable, "the control store cannot be written: its disk is full").
		WithHint("Tell an administrator: nothing was changed, and when there is room again, changes are made again.").Because(cause)
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
		if why := diskroom.Unwritten(engine.Msg); why != nil {
			return why
		}
		switch engine.Type {
		case duckdb.ErrorTypeConstraint, duckdb.ErrorTypeConversion, duckdb.ErrorTypeOutOfRange:
			return fmt.Errorf("duckdb: error of type %d", engine.Type)
		}
	}
	return pglink.Redacted(err)
}

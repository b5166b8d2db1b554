package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"usher/diskroom"
	"usher/fault"
	"usher/sqlgen"
)

// errMoved is the cause of an error of a file that the engine may not open: one that it
// reads was given another name.
var errMoved = errors.New("a file is not where it was")

// translate makes a *fault.Error of what the engine or its driver returned.
// ctx is the context the statement ran with.
func translate(ctx context.Context, err error) error {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known
	}
	if ctx.Err() != nil {
		return fault.From(ctx.Err())
	}
	cause := redacted(err)
	if v := violationOf(err); v != nil {
		cause = v
	}
	var engine *duckdb.Error
	if !errors.As(err, &engine) {
		return fault.New(fault.Internal, "the source failed").Because(cause)
	}
	if diskroom.Unwritten(engine.Msg) != nil {
		return unwritten(cause)
	}
	switch engine.Type {
	case duckdb.ErrorTypeInvalidInput:
		if strings.Contains(engine.Msg, sqlgen.NoLabel) {
			return fault.New(fault.BadUserInput, "the cursor stands at a label that is no more").WithHint("Begin the list again.").Because(cause)
		}
		return fault.New(fault.Internal, "the source failed").Because(cause)
	case duckdb.ErrorTypeInterrupt:
		return fault.New(fault.Timeout, "the request was canceled").Because(cause)
	case duckdb.ErrorTypeOutOfMemory:
		return fault.New(fault.TooComplex, "the question needs more memory than the source may use").
			WithHint("Ask for fewer rows or fewer groups.").Because(cause)
	case duckdb.ErrorTypeOutOfRange:
		return tooLarge(cause)
	case duckdb.ErrorTypeConversion:
		if strings.Contains(engine.Msg, " to DECIMAL(") { // of a number that has more digits
			return tooLarge(cause)
		}
		return fault.New(fault.Internal, "the source failed").Because(cause)
	case duckdb.ErrorTypeCatalog, duckdb.ErrorTypeBinder:
		return fault.Differs().Because(cause)
	case duckdb.ErrorTypeFatal, duckdb.ErrorTypeInternal:
		return fault.New(fault.Unavailable, "the source has failed and is opened anew").Because(fmt.Errorf("%w: %w", ErrBroken, cause))
	case duckdb.ErrorTypePermission:
		return fault.New(fault.Unavailable, "the source's data cannot be read").Because(fmt.Errorf("%w: %w", errMoved, cause))
	case duckdb.ErrorTypeIO:
		return fault.New(fault.Unavailable, "the source's data cannot be read").Because(cause)
	default:
		return fault.New(fault.Internal, "the source failed").Because(cause)
	}
}

func unwritten(cause error) error {
	return fault.New(fault.Unavailable, "the source's file cannot be written").
		WithHint("Tell an administrator: the log says why, as that the disk is full.").Because(cause)
}

func tooLarge(cause error) error {
	return fault.New(fault.TooComplex, "a number is too large to be exact").Because(cause)
}

// redacted is the cause for the log; of errors that quote values it is only
// the kind.
func redacted(err error) error {
	var engine *duckdb.Error
	if !errors.As(err, &engine) {
		return err
	}
	if why := diskroom.Unwritten(engine.Msg); why != nil {
		return why
	}
	switch engine.Type {
	case duckdb.ErrorTypeConversion, duckdb.ErrorTypeOutOfRange, duckdb.ErrorTypeInvalidInput, duckdb.ErrorTypeConstraint, duckdb.ErrorTypeInvalid, duckdb.ErrorTypeTransaction:
		kind, _, _ := strings.Cut(engine.Msg, ":")
		return fmt.Errorf("duckdb: %s", kind)
	default:
		return firstLine(err)
	}
}

// firstLine drops the further lines of the engine's text, which quote the
// statement.
func firstLine(err error) error {
	var engine *duckdb.Error
	if !errors.As(err, &engine) {
		return err
	}
	line, _, _ := strings.Cut(engine.Msg, "\n")
	return fmt.Errorf("duckdb: %s", line)
}

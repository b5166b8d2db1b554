package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"

	"usher/datasource/pool"
	"usher/fault"
	"usher/pglink"
)

// ErrDrift is the cause of an error of a statement that names what the database
// does not have, or has as another type.
var ErrDrift = errors.New("the tables are not what they were")

// translate makes a *fault.Error of what the server, the driver or the network
// returned. ctx is the context it happened in.
func translate(ctx context.Context, err error) error {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known
	}
	cause := causeOf(err)
	if ended := ctx.Err(); ended != nil {
		return fault.From(ended).Because(errors.Join(ended, cause))
	}
	if alone := (*pool.PausedError)(nil); errors.As(err, &alone) {
		return paused(alone)
	}
	if kind, reported := pglink.KindOf(err); reported {
		f := ofKind(kind)
		if kind == pglink.Differs {
			cause = fmt.Errorf("%w: %w", ErrDrift, cause)
		}
		return f.Because(cause)
	}
	var network net.Error
	switch {
	case errors.Is(err, pool.ErrBusy):
		return fault.New(fault.Unavailable, "too many requests wait for the sources").Because(cause)
	case errors.Is(err, pool.ErrClosed):
		return fault.New(fault.Unavailable, "the source is closed").Because(cause)
	case errors.Is(err, pglink.ErrTooLarge):
		return fault.New(fault.TooComplex, "the answer of the source is too large").
			WithHint("Ask for fewer rows or fields.").Because(cause)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fault.New(fault.Timeout, "the source did not answer in time").Because(cause)
	default:
		return fault.New(fault.Unavailable, "the source does not answer").Because(cause)
	}
}

func ofKind(kind pglink.Kind) *fault.Error {
	switch kind {
	case pglink.Canceled:
		return fault.New(fault.Timeout, "the source did not answer in time")
	case pglink.Inexact:
		return fault.New(fault.TooComplex, "a number is too large to be exact")
	case pglink.Differs:
		return fault.New(fault.Internal, "the source's table differs from the catalog")
	case pglink.Forbidden:
		return fault.New(fault.Internal, "the source's account may not read the table")
	case pglink.Busy:
		return fault.New(fault.Unavailable, "the source is busy")
	case pglink.Gone:
		return fault.New(fault.Unavailable, "the source does not answer")
	case pglink.Refused:
		return fault.New(fault.Unavailable, "the source does not accept the account")
	case pglink.Overloaded:
		return fault.New(fault.Unavailable, "the source is overloaded")
	case pglink.TooComplex:
		return fault.New(fault.TooComplex, "the question is too complex for the source")
	default:
		return fault.New(fault.Internal, "the source failed")
	}
}

// panicked is the error of a session that panicked. Where it did is for the log.
func panicked(p any) error {
	return fault.New(fault.Internal, "the source failed").Because(fmt.Errorf("panic: %s\n%s", pglink.Said(fmt.Sprint(p)), debug.Stack()))
}

func redacted(err error) error { return pglink.Redacted(err) }

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/lib/pq"

	"usher/datasource/pool"
	"usher/fault"
)

// ErrDrift is the cause of an error of a statement that names what the database
// does not have, or has as another type.
var ErrDrift = errors.New("the tables are not what they were")

const differs = "the source's table differs from the catalog"

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
	var reported *pq.Error
	if errors.As(err, &reported) {
		f := ofSQLState(string(reported.Code))
		if f.Message == differs {
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
	case errors.Is(err, errTooLarge):
		return fault.New(fault.TooComplex, "the answer of the source is too large").
			WithHint("Ask for fewer rows or fields.").Because(cause)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fault.New(fault.Timeout, "the source did not answer in time").Because(cause)
	default:
		return fault.New(fault.Unavailable, "the source does not answer").Because(cause)
	}
}

func ofSQLState(code string) *fault.Error {
	switch code {
	case "57014":
		return fault.New(fault.Timeout, "the source did not answer in time")
	case "22003":
		return fault.New(fault.TooComplex, "a number is too large to be exact")
	case "42P01", "42703", "42704", "42804", "42883", "3F000":
		return fault.New(fault.Internal, differs)
	case "42501":
		return fault.New(fault.Internal, "the source's account may not read the table")
	case "40001", "40P01", "55P03":
		return fault.New(fault.Unavailable, "the source is busy")
	case "3D000":
		return fault.New(fault.Unavailable, "the source does not accept the account")
	}
	switch code[:min(2, len(code))] {
	case "08", "57":
		return fault.New(fault.Unavailable, "the source does not answer")
	case "28":
		return fault.New(fault.Unavailable, "the source does not accept the account")
	case "53":
		return fault.New(fault.Unavailable, "the source is overloaded")
	case "54":
		return fault.New(fault.TooComplex, "the question is too complex for the source")
	}
	return fault.New(fault.Internal, "the source failed")
}

// redacted is the cause for the log. Of what the server reports it is the
// message only where that speaks of names; other messages quote values.
func redacted(err error) error {
	var reported *pq.Error
	if !errors.As(err, &reported) {
		return err
	}
	switch reported.Code.Class() {
	case "08", "28", "3D", "3F", "42", "53", "57":
		return fmt.Errorf("postgres: %s (%s)", reported.Message, reported.Code)
	default:
		return fmt.Errorf("postgres: SQLSTATE %s", reported.Code)
	}
}

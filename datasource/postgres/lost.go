package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/lib/pq"

	"usher/datasource/pool"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/pglink"
)

// What is among the causes of a fault that comes of a lost connection.
var (
	errLost  = errors.New("the connection was lost")
	errEnded = errors.New("the connection was ended")
)

// What a server says that leaves, or is not there yet, in PostgreSQL's own names.
const (
	adminShutdown    = "57P01"
	crashShutdown    = "57P02"
	cannotConnectNow = "57P03"
)

// Lost tells that an error comes of the connection and not of what was asked: the
// server has ended it, or it broke. A read may be asked once more on another
// one. What else is joined with the error makes no difference: a server that
// ends a connection says why, and closes it.
func Lost(err error) bool {
	if errors.Is(err, errLost) || Ended(err) || hungUp(err) || errors.Is(err, syscall.EPIPE) {
		return true
	}
	var reported *pq.Error
	return errors.As(err, &reported) && (reported.Code == crashShutdown || strings.HasPrefix(string(reported.Code), "08")) // the class of connections
}

// Ended tells that somebody has ended the connection, or the server, on purpose:
// what was asked has nothing to do with it.
func Ended(err error) bool {
	var reported *pq.Error
	return errors.Is(err, errEnded) ||
		errors.As(err, &reported) && (reported.Code == adminShutdown || reported.Code == cannotConnectNow)
}

// causeOf is what the log gets of an error; Lost and Ended know it still.
func causeOf(err error) error {
	switch {
	case Ended(err):
		return fmt.Errorf("%w: %w", errEnded, pglink.Redacted(err))
	case Lost(err):
		return fmt.Errorf("%w: %w", errLost, pglink.Redacted(err))
	}
	return pglink.Redacted(err)
}

// paused is the answer while an account is left alone: it says for how long.
func paused(p *pool.PausedError) *fault.Error {
	f := fault.New(fault.Unavailable, "the source does not answer")
	if last := fault.From(translate(context.Background(), p.Cause)); last.Code == fault.Unavailable {
		f.Message, f.Hint = last.Message, last.Hint
	}
	cause := fmt.Errorf("not tried again for %s, because: %v", p.Left, pglink.Redacted(p.Cause)) //nolint:errorlint // what is not tried was not lost
	f = f.Because(trouble.With(troubleOf(p.Cause), cause))
	f.RetryAfter = p.Left
	return f
}

package datasource

import (
	"context"
	"time"
)

// timed gives a source the time that it has, from the moment that it is asked:
// for a connection, for the answer and for sending it. What is not done then
// ends as fault.Timeout, which whoever reads a connection makes of a deadline.
type timed struct {
	next
	timeout time.Duration // 0: as long as the request has
}

func (t *timed) ask(ctx context.Context, q *Question) (Answered, error) {
	if q.exports() { // each portion has that time, and whoever reads them the export's
		q.stream.patience = t.timeout
		return t.next.ask(ctx, q)
	}
	ctx, cancel := within(ctx, t.timeout)
	defer cancel()
	return t.next.ask(ctx, q)
}

func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if ends, bounded := ctx.Deadline(); timeout <= 0 || bounded && time.Until(ends) <= timeout { // the request ends before
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}
